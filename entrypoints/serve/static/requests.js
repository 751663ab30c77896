/** The clips that were requested, with how far each is, by the stream of events. */

import { listClips, readEvents, requestClip, showClip } from "./api.js";
import { duration } from "./words.js";
import { formatDate, formatTime } from "./zones.js";

const STATES = ["waiting", "reading", "encoding", "storing", "done"];
const OPENS_MS = 2000;
const AVAILABLE = "CLIP_AVAILABLE";
const PHASES = {
  waiting: "Waits in the queue",
  reading: "Reads the recordings",
  encoding: "Encodes frames",
  storing: "Stores the clip",
};

export class Requests {
  /** `list` gets an item per clip; `announce` says what happened; `zone` returns the zone. */
  constructor(list, announce, zone) {
    this.list = list;
    this.announce = announce;
    this.zone = zone;
    this.shown = new Map();
    this.events = null;
  }

  /** Show the clips that are not done yet. */
  async begin() {
    const { clips } = await listClips();
    const unfinished = clips.filter((clip) => clip.state !== "done");
    if (unfinished.length) this.listen();
    for (const clip of unfinished.reverse()) this.update(clip, true);
  }

  /** Request a clip; its progress is read before the request is sent, so that none is missed. */
  async send(request) {
    await this.listen();
    const clip = await requestClip(request);
    this.update(clip, true);
    this.endIfDone();
  }

  /** Read events; return once they are sent. */
  listen() {
    if (this.events) return Promise.resolve();
    const events = readEvents();
    this.events = events;
    for (const state of STATES) {
      events.addEventListener(state, (event) => this.update(JSON.parse(event.data), false));
    }
    events.addEventListener("open", () => this.refresh());
    return new Promise((opened) => {
      events.addEventListener("open", opened, { once: true });
      setTimeout(opened, OPENS_MS); // Without events, the request is sent all the same.
    });
  }

  /** Look at the clips that are not done: events may have been missed. */
  async refresh() {
    for (const { clip } of [...this.shown.values()]) {
      if (clip.state === "done") continue;
      try {
        this.update(await showClip(clip.cameraId, clip.clipId), false);
      } catch (error) {
        if (error.status === 410 || error.status === 404) this.remove(keyOf(clip));
      }
    }
  }

  update(clip, isNew) {
    const key = keyOf(clip);
    const before = this.shown.get(key);
    if (!before && !isNew) return;
    if (clip.status === "CLIP_DELETED") {
      this.remove(key);
      return;
    }
    const item = before?.item ?? document.createElement("li");
    this.shown.set(key, { clip, item });
    if (!before || isNew) this.list.prepend(item);
    fill(item, clip, this.zone());
    const text = stateText(clip);
    if (before?.clip.state !== clip.state) this.announce(`Clip of ${clip.cameraId}: ${text}`);
    this.endIfDone();
  }

  remove(key) {
    this.shown.get(key)?.item.remove();
    this.shown.delete(key);
    this.endIfDone();
  }

  endIfDone() {
    const isDone = [...this.shown.values()].every(({ clip }) => clip.state === "done");
    if (!isDone || !this.events || !this.shown.size) return;
    this.events.close();
    this.events = null;
  }
}

const keyOf = (clip) => `${clip.cameraId}/${clip.clipId}`;

function fill(item, clip, zone) {
  if (!item.firstChild) item.append(...["strong", "span", "progress", "span"].map(element));
  const [title, times, progress, state] = item.children;
  const [startMs, endMs] = [clip.startTimestampInMs, clip.endTimestampInMs];
  item.dataset.state = clip.state;
  item.dataset.status = clip.status;
  title.textContent = clip.cameraId;
  times.className = "quiet small numbers";
  times.textContent =
    `${formatDate(startMs, zone)} ${formatTime(startMs, zone)}, ${duration(endMs - startMs)}`;
  showProgress(progress, clip);
  state.className = "state";
  const text = stateText(clip);
  if (clip.state !== "done" || clip.status !== AVAILABLE) state.textContent = text;
  else state.replaceChildren(linkTo(clip));
}

function showProgress(progress, clip) {
  progress.hidden = clip.state === "done";
  progress.setAttribute("aria-label", `Progress of ${clip.clipId}`);
  if (clip.state === "encoding" && clip.framesToEncode) {
    progress.max = clip.framesToEncode;
    progress.value = clip.encodedFrames ?? 0;
  } else if (clip.state === "storing") {
    [progress.max, progress.value] = [1, 1];
  } else progress.removeAttribute("value");
}

function stateText(clip) {
  if (clip.state === "done") {
    return clip.status === AVAILABLE ? "It is ready." : (clip.reason ?? clip.status);
  }
  if (clip.state === "encoding" && clip.framesToEncode) {
    return `${PHASES.encoding}: ${clip.encodedFrames ?? 0} of ${clip.framesToEncode}`;
  }
  return clip.state === "waiting" && clip.reason ? clip.reason : PHASES[clip.state];
}

function linkTo(clip) {
  const link = element("a");
  link.href = `/clips/${clip.cameraId}/${clip.clipId}`;
  link.textContent = "Open the clip";
  link.className = "button";
  return link;
}

const element = (name) => document.createElement(name);
