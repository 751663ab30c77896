/** Pictures of the clip over the player's seek bar, out of a sprite. */

import { formatClipTime } from "./player_clock.js";
import { formatTime } from "./zones.js";

const CUE =
  /^(?:NOTE (\S+)\n\n)?(\d+):(\d\d):(\d\d\.\d{3}) --> .*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;
const THUMB_PX = 8; // Half of the slider's thumb: at its ends, it is inside of the bar.

/**
 * Return the pictures of an index: `{startS, seenMs, x, y, width, height}`, ascending, and the
 * image's name.
 */
export function readIndex(text) {
  const cues = [...text.matchAll(CUE)];
  const pictures = cues.map(([, seen, hours, minutes, seconds, , x, y, width, height]) => ({
    startS: Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
    seenMs: Date.parse(seen),
    x: Number(x),
    y: Number(y),
    width: Number(width),
    height: Number(height),
  }));
  return { image: cues[0]?.[5] ?? "", pictures };
}

/** Return the picture that is shown at a time of the clip: the last one that has begun. */
export const pictureAt = (pictures, seconds) =>
  pictures.findLast(({ startS }) => startS <= seconds) ?? pictures[0];

/** Return how far along a seek bar a pointer is, from 0 to 1. */
export function shareAt(x, { left, width }) {
  const room = Math.max(1, width - 2 * THUMB_PX);
  return Math.min(1, Math.max(0, (x - left - THUMB_PX) / room));
}

/** Return where a box of a width begins that is above a place, and within a bar. */
export const boxStart = (x, width, barWidth) =>
  Math.min(Math.max(0, x - width / 2), Math.max(0, barWidth - width));

/**
 * Show pictures while a pointer is over the seek bar, or the bar is moved by keys.
 *
 * `address` is the index's; `zone` returns the zone of times. Screen readers hear of the bar's own
 * value, so they hear nothing of this.
 */
export async function showSprite(address, position, hover, zone) {
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) return;
  const { image, pictures } = readIndex(await response.text());
  if (!pictures.length) return;
  const frame = hover.querySelector(".frame");
  const [picture, text] = [frame.querySelector("img"), hover.querySelector("span")];
  const source = new URL(image, new URL(address, location.href)).href;

  function showAt(share) {
    if (!picture.src) picture.src = source; // It is fetched when it is first needed.
    const seconds = share * Number(position.max);
    const { x, y, width, height, seenMs } = pictureAt(pictures, seconds);
    Object.assign(frame.style, { width: `${width}px`, height: `${height}px` });
    Object.assign(picture.style, { left: `${-x}px`, top: `${-y}px` });
    text.textContent = `${formatClipTime(seconds)} s · ${formatTime(seenMs, zone())}`;
    hover.hidden = false;
    const bar = hover.parentElement.getBoundingClientRect();
    const track = position.getBoundingClientRect();
    const at = track.left - bar.left + THUMB_PX + share * (track.width - 2 * THUMB_PX);
    hover.style.left = `${boxStart(at, hover.offsetWidth, bar.width)}px`;
  }

  const hide = () => (hover.hidden = true);
  const showOwn = () => showAt(Number(position.value) / (Number(position.max) || 1));
  position.addEventListener("pointermove", ({ clientX }) => {
    showAt(shareAt(clientX, position.getBoundingClientRect()));
  });
  position.addEventListener("pointerleave", hide);
  position.addEventListener("pointercancel", hide);
  position.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
  position.addEventListener("input", () => {
    if (position.matches(":focus-visible")) showOwn();
  });
  position.addEventListener("blur", hide);
}
