/**
 * Instants in time zones: epoch ms <-> what a clock shows.
 *
 * A clock's reading is `{year, month, day, hour, minute, second, ms}`. A zone is an IANA name, such
 * as Europe/Madrid, or "UTC".
 */

export const UTC = "UTC";
const CHOSEN = "camclip-zone";
const MAX_OFFSET_MS = 16 * 3_600_000;
const formats = new Map();

/** Return whether the browser knows a zone. */
export function isZone(name) {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Return the names of all zones that the browser knows, UTC first. */
export function zoneNames() {
  const names = Intl.supportedValuesOf("timeZone").filter((name) => name !== UTC);
  return [UTC, ...names];
}

/** Return the zone of this browser's machine. */
export function ownZone() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone ?? UTC;
}

/** Return the zone that was chosen in this browser, else another one. */
export function chosenZone(otherwise) {
  try {
    const chosen = localStorage.getItem(CHOSEN);
    return chosen !== null && isZone(chosen) ? chosen : otherwise;
  } catch {
    return otherwise; // The browser stores nothing.
  }
}

/** Remember the zone that was chosen. */
export function chooseZone(name) {
  try {
    localStorage.setItem(CHOSEN, name);
  } catch {
    // The browser stores nothing: the zone is in the address all the same.
  }
}

/** Return what a clock in the zone shows at an instant. */
export function readingAt(ms, zone) {
  return readingOf(ms + offsetMs(ms, zone));
}

/** Return how far clocks in the zone are ahead of UTC at an instant, in ms. */
export function offsetMs(ms, zone) {
  if (zone === UTC) return 0;
  const parts = {};
  for (const { type, value } of formatOf(zone).formatToParts(ms)) parts[type] = Number(value);
  const { year, month, day, hour, minute, second } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}

/**
 * Return the instants at which a clock in the zone shows a reading, in order: none if a clock
 * change skips it, two if one repeats it.
 */
export function instantsOf(reading, zone) {
  const shownMs = shownMsOf(reading);
  const around = [-MAX_OFFSET_MS, MAX_OFFSET_MS].map((ms) => offsetMs(shownMs + ms, zone));
  const found = [...new Set(around)].map((offset) => shownMs - offset);
  return found.filter((ms) => ms + offsetMs(ms, zone) === shownMs).sort((a, b) => a - b);
}

/** Return a reading as if it were of a clock in UTC, in ms: a number to calculate with. */
export function shownMsOf({ year, month, day, hour = 0, minute = 0, second = 0, ms = 0 }) {
  return Date.UTC(year, month - 1, day, hour, minute, second, ms);
}

/** Return the reading of which `shownMsOf` is the number. */
export function readingOf(shownMs) {
  const date = new Date(shownMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    ms: date.getUTCMilliseconds(),
  };
}

/** Return a date, such as 2026-05-01. */
export function formatDate(ms, zone) {
  return new Date(ms + offsetMs(ms, zone)).toISOString().slice(0, 10);
}

/** Return a time of day to the millisecond, such as 11:59:50.033. */
export function formatTime(ms, zone) {
  return new Date(ms + offsetMs(ms, zone)).toISOString().slice(11, 23);
}

/** Return a zone's offset at an instant, such as +02:00, or UTC. */
export function formatOffset(ms, zone) {
  if (zone === UTC) return UTC;
  const offset = offsetMs(ms, zone);
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const two = (number) => String(number).padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Return an instant with its offset, such as 2026-05-01 13:59:50.033 +02:00. */
export function formatInstant(ms, zone) {
  return `${formatDate(ms, zone)} ${formatTime(ms, zone)} ${formatOffset(ms, zone)}`;
}

function formatOf(zone) {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, format);
  }
  return format;
}
