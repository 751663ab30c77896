/**
 * How times are divided into tiles, so that footage is fetched once.
 *
 * A tile of level n is TILE_PX px of 2^n ms each, and tiles of a level abut from 1970 on.
 */

import { MAX_MS_PER_PX, clamp, endOf } from "./geometry.js";

export const TILE_PX = 1024;
export const MAX_LEVEL = 25;

/** Return how wide a view may be whose tiles are no longer than `maxFootageMs`, in ms per px. */
export const widest = (maxFootageMs) => Math.min(maxFootageMs / TILE_PX, MAX_MS_PER_PX);

/** Return the level whose px are as long as a view's, or a little shorter. */
export const levelOf = (view) => clamp(Math.floor(Math.log2(view.msPerPx)), 0, MAX_LEVEL);

/** Return a tile of a level by its number. */
export function tileOf(level, index) {
  const spanMs = TILE_PX * 2 ** level;
  return { level, index, startMs: index * spanMs, endMs: (index + 1) * spanMs };
}

/** Return the tiles that a view shows, in order. */
export function tilesOf(view) {
  const level = levelOf(view);
  const spanMs = TILE_PX * 2 ** level;
  const first = Math.max(Math.floor(view.startMs / spanMs), 0);
  const last = Math.floor(endOf(view) / spanMs);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, n) => tileOf(level, first + n));
}

/**
 * Return what stands for a tile, in order: itself if `has` it, else the finest coarser one that is
 * there, else the halves that are there, as `{tile, startMs, endMs}`; `tile` is null for the rest.
 */
export function standIns(tile, has, depth = 2) {
  for (let up = 0; tile.level + up <= MAX_LEVEL; up += 1) {
    const found = tileOf(tile.level + up, Math.floor(tile.index / 2 ** up));
    if (has(found)) return [{ tile: found, startMs: tile.startMs, endMs: tile.endMs }];
  }
  if (tile.level > 0 && depth > 0) {
    const halves = [0, 1].map((n) => tileOf(tile.level - 1, tile.index * 2 + n));
    const found = halves.flatMap((half) => standInsBelow(half, has, depth - 1));
    if (found.some((each) => each.tile)) return found;
  }
  return [{ tile: null, startMs: tile.startMs, endMs: tile.endMs }];
}

function standInsBelow(tile, has, depth) {
  if (has(tile)) return [{ tile, startMs: tile.startMs, endMs: tile.endMs }];
  if (tile.level > 0 && depth > 0) {
    const halves = [0, 1].map((n) => tileOf(tile.level - 1, tile.index * 2 + n));
    return halves.flatMap((half) => standInsBelow(half, has, depth - 1));
  }
  return [{ tile: null, startMs: tile.startMs, endMs: tile.endMs }];
}
