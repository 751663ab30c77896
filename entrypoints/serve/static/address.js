/** The page's state in its address, so that it can be shared; pure. */

import { isZone } from "./zones.js";

const MAX_MS = 999_999_999_999_999;
const MAX_SHOWN = 40;

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

/** Return what a query says that is ignored, in a sentence for people; empty if there is nothing. */
export function ignoredOf(query, cameraIds) {
  const given = new URLSearchParams(query);
  const { camera, window, seen, zone } = readAddress(query);
  const parts = [];
  const ignore = (names, why) => {
    const said = names.filter((name) => given.get(name)).map((name) => shown(name, given.get(name)));
    if (said.length) parts.push(`${said.join(" and ")} (${why})`);
  };
  if (!cameraIds.includes(camera)) ignore(["camera"], "no such camera: choose one of the list");
  if (!window) ignore(["from", "to"], windowFault(given));
  if (!zone) ignore(["zone"], "no such time zone: choose one of the list");
  if (!seen) ignore(["view"], "two times in ms are needed, the earlier one first");
  if (!parts.length) return "";
  const what = parts.length > 1 ? "These parts of the address are" : "This part of the address is";
  return `${what} ignored: ${parts.join("; ")}.`;
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

function windowFault(given) {
  const missing = ["from", "to"].find((name) => !given.get(name));
  if (missing) return `${missing} is missing`;
  const isRead = ["from", "to"].every((name) => instant(given.get(name)) !== null);
  return isRead ? "from must be before to" : "both must be times in ms since 1970";
}

function shown(name, text) {
  return `${name}=${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}`;
}

function instant(text) {
  return text !== null && /^\d{1,15}$/.test(text) && Number(text) <= MAX_MS ? Number(text) : null;
}
