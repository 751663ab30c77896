/** When a camera's frames were seen, fetched around the times that matter, and kept. */

import { showFrameTimes } from "./api.js";
import { stepped } from "./geometry.js";

const SPAN_MS = 10_000;
const MAX_SPANS = 200;
const MAX_SHOWN_SPANS = 7;
const FRESH_MS = 300_000;
const GROWING_FRESH_MS = 5000;
const RECENT_MS = 60_000;
const NONE = [];

export class FrameTimes {
  /** `changed` is called when there is more to draw. */
  constructor(changed) {
    this.changed = changed;
    this.kept = new Map();
  }

  /** Return the instants between two times that are known, and fetch the others if they are few. */
  between(camera, startMs, endMs) {
    const [first, last] = [Math.floor(startMs / SPAN_MS), Math.floor(endMs / SPAN_MS)];
    if (last - first >= MAX_SHOWN_SPANS) return NONE;
    const found = [];
    for (let at = Math.max(first, 0); at <= last; at += 1) {
      const span = this.span(camera, at);
      if (!span.isKnown) span.fetched.then(this.changed);
      for (const ms of span.frames) if (ms >= startMs && ms <= endMs) found.push(ms);
    }
    return found;
  }

  /** Return the next frame's instant after `ms`, or the one before it; null if none is near. */
  async step(camera, ms, direction) {
    const own = Math.floor(ms / SPAN_MS);
    const around = [own - 1, own, own + 1].filter((at) => at >= 0);
    const spans = around.map((at) => this.span(camera, at));
    await Promise.all(spans.map((span) => span.fetched));
    const frames = spans.flatMap((span) => span.frames);
    return stepped(frames, ms, direction);
  }

  span(camera, at) {
    const key = `${camera}/${at}`;
    const found = this.kept.get(key);
    if (found && performance.now() < found.untilMs) return found;
    const span = { frames: found?.frames ?? NONE, isKnown: false, untilMs: Infinity };
    this.kept.set(key, span);
    if (this.kept.size > MAX_SPANS) this.kept.delete(this.kept.keys().next().value);
    span.fetched = this.fetch(camera, at, span);
    return span;
  }

  async fetch(camera, at, span) {
    const window = { startMs: at * SPAN_MS, endMs: (at + 1) * SPAN_MS };
    const isGrowing = window.endMs > Date.now() - RECENT_MS;
    try {
      span.frames = (await showFrameTimes(camera, window)).frames;
    } catch {
      span.frames = NONE; // Without footage that can be read, there is no frame to step to.
    }
    span.isKnown = true;
    span.untilMs = performance.now() + (isGrowing ? GROWING_FRESH_MS : FRESH_MS);
  }
}
