/** What the page shows, and how it changes. */

import { edgesOf } from "./footage.js";
import { MAX_MS_PER_PX, endOf, limited, showing, snapped } from "./geometry.js";
import { extentOf, firstView, firstWindow, keptNear, withEnd } from "./view_state.js";
import { UTC } from "./zones.js";

const USUAL_LENGTH_MS = 1000;

export class State {
  /** `footage` and `frameTimes` know what there is; `changed` is called after every change. */
  constructor(window, footage, frameTimes, changed) {
    this.footage = footage;
    this.frameTimes = frameTimes;
    this.changed = changed;
    this.cameras = [];
    this.camera = null;
    this.zone = UTC;
    this.view = null;
    this.maxMsPerPx = MAX_MS_PER_PX;
    this.window = window;
    /** The moment whose picture is shown; null until it is known where footage is. */
    this.cursorMs = null;
    /** The moment at the pointer, or at an end that is dragged, in place of the cursor's. */
    this.hoverMs = null;
  }

  get extent() {
    return extentOf(this.camera, Date.now());
  }

  get pieces() {
    return this.footage.pieces(this.camera.cameraId, this.view);
  }

  get frames() {
    return this.frameTimes.between(this.camera.cameraId, this.view.startMs, endOf(this.view));
  }

  get momentMs() {
    return Math.round(this.hoverMs ?? this.cursorMs ?? endOf(this.view));
  }

  /** Choose a camera; the times on screen stay, unless it has no footage near them. */
  choose(camera, widthPx, seen) {
    const isFirst = this.camera === null;
    this.camera = camera;
    if (isFirst) this.view = this.limited(firstView(this.extent, widthPx, seen, this.window));
    else if (this.extent.endMs < this.view.startMs || this.extent.startMs > endOf(this.view)) {
      Object.assign(this, { window: null, cursorMs: null });
      this.view = this.limited(firstView(this.extent, widthPx, null, null));
    }
    this.changed();
  }

  /** Offer a window, and a moment, once it is known where footage is. */
  offerWindow(stretches) {
    this.window ??= firstWindow(this.view, stretches);
    this.cursorMs = this.window?.startMs ?? Math.round(endOf(this.view));
  }

  setView(view) {
    this.view = keptNear(this.limited(view), this.extent, Date.now());
    this.changed();
  }

  limited(view) {
    return limited(view, this.maxMsPerPx);
  }

  setCursor(ms) {
    this.cursorMs = Math.round(ms);
    this.hoverMs = null;
    this.view = showing(this.view, this.cursorMs);
    this.changed();
  }

  setHover(ms) {
    this.hoverMs = ms;
    this.changed();
  }

  setZone(zone) {
    this.zone = zone;
    this.changed();
  }

  /** Move an end, and show the frame that the window begins or ends with. */
  moveEnd(end, ms) {
    const at = Math.round(ms);
    const window = this.window ?? { startMs: at, endMs: at + USUAL_LENGTH_MS };
    this.window = withEnd(window, end, at);
    this.setCursor(end === "startMs" ? this.window.startMs : this.window.endMs - 1);
  }

  /** Drag the window's one end to `toMs`; the other is at `fromMs`. */
  dragEnd(fromMs, toMs) {
    const moved = this.snap(toMs);
    this.setWindow(Math.min(moved, fromMs), Math.max(moved, fromMs));
    this.setHover(moved > fromMs ? moved - 1 : moved);
  }

  drawWindow(fromMs, toMs) {
    this.dragEnd(this.snap(fromMs), toMs);
  }

  shiftWindow({ startMs, endMs }, byMs) {
    const movedMs = this.snap(startMs + byMs);
    this.setWindow(movedMs, movedMs + endMs - startMs);
    this.setHover(movedMs);
  }

  setWindow(startMs, endMs) {
    const [start, end] = [Math.round(startMs), Math.round(endMs)];
    if (start < end) this.window = { startMs: start, endMs: end };
    this.changed();
  }

  snap(ms) {
    return snapped(this.view, ms, edgesOf(this.pieces), this.frames);
  }
}
