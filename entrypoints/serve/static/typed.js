/** Times as people type them, read in a zone; pure. */

import { formatOffset, instantsOf, offsetMs, readingAt, readingOf, shownMsOf } from "./zones.js";

const DATE = "(?:(\\d{4})-(\\d{1,2})-(\\d{1,2}))";
const TIME = "(?:(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,](\\d{1,3}))?)?)";
const OFFSET = "(?:\\s*(Z|UTC|[+-]\\d{2}:?\\d{2}))?";
const TYPED = new RegExp(`^(?:${DATE}(?:[T\\s]+|$))?${TIME}?${OFFSET}$`, "i");
const NOW = /^now(?:\s*([+-])\s*(.+))?$/i;
const DAY = /^(today|yesterday)(?=\s|$)/i;
const DAY_MS = 24 * 3_600_000;
const AROUND_MS = 26 * 3_600_000;
const NO_TIME = "This is no time. Type it as 2026-05-01 13:59:50.033, 13:59:50, or now-10m.";

/**
 * Read a time that was typed in a zone; a date that is left out is that of `nearMs`, and now,
 * today and yesterday are those of `nowMs`.
 *
 * Return `{ms}`; or `{ms, instants}` if clocks show it twice, `ms` the one closest to `nearMs`; or
 * `{fault}`, the reason with the remedy.
 */
export function readTyped(text, zone, nearMs, nowMs) {
  const trimmed = text.trim();
  const fromNow = NOW.exec(trimmed);
  if (fromNow) return readFromNow(fromNow, nowMs);
  const typed = trimmed.replace(DAY, (day) => dateOf(day, zone, nowMs));
  if (/^\d{12,15}$/.test(typed)) return { ms: Number(typed) };
  if (/^\d{9,11}$/.test(typed)) return { ms: Number(typed) * 1000 };
  const found = TYPED.exec(typed);
  if (!typed || !found || (found[1] === undefined && found[4] === undefined)) {
    return { fault: NO_TIME };
  }
  const near = readingAt(nearMs, zone);
  const number = (at, otherwise) => (found[at] === undefined ? otherwise : Number(found[at]));
  const reading = {
    year: number(1, near.year),
    month: number(2, near.month),
    day: number(3, near.day),
    hour: number(4, 0),
    minute: number(5, 0),
    second: number(6, 0),
    ms: found[7] === undefined ? 0 : Number(found[7].padEnd(3, "0")),
  };
  const fault = faultOf(reading);
  if (fault) return { fault };
  if (found[8] !== undefined) return { ms: shownMsOf(reading) - typedOffsetMs(found[8]) };
  const instants = instantsOf(reading, zone);
  if (!instants.length) return { fault: skipped(reading, zone) };
  if (instants.length === 1) return { ms: instants[0] };
  const distance = (ms) => Math.abs(ms - nearMs);
  return { ms: instants.reduce((a, b) => (distance(b) < distance(a) ? b : a)), instants };
}

/** Read a duration, such as 30, 1.5 s, 2 min or 1:30; return it in ms, null if it is none. */
export function readDuration(text) {
  const clock = /^(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d{1,3})?)$/.exec(text.trim());
  const seconds = (digits) => Number(digits.replace(",", "."));
  if (clock) {
    const [hours, minutes] = [Number(clock[1] ?? 0), Number(clock[2])];
    return Math.round((hours * 3600 + minutes * 60 + seconds(clock[3])) * 1000) || null;
  }
  const UNITS = { ms: 1, s: 1000, min: 60_000, m: 60_000, h: 3_600_000 };
  const parts = text.trim().matchAll(/(\d+(?:[.,]\d+)?)\s*(ms|s|min|m|h)?(?:\s+|$|(?=\d))/gy);
  let [total, read] = [0, 0];
  for (const [whole, digits, unit] of parts) {
    total += seconds(digits) * UNITS[unit ?? "s"];
    read += whole.length;
  }
  return read === text.trim().length && total >= 1 ? Math.round(total) : null;
}

/** Read the length of a window; return `{ms}`, or `{fault}`, the reason with the remedy. */
export function readLength(text) {
  const ms = readDuration(text);
  if (ms === null) return { fault: "This is no length. Type it as 30 s, 1 min 30 s, or 1:30." };
  if (ms > DAY_MS) return { fault: "This is longer than a day. Type a shorter length." };
  return { ms };
}

/** Return which of two instants with the same reading one is, for people; empty if it is alone. */
export function whichOf(ms, zone) {
  const instants = instantsOf(readingAt(ms, zone), zone);
  if (instants.length < 2) return "";
  return instants[0] === ms ? "the first of two" : "the second of two";
}

function readFromNow([, sign, typed], nowMs) {
  if (!sign) return { ms: nowMs };
  const ms = readDuration(typed);
  if (ms === null) return { fault: "This is no duration. Type it as now-10m or now-1m30s." };
  return { ms: sign === "-" ? nowMs - ms : nowMs + ms };
}

/** Return the date of today or yesterday in a zone, as text. */
function dateOf(day, zone, nowMs) {
  const { year, month, day: today } = readingAt(nowMs, zone);
  const ms = shownMsOf({ year, month, day: today, hour: 0, minute: 0, second: 0, ms: 0 });
  return new Date(day.toLowerCase() === "today" ? ms : ms - DAY_MS).toISOString().slice(0, 10);
}

function faultOf(reading) {
  const { hour, minute, second } = reading;
  if (hour > 23 || minute > 59 || second > 59) return "A day has the times 00:00:00 to 23:59:59.";
  const shown = readingOf(shownMsOf(reading));
  const isDate = shown.year === reading.year && shown.month === reading.month;
  return isDate && shown.day === reading.day ? "" : "There is no such date.";
}

function typedOffsetMs(text) {
  const found = /^([+-])(\d{2}):?(\d{2})$/.exec(text);
  if (!found) return 0;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return (found[1] === "-" ? -minutes : minutes) * 60_000;
}

/** Return why a clock shows no such reading: between which times it changes. */
function skipped(reading, zone) {
  const shownMs = shownMsOf(reading);
  let [low, high] = [shownMs - AROUND_MS, shownMs + AROUND_MS];
  const offset = offsetMs(low, zone);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(middle, zone) === offset) low = middle;
    else high = middle;
  }
  const clock = (ms) => new Date(ms).toISOString().slice(11, 16);
  const [from, to] = [clock(high + offset), clock(high + offsetMs(high, zone))];
  const day = new Date(shownMs).toISOString().slice(0, 10);
  return (
    `${zone} has no ${clock(shownMs)} on ${day}: clocks go from ${from} to ${to}` +
    ` (${formatOffset(high, zone)}). Type a time before or after that.`
  );
}
