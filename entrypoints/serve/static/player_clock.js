/**
 * A clip's own clock, its frames, and the wall clock.
 *
 * `paces` say how the clock runs, each from a time of the clip on: what is shown at `clipInMs` was
 * seen at `seenTimestampInMs`, and `rate` is seconds of the clip in a second of the wall clock. A
 * clip skips gaps, so the wall clock jumps there.
 */

const WITHIN_S = 0.0005;

/** Return when what the clip shows at a time was seen, in ms since the epoch. */
export function seenAt(paces, clipMs) {
  const pace = paces.findLast(({ clipInMs }) => clipInMs <= clipMs) ?? paces[0];
  return pace.seenTimestampInMs + (clipMs - pace.clipInMs) / pace.rate;
}

/**
 * Return the time of the clip that shows what was seen at an instant: of an instant in a gap, the
 * time of what follows; of one that is shown twice, the later time.
 */
export function clipAt(paces, seenMs) {
  const at = paces.findLastIndex(({ seenTimestampInMs }) => seenTimestampInMs <= seenMs);
  if (at < 0) return 0;
  const { clipInMs, seenTimestampInMs, rate } = paces[at];
  const until = paces[at + 1]?.clipInMs ?? Infinity;
  return Math.min(clipInMs + (seenMs - seenTimestampInMs) * rate, until);
}

/** Return when each frame is shown, in seconds of the clip. */
export function frameTimes({ timescale, firstInTicks, runs }) {
  const times = [firstInTicks / timescale];
  let ticks = firstInTicks;
  for (const [count, interval] of runs)
    for (let n = 0; n < count; n += 1) times.push((ticks += interval) / timescale);
  return times;
}

/**
 * Return when a frame was seen, in whole ms since the epoch.
 *
 * It is rounded down, but a frame's time is itself rounded to a tick: half of one may be missing.
 */
export function frameSeenMs({ paces, frames }, times, frame) {
  return Math.floor(seenAt(paces, times[frame] * 1000) + 500 / frames.timescale);
}

/** Return the number of the frame that is shown at a time, from 0. */
export function frameAt(times, seconds) {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (times[middle] <= seconds + WITHIN_S) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Return where to seek so that a frame is shown.
 *
 * That is shortly before the next frame: browsers take the decode durations of frames for how long
 * they are shown, so that before a hole another frame seems to be on screen at first.
 */
export function seekTime(times, frame, durationS) {
  const next = times[frame + 1] ?? Math.max(durationS, times[frame] + 2 * WITHIN_S);
  return next - Math.min((next - times[frame]) / 2, shortestInterval(times) / 2);
}

/** Return the next of some ascending times after a time, or the last one before; else null. */
export function jumpFrom(times, seconds, direction) {
  if (direction > 0) return times.find((time) => time > seconds + WITHIN_S) ?? null;
  return times.findLast((time) => time < seconds - WITHIN_S) ?? null;
}

/** Return where a clip skips gaps: its times, ascending, without those at its end. */
export function gapTimes({ paces, gaps, durationInMs }) {
  const times = gaps.map(({ endTimestampInMs }) => clipAt(paces, endTimestampInMs) / 1000);
  return [...new Set(times)].filter((time) => time < durationInMs / 1000);
}

/** Return a time of the clip for people, such as 1:02.345. */
export function formatClipTime(seconds) {
  const ms = Math.floor(seconds * 1000 + WITHIN_S);
  const minutes = Math.floor(ms / 60_000);
  const rest = ((ms % 60_000) / 1000).toFixed(3);
  return minutes ? `${minutes}:${rest.padStart(6, "0")}` : rest;
}

const shortest = new WeakMap();

function shortestInterval(times) {
  if (!shortest.has(times)) {
    let least = Infinity;
    for (let n = 1; n < times.length; n += 1) least = Math.min(least, times[n] - times[n - 1]);
    shortest.set(times, least);
  }
  return shortest.get(times);
}
