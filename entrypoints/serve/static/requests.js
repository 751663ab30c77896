/** The clips that were requested, with how far each is, by the stream of events. */

import { listClips, requestClip, showClip } from "./api.js";
import { followClips } from "./clip_events.js";
import { optionWords } from "./option_words.js";
import { duration } from "./words.js";
import { formatDate, formatTime } from "./zones.js";

const OPENS_MS = 2000;
const AVAILABLE = "CLIP_AVAILABLE";
const PHASES = {
  waiting: "Waits in the queue",
  reading: "Reads the recordings",
  encoding: "Cuts the clip",
  storing: "Stores the clip",
};

export class Requests {
  /**
   * `list` gets an item per clip, and `connection` is shown while the server does not answer;
   * `announce` says what happened; `zone` returns the zone.
   */
  constructor(list, connection, announce, zone) {
    this.list = list;
    this.connection = connection;
    this.announce = announce;
    this.zone = zone;
    this.shown = new Map();
    this.opened = null;
    this.unanswered = new Set();
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
    this.update(await this.latest(() => requestClip(request)), true);
  }

  /** Read events from now on; return once they are sent. */
  listen() {
    this.opened ??= new Promise((opened) => {
      followClips({
        onClip: (clip) => {
          for (const events of this.unanswered) events.set(keyOf(clip), clip);
          this.update(clip, false);
        },
        onOpen: () => {
          this.connection.hidden = true;
          opened();
          this.refresh();
        },
        onLost: () => (this.connection.hidden = false),
      });
      setTimeout(opened, OPENS_MS); // Without events, the request is sent all the same.
    });
    return this.opened;
  }

  /** Look at the clips again: events may have been missed. */
  async refresh() {
    for (const { clip } of [...this.shown.values()]) {
      try {
        this.update(await this.latest(() => showClip(clip.cameraId, clip.clipId)), false);
      } catch (error) {
        if (error.status === 410 || error.status === 404) this.remove(keyOf(clip));
      }
    }
  }

  /** Return the clip that the server answers with, or as an event showed it since: that is newer. */
  async latest(answer) {
    const events = new Map();
    this.unanswered.add(events);
    try {
      const clip = await answer();
      return events.get(keyOf(clip)) ?? clip;
    } finally {
      this.unanswered.delete(events);
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
    const text = stateText(clip, this.zone());
    if (before?.clip.state !== clip.state) this.announce(`Clip of ${clip.cameraId}: ${text}`);
  }

  remove(key) {
    this.shown.get(key)?.item.remove();
    this.shown.delete(key);
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
  const window = `${formatDate(startMs, zone)} ${formatTime(startMs, zone)}`;
  times.textContent = [window, duration(endMs - startMs), ...optionWords(clip.options)].join(", ");
  showProgress(progress, clip);
  state.className = "state";
  const text = stateText(clip, zone);
  if (clip.state !== "done" || clip.status !== AVAILABLE) state.textContent = text;
  else state.replaceChildren(linkTo(clip, times.textContent));
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

function stateText(clip, zone) {
  if (clip.state === "done") {
    return clip.status === AVAILABLE ? "It is ready." : (clip.reason ?? clip.status);
  }
  if (clip.state === "encoding" && clip.framesToEncode) {
    return `Encodes frames: ${clip.encodedFrames ?? 0} of ${clip.framesToEncode}`;
  }
  if (clip.state !== "waiting") return PHASES[clip.state];
  const due = clip.dueTimestampInMs;
  const isLater = due > Date.now();
  return (clip.reason ?? PHASES.waiting) + (isLater ? ` It is tried at ${formatTime(due, zone)}.` : "");
}

function linkTo(clip, window) {
  const link = element("a");
  link.href = `/clips/${clip.cameraId}/${clip.clipId}`;
  link.textContent = "Open the clip";
  link.title = `${clip.clipId}: ${window}`;
  link.className = "button";
  return link;
}

const element = (name) => document.createElement(name);
