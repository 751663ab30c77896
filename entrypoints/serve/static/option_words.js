/** The options of a request in words for people; pure. */

const GAPS = {
  fail: "no clip with gaps",
  hold: "gaps show the picture next to them",
  black: "gaps show black",
  slate: "gaps show a slate",
};
const PREVIEWS = { sheet: "contact sheet", sprite: "pictures over the seek bar" };

/** Return what the options of a request ask for, each in words; those not known by their names. */
export function optionWords({ wallClock, gaps, previews = [], ...others } = {}) {
  return [
    wallClock && `time of day (${wallClock})`,
    gaps && (GAPS[gaps] ?? gaps),
    ...previews.map((each) => PREVIEWS[each] ?? each),
    ...Object.entries(others).map(([name, value]) => `${name} ${value}`),
  ].filter(Boolean);
}
