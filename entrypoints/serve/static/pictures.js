/**
 * The picture of a moment: a keyframe at once, the exact frame when the moment stays the same.
 *
 * Quick moments are rounded to a grid, so that neighbours share an answer.
 */

import { showPicture } from "./api.js";

const MAX_KEPT = 150;
const REST_MS = 160;
const NO_PICTURE_FRESH_MS = 10_000;
const NOT_FOUND = 404;

export class Pictures {
  /** `show` gets `{atMs, url, seenMs, isExact}`, `url` null if there is no picture. */
  constructor(show) {
    this.show = show;
    this.kept = new Map();
    this.wanted = null;
    this.isFetching = false;
    this.abort = null;
    this.timer = null;
  }

  /** Show the picture of a moment, `stepMs` fine at first. */
  want(camera, atMs, stepMs, width) {
    const quickMs = Math.max(0, Math.floor(atMs / stepMs) * stepMs);
    const wanted = { camera, atMs, quickMs, width };
    if (this.wanted && keyOf(this.wanted, true) === keyOf(wanted, true)) return;
    this.wanted = wanted;
    this.abort?.abort();
    clearTimeout(this.timer);
    const exact = this.known(keyOf(wanted, true));
    if (exact) {
      this.shown(wanted, exact, true);
      return;
    }
    this.timer = setTimeout(() => this.fetchExact(wanted), REST_MS);
    const quick = this.known(keyOf(wanted, false));
    if (quick) this.shown(wanted, quick, false);
    else if (!this.isFetching) this.fetchQuick();
  }

  /** Fetch keyframes one after the other, each for the moment that is then wanted. */
  async fetchQuick() {
    this.isFetching = true;
    try {
      let fetched = null;
      while (this.wanted && fetched !== keyOf(this.wanted, false)) {
        const wanted = this.wanted;
        fetched = keyOf(wanted, false);
        if (this.known(fetched) || this.known(keyOf(wanted, true))) break;
        const found = await this.fetched(wanted, false);
        const isMeant = this.wanted.camera === wanted.camera;
        if (found && isMeant && !this.known(keyOf(this.wanted, true))) {
          this.shown(wanted, found, false);
        }
      }
    } finally {
      this.isFetching = false;
    }
  }

  async fetchExact(wanted) {
    this.abort = new AbortController();
    const found = await this.fetched(wanted, true, this.abort.signal);
    if (found && this.wanted === wanted) this.shown(wanted, found, true);
  }

  shown(wanted, found, isExact) {
    this.show({ atMs: wanted.atMs, url: found.url, seenMs: found.seenMs, isExact });
  }

  known(key) {
    const found = this.kept.get(key);
    return found && performance.now() < found.untilMs ? found : null;
  }

  /** Return a picture that is kept from now on, null if the request failed or was aborted. */
  async fetched(wanted, isExact, signal) {
    const { camera, atMs, quickMs, width } = wanted;
    let found;
    try {
      const made = await showPicture(camera, isExact ? atMs : quickMs, width, isExact, signal);
      found = { url: URL.createObjectURL(made.blob), seenMs: made.seenMs, untilMs: Infinity };
    } catch (error) {
      if (error.status !== NOT_FOUND) return null;
      found = { url: null, seenMs: null, untilMs: performance.now() + NO_PICTURE_FRESH_MS };
    }
    this.kept.set(keyOf(wanted, isExact), found);
    if (this.kept.size > MAX_KEPT) this.forget();
    return found;
  }

  forget() {
    const [key, oldest] = this.kept.entries().next().value;
    this.kept.delete(key);
    if (oldest.url) URL.revokeObjectURL(oldest.url);
  }
}

const keyOf = ({ camera, atMs, quickMs, width }, isExact) =>
  `${camera}/${isExact ? atMs : quickMs}/${width}/${isExact}`;
