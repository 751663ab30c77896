/** What the request would become: asked for when the window has stayed the same for a moment. */

import { planClip } from "./api.js";
import { count, duration, grouped } from "./words.js";
import { formatDate, formatTime } from "./zones.js";

const WAIT_MS = 280;
const AGAIN_MS = 3000;
const MAX_GAPS = 4;
const AVAILABLE = "CLIP_AVAILABLE";
const PENDING = "CLIP_PENDING";
const FILLERS = { hold: "the picture next to the gap", black: "black", slate: "a slate" };
const REMEDIES = {
  CLIP_TOO_LONG: "Choose a shorter window, or several.",
  CLIP_OUT_OF_RANGE: "Choose a later window.",
  CLIP_NOT_AVAILABLE: "Choose a window in which the camera has footage.",
};

export class PlanView {
  /** `element` has the parts; `seek` shows a moment; `changed` gets whether a clip can be made. */
  constructor(element, seek, changed) {
    this.element = element;
    this.seek = seek;
    this.changed = changed;
    this.timer = null;
    this.abort = null;
    this.key = "";
  }

  /** Plan a request, if it is another than before. */
  show(request, zone) {
    const key = JSON.stringify([request, zone]);
    if (key === this.key) return;
    this.key = key;
    this.abort?.abort();
    clearTimeout(this.timer);
    this.element.setAttribute("aria-busy", "true");
    if (request) this.timer = setTimeout(() => this.plan(request, zone), WAIT_MS);
    else this.fill("Choose a window on the timeline.", [], true);
  }

  async plan(request, zone) {
    this.abort = new AbortController();
    try {
      const plan = await planClip(request, this.abort.signal);
      this.fill(summary(plan), facts(plan, zone, this.seek), plan.status === AVAILABLE);
      this.changed(plan.status === AVAILABLE || plan.status === PENDING);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.fill(error.text ?? error.message, [], false);
      this.changed(false);
      const isWithoutAnswer = !error.status;
      if (isWithoutAnswer) this.timer = setTimeout(() => this.plan(request, zone), AGAIN_MS);
    }
  }

  fill(text, rows, isGood) {
    const [line, list] = [this.element.querySelector("p"), this.element.querySelector("dl")];
    line.textContent = text;
    line.classList.toggle("warning", !isGood);
    list.replaceChildren(...rows.flatMap(([term, value]) => [made("dt", term), made("dd", value)]));
    this.element.setAttribute("aria-busy", "false");
  }
}

function summary(plan) {
  if (plan.status === AVAILABLE) {
    const wantedMs = plan.endTimestampInMs - plan.startTimestampInMs;
    const isWhole = plan.deliveredInMs === wantedMs;
    if (plan.filled) return `The clip lasts ${duration(plan.filled.durationInMs)} with its gaps.`;
    return `The clip lasts ${duration(plan.deliveredInMs)}${isWhole ? "" : " without its gaps"}.`;
  }
  if (plan.status === PENDING) {
    return plan.cuts.length
      ? "Some of this is not stored yet: the clip waits for it."
      : "There is no footage of this yet: a request waits for it, and may end without a clip.";
  }
  const reason = plan.reason ?? `There would be no clip: ${plan.status}.`;
  return [reason, remedy(plan)].filter(Boolean).join(" ");
}

/** Return what helps a window of which no clip can be made. */
function remedy({ status, endTimestampInMs }) {
  if (endTimestampInMs > Date.now()) return "Choose an end before now.";
  return REMEDIES[status];
}

function facts(plan, zone, seek) {
  const sum = (name) => plan.cuts.reduce((total, cut) => total + cut[name], 0);
  const [copied, encoded] = [sum("copiedFrames"), sum("encodedFrames")];
  const rows = [];
  if (plan.cuts.length) {
    const parts = `${grouped(copied)} copied, ${grouped(encoded)} encoded`;
    rows.push([plan.filled ? "Recorded" : "Frames", `${grouped(copied + encoded)}: ${parts}`]);
    if (plan.filled) rows.push(["Filled", filled(plan)]);
    rows.push(["Gaps", gaps(plan.coverage?.gaps ?? [], zone, seek)]);
    const held = (plan.coverage?.held ?? []).map(windowOf);
    if (held.length) rows.push(["Held", `a picture stands still for ${duration(totalMs(held))}`]);
  }
  const why = plan.cuts.map((cut) => cut.whyNoneIsCopied).find((text) => text && !copied);
  if (why) rows.push(["Note", `None is copied: ${why}.`]);
  for (const note of plan.leftOut.slice(0, 2)) rows.push(["Left out", note]);
  return rows;
}

function filled({ filled: { durationInMs, with: filler }, deliveredInMs }) {
  return `${duration(durationInMs - deliveredInMs)} of ${FILLERS[filler] ?? filler}`;
}

function gaps(found, zone, seek) {
  if (!found.length) return "none";
  const windows = found.map(windowOf);
  const list = document.createElement("span");
  list.append(`${count(found.length, "gap")}, ${duration(totalMs(windows))} in all: `);
  windows.slice(0, MAX_GAPS).forEach((gap, at) => {
    const button = made("button", `${formatTime(gap.startMs, zone)}`);
    button.type = "button";
    button.className = "link numbers";
    button.title = `${formatDate(gap.startMs, zone)}: ${duration(gap.endMs - gap.startMs)}`;
    button.addEventListener("click", () => seek(gap.startMs));
    list.append(at ? ", " : "", button);
  });
  if (windows.length > MAX_GAPS) list.append(" ...");
  return list;
}

const totalMs = (windows) => windows.reduce((total, each) => total + each.endMs - each.startMs, 0);

const windowOf = (gap) => ({ startMs: gap.startTimestampInMs, endMs: gap.endTimestampInMs });

function made(name, content) {
  const element = document.createElement(name);
  element.append(content);
  return element;
}
