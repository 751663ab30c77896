/** The page's state in its address, so that it can be shared; pure. */

import { isZone } from "./zones.js";

const MAX_MS = 999_999_999_999_999;

/** Return what an address's query says, without members that make no sense. */
export function readAddress(query) {
  const given = new URLSearchParams(query);
  const [from, to] = [instant(given.get("from")), instant(given.get("to"))];
  const view = /^(\d+)-(\d+)$/.exec(given.get("view") ?? "");
  const [startMs, endMs] = view ? [instant(view[1]), instant(view[2])] : [null, null];
  const zone = given.get("zone");
  return {
    camera: given.get("camera"),
    window: from !== null && to !== null && from < to ? { startMs: from, endMs: to } : null,
    seen: startMs !== null && endMs !== null && startMs < endMs ? { startMs, endMs } : null,
    zone: zone !== null && isZone(zone) ? zone : null,
  };
}

/** Return the query of a state. */
export function addressOf({ camera, window, seen, zone }) {
  const query = new URLSearchParams();
  if (camera) query.set("camera", camera);
  if (window) {
    query.set("from", window.startMs);
    query.set("to", window.endMs);
  }
  if (zone) query.set("zone", zone);
  if (seen) query.set("view", `${Math.max(0, Math.round(seen.startMs))}-${Math.round(seen.endMs)}`);
  return `?${query.toString().replaceAll("%2F", "/")}`;
}

function instant(text) {
  return text !== null && /^\d{1,15}$/.test(text) && Number(text) <= MAX_MS ? Number(text) : null;
}
