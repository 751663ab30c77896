/** The page of footage: what people do changes the state, and the state is shown. */

import { actionsOn } from "./actions.js";
import { addressOf, ignoredOf, readAddress } from "./address.js";
import { Problem, listCameras } from "./api.js";
import { CamerasView } from "./cameras_view.js";
import { Footage, stretchesOf } from "./footage.js";
import { FrameTimes } from "./frame_times.js";
import { endOf, resized, roundAtLeast } from "./geometry.js";
import { actionOf } from "./keys.js";
import { Pictures } from "./pictures.js";
import { Stage } from "./stage.js";
import { State } from "./state.js";
import { widest } from "./tiles.js";
import { listen } from "./timeline.js";
import { TimelineView } from "./timeline_view.js";
import { footageAt } from "./view_state.js";
import { chosenZone } from "./zones.js";

const CAMERAS_FRESH_MS = 15_000;
const RETRY_MS = 3000;
const ADDRESS_WAIT_MS = 300;
const CLOCK_MS = 1000;
const MIN_STEP_MS = 50;
/** Keys that act wherever nothing has the focus: they neither scroll nor are spoken letters. */
const SIDEWAYS = ["ArrowLeft", "ArrowRight"];

const find = (id) => document.getElementById(id);
const query = location.search;
const given = readAddress(query);
let [isDrawing, addressTimer] = [false, null];

const footage = new Footage(refresh, complain);
const state = new State(given.window, footage, new FrameTimes(refresh), refresh);
const actions = actionsOn(state, announce);
const stage = new Stage(find("stage"));
const pictures = new Pictures((picture) => stage.showPicture(picture, state.zone));
const timeline = new TimelineView(find("timeline"));
const cameras = new CamerasView(find("cameras"), choose);
const form = import("./clip_form.js").then(
  ({ ClipForm }) => new ClipForm(find("clip"), state, actions, announce),
);

/** Show the state, once before the screen is next drawn. */
function refresh() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    if (state.camera) show();
  });
}

function show() {
  const { camera, view, zone, pieces } = state;
  const isKnown = pieces.every((piece) => piece.footage && piece.isOwn);
  if (state.cursorMs === null && isKnown) state.offerWindow(stretchesOf(pieces));
  const { momentMs, window, frames, extent } = state;
  const kind = footageAt(camera, pieces, momentMs);
  footage.show(camera.cameraId, view);
  timeline.show({ view, zone, window, pieces, frames, momentMs, kind, extent });
  stage.showMoment(momentMs, kind, zone);
  const mayHavePicture = kind === "footage" || kind === "unknown";
  if (mayHavePicture && (state.hoverMs ?? state.cursorMs) !== null) {
    const stepMs = Math.max(roundAtLeast(view.msPerPx * 2), MIN_STEP_MS);
    pictures.want(camera.cameraId, momentMs, stepMs, stage.widthPx());
  }
  form.then((loaded) => loaded.show());
  cameras.show(state.cameras, camera.cameraId, zone);
  keepAddress();
}

function act(action, by) {
  if (state.camera && state.cursorMs !== null) actions[action](by);
}

listen(find("timeline"), () => ({ view: state.view, window: state.window }), {
  view: (view) => state.setView(view),
  cursor: (ms) => state.setCursor(ms),
  hover: (ms) => state.setHover(ms),
  draw: (fromMs, toMs) => state.drawWindow(fromMs, toMs),
  end: (fixedMs, ms) => state.dragEnd(fixedMs, ms),
  shift: (window, byMs) => state.shiftWindow(window, byMs),
  released: () => actions.settle(),
});

timeline.connectHandles({
  step: (end, direction) => actions.stepEnd(end, direction),
  move: (end, byMs) => state.moveEnd(end, state.window[end] + byMs),
  focus: (end) => state.setCursor(state.window[end] - (end === "endMs" ? 1 : 0)),
});

document.addEventListener("keydown", (event) => {
  const isHere = event.target.closest(".footage") && !event.target.closest("summary");
  const isButton = event.target.closest("button") && ["Enter", " "].includes(event.key);
  const isSideways = event.target === document.body && SIDEWAYS.includes(event.key);
  const found = (isHere && !isButton) || isSideways ? actionOf(event) : null;
  if (!found) return;
  event.preventDefault();
  act(found.action, found.by);
});

for (const button of document.querySelectorAll("[data-action]")) {
  const { action, by } = button.dataset;
  button.addEventListener("click", () => act(action, action === "set" ? by : Number(by)));
}

function choose(id) {
  const camera = state.cameras.find((each) => each.cameraId === id);
  if (!camera || camera === state.camera) return;
  remark("");
  state.choose(camera, timeline.widthPx(), given.seen);
  document.title = `${camera.name} - Footage - camclip`;
  announce(`Camera ${camera.name}`);
}

async function load() {
  let waitMs = CAMERAS_FRESH_MS;
  try {
    if (document.visibilityState === "visible") await loadCameras();
    complain(null);
  } catch (error) {
    complain(error);
    waitMs = RETRY_MS;
  }
  setTimeout(load, waitMs);
}

async function loadCameras() {
  const { cameras: listed, zone, maxFootageInMs } = await listCameras();
  state.cameras = listed;
  state.maxMsPerPx = widest(maxFootageInMs);
  if (state.camera === null) await begin(listed, zone);
  else {
    const { cameraId } = state.camera;
    state.camera = listed.find((each) => each.cameraId === cameraId) ?? state.camera;
    refresh();
  }
  await cameras.refresh();
}

async function begin(listed, serverZone) {
  state.zone = given.zone ?? chosenZone(serverZone);
  const known = listed.find((camera) => camera.cameraId === given.camera);
  const first = listed.find((camera) => camera.lastStartTimestampInMs !== null) ?? listed[0];
  if (first) choose((known ?? first).cameraId);
  else cameras.show([], null, state.zone);
  remark(ignoredOf(query, listed.map((camera) => camera.cameraId)));
  await (await form).begin(serverZone);
}

function complain(error) {
  if (error && !(error instanceof Problem)) throw error;
  const fault = find("fault");
  fault.hidden = !error;
  if (error) fault.textContent = error.text;
}

/** Show a remark until it is closed; none if the text is empty. */
function remark(text) {
  const [line, close] = find("remark").children;
  line.textContent = text;
  close.hidden = !text;
  find("remark").classList.toggle("notice", text !== "");
}

find("remark").querySelector("button").addEventListener("click", () => {
  remark("");
  find("main").focus({ preventScroll: true }); // The button that had the focus is gone.
});

function announce(text) {
  find("status").textContent = text;
}

/** Keep the state in the address, a little later: browsers limit how often that may be. */
function keepAddress() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => {
    const { camera, window, zone, view } = state;
    const seen = { startMs: view.startMs, endMs: endOf(view) };
    const shown = addressOf({ camera: camera.cameraId, window, zone, seen });
    if (shown !== location.search) history.replaceState(null, "", shown);
  }, ADDRESS_WAIT_MS);
}

new ResizeObserver(() => {
  if (state.view) state.view = resized(state.view, timeline.widthPx());
  timeline.resize();
  refresh();
}).observe(find("timeline"));

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  timeline.readColours();
  refresh();
});

setInterval(() => {
  if (document.visibilityState === "visible") refresh();
}, CLOCK_MS);

load();
