/**
 * The timeline as people use it: the wheel zooms, a drag pans, the lane has the window.
 *
 * It changes nothing itself: it calls functions of `on`, such as `on.view` with another view.
 */

import { LANE } from "./drawing.js";
import { msOf, panned, xOf, zoomed } from "./geometry.js";

const CLICK_PX = 5;
const WHEEL_ZOOM = 0.0016;
const LINE_PX = 16;
const HANDLE_PX = 12;

/** Listen to a timeline's element; `state` returns the view and the window. */
export function listen(element, state, on) {
  const pointers = new Map();
  let drag = null;

  const place = (event) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { view } = state();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (isSideways) on.view(panned(view, (event.deltaX || event.deltaY) * unit));
    else {
      const pinch = event.ctrlKey ? 4 : 1; // A trackpad's pinch has small deltas.
      const factor = Math.exp(-event.deltaY * unit * WHEEL_ZOOM * pinch);
      on.view(zoomed(view, factor, place(event).x));
    }
  }, { passive: false });

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const at = place(event);
    pointers.set(event.pointerId, at);
    element.setPointerCapture(event.pointerId);
    if (pointers.size === 2) drag = { kind: "pinch" };
    if (pointers.size !== 1) return;
    drag = { ...dragOf(event, at, state()), x: at.x, ...state(), isClick: true };
    if (drag.kind === "end") on.hover(null);
  });

  element.addEventListener("pointermove", (event) => {
    const at = place(event);
    const before = pointers.get(event.pointerId);
    if (!before || !drag) {
      if (event.pointerType !== "touch") on.hover(msOf(state().view, at.x));
      return;
    }
    if (drag.kind === "pinch") pinch(event.pointerId, at);
    else if (!drag.isClick || Math.abs(at.x - drag.x) >= CLICK_PX) move(at);
    pointers.set(event.pointerId, at);
  });

  const pinch = (pointerId, at) => {
    const others = [...pointers].filter(([id]) => id !== pointerId);
    const [[, other]] = others;
    const before = pointers.get(pointerId);
    const spread = (a, b) => Math.max(Math.abs(a.x - b.x), 20);
    const middle = (before.x + other.x) / 2;
    const moved = panned(state().view, middle - (at.x + other.x) / 2);
    on.view(zoomed(moved, spread(at, other) / spread(before, other), (at.x + other.x) / 2));
  };

  const move = (at) => {
    drag.isClick = false;
    const ms = msOf(drag.view, at.x);
    if (drag.kind === "pan") on.view(panned(drag.view, drag.x - at.x));
    if (drag.kind === "end") on.end(drag.fixedMs, ms);
    if (drag.kind === "draw") on.draw(msOf(drag.view, drag.x), ms);
    if (drag.kind === "shift") on.shift(drag.window, (at.x - drag.x) * drag.view.msPerPx);
  };

  const release = (event) => {
    const wasDown = pointers.delete(event.pointerId);
    if (wasDown && drag?.isClick && event.type === "pointerup") {
      if (drag.kind !== "end") on.cursor(msOf(state().view, place(event).x));
    }
    if (!pointers.size) {
      if (drag && drag.kind !== "pan") on.released();
      drag = null;
    } else if (drag?.kind === "pinch") {
      const [[, at]] = pointers;
      drag = { kind: "pan", x: at.x, ...state(), isClick: false };
    }
  };
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
  element.addEventListener("pointerleave", () => {
    if (!pointers.size) on.hover(null);
  });
}

/** Return what a drag that begins at a place does. */
function dragOf(event, { x, y }, { view, window }) {
  const end = event.target.dataset?.end;
  if (end) return { kind: "end", fixedMs: window[end === "startMs" ? "endMs" : "startMs"] };
  const isLane = y >= LANE.top && y < LANE.bottom;
  if (!isLane && !event.shiftKey) return { kind: "pan" };
  const isInside = window && x >= xOf(view, window.startMs) && x <= xOf(view, window.endMs);
  const isWide = window && (window.endMs - window.startMs) / view.msPerPx >= HANDLE_PX;
  return { kind: isInside && isWide && !event.shiftKey ? "shift" : "draw" };
}
