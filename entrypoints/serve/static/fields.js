/** The fields in which the ends of the window are typed, to the frame and in any zone. */

import { readLength, readTyped, whichOf } from "./typed.js";
import { duration } from "./words.js";
import { UTC, formatDate, formatInstant, formatOffset, formatTime } from "./zones.js";

const ENDS = ["startMs", "endMs"];

/**
 * Connect the fields; `on.end(end, ms)` gets a time that was typed, `on.step(end, direction)` a
 * step to the next frame or the one before, and `on.length(ms)` a duration.
 *
 * Return the function that shows a window in a zone.
 */
export function connectFields(form, on) {
  const parts = Object.fromEntries(ENDS.map((end) => [end, partsOf(form, end)]));
  const length = form.querySelector("#length");
  const lengthNote = form.querySelector("#length-note");
  let shown = { window: null, zone: UTC };

  for (const end of ENDS) {
    const { input, back, forward, other } = parts[end];
    input.addEventListener("change", () => read(end));
    input.addEventListener("keydown", (event) => {
      const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (event.key === "Enter") read(end);
      if (direction) on.step(end, direction);
      if (direction || event.key === "Enter") event.preventDefault();
    });
    back.addEventListener("click", () => on.step(end, -1));
    forward.addEventListener("click", () => on.step(end, 1));
    other.addEventListener("click", () => on.end(end, Number(other.value)));
  }
  length.addEventListener("change", readTypedLength);
  length.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // It would request the clip.
    readTypedLength();
  });

  function readTypedLength() {
    const { ms, fault } = readLength(length.value);
    showLengthFault(fault ?? "");
    if (fault) return;
    shown = { window: null, zone: shown.zone };
    on.length(ms);
  }

  function showLengthFault(fault) {
    length.setAttribute("aria-invalid", String(fault !== ""));
    lengthNote.textContent = fault;
  }

  function read(end) {
    const { input } = parts[end];
    const { window, zone } = shown;
    if (input.value === input.dataset.shown) {
      showEnd(parts[end], window?.[end] ?? null, zone);
      return;
    }
    const nowMs = Date.now();
    const found = readTyped(input.value, zone, window ? window[end] : nowMs, nowMs);
    if (found.fault) complain(end, found.fault);
    else {
      shown = { window: null, zone }; // The field is shown anew, even if the window stays.
      on.end(end, found.ms);
    }
  }

  function complain(end, fault) {
    const { input, note, other } = parts[end];
    input.setAttribute("aria-invalid", "true");
    note.textContent = fault;
    note.classList.add("fault");
    other.hidden = true;
  }

  return (window, zone) => {
    const isSame = shown.zone === zone && window?.startMs === shown.window?.startMs;
    if (isSame && window?.endMs === shown.window?.endMs) return;
    shown = { window, zone };
    for (const end of ENDS) showEnd(parts[end], window?.[end] ?? null, zone);
    length.value = window ? duration(window.endMs - window.startMs) : "";
    showLengthFault("");
  };
}

function partsOf(form, end) {
  const group = form.querySelector(`[data-field="${end}"]`);
  const find = (selector) => group.querySelector(selector);
  return {
    input: find("input"),
    note: find(".note"),
    back: find("[data-step='-1']"),
    forward: find("[data-step='1']"),
    other: find(".other"),
  };
}

function showEnd({ input, note, other }, ms, zone) {
  input.setAttribute("aria-invalid", "false");
  note.classList.remove("fault");
  input.value = ms === null ? "" : `${formatDate(ms, zone)} ${formatTime(ms, zone)}`;
  input.dataset.shown = input.value;
  const which = ms === null ? "" : whichOf(ms, zone);
  const offset = ms === null || zone === UTC ? "" : `${formatOffset(ms, zone)} · `;
  note.textContent = ms === null ? "" : `${offset}${formatInstant(ms, UTC)}`;
  other.hidden = !which;
  if (!which) return;
  const typed = readTyped(input.value, zone, ms, ms);
  const otherMs = typed.instants.find((each) => each !== ms);
  other.value = otherMs;
  const ordinal = otherMs < ms ? "first" : "second";
  note.textContent += ` · This time exists twice: it is ${which}.`;
  other.textContent = `Use the ${ordinal} (${formatOffset(otherMs, zone)})`;
}
