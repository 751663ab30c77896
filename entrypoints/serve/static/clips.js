/** The page of all clips: it follows what happens to them. */

import { askToDelete } from "./clip_actions.js";
import { followClips } from "./clip_events.js";
import { freshPage } from "./clip_fresh.js";
import { showInstants, shownZone } from "./clip_times.js";

const TOGETHER_MS = 200;
const get = (id) => document.getElementById(id);
const history = get("history");
const zone = shownZone(history.dataset.zone);
let timer = 0;
let isFetching = false;

showInstants(history, zone);
get("camera").addEventListener("change", () => get("filter").requestSubmit());
get("clips").addEventListener("click", onClick);
followClips({
  onClip,
  onOpen: () => {
    get("connection").hidden = true;
    refreshSoon();
  },
  onLost: () => (get("connection").hidden = false),
});

function onClip(found) {
  const row = get(`clip-${found.cameraId}-${found.clipId}`);
  if (row && row.dataset.state === found.state && found.state !== "done") showProgress(row, found);
  else if (row || isShown(found)) refreshSoon();
}

function isShown({ cameraId }) {
  const camera = get("camera").value;
  return camera === "" || camera === cameraId;
}

function showProgress(row, { encodedFrames, framesToEncode }) {
  const progress = row.querySelector("progress");
  if (!progress || !framesToEncode) return;
  progress.max = framesToEncode;
  progress.value = encodedFrames ?? 0;
}

/** Fetch the list once for several events. */
function refreshSoon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, TOGETHER_MS);
}

async function refresh() {
  if (isFetching) {
    refreshSoon();
    return;
  }
  isFetching = true;
  const fresh = await freshPage();
  isFetching = false;
  if (fresh) showRows(fresh);
}

/** Replace the rows that have changed: the others keep their pictures and the focus. */
function showRows(fresh) {
  showInstants(fresh, zone);
  const list = get("clips");
  const focused = document.activeElement?.closest?.("li")?.id;
  const rows = [...fresh.querySelectorAll("#clips > li")].map((row) => {
    const present = get(row.id);
    if (present?.outerHTML === row.outerHTML) return present;
    if (present && present.dataset.state !== row.dataset.state) announce(row);
    return document.importNode(row, true);
  });
  if (!isSame(rows, [...list.children])) list.replaceChildren(...rows);
  get("none").hidden = rows.length > 0;
  if (focused && !document.activeElement?.closest?.("li")) get(focused)?.querySelector("h2 a")?.focus();
}

function isSame(some, others) {
  return some.length === others.length && some.every((each, n) => each === others[n]);
}

function announce(row) {
  const status = row.querySelector(".status").textContent;
  get("announced").textContent = `${row.dataset.camera} ${row.dataset.clip}: ${status}`;
}

async function onClick({ target }) {
  const button = target.closest("button.delete");
  if (!button) return;
  const row = button.closest("li");
  const { camera, clip, state } = row.dataset;
  const place = [...get("clips").children].indexOf(row);
  const words =
    state === "waiting"
      ? { ask: "Cancel the request for this clip?", done: "Cancel the request" }
      : { ask: "Delete this clip?", done: "Delete the clip" };
  if (await askToDelete({ camera, clip, ...words })) {
    get(`clip-${camera}-${clip}`)?.remove();
    get("announced").textContent = `${camera} ${clip}: deleted`;
    focusRow(place);
    refreshSoon();
  }
}

/** Put the focus on the row that has come to a place, or on the last one. */
function focusRow(place) {
  const rows = get("clips").children;
  (rows[place] ?? rows[rows.length - 1])?.querySelector("h2 a").focus();
}
