/** Decisions about what the page shows, as pure functions of its state. */

import { DAY, fitted, roundUpTo, within } from "./geometry.js";

const HOUR = 3_600_000;
const USUAL_RECORDING_MS = 60_000;
const RECENT_MS = DAY;
const ALL_UP_TO_MS = 1.5 * HOUR;
const WINDOW_PART = 10;

/** What there may be of a moment, and what screen readers say of it. */
export const KINDS = {
  footage: "footage",
  gap: "no footage",
  unfinished: "unfinished recording",
  damaged: "damaged recording",
  none: "no footage",
  unknown: "",
};

/**
 * Return from when until when a camera has footage, by the starts of its recordings.
 *
 * In AWS it is not known which is the first: any time may have footage.
 */
export function extentOf(camera, nowMs) {
  const [firstMs, lastMs] = [camera.firstStartTimestampInMs, camera.lastStartTimestampInMs];
  if (firstMs === null && camera.recordings === null) {
    return { startMs: 0, endMs: lastMs === null ? nowMs : lastMs + USUAL_RECORDING_MS };
  }
  if (firstMs === null) return { startMs: nowMs - HOUR, endMs: nowMs };
  const usualMs = camera.usualDurationInMs ?? USUAL_RECORDING_MS;
  return { startMs: firstMs, endMs: lastMs + Math.min(usualMs, HOUR) };
}

/** Return the view that a camera is first shown with. */
export function firstView(extent, widthPx, seen, window) {
  if (seen) return fitted(seen.startMs, seen.endMs, widthPx, 0);
  if (window) return fitted(window.startMs, window.endMs, widthPx, 0.3);
  const isShort = extent.endMs - extent.startMs <= ALL_UP_TO_MS;
  return fitted(isShort ? extent.startMs : extent.endMs - HOUR, extent.endMs, widthPx);
}

/** Return a view whose middle is where a camera has footage, or may have some by now. */
export function keptNear(view, extent, nowMs) {
  const isLive = nowMs - extent.endMs < RECENT_MS;
  return within(view, extent.startMs, isLive ? Math.max(nowMs, extent.endMs) : extent.endMs);
}

/** Return the window that is offered first: the end of the last stretch in view. */
export function firstWindow(view, stretches) {
  const last = stretches.at(-1);
  if (!last) return null;
  const lengthMs = roundUpTo((view.widthPx * view.msPerPx) / WINDOW_PART);
  return { startMs: Math.max(last.startMs, last.endMs - lengthMs), endMs: last.endMs };
}

/**
 * Return a window with an end moved; it keeps its length where it would else be empty, reversed, or
 * longer than a day: another day is meant.
 */
export function withEnd(window, end, ms) {
  const lengthMs = window.endMs - window.startMs;
  const moved = { ...window, [end]: ms };
  if (moved.startMs < moved.endMs && moved.endMs - moved.startMs <= DAY) return moved;
  return end === "startMs"
    ? { startMs: ms, endMs: ms + lengthMs }
    : { startMs: ms - lengthMs, endMs: ms };
}

/**
 * Return what there is of a camera at a moment: a key of KINDS.
 *
 * Where nothing is loaded, the days after tomorrow have no footage: no picture is requested.
 */
export function footageAt(camera, pieces, ms, nowMs = Date.now()) {
  if (camera.recordings === 0) return "none";
  const piece = pieces.find((each) => each.startMs <= ms && ms < each.endMs);
  if (!piece?.footage) return ms > nowMs + 2 * DAY ? "gap" : "unknown";
  // A file whose times are not known has null for both: no moment is before such an end.
  const has = (part) => part.startTimestampInMs <= ms && ms < part.endTimestampInMs;
  const { stretches, leftOut, isExact } = piece.footage;
  if (stretches.some(has)) return "footage";
  const file = leftOut.find(has);
  if (file) return file.isUnfinished ? "unfinished" : "damaged";
  return isExact && piece.isOwn ? "gap" : "unknown";
}
