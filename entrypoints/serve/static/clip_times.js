/** Shows instants in the zone that the viewer chose; the server has shown them in its own. */

import { chooseZone, chosenZone, formatInstant, isZone, UTC } from "./zones.js";
import { fillZones } from "./zone_list.js";

/** Return the zone in which times are shown: the chosen one, else the usual one, else UTC. */
export function shownZone(usual) {
  return chosenZone(isZone(usual) ? usual : UTC);
}

/** Show all instants within an element in a zone. */
export function showInstants(root, zone) {
  for (const time of root.querySelectorAll("time[data-instant]")) {
    const ms = Number(time.dataset.instant);
    time.textContent = formatInstant(ms, zone);
    time.title = zone === UTC ? "" : formatInstant(ms, UTC);
  }
}

/** Let the viewer choose a zone in a select element. */
export function offerZones(select, zone, onChoice) {
  fillZones(select, zone, select.value);
  select.disabled = false;
  select.addEventListener("change", () => {
    chooseZone(select.value);
    onChoice(select.value);
  });
}
