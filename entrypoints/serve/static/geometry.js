/**
 * The timeline's geometry, as pure functions.
 *
 * A view is `{startMs, msPerPx, widthPx}`: which times are on screen, `startMs` at x = 0.
 */

export const MIN_MS_PER_PX = 0.25;
export const MAX_MS_PER_PX = 2 ** 25;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** Durations that are round on a clock, in ms, up to a day. */
export const ROUND_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12, 24].map((n) => n * HOUR),
];

/** Return where a time is, in px. */
export const xOf = (view, ms) => (ms - view.startMs) / view.msPerPx;

/** Return the time at a place, in ms. */
export const msOf = (view, x) => view.startMs + x * view.msPerPx;

/** Return when the view ends. */
export const endOf = (view) => msOf(view, view.widthPx);

const maxOf = (view) => view.maxMsPerPx ?? MAX_MS_PER_PX;

/**
 * Return the view with times `factor` times as wide; the time at `x` stays there.
 *
 * A view shows no more than its `maxMsPerPx`, if it has one.
 */
export function zoomed(view, factor, x) {
  const msPerPx = clamp(view.msPerPx / factor, MIN_MS_PER_PX, maxOf(view));
  return { ...view, msPerPx, startMs: msOf(view, x) - x * msPerPx };
}

/** Return the view, no wider than `maxMsPerPx` from now on; its middle stays. */
export const limited = (view, maxMsPerPx) => zoomed({ ...view, maxMsPerPx }, 1, view.widthPx / 2);

/** Return the view moved by so many px: later times if positive. */
export const panned = (view, px) => ({ ...view, startMs: msOf(view, px) });

/** Return the view that shows a window with a margin on both sides, a fraction of its width. */
export function fitted(startMs, endMs, widthPx, margin = 0.04) {
  const inner = Math.max(widthPx * (1 - 2 * margin), 1);
  const msPerPx = clamp((endMs - startMs) / inner, MIN_MS_PER_PX, MAX_MS_PER_PX);
  return { startMs: (startMs + endMs - widthPx * msPerPx) / 2, msPerPx, widthPx };
}

/** Return the view of the same times on another width. */
export const resized = (view, widthPx) => ({
  ...view,
  widthPx,
  msPerPx: clamp((view.msPerPx * view.widthPx) / widthPx, MIN_MS_PER_PX, maxOf(view)),
});

/** Return the view, moved so that its middle is within the bounds. */
export function within(view, firstMs, lastMs) {
  const half = (view.widthPx * view.msPerPx) / 2;
  return { ...view, startMs: clamp(view.startMs, firstMs - half, lastMs - half) };
}

/** Return the view, moved as little as possible so that a time is on screen. */
export function showing(view, ms, marginPx = 40) {
  const x = xOf(view, ms);
  if (x < marginPx) return panned(view, x - marginPx);
  if (x > view.widthPx - marginPx) return panned(view, x - view.widthPx + marginPx);
  return view;
}

/** Return the first round duration of at least `ms`; a day if there is none. */
export const roundAtLeast = (ms) => ROUND_MS.find((step) => step >= ms) ?? DAY;

/** Return the last round duration of at most `ms`; 1 ms if there is none. */
export const roundUpTo = (ms) => ROUND_MS.findLast((step) => step <= ms) ?? 1;

/** Return the multiple of a step that is closest to a time. */
export const toStep = (ms, step) => Math.round(ms / step) * step;

/** Return the position of the first number that is at least `ms`, in ascending numbers. */
export function firstAtLeast(numbers, ms) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Return the number that is closest to `ms` in ascending numbers, null if there is none. */
export function closest(numbers, ms) {
  const at = firstAtLeast(numbers, ms);
  const [before, after] = [numbers[at - 1], numbers[at]];
  if (before === undefined) return after ?? null;
  return after === undefined || ms - before <= after - ms ? before : after;
}

/**
 * Return where an end of a window goes when it is dragged to `ms`: to an edge of footage or a frame
 * nearby, else to a round time as fine as a px.
 */
export function snapped(view, ms, edges, frames) {
  const edge = closest(edges, ms);
  if (edge !== null && Math.abs(edge - ms) <= 6 * view.msPerPx) return edge;
  const frame = closest(frames, ms);
  if (frame !== null && Math.abs(frame - ms) <= Math.max(4 * view.msPerPx, 50)) return frame;
  return toStep(ms, roundUpTo(view.msPerPx));
}

/**
 * Return the next frame's instant after `ms`, or the one before; null if it is not among them.
 *
 * After the last frame before a hole, the next instant is that frame's end.
 */
export function stepped(frames, ms, direction) {
  const at = firstAtLeast(frames, ms);
  if (direction < 0) return frames[at - 1] ?? null;
  const isFrame = frames[at] === ms;
  const next = frames[isFrame ? at + 1 : at] ?? null;
  const interval = usualInterval(frames);
  if (isFrame && interval && (next === null || next - ms > 2 * interval)) return ms + interval;
  return next;
}

/** Return the usual time from frame to frame in ms, 0 if it is not known. */
export function usualInterval(frames) {
  const intervals = frames.slice(1).map((ms, at) => ms - frames[at]);
  return intervals.sort((a, b) => a - b)[intervals.length >> 1] ?? 0;
}

export const clamp = (number, low, high) => Math.min(Math.max(number, low), high);
