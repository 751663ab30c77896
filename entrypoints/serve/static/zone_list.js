/** The list of time zones: the ones that are likely first. */

import { UTC, ownZone, zoneNames } from "./zones.js";

/** Fill a select. */
export function fillZones(select, chosen, serverZone) {
  const likely = [...new Set([chosen, serverZone, ownZone(), UTC])];
  const others = document.createElement("optgroup");
  others.label = "All zones";
  others.append(...zoneNames().filter((name) => !likely.includes(name)).map(optionOf));
  select.replaceChildren(...likely.map(optionOf), others);
  select.value = chosen;
}

function optionOf(name) {
  const option = document.createElement("option");
  option.value = name;
  option.textContent = name.replaceAll("_", " ");
  return option;
}
