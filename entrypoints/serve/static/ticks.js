/** Which times the timeline's ruler names: round ones of a zone's clocks, also over their changes. */

import { DAY, ROUND_MS, endOf } from "./geometry.js";
import { formatOffset, instantsOf, offsetMs, readingAt, readingOf } from "./zones.js";

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");
const MIN_TICK_PX = 9;

/**
 * Return the ticks of a view, in order: `{ms, label}`, without a label if it is a minor one.
 *
 * Labels are at least `labelPx` apart; the hour that a clock change repeats has ticks twice.
 */
export function ticksOf(view, zone, labelPx = 84) {
  const major = stepFor(view.msPerPx * labelPx);
  const minor = stepFor(view.msPerPx * MIN_TICK_PX, major);
  const labelled = instantsEvery(major, view, zone);
  let offset = offsetMs(view.startMs, zone);
  const ticks = labelled.map((ms) => {
    const isChanged = major.ms < DAY && offsetMs(ms, zone) !== offset;
    offset = offsetMs(ms, zone);
    const suffix = isChanged ? ` ${formatOffset(ms, zone)}` : "";
    return { ms, label: labelOf(ms, zone) + suffix };
  });
  const known = new Set(labelled);
  for (const ms of instantsEvery(minor, view, zone)) {
    if (!known.has(ms)) ticks.push({ ms, label: "" });
  }
  return ticks.sort((a, b) => a.ms - b.ms);
}

/** Return a date for people, such as Fri 1 May 2026, or 1 May if it is short. */
export function dateLabel(ms, zone, isShort = false) {
  const reading = readingAt(ms, zone);
  if (isShort) return `${reading.day} ${MONTHS[reading.month - 1]}`;
  const weekday = DAYS[new Date(ms + offsetMs(ms, zone)).getUTCDay()];
  return `${weekday} ${reading.day} ${MONTHS[reading.month - 1]} ${reading.year}`;
}

/** Return a step of at least `ms`: of time, days or months; it divides `whole` if that is given. */
function stepFor(ms, whole = null) {
  const steps = [
    ...ROUND_MS.map((each) => ({ ms: each })),
    ...[2, 7].map((days) => ({ ms: days * DAY, days })),
    ...[1, 2, 3, 6, 12].map((months) => ({ ms: months * 30 * DAY, months })),
  ];
  const fits = (step) => !whole || step.months || whole.months || whole.ms % step.ms === 0;
  return steps.find((step) => step.ms >= ms && fits(step)) ?? whole ?? steps.at(-1);
}

function instantsEvery(step, view, zone) {
  const [startMs, endMs] = [view.startMs, endOf(view)];
  const offsets = [offsetMs(startMs, zone), offsetMs(endMs, zone)];
  const [lowMs, highMs] = [startMs + Math.min(...offsets), endMs + Math.max(...offsets)];
  const shown = step.months ? months(step.months, lowMs, highMs) : multiples(step, lowMs, highMs);
  const found = shown.flatMap((ms) => instantsOf(readingOf(ms), zone));
  return found.filter((ms) => ms >= startMs && ms <= endMs).sort((a, b) => a - b);
}

function multiples(step, lowMs, highMs) {
  const phase = step.days === 7 ? 4 * DAY : 0; // 1970-01-05 was a Monday.
  const found = [];
  for (let ms = Math.ceil((lowMs - phase) / step.ms) * step.ms + phase; ms <= highMs; ms += step.ms)
    found.push(ms);
  return found;
}

function months(step, lowMs, highMs) {
  const low = new Date(lowMs);
  const found = [];
  let month = Math.floor((low.getUTCFullYear() * 12 + low.getUTCMonth()) / step) * step;
  for (let ms = 0; ms <= highMs; month += step) {
    ms = Date.UTC(Math.floor(month / 12), month % 12);
    if (ms >= lowMs && ms <= highMs) found.push(ms);
  }
  return found;
}

function labelOf(ms, zone) {
  const { year, month, day, hour, minute, second, ms: fraction } = readingAt(ms, zone);
  const two = (number) => String(number).padStart(2, "0");
  if (fraction) return `.${String(fraction).padStart(3, "0")}`;
  if (second) return `${two(hour)}:${two(minute)}:${two(second)}`;
  if (hour || minute) return `${two(hour)}:${two(minute)}`;
  return month === 1 && day === 1 ? `${year}` : `${day} ${MONTHS[month - 1]}`;
}
