/** The player of a clip: exact steps, the wall clock of the frame that is shown, gaps, keys. */

import { offerZones } from "./clip_times.js";
import {
  clipAt,
  formatClipTime,
  frameAt,
  frameSeenMs,
  frameTimes,
  gapTimes,
  jumpFrom,
  seekTime,
} from "./player_clock.js";
import { commandOf } from "./player_keys.js";
import { formatDate, formatInstant, formatOffset, formatTime, UTC } from "./zones.js";

const get = (id) => document.getElementById(id);

/**
 * Make the page's player work.
 *
 * `clock` is the clip's clock, as the API has it; `onZone` is called with a zone that is chosen,
 * `onFrame` with the instant at which the frame that is shown was seen.
 * Returns `{ show(seenMs), shownMs() }`: show a moment, and when the frame shown was seen.
 */
export function startPlayer(clock, zone, onZone, onFrame = () => {}) {
  return new Player(clock, zone, onZone, onFrame);
}

class Player {
  constructor(clock, zone, onZone, onFrame) {
    this.clock = clock;
    this.zone = zone;
    this.onFrame = onFrame;
    this.times = frameTimes(clock.frames);
    this.durationS = clock.durationInMs / 1000;
    this.gaps = gapTimes(clock);
    this.frame = 0;
    this.wanted = null; // The frame of a seek that is under way.
    this.video = get("video");
    this.position = get("position");
    this.ending = new AbortController();
    this.drawMarks();
    this.offerControls();
    this.followVideo();
    get("clock-note").hidden = clock.isExact;
    offerZones(get("zone"), zone, (chosen) => {
      this.zone = chosen;
      this.showFrame();
      onZone(chosen);
    });
    this.goTo(0); // Until then, browsers show the poster.
  }

  /** Stop listening to keys. */
  end() {
    this.ending.abort();
  }

  /** Return when the frame that is shown was seen, in ms since the epoch. */
  shownMs() {
    return frameSeenMs(this.clock, this.times, this.frame);
  }

  /** Show the frame that was on screen at an instant. */
  show(seenMs) {
    this.video.pause();
    this.goTo(frameAt(this.times, clipAt(this.clock.paces, seenMs) / 1000));
  }

  /** Call a listener until the player ends, or is no longer on the page. */
  listen(target, event, listener) {
    const onEvent = (happened) => this.video.isConnected && listener(happened);
    target.addEventListener(event, onEvent, { signal: this.ending.signal });
  }

  offerControls() {
    const { video, position } = this;
    video.controls = false;
    position.max = this.durationS;
    const actions = {
      "frame-back": () => this.step(-1),
      "frame-forward": () => this.step(1),
      play: () => this.toggle(),
      loop: () => this.toggleLoop(),
      mute: () => this.toggleMute(),
      full: () => this.toggleFull(),
    };
    for (const [id, action] of Object.entries(actions)) {
      get(id).disabled = false;
      this.listen(get(id), "click", action);
    }
    for (const button of document.querySelectorAll("button.jump")) {
      button.disabled = false;
      this.listen(button, "click", () => {
        this.show(Number(button.dataset.seen));
        video.scrollIntoView({ block: "nearest" });
      });
    }
    position.disabled = get("speed").disabled = false;
    this.listen(position, "input", () => this.goTo(frameAt(this.times, Number(position.value))));
    this.listen(get("speed"), "change", () => (video.playbackRate = Number(get("speed").value)));
    this.listen(video, "click", () => this.toggle());
    this.listen(document, "keydown", (event) => this.onKey(event));
  }

  followVideo() {
    const { video } = this;
    if (video.requestVideoFrameCallback) {
      const onFrame = (_, { mediaTime }) => {
        if (!video.isConnected) return;
        this.onShown(mediaTime);
        video.requestVideoFrameCallback(onFrame);
      };
      video.requestVideoFrameCallback(onFrame);
    } else {
      this.listen(video, "timeupdate", () => this.onShown(video.currentTime));
    }
    const onError = () => (get("unplayable").hidden = !video.error);
    this.listen(video, "error", onError);
    onError();
    for (const event of ["play", "pause", "ended"]) this.listen(video, event, () => this.onPlaying());
    this.listen(video, "seeked", () => this.onSeeked());
    this.listen(video, "volumechange", () => {
      get("mute").setAttribute("aria-pressed", String(video.muted));
    });
  }

  onShown(mediaTime) {
    if (this.wanted !== null) return; // The frame that is sought is shown already.
    this.frame = frameAt(this.times, mediaTime);
    this.showFrame();
  }

  onPlaying() {
    const isPlaying = !this.video.paused && !this.video.ended;
    get("player").classList.toggle("playing", isPlaying);
    get("play").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    if (!isPlaying) this.announce();
  }

  onSeeked() {
    const frame = this.wanted;
    this.wanted = null;
    if (frame !== null && frame !== this.sought) this.goTo(frame);
    else this.announce();
  }

  /** Seek to a frame; while a seek is under way, the last frame that was wanted is next. */
  goTo(frame) {
    const isSeeking = this.wanted !== null;
    this.frame = this.wanted = Math.max(0, Math.min(frame, this.times.length - 1));
    this.showFrame();
    if (isSeeking) return;
    this.sought = this.wanted;
    this.video.currentTime = seekTime(this.times, this.wanted, this.durationS);
  }

  step(count) {
    this.video.pause();
    this.goTo(this.frame + count);
  }

  skip(seconds) {
    const to = Math.max(0, this.times[this.frame] + seconds);
    const frame = frameAt(this.times, to);
    this.goTo(frame === this.frame ? frame + Math.sign(seconds) : frame);
  }

  jump(direction) {
    const to = jumpFrom(this.gaps, this.times[this.frame], direction);
    if (to === null) {
      get("announced").textContent = `There is no gap ${direction > 0 ? "after" : "before"} this frame.`;
      return;
    }
    this.video.pause();
    this.goTo(frameAt(this.times, to));
  }

  toggle() {
    const { video } = this;
    if (!video.paused && !video.ended) video.pause();
    else video.play().catch((error) => (get("announced").textContent = `It cannot be played: ${error.message}`));
  }

  toggleLoop() {
    this.video.loop = !this.video.loop;
    get("loop").setAttribute("aria-pressed", String(this.video.loop));
  }

  toggleMute() {
    this.video.muted = !this.video.muted;
  }

  toggleFull() {
    if (document.fullscreenElement) document.exitFullscreen();
    else get("player").requestFullscreen?.();
  }

  changeSpeed(direction) {
    const select = get("speed");
    const to = select.selectedIndex + direction;
    if (to < 0 || to >= select.length) return;
    select.selectedIndex = to;
    this.video.playbackRate = Number(select.value);
    get("announced").textContent = `Speed ${select.value}`;
  }

  onKey(event) {
    const command = get("keys-on").checked && commandOf(event);
    if (!command) return;
    event.preventDefault();
    const [name, argument] = command;
    this[name](argument);
  }

  showFrame() {
    const seconds = this.times[this.frame];
    const seenMs = this.shownMs();
    get("clip-time").textContent = formatClipTime(seconds);
    get("frame-number").textContent = (this.frame + 1).toLocaleString("en");
    get("shown-utc").textContent = formatTime(seenMs, UTC);
    get("shown-utc-date").textContent = formatDate(seenMs, UTC);
    get("shown-local").textContent = formatTime(seenMs, this.zone);
    get("shown-local-date").textContent = `${formatDate(seenMs, this.zone)} ${formatOffset(seenMs, this.zone)}`;
    get("seen").textContent = formatInstant(seenMs, this.zone);
    this.position.value = seconds;
    this.onFrame(seenMs);
    this.position.setAttribute("aria-valuetext", `${formatClipTime(seconds)} s, ${formatInstant(seenMs, UTC)}`);
  }

  /** Say which frame is shown, once it stays. */
  announce() {
    const seen = formatInstant(this.shownMs(), this.zone);
    get("announced").textContent = `Frame ${this.frame + 1} of ${this.times.length}, ${seen}`;
  }

  drawMarks() {
    const { paces, gaps } = this.clock;
    const marks = gaps.map(({ endTimestampInMs }) => {
      const mark = document.createElementNS(get("marks").namespaceURI, "rect");
      const share = Math.min(1, clipAt(paces, endTimestampInMs) / this.clock.durationInMs);
      mark.setAttribute("x", String(1000 * share - 1.5));
      mark.setAttribute("width", "3");
      mark.setAttribute("height", "10");
      return mark;
    });
    get("marks").replaceChildren(...marks);
  }
}
