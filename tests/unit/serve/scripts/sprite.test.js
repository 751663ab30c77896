// The pictures over the seek bar.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boxStart, pictureAt, readIndex, shareAt } from "../static/sprite.js";

const HEAD = "WEBVTT\n\nNOTE Each picture is of the instant in the comment before its cue.\n";
const INDEX = `${HEAD}
NOTE 2026-05-01T14:05:12.345+02:00

00:00:00.000 --> 00:00:01.200
c1.sprite.jpg#xywh=0,0,160,90

NOTE 2026-05-01T14:05:13.545+02:00

00:00:01.200 --> 01:02:03.000
c1.sprite.jpg#xywh=160,90,160,90
`;

test("readIndex: each picture with its time, its instant and its place", () => {
  const { image, pictures } = readIndex(INDEX);
  assert.equal(image, "c1.sprite.jpg");
  const first = Date.UTC(2026, 4, 1, 12, 5, 12, 345);
  assert.deepEqual(pictures, [
    { startS: 0, seenMs: first, x: 0, y: 0, width: 160, height: 90 },
    { startS: 1.2, seenMs: first + 1200, x: 160, y: 90, width: 160, height: 90 },
  ]);
});

test("readIndex: hours count", () => {
  const later = INDEX.replace("00:00:01.200 -->", "01:02:01.200 -->");
  assert.equal(readIndex(later).pictures[1].startS, 3721.2);
});

for (const text of ["", HEAD, "no index"])
  test(`readIndex: nothing in ${JSON.stringify(text)}`, () =>
    assert.deepEqual(readIndex(text), { image: "", pictures: [] }));

const PICTURES = [{ startS: 0 }, { startS: 1.2 }, { startS: 2 }];

for (const [name, seconds, at] of [
  ["the first", 0, 0],
  ["until the next begins", 1.199, 0],
  ["when it begins", 1.2, 1],
  ["to the end", 99, 2],
  ["before all", -1, 0],
])
  test(`pictureAt: ${name}`, () => assert.equal(pictureAt(PICTURES, seconds), PICTURES[at]));

for (const [name, x, share] of [
  ["its start is half of the thumb inside", 108, 0],
  ["before it", 100, 0],
  ["the middle", 200, 0.5],
  ["its end", 292, 1],
  ["after it", 500, 1],
])
  test(`shareAt: ${name}`, () => assert.equal(shareAt(x, { left: 100, width: 200 }), share));

for (const [name, x, start] of [
  ["above the place", 200, 120],
  ["not beyond the start", 20, 0],
  ["not beyond the end", 390, 240],
])
  test(`boxStart: ${name}`, () => assert.equal(boxStart(x, 160, 400), start));

test("boxStart: wider than the bar", () => assert.equal(boxStart(50, 160, 100), 0));
