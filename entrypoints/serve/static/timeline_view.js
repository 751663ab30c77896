/** Shows the timeline: the drawing, and what screen readers say of it. */

import { HEIGHT_PX, draw, readColours } from "./drawing.js";
import { clamp, xOf } from "./geometry.js";
import { KINDS } from "./view_state.js";
import { formatInstant } from "./zones.js";

const DIRECTIONS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 };
const BIG_STEP_MS = 1000;
export class TimelineView {
  constructor(element) {
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.context = this.canvas.getContext("2d");
    this.cursor = element.querySelector("#cursor");
    this.handles = Object.fromEntries(
      [...element.querySelectorAll(".handle")].map((handle) => [handle.dataset.end, handle]),
    );
    this.isDragging = false;
    element.addEventListener("pointerdown", () => (this.isDragging = true), { capture: true });
    for (const name of ["pointerup", "pointercancel"]) {
      element.addEventListener(name, () => (this.isDragging = false));
    }
    this.readColours();
    this.resize();
  }

  /** Connect the ends' handles: `on.step` to the next frame, `on.move` by a second. */
  connectHandles(on) {
    for (const [end, handle] of Object.entries(this.handles)) {
      handle.addEventListener("keydown", (event) => {
        const direction = DIRECTIONS[event.key];
        if (!direction) return;
        event.preventDefault();
        event.stopPropagation();
        if (event.shiftKey) on.move(end, direction * BIG_STEP_MS);
        else on.step(end, direction);
      });
      handle.addEventListener("focus", () => {
        if (!this.isDragging) on.focus(end);
      });
    }
  }

  widthPx() {
    return this.element.clientWidth || 1;
  }

  readColours() {
    this.colours = readColours(this.element);
  }

  resize() {
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.widthPx() * scale);
    this.canvas.height = Math.round(HEIGHT_PX * scale);
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
  }

  /** Draw the state, and place the handles. */
  show({ view, zone, pieces, frames, window, momentMs, kind, extent }) {
    const scene = { view, zone, pieces, frames, window, cursorMs: momentMs, nowMs: Date.now() };
    draw(this.context, { ...scene, colours: this.colours });
    const kindText = KINDS[kind] ? `, ${KINDS[kind]}` : "";
    describe(this.cursor, momentMs, `${formatInstant(momentMs, zone)}${kindText}`, extent);
    for (const [end, handle] of Object.entries(this.handles)) {
      handle.hidden = !window;
      if (!window) continue;
      const x = xOf(view, window[end]);
      const shownX = clamp(x, 0, view.widthPx);
      handle.style.setProperty("--x", String(Math.round(shownX)));
      handle.classList.toggle("is-away", x !== shownX);
      describe(handle, window[end], formatInstant(window[end], zone), extent);
    }
  }
}

function describe(slider, ms, text, { startMs, endMs }) {
  const values = { now: ms, text, min: Math.min(startMs, ms), max: Math.max(endMs, ms) };
  for (const [name, value] of Object.entries(values)) {
    slider.setAttribute(`aria-value${name}`, String(value));
  }
}
