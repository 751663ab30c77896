/** A camera's footage, fetched tile by tile as it comes on screen, and kept. */

import { showFootage } from "./api.js";
import { TILE_PX, standIns, tilesOf } from "./tiles.js";

const MAX_TILES = 400;
const WAIT_MS = 70;
const FRESH_MS = 300_000;
const GROWING_FRESH_MS = 5000;
const RETRY_MS = 3000;
const RECENT_MS = 120_000;

export class Footage {
  /** `changed` is called when there is more to draw, `failed` with an error or null. */
  constructor(changed, failed) {
    this.changed = changed;
    this.failed = failed;
    this.kept = new Map();
    this.fetching = new Map();
    this.wanted = [];
    this.timer = null;
  }

  /** Fetch what a view lacks, a little later: unless another view is shown before. */
  show(camera, view) {
    this.camera = camera;
    this.wanted = tilesOf(view);
    this.timer ??= setTimeout(() => this.fetchWanted(), WAIT_MS);
  }

  /** Return what is known of a view's times: `{footage, startMs, endMs, isOwn}`, footage or null. */
  pieces(camera, view) {
    const has = (tile) => this.kept.has(keyOf(camera, tile));
    return tilesOf(view).flatMap((own) =>
      standIns(own, has).map(({ tile, startMs, endMs }) => ({
        startMs,
        endMs,
        isOwn: tile?.level === own.level,
        footage: tile ? this.kept.get(keyOf(camera, tile)).footage : null,
      })),
    );
  }

  fetchWanted() {
    this.timer = null;
    const keys = new Set(this.wanted.map((tile) => keyOf(this.camera, tile)));
    for (const [key, stale] of this.fetching) if (!keys.has(key)) stale.abort();
    for (const tile of this.wanted) {
      const key = keyOf(this.camera, tile);
      if (!this.fetching.has(key) && !this.isFresh(key)) this.fetch(this.camera, tile, key);
    }
  }

  isFresh(key) {
    const found = this.kept.get(key);
    if (!found) return false;
    this.kept.delete(key);
    this.kept.set(key, found); // The least recently used ones are forgotten first.
    return performance.now() < found.untilMs;
  }

  async fetch(camera, tile, key) {
    const abort = new AbortController();
    this.fetching.set(key, abort);
    try {
      const footage = await showFootage(camera, tile, TILE_PX, abort.signal);
      const isGrowing = tile.endMs > Date.now() - RECENT_MS;
      const untilMs = performance.now() + (isGrowing ? GROWING_FRESH_MS : FRESH_MS);
      this.kept.set(key, { footage, untilMs });
      if (this.kept.size > MAX_TILES) this.kept.delete(this.kept.keys().next().value);
      this.failed(null);
      this.changed();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.failed(error);
      this.timer ??= setTimeout(() => this.fetchWanted(), RETRY_MS);
    } finally {
      this.fetching.delete(key);
    }
  }
}

const keyOf = (camera, { level, index }) => `${camera}/${level}/${index}`;

/** Return when stretches begin and end, ascending: where an end of a window may snap to. */
export function edgesOf(pieces) {
  const edges = new Set();
  for (const { footage, startMs, endMs } of pieces) {
    for (const stretch of footage?.stretches ?? []) {
      for (const ms of [stretch.startTimestampInMs, stretch.endTimestampInMs]) {
        if (ms > startMs && ms < endMs) edges.add(ms);
      }
    }
  }
  return [...edges].sort((a, b) => a - b);
}

/** Return the stretches of pieces, in order, joined where tiles abut: `{startMs, endMs}`. */
export function stretchesOf(pieces) {
  const joined = [];
  for (const { footage, startMs, endMs } of pieces) {
    for (const each of footage?.stretches ?? []) {
      const from = Math.max(each.startTimestampInMs, startMs);
      const to = Math.min(each.endTimestampInMs, endMs);
      const last = joined.at(-1);
      if (from >= to) continue;
      if (last && from <= last.endMs) last.endMs = Math.max(last.endMs, to);
      else joined.push({ startMs: from, endMs: to });
    }
  }
  return joined;
}
