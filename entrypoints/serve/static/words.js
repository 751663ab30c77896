/** Numbers in words for people. */

/** Return a duration to the millisecond, such as 1 min 2.5 s. */
export function duration(ms) {
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  const parts = [hours && `${hours} h`, minutes && `${minutes} min`];
  if (seconds || !(hours || minutes)) parts.push(`${Number(seconds.toFixed(3))} s`);
  return parts.filter(Boolean).join(" ");
}

/** Return a duration roughly, such as 3 days. */
export function roughly(ms) {
  const units = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1000]];
  const [name, length] = units.find((unit) => ms >= unit[1]) ?? units.at(-1);
  return count(Math.floor(ms / length), name);
}

/** Return a number with its thousands apart, such as 3,479. */
export const grouped = (number) => number.toLocaleString("en");

/** Return a number of things, such as 3 gaps. */
export const count = (number, noun) => `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
