/** The page of a clip: its progress while it is made, then its player. */

import { askToDelete, copyText } from "./clip_actions.js";
import { followClips } from "./clip_events.js";
import { freshPage, showFresh } from "./clip_fresh.js";
import { showInstants, shownZone } from "./clip_times.js";
import { offerVerification } from "./clip_verify.js";
import { startPlayer } from "./player.js";
import { showSprite } from "./sprite.js";
import { formatInstant } from "./zones.js";

const AGAIN_MS = 2000;
const PHASES = ["waiting", "reading", "encoding", "storing"];
const DELETED = "CLIP_DELETED";
const addressOf = (camera, clip) => `/api/v1/clips/${camera}/${clip}`;
const get = (id) => document.getElementById(id);

start();

function start() {
  const page = get("clip");
  if (!page) return;
  const zone = shownZone(page.dataset.zone);
  const about = { camera: page.dataset.camera, clip: page.dataset.clip };
  showInstants(page, zone);
  get("delete")?.addEventListener("click", async ({ target }) => {
    if (await askToDelete({ ...about, ask: target.dataset.ask, done: target.dataset.done })) await refresh();
  });
  if (get("verify")) offerVerification(get("verify"), get("verified"), about);
  if (page.dataset.state !== "done") followProgress(page, about, zone);
  else {
    followDeletion(page, about);
    if (get("player")) startPlaying(page, about, zone);
  }
}

/** Show that the clip is gone once it is deleted, in another window or by a program. */
function followDeletion(page, { camera, clip }) {
  const stop = followClips({
    onClip: (found) => {
      if (found.cameraId === camera && found.clipId === clip && found.status === DELETED) end();
    },
    onOpen: async () => {
      const response = await fetch(addressOf(camera, clip), { method: "HEAD" }).catch(() => null);
      if (response?.status === 410) end();
    },
    onLost: () => {},
  });

  function end() {
    stop();
    if (page.isConnected) refresh();
  }
}

/** Show how far the clip is, until it is done. */
function followProgress(page, { camera, clip }, zone) {
  const isLost = (is) => (get("connection").hidden = !is);
  const stop = followClips({
    onClip: (found) => {
      if (found.cameraId === camera && found.clipId === clip) onClip(found);
    },
    onOpen: async () => {
      isLost(false);
      const response = await fetch(addressOf(camera, clip)).catch(() => null);
      if (response?.ok) onClip(await response.json());
      else if (response && [404, 410].includes(response.status)) end();
    },
    onLost: () => page.isConnected && isLost(true),
  });

  function onClip(found) {
    if (!page.isConnected) return;
    if (found.state === "done") end();
    else showProgress(found, zone);
  }

  function end() {
    stop();
    if (page.isConnected) refresh();
  }
}

function showProgress(found, zone) {
  const { state, encodedFrames, framesToEncode, reason, dueTimestampInMs } = found;
  get("clip").dataset.state = state;
  for (const step of document.querySelectorAll("#steps li")) {
    const isBefore = PHASES.indexOf(step.dataset.phase) < PHASES.indexOf(state);
    step.classList.toggle("past", isBefore);
    if (step.dataset.phase === state) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  }
  const progress = get("progress");
  progress.max = framesToEncode ?? 1;
  if (state === "storing") progress.value = progress.max;
  else if (framesToEncode) progress.value = encodedFrames;
  else progress.removeAttribute("value"); // It is not known how much there is to do.
  const words = framesToEncode && state === "encoding" ? `${framesToEncode} frames are encoded; the others are copied.` : reason;
  if (get("progress-text").textContent !== words) get("progress-text").textContent = words ?? "";
  const due = get("due");
  due.hidden = state !== "waiting" || !dueTimestampInMs;
  if (!due.hidden) {
    const time = due.querySelector("time");
    time.dataset.instant = dueTimestampInMs;
    time.textContent = formatInstant(dueTimestampInMs, zone);
  }
  if (get("delete")) get("delete").hidden = state !== "waiting";
}

/** Show the clip as the server has it now: the player, why there is none, or that it is gone. */
async function refresh() {
  const fresh = await freshPage();
  if (!fresh) {
    setTimeout(refresh, AGAIN_MS);
    return;
  }
  showFresh(fresh);
  start();
}

async function startPlaying(page, { camera, clip }, zone) {
  const response = await fetch(`${addressOf(camera, clip)}/clock`).catch(() => null);
  if (!response?.ok || !page.isConnected) return; // The browser's own controls stay.
  const player = startPlayer(await response.json(), zone, (chosen) => showInstants(page, chosen));
  if (page.dataset.sprite) {
    showSprite(page.dataset.sprite, get("position"), get("hover"), () => player.zone);
  }
  const own = location.href.split("#")[0];
  get("copy-link").addEventListener("click", () => copyText(own, get("copied")));
  get("copy-moment").addEventListener("click", () => copyText(`${own}#at=${player.shownMs()}`, get("copied")));
  const showAddressed = () => {
    const at = /^#at=(\d{1,15})$/.exec(location.hash);
    if (at) player.show(Number(at[1]));
  };
  addEventListener("hashchange", showAddressed);
  showAddressed();
}
