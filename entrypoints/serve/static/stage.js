/** Shows the picture of a moment, and when that is. */

import { UTC, formatDate, formatInstant, formatTime } from "./zones.js";

const WIDTHS_PX = [320, 640, 960, 1280, 1920];
const REASONS = {
  none: "This camera has no footage.",
  gap: "There is no footage of this moment.",
  unfinished: "This recording is still being written, or was cut off: it cannot be read yet.",
  damaged: "This recording is damaged: it cannot be read.",
};

export class Stage {
  constructor(element) {
    this.screen = element.querySelector(".screen");
    this.image = element.querySelector("#picture");
    this.none = element.querySelector("#no-picture");
    this.moment = element.querySelector("#moment");
    this.utc = element.querySelector("#moment-utc");
    this.seen = element.querySelector("#seen");
    this.kind = "unknown";
  }

  /** Return the width in px of pictures to ask for. */
  widthPx() {
    const neededPx = this.screen.clientWidth * Math.min(devicePixelRatio || 1, 2);
    return WIDTHS_PX.find((width) => width >= neededPx) ?? WIDTHS_PX.at(-1);
  }

  /** Show which moment is meant, and why there is no picture if that is known. */
  showMoment(ms, kind, zone) {
    this.kind = kind;
    this.moment.textContent = formatInstant(ms, zone);
    const isSameDay = formatDate(ms, UTC) === formatDate(ms, zone);
    const utc = isSameDay ? `${formatTime(ms, UTC)} UTC` : formatInstant(ms, UTC);
    this.utc.textContent = zone === UTC ? "" : utc;
    if (REASONS[kind]) this.showNone(REASONS[kind]);
  }

  /** Show a picture that arrived; one of a moment without footage is late. */
  showPicture({ url, seenMs, isExact }, zone) {
    if (REASONS[this.kind]) return;
    if (!url) {
      if (isExact) this.showNone("There is no picture of this moment.");
      return;
    }
    if (this.image.getAttribute("src") !== url) this.image.src = url;
    this.image.alt = `The camera's picture of ${formatInstant(seenMs, zone)}`;
    this.image.hidden = false;
    this.none.hidden = true;
    const what = isExact ? "frame" : "keyframe";
    this.seen.textContent = `${what} of ${formatTime(seenMs, zone)}`;
  }

  showNone(text) {
    this.image.hidden = true;
    this.image.removeAttribute("src");
    this.none.textContent = text;
    this.none.hidden = false;
    this.seen.textContent = "";
  }
}
