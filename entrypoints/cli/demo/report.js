/** The demo's report: the clip's player, and the playhead on its timeline. */

import { showInstants, shownZone } from "./clip_times.js";
import { startPlayer } from "./player.js";
import { ownZone } from "./zones.js";

const get = (id) => document.getElementById(id);
const { clock, window } = JSON.parse(get("timing").textContent);
const [head, seek] = [get("playhead"), get("seek")];
const zone = shownZone(ownZone());

function showPlayhead(seenMs) {
  const [left, right] = [Number(head.dataset.left), Number(head.dataset.right)];
  const share = (seenMs - window.startMs) / (window.endMs - window.startMs);
  const x = left + (right - left) * Math.max(0, Math.min(1, share));
  head.setAttribute("x1", x);
  head.setAttribute("x2", x);
}

showInstants(document, zone);
const player = startPlayer(clock, zone, (chosen) => showInstants(document, chosen), showPlayhead);
seek.addEventListener("click", ({ clientX }) => {
  const { left, width } = seek.getBoundingClientRect();
  player.show(window.startMs + ((clientX - left) / width) * (window.endMs - window.startMs));
});
