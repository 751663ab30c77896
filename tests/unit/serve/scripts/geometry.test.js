// The timeline's geometry: views, snapping, ticks and tiles.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as geometry from "../static/geometry.js";
import { levelOf, standIns, tileOf, tilesOf, widest } from "../static/tiles.js";
import { dateLabel, ticksOf } from "../static/ticks.js";
import { extentOf, firstView, firstWindow, footageAt, keptNear, withEnd } from "../static/view_state.js";

const at = (text) => Date.parse(text);
const VIEW = { startMs: 1000, msPerPx: 10, widthPx: 100 };

test("zooming keeps the time at the pointer", () => {
  for (const [factor, x] of [[2, 0], [2, 30], [0.5, 99], [1e9, 50], [1e-12, 50]]) {
    const zoomed = geometry.zoomed(VIEW, factor, x);
    assert.ok(Math.abs(geometry.msOf(zoomed, x) - geometry.msOf(VIEW, x)) < 1e-3);
    assert.ok(zoomed.msPerPx >= geometry.MIN_MS_PER_PX && zoomed.msPerPx <= geometry.MAX_MS_PER_PX);
  }
});

test("panning moves times by px, and another width shows the same times", () => {
  assert.equal(geometry.panned(VIEW, 5).startMs, 1050);
  const wide = geometry.resized(VIEW, 400);
  assert.deepEqual([wide.startMs, geometry.endOf(wide)], [1000, 2000]);
});

test("a window is fitted with a margin on both sides", () => {
  const view = geometry.fitted(0, 1000, 100, 0.25);
  assert.deepEqual(view, { startMs: -500, msPerPx: 20, widthPx: 100 });
});

test("a view is moved just as far as a time needs", () => {
  assert.equal(geometry.showing(VIEW, 1500, 10), VIEW);
  assert.equal(geometry.xOf(geometry.showing(VIEW, 0, 10), 0), 10);
  assert.equal(geometry.xOf(geometry.showing(VIEW, 9000, 10), 9000), 90);
});

for (const [name, ms, edges, frames, expected] of [
  ["a round time as fine as a px", 1234, [], [], 1230],
  ["an edge nearby", 1234, [1260], [], 1260],
  ["no edge far away", 1234, [1300], [], 1230],
  ["a frame nearby", 1234, [], [1200, 1233, 1266], 1233],
  ["an edge before a frame", 1234, [1250], [1233], 1250],
]) {
  test(`a dragged end snaps to ${name}`, () => {
    assert.equal(geometry.snapped(VIEW, ms, edges, frames), expected);
  });
}

const FRAMES = [0, 33, 66, 100, 1000, 1033];
for (const [name, ms, direction, expected] of [
  ["from a frame to the next", 33, 1, 66],
  ["from between two to the next", 40, 1, 66],
  ["to the one before", 66, -1, 33],
  ["from between two to the one before", 40, -1, 33],
  ["to the end of the last frame before a hole", 100, 1, 133],
  ["over a hole", 133, 1, 1000],
  ["back over a hole", 1000, -1, 100],
  ["to the end of the last one", 1033, 1, 1066],
  ["beyond the last one", 1066, 1, null],
  ["before the first one", 0, -1, null],
]) {
  test(`a step goes ${name}`, () => assert.equal(geometry.stepped(FRAMES, ms, direction), expected));
}

test("without frames there is no step", () => assert.equal(geometry.stepped([], 5, 1), null));

const labels = (view, zone) => ticksOf(view, zone).map(({ label }) => label).filter(Boolean);
const viewAt = (text, msPerPx) => ({ startMs: at(text), msPerPx, widthPx: 1000 });
for (const [name, view, zone, expected] of [
  ["frames", viewAt("2026-05-01T12:00:00Z", 0.5), "UTC", "12:00 .050 .100 .150 .200 .250 .300 .350 .400 .450 .500"],
  ["seconds", viewAt("2026-05-01T12:00:00Z", 30), "UTC", "12:00 12:00:05 12:00:10 12:00:15 12:00:20 12:00:25 12:00:30"],
  ["hours over midnight", viewAt("2026-05-01T18:30:00Z", 36_000), "UTC", "19:00 20:00 21:00 22:00 23:00 2 May 01:00 02:00 03:00 04:00"],
  ["an hour that clocks skip", viewAt("2026-03-29T00:00:00Z", 18_000), "Europe/Madrid", "01:00 01:30 03:00 +02:00 03:30 04:00 04:30 05:00 05:30 06:00 06:30 07:00"],
  ["an hour that clocks repeat", viewAt("2026-10-24T23:30:00Z", 18_000), "Europe/Madrid", "01:30 02:00 02:30 02:00 +01:00 02:30 03:00 03:30 04:00 04:30 05:00 05:30"],
  ["minutes around the change back", viewAt("2026-10-25T00:55:00Z", 600), "Europe/Madrid", "02:55 02:56 02:57 02:58 02:59 02:00 +01:00 02:01 02:02 02:03 02:04 02:05"],
  ["days over a clock change", viewAt("2026-10-22T22:00:00Z", 864_000), "Europe/Madrid", "23 Oct 24 Oct 25 Oct 26 Oct 27 Oct 28 Oct 29 Oct 30 Oct 31 Oct 1 Nov"],
  ["Mondays", viewAt("2026-05-01T00:00:00Z", 4_000_000), "UTC", "4 May 11 May 18 May 25 May 1 Jun 8 Jun 15 Jun"],
  ["months", viewAt("2026-11-15T00:00:00Z", 10 * 2_600_000), "UTC", "1 Dec 2027 1 Feb 1 Mar 1 Apr 1 May 1 Jun 1 Jul 1 Aug 1 Sep"],
]) {
  test(`the ruler names ${name}`, () => assert.equal(labels(view, zone).join(" "), expected));
}

test("ticks are few and in order, whatever the zoom", () => {
  for (let msPerPx = 0.25; msPerPx <= 2 ** 25; msPerPx *= 1.7) {
    const ticks = ticksOf({ startMs: at("2026-10-20"), msPerPx, widthPx: 1000 }, "Europe/Madrid");
    assert.ok(ticks.length < 130, `${msPerPx}: ${ticks.length}`);
    ticks.slice(1).forEach(({ ms }, n) => assert.ok(ms > ticks[n].ms));
  }
});

test("a date has its weekday, in its zone", () => {
  assert.equal(dateLabel(at("2026-05-01T23:00:00Z"), "Europe/Madrid"), "Sat 2 May 2026");
  assert.equal(dateLabel(at("2026-05-01T23:00:00Z"), "UTC", true), "1 May");
});

test("tiles abut, cover the view, and are at least as fine as its px", () => {
  for (let msPerPx = 0.25; msPerPx <= 2 ** 25; msPerPx *= 1.9) {
    const view = { startMs: at("2026-05-01T12:34:56.789Z"), msPerPx, widthPx: 1000 };
    const tiles = tilesOf(view);
    assert.ok(tiles[0].startMs <= view.startMs && tiles.at(-1).endMs >= geometry.endOf(view));
    assert.ok(tiles.length <= 4);
    assert.ok(2 ** levelOf(view) <= Math.max(msPerPx, 1));
    tiles.slice(1).forEach((tile, n) => assert.equal(tile.startMs, tiles[n].endMs));
  }
});

for (const [name, kept, expected] of [
  ["itself", [[3, 4]], [[3, 4]]],
  ["a coarser one", [[5, 1]], [[5, 1]]],
  ["the finest coarser one", [[4, 2], [5, 1]], [[4, 2]]],
  ["its halves", [[2, 8], [2, 9]], [[2, 8], [2, 9]]],
  ["one half and nothing", [[2, 9]], [null, null, [2, 9]]],
  ["nothing", [], [null]],
]) {
  test(`a tile is stood in for by ${name}`, () => {
    const has = (tile) => kept.some(([level, index]) => tile.level === level && tile.index === index);
    const found = standIns(tileOf(3, 4), has);
    assert.deepEqual(found.map(({ tile }) => tile && [tile.level, tile.index]), expected);
    assert.equal(found[0].startMs, tileOf(3, 4).startMs);
    assert.equal(found.at(-1).endMs, tileOf(3, 4).endMs);
  });
}

const camera = (recordings, first, last) => ({
  recordings, firstStartTimestampInMs: first, lastStartTimestampInMs: last,
});

test("the extent of a camera whose recordings are not counted begins with any time", () => {
  assert.deepEqual(extentOf(camera(null, null, 30_000), 1e9), { startMs: 0, endMs: 90_000 });
  assert.deepEqual(extentOf(camera(null, null, null), 1e9), { startMs: 0, endMs: 1e9 });
});

test("a view is never wider than its footage may be asked for", () => {
  const maxMsPerPx = widest(8 * geometry.DAY);
  const wide = { startMs: 0, msPerPx: geometry.MAX_MS_PER_PX, widthPx: 1000 };
  const limited = geometry.limited(wide, maxMsPerPx);
  assert.equal(limited.msPerPx, maxMsPerPx);
  const middle = (view) => (view.startMs + geometry.endOf(view)) / 2;
  assert.equal(middle(limited), middle(wide));
  for (const view of [
    geometry.zoomed(limited, 0.5, 0),
    geometry.resized(limited, 500),
    geometry.panned(geometry.zoomed(geometry.zoomed(limited, 8, 0), 0.01, 0), 9),
  ]) {
    assert.equal(view.msPerPx, maxMsPerPx);
    const tile = tilesOf(view)[0];
    assert.ok(tile.endMs - tile.startMs <= 8 * geometry.DAY);
    assert.ok(tilesOf(view).length <= 3);
  }
  assert.equal(widest(1e15), geometry.MAX_MS_PER_PX);
});

test("the first view is that of the address, else the last hour", () => {
  const extent = { startMs: 0, endMs: 1e8 };
  assert.equal(firstView(extent, 100, { startMs: 5, endMs: 105 }, null).startMs, 5);
  const around = firstView(extent, 100, null, { startMs: 4000, endMs: 5000 });
  assert.equal((around.startMs + geometry.endOf(around)) / 2, 4500);
  const last = firstView(extent, 100, null, null);
  assert.ok(last.startMs < 1e8 - 3_600_000 && geometry.endOf(last) > 1e8);
  assert.ok(firstView({ startMs: 0, endMs: 60_000 }, 100, null, null).startMs < 0);
});

test("a view stays near the footage, or near now if that is recent", () => {
  const extent = { startMs: 0, endMs: 10_000 };
  const far = { startMs: 5e9, msPerPx: 1, widthPx: 100 };
  assert.equal(keptNear(far, extent, 1e10).startMs, 9950);
  assert.equal(keptNear(far, extent, 20_000).startMs, 19_950);
  assert.equal(keptNear({ ...far, startMs: -5e9 }, extent, 1e10).startMs, -50);
});

test("the first window is the end of the last stretch", () => {
  const view = { startMs: 0, msPerPx: 1000, widthPx: 1000 };
  const stretches = [{ startMs: 0, endMs: 10 }, { startMs: 400_000, endMs: 500_000 }];
  assert.deepEqual(firstWindow(view, stretches), { startMs: 440_000, endMs: 500_000 });
  assert.deepEqual(firstWindow(view, stretches.slice(0, 1)), { startMs: 0, endMs: 10 });
  assert.equal(firstWindow(view, []), null);
});

for (const [end, ms, expected] of [
  ["startMs", 15, { startMs: 15, endMs: 20 }],
  ["endMs", 12, { startMs: 10, endMs: 12 }],
  ["startMs", 25, { startMs: 25, endMs: 35 }],
  ["endMs", 10, { startMs: 0, endMs: 10 }],
  ["endMs", 2e8, { startMs: 199_999_990, endMs: 2e8 }],
  ["startMs", -2e8, { startMs: -2e8, endMs: -199_999_990 }],
]) {
  test(`a window keeps its length if ${end} would empty it, or is another day: ${ms}`, () => {
    assert.deepEqual(withEnd({ startMs: 10, endMs: 20 }, end, ms), expected);
  });
}

test("a moment is within footage, a gap, or a file that cannot be read", () => {
  const part = (start, end, more) => ({ startTimestampInMs: start, endTimestampInMs: end, ...more });
  const footage = {
    isExact: true,
    stretches: [part(0, 10)],
    leftOut: [part(20, 30, { isUnfinished: true }), part(30, 40, { isUnfinished: false })],
  };
  const pieces = [{ startMs: 0, endMs: 50, isOwn: true, footage }];
  const pier = camera(3, 0, 40);
  const kinds = [5, 10, 25, 35, 60].map((ms) => footageAt(pier, pieces, ms));
  assert.deepEqual(kinds, ["footage", "gap", "unfinished", "damaged", "unknown"]);
  const guessed = [{ ...pieces[0], footage: { ...footage, isExact: false } }];
  assert.equal(footageAt(pier, guessed, 10), "unknown");
  assert.equal(footageAt(pier, [{ ...pieces[0], footage: null }], 5), "unknown");
  assert.equal(footageAt(camera(0, null, null), pieces, 5), "none");
  assert.equal(footageAt(camera(null, null, null), pieces, 5), "footage");
  const undated = part(null, null, { isUnfinished: true });
  const unknown = [{ ...pieces[0], footage: { ...footage, leftOut: [undated] } }];
  assert.equal(footageAt(pier, unknown, 15), "gap");
  const nowMs = 1000;
  assert.equal(footageAt(pier, pieces, nowMs + 2 * 86_400_000, nowMs), "unknown");
  assert.equal(footageAt(pier, pieces, nowMs + 2 * 86_400_000 + 1, nowMs), "gap");
});
