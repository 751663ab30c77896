// The clip's clock and the wall clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  clipAt,
  formatClipTime,
  frameAt,
  frameSeenMs,
  frameTimes,
  gapTimes,
  jumpFrom,
  seekTime,
  seenAt,
} from "../static/player_clock.js";

const pace = (clipInMs, seenTimestampInMs, rate = 1) => ({ clipInMs, seenTimestampInMs, rate });
const PLAIN = [pace(0, 50_000)];
const WITH_GAP = [pace(0, 50_000), pace(10_000, 70_000)];
const WITH_OVERLAP = [pace(0, 50_000), pace(10_000, 59_500)];
const FAST = [pace(0, 40_000, 1.25), pace(10_000, 48_000)];

for (const [name, paces, clipMs, seenMs] of [
  ["the start of the clip is that of its window", PLAIN, 0, 50_000],
  ["without gaps the clocks run together", PLAIN, 1234, 51_234],
  ["just before a gap", WITH_GAP, 9_999, 59_999],
  ["at a gap the wall clock jumps", WITH_GAP, 10_000, 70_000],
  ["after a gap", WITH_GAP, 12_000, 72_000],
  ["after an overlap the wall clock steps back", WITH_OVERLAP, 10_000, 59_500],
  ["a recording with a fast clock plays longer", FAST, 5000, 44_000],
  ["after it, the clocks run together", FAST, 11_000, 49_000],
])
  test(`seenAt: ${name}`, () => assert.equal(seenAt(paces, clipMs), seenMs));

for (const [name, paces, seenMs, clipMs] of [
  ["the start", PLAIN, 50_000, 0],
  ["before the clip, its start", PLAIN, 49_000, 0],
  ["within a stretch", PLAIN, 51_234, 1234],
  ["within a gap, the picture after it", WITH_GAP, 65_000, 10_000],
  ["the end of a gap", WITH_GAP, 70_000, 10_000],
  ["of two pictures, the later one", WITH_OVERLAP, 59_750, 10_250],
  ["at another rate", FAST, 44_000, 5000],
])
  test(`clipAt: ${name}`, () => assert.equal(clipAt(paces, seenMs), clipMs));

const frames = (firstInTicks, ...runs) => ({ timescale: 1000, firstInTicks, runs });
const UNEVEN = frameTimes(frames(17, [2, 33], [1, 500], [1, 40]));

for (const [name, given, times] of [
  ["a single frame", frames(0), [0]],
  ["equal intervals", frames(0, [3, 40]), [0, 0.04, 0.08, 0.12]],
  ["a late first frame and a hole", frames(17, [2, 33], [1, 500], [1, 40]), [0.017, 0.05, 0.083, 0.583, 0.623]],
])
  test(`frameTimes: ${name}`, () => assert.deepEqual(frameTimes(given), times));

for (const [name, seconds, frame] of [
  ["before the first frame, the first", 0, 0],
  ["a frame's own time", 0.05, 1],
  ["rounded down by the browser", 0.0497, 1],
  ["just before a frame", 0.082, 1],
  ["within a hole, the frame before it", 0.4, 2],
  ["after the last frame, the last", 99, 4],
])
  test(`frameAt: ${name}`, () => assert.equal(frameAt(UNEVEN, seconds), frame));

for (const [name, ticks, seenMs] of [
  ["a whole ms", 15_360, 51_000],
  ["a third of a ms is rounded down", 512, 50_033],
  ["two thirds are, too", 1024, 50_066],
  ["a tick that was rounded down itself", 181_432, 61_812],
])
  test(`frameSeenMs: ${name}`, () => {
    const clock = { paces: PLAIN, frames: { timescale: 15_360, firstInTicks: ticks, runs: [] } };
    assert.equal(frameSeenMs(clock, frameTimes(clock.frames), 0), seenMs);
  });

test("seekTime: each frame is sought where it is shown", () => {
  for (let frame = 0; frame < UNEVEN.length; frame += 1)
    assert.equal(frameAt(UNEVEN, seekTime(UNEVEN, frame, 0.66)), frame);
});

test("seekTime: a held frame is sought at the end of the hole", () => {
  assert.ok(seekTime(UNEVEN, 2, 0.66) > 0.56);
});

test("seekTime: a clip of one frame", () => {
  const seconds = seekTime([0], 0, 0.04);
  assert.ok(seconds >= 0 && seconds <= 0.04);
});

for (const [name, seconds, direction, expected] of [
  ["the next gap", 0, 1, 5],
  ["at a gap, the one after it", 5, 1, 9],
  ["after the last gap, none", 9, 1, null],
  ["the gap before", 7, -1, 5],
  ["at a gap, the one before it", 9, -1, 5],
  ["before the first gap, none", 5, -1, null],
])
  test(`jumpFrom: ${name}`, () => assert.equal(jumpFrom([5, 9], seconds, direction), expected));

for (const [name, gaps, times] of [
  ["none", [], []],
  ["in between", [[60_000, 70_000]], [10]],
  ["at the end, none to jump to", [[80_000, 90_000]], []],
  ["at the start", [[40_000, 50_000]], [0]],
])
  test(`gapTimes: ${name}`, () => {
    const windows = gaps.map(([startTimestampInMs, endTimestampInMs]) => ({ startTimestampInMs, endTimestampInMs }));
    assert.deepEqual(gapTimes({ paces: WITH_GAP, gaps: windows, durationInMs: 20_000 }), times);
  });

for (const [seconds, text] of [
  [0, "0.000"],
  [9.7335, "9.733"],
  [59.9999, "59.999"],
  [62.345, "1:02.345"],
  [3600, "60:00.000"],
])
  test(`formatClipTime: ${seconds}`, () => assert.equal(formatClipTime(seconds), text));
