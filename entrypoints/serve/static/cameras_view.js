/** The list of cameras, with the last picture of each. */

import { lastPicture } from "./api.js";
import { roughly } from "./words.js";
import { formatInstant } from "./zones.js";

const PICTURE_PX = 160;
const FRESH_MS = 55_000;

export class CamerasView {
  /** `list` gets an item per camera; `choose` gets the id of the one that is chosen. */
  constructor(list, choose) {
    this.list = list;
    this.choose = choose;
    this.items = new Map();
    this.untilMs = 0;
  }

  /** Show the cameras, and which one is chosen. */
  show(cameras, chosen, zone) {
    if (!cameras.length) {
      const none = document.createElement("li");
      none.textContent = "There are no recordings where the server looks for them: check the folder that it was started with.";
      this.list.replaceChildren(none);
      return;
    }
    const ids = cameras.map((camera) => camera.cameraId);
    const isSame = ids.length === this.items.size && ids.every((id) => this.items.has(id));
    if (!isSame) this.make(cameras);
    for (const camera of cameras) this.update(camera, camera.cameraId === chosen, zone);
  }

  make(cameras) {
    for (const { url } of this.items.values()) if (url) URL.revokeObjectURL(url);
    this.items = new Map(cameras.map((camera) => [camera.cameraId, itemOf(camera)]));
    for (const [id, { button }] of this.items) {
      button.addEventListener("click", () => this.choose(id));
    }
    const items = [...this.items.values()].map(({ button }) => {
      const item = document.createElement("li");
      item.append(button);
      return item;
    });
    this.list.replaceChildren(...items);
    this.untilMs = 0;
  }

  update(camera, isChosen, zone) {
    const item = this.items.get(camera.cameraId);
    item.button.setAttribute("aria-pressed", String(isChosen));
    const lastMs = camera.lastStartTimestampInMs;
    if (lastMs === null) {
      item.text.textContent = camera.recordings === 0 ? "No footage" : "No recent footage";
    } else {
      const ageMs = Date.now() - lastMs;
      const age = ageMs > 60_000 ? `${roughly(ageMs)} ago` : "just now";
      item.text.textContent = age;
      const firstMs = camera.firstStartTimestampInMs;
      const first = firstMs === null ? "" : `the first recording begins ${formatInstant(firstMs, zone)}; `;
      item.button.title = `${first}the last begins ${formatInstant(lastMs, zone)}`;
    }
  }

  /** Fetch the last pictures, one after the other, if that was not done lately. */
  async refresh() {
    if (performance.now() < this.untilMs) return;
    this.untilMs = performance.now() + FRESH_MS;
    for (const [id, item] of this.items) {
      try {
        const { blob } = await lastPicture(id, PICTURE_PX);
        if (item.url) URL.revokeObjectURL(item.url);
        item.url = URL.createObjectURL(blob);
        item.image.src = item.url;
        item.image.hidden = false;
        item.none.hidden = true;
      } catch {
        item.none.hidden = item.url !== null; // The one of before stays.
      }
    }
  }
}

function itemOf(camera) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "camera";
  const [frame, image, none, name, text] = ["span", "img", "span", "strong", "span"].map((tag) =>
    document.createElement(tag),
  );
  frame.className = "picture";
  image.alt = "";
  image.hidden = true;
  none.className = "none";
  none.textContent = "no picture";
  none.hidden = true;
  frame.append(image, none);
  name.textContent = camera.name;
  text.className = "quiet small";
  const words = document.createElement("span");
  words.className = "words";
  words.append(name, text);
  button.append(frame, words);
  return { button, image, none, text, url: null };
}
