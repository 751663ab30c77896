/** What keys and buttons do, by name. */

import { fitted, panned, roundAtLeast, toStep, xOf, zoomed } from "./geometry.js";
import { formatInstant } from "./zones.js";

const STEP_PX = 8;
const NEAR_MS = 2000;
const USUAL_INTERVAL_MS = 40;
const PAGE = 0.8;

/** Return the actions; `announce` says what screen readers do not see. */
export function actionsOn(state, announce) {
  /** Return the next frame's instant after `ms`, or the one before; null if none is near. */
  const nextFrame = (ms, direction) =>
    state.frameTimes.step(state.camera.cameraId, ms, direction);

  /** Return when the frame on screen at a moment was seen; null if there is none. */
  async function frameStart(ms) {
    const found = await nextFrame(ms + 1, -1);
    return found !== null && ms - found < NEAR_MS ? found : null;
  }

  /** Return when that frame is over; null if there is none. */
  async function frameEnd(ms) {
    const startMs = await frameStart(ms);
    const found = startMs === null ? null : await nextFrame(startMs, 1);
    return found !== null && found > ms ? found : null;
  }

  const actions = {
    step(by) {
      const stepMs = roundAtLeast(state.view.msPerPx * STEP_PX);
      if (stepMs <= USUAL_INTERVAL_MS) return actions.frame(by);
      return state.setCursor(toStep(state.cursorMs, stepMs) + by * stepMs);
    },
    async frame(by) {
      const direction = Math.sign(by);
      for (let left = Math.abs(by); left > 0; left -= 1) {
        const ms = state.cursorMs;
        state.setCursor((await nextFrame(ms, direction)) ?? ms + direction * USUAL_INTERVAL_MS);
      }
    },
    async stepEnd(end, direction) {
      const ms = state.window?.[end];
      if (ms === undefined) return;
      const next = await nextFrame(ms, direction);
      if (state.window[end] === ms) state.moveEnd(end, next ?? ms + direction * USUAL_INTERVAL_MS);
    },
    /** Move both ends to whole frames: to those that are on screen at them. */
    async settle() {
      const { window, momentMs } = state;
      state.setCursor(momentMs);
      if (!window) return;
      const startMs = (await frameStart(window.startMs)) ?? window.startMs;
      const endMs = (await frameEnd(window.endMs - 1)) ?? window.endMs;
      if (state.window !== window) return;
      state.setWindow(startMs, endMs);
      if (momentMs === window.startMs) state.setCursor(startMs);
      if (momentMs === window.endMs - 1) state.setCursor(endMs - 1);
    },
    /** The window starts, or ends, with the frame shown. */
    async set(end) {
      const ms = state.momentMs;
      const isStart = end === "startMs";
      state.moveEnd(end, (await (isStart ? frameStart(ms) : frameEnd(ms))) ?? ms);
      announce(`${isStart ? "Start" : "End"} ${formatInstant(state.window[end], state.zone)}`);
    },
    zoom(by) {
      const x = xOf(state.view, state.cursorMs);
      const isSeen = x >= 0 && x <= state.view.widthPx;
      state.setView(zoomed(state.view, by, isSeen ? x : state.view.widthPx / 2));
    },
    page(by) {
      const px = by * state.view.widthPx * PAGE;
      state.setView(panned(state.view, px));
      state.setCursor(state.cursorMs + px * state.view.msPerPx);
    },
    first() {
      if (state.camera.firstStartTimestampInMs !== null) state.setCursor(state.extent.startMs);
      else announce("It is not known when the first recording starts.");
    },
    async last() {
      const { endMs } = state.extent;
      state.setCursor((await nextFrame(endMs, -1)) ?? endMs - 1);
    },
    all() {
      const { startMs, endMs } = state.extent;
      const { widthPx } = state.view;
      const firstMs = Math.max(startMs, endMs - widthPx * state.maxMsPerPx);
      state.setView(fitted(firstMs, endMs, widthPx));
    },
    window() {
      if (!state.window) return;
      const { startMs, endMs } = state.window;
      state.setView(fitted(startMs, endMs, state.view.widthPx, 0.2));
    },
  };
  return actions;
}
