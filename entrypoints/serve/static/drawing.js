/** Draws the timeline: rulers, the lane of the window, and the track of footage. */

import { clamp, endOf, usualInterval, xOf } from "./geometry.js";
import { dateLabel, ticksOf } from "./ticks.js";
import { UTC, formatTime, ownZone } from "./zones.js";

/** Where the parts are, in px from the top. */
export const RULER = { top: 0, bottom: 26 };
export const LANE = { top: 26, bottom: 60 };
export const TRACK = { top: 64, bottom: 108 };
export const OTHER_RULER = { top: 112, bottom: 138 };
export const HEIGHT_PX = 140;
const MIN_FRAME_PX = 5;
const MIN_MARK_PX = 2;
const TIMED_HEADER_MS = 10_000;
const NARROW_PX = 560;
const MS_LABEL_MS_PER_PX = 20;
const HINT = "Drag here to choose the clip's window";
const NAMES = "surface sunken line ink quiet accent footage warn bad good".split(" ");

/** Return the colours of the page's style, by name, and patterns made of them. */
export function readColours(element) {
  const style = getComputedStyle(element);
  const colours = { font: style.fontFamily };
  for (const name of NAMES) colours[name] = style.getPropertyValue(`--${name}`).trim();
  colours.gap = hatched(colours.line, colours.sunken, 1);
  colours.damaged = hatched(colours.bad, colours.surface, 2.5);
  colours.unfinished = hatched(colours.footage, colours.surface, 3);
  return colours;
}

function hatched(line, ground, widthPx) {
  const tile = new OffscreenCanvas(8, 8);
  const context = tile.getContext("2d");
  context.fillStyle = ground;
  context.fillRect(0, 0, 8, 8);
  context.strokeStyle = line;
  context.lineWidth = widthPx;
  for (const shift of [-8, 0, 8]) {
    context.moveTo(shift, 8);
    context.lineTo(shift + 8, 0);
  }
  context.stroke();
  return tile;
}

/** Draw a scene: `{view, zone, pieces, frames, window, cursorMs, nowMs, colours}`. */
export function draw(context, scene) {
  const { view, zone, colours } = scene;
  context.clearRect(0, 0, view.widthPx, HEIGHT_PX);
  context.font = `12px ${colours.font}`;
  context.textBaseline = "middle";
  drawRuler(context, scene, zone, RULER);
  const other = zone === UTC ? ownZone() : UTC;
  if (other !== zone) drawRuler(context, scene, other, OTHER_RULER);
  drawLane(context, scene);
  drawTrack(context, scene);
  drawWindow(context, scene);
  drawMarks(context, scene);
}

function drawRuler(context, { view, colours }, zone, { top, bottom }) {
  const isAbove = top < LANE.top;
  const edge = isAbove ? bottom : top;
  const middle = (top + bottom) / 2;
  const isFine = endOf(view) - view.startMs < TIMED_HEADER_MS;
  const time = isFine ? ` ${formatTime(view.startMs, zone).slice(0, 8)}` : "";
  const isNarrow = view.widthPx < NARROW_PX;
  const place = isNarrow ? zone.split("/").at(-1).replaceAll("_", " ") : zone;
  const header = `${dateLabel(view.startMs, zone, isNarrow)}${time} · ${place}`;
  const headerPx = context.measureText(header).width + 16;
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.beginPath();
  for (const { ms, label } of ticksOf(view, zone)) {
    const x = Math.round(xOf(view, ms)) + 0.5;
    const length = label ? 7 : 4;
    context.moveTo(x, edge);
    context.lineTo(x, isAbove ? edge - length : edge + length);
    const labelPx = label ? context.measureText(label).width / 2 : 0;
    if (!label || x - labelPx < headerPx || x + labelPx > view.widthPx) continue;
    context.fillStyle = colours.quiet;
    context.textAlign = "center";
    context.fillText(label, x, middle + (isAbove ? -3 : 3));
  }
  context.stroke();
  context.textAlign = "left";
  context.fillStyle = colours.ink;
  context.fillText(header, 6, middle + (isAbove ? -3 : 3));
}

function drawLane(context, { view, window, colours }) {
  context.fillStyle = colours.sunken;
  context.fillRect(0, LANE.top, view.widthPx, LANE.bottom - LANE.top);
  if (window && window.endMs > view.startMs && window.startMs < endOf(view)) return;
  context.fillStyle = colours.quiet;
  context.textAlign = "center";
  context.fillText(HINT, view.widthPx / 2, (LANE.top + LANE.bottom) / 2);
}

function drawTrack(context, scene) {
  const { view, pieces, colours, nowMs } = scene;
  const height = TRACK.bottom - TRACK.top;
  context.fillStyle = colours.surface;
  context.fillRect(0, TRACK.top, view.widthPx, height);
  for (const piece of pieces.filter(({ footage }) => footage)) {
    const clip = (part) => span(view, part, piece);
    const { gaps, stretches, held, leftOut } = piece.footage;
    for (const gap of gaps) fill(context, clip(gap), context.createPattern(colours.gap, "repeat"));
    for (const stretch of stretches) fill(context, clip(stretch), colours.footage);
    for (const part of held) {
      fill(context, clip(part), colours.warn, TRACK.bottom - 9, TRACK.bottom - 3);
    }
    for (const file of leftOut) {
      const pattern = file.isUnfinished ? colours.unfinished : colours.damaged;
      fill(context, clip(file), context.createPattern(pattern, "repeat"));
    }
  }
  const nowX = xOf(view, nowMs);
  if (nowX < view.widthPx) {
    context.fillStyle = colours.surface;
    const from = Math.max(nowX, 0);
    context.fillRect(from, TRACK.top, view.widthPx - from, height);
  }
  context.strokeStyle = colours.line;
  context.strokeRect(-1, TRACK.top + 0.5, view.widthPx + 2, height - 1);
  drawFrames(context, scene);
}

/** Return the place of a part of footage within a piece; null if it has none, or no known times. */
function span(view, part, { startMs, endMs }) {
  const from = Math.max(part.startTimestampInMs, startMs);
  const to = Math.min(part.endTimestampInMs, endMs);
  if (from >= to) return null;
  const [x, end] = [xOf(view, from), xOf(view, to)];
  return end < 0 || x > view.widthPx ? null : { x, end };
}

function fill(context, place, style, top = TRACK.top, bottom = TRACK.bottom) {
  if (!place) return;
  const x = Math.max(Math.round(place.x), -10);
  const width = Math.max(Math.round(place.end) - x, MIN_MARK_PX);
  context.fillStyle = style;
  context.fillRect(x, top, width, bottom - top);
}

function drawFrames(context, { view, frames, colours, cursorMs }) {
  if (usualInterval(frames.slice(0, 20)) / view.msPerPx < MIN_FRAME_PX) return;
  context.fillStyle = colours.surface;
  const shownAt = frames.findLast((ms) => ms <= cursorMs);
  frames.forEach((ms, at) => {
    const x = Math.round(xOf(view, ms));
    context.fillRect(x, TRACK.top + 1, 1, TRACK.bottom - TRACK.top - 2);
    if (ms !== shownAt) return;
    const next = frames[at + 1] ?? ms + usualInterval(frames);
    context.globalAlpha = 0.35;
    context.fillRect(x, TRACK.top, xOf(view, next) - x, TRACK.bottom - TRACK.top);
    context.globalAlpha = 1;
  });
}

function drawWindow(context, { view, window, colours }) {
  if (!window) return;
  const x = clamp(xOf(view, window.startMs), -10, view.widthPx + 10);
  const end = clamp(xOf(view, window.endMs), -10, view.widthPx + 10);
  const width = Math.max(end - x, 1);
  context.fillStyle = colours.accent;
  context.globalAlpha = 0.22;
  context.fillRect(x, LANE.top + 4, width, TRACK.bottom - LANE.top - 4);
  context.globalAlpha = 1;
  context.fillRect(x, LANE.top + 4, width, LANE.bottom - LANE.top - 8);
  for (const edge of [x, end]) context.fillRect(Math.round(edge) - 1, LANE.top, 2, TRACK.bottom - LANE.top);
}

function drawMarks(context, scene) {
  const { view, nowMs, colours } = scene;
  const bottom = TRACK.bottom + 4;
  if (nowMs >= view.startMs && nowMs <= endOf(view)) {
    const x = Math.round(xOf(view, nowMs));
    context.fillStyle = colours.good;
    context.fillRect(x, LANE.top, 1, bottom - LANE.top);
    context.textAlign = x > view.widthPx - 40 ? "right" : "left";
    context.fillText("now", x + (x > view.widthPx - 40 ? -5 : 5), (TRACK.top + TRACK.bottom) / 2);
  }
  drawCursor(context, scene, bottom);
}

/** Draw the moment's line, with its time above. */
function drawCursor(context, { view, zone, cursorMs, colours }, bottom) {
  const x = Math.round(xOf(view, cursorMs));
  if (x < 0 || x > view.widthPx) return;
  const text = formatTime(cursorMs, zone).slice(0, view.msPerPx < MS_LABEL_MS_PER_PX ? 12 : 8);
  const width = context.measureText(text).width + 12;
  const left = clamp(x - width / 2, 0, view.widthPx - width);
  context.fillStyle = colours.ink;
  context.fillRect(x, RULER.bottom - 6, 1, bottom - RULER.bottom + 6);
  context.beginPath();
  context.roundRect(left, 1, width, 19, 4);
  context.fill();
  context.fillStyle = colours.surface;
  context.textAlign = "center";
  context.fillText(text, left + width / 2, 11);
}
