/** The clip's form: its ends, the zone, the plan, and the request. Loaded after the timeline. */

import { Problem } from "./api.js";
import { connectFields } from "./fields.js";
import { PlanView } from "./plan_view.js";
import { Requests } from "./requests.js";
import { fillZones } from "./zone_list.js";
import { chooseZone } from "./zones.js";

/** The kinds of problems that another id mends. */
const OF_THE_ID = ["deleted", "name-taken"];
const INVALID = "[aria-invalid='true']";

export class ClipForm {
  /** `form` is its element; `announce` says what screen readers do not see. */
  constructor(form, state, actions, announce) {
    this.state = state;
    this.form = form;
    this.isFaulty = false;
    this.name = form.querySelector("#name");
    this.wallClock = form.querySelector("#wall-clock");
    this.gaps = form.querySelector("#gaps");
    this.previews = [...form.querySelectorAll("input[name=previews]")];
    this.button = form.querySelector("#request");
    this.refused = form.querySelector("#refused");
    this.zone = form.querySelector("#zone");
    this.requests = new Requests(
      form.querySelector("#requests"),
      form.querySelector("#connection"),
      announce,
      () => state.zone,
    );
    this.plan = new PlanView(form.querySelector("#plan"), (ms) => state.setCursor(ms), (can) => {
      this.button.disabled = !can;
    });
    this.showFields = connectFields(form, {
      end: (end, ms) => state.moveEnd(end, ms),
      step: (end, direction) => actions.stepEnd(end, direction),
      length: (ms) => state.window && state.moveEnd("endMs", state.window.startMs + ms),
    });
    this.zone.addEventListener("change", () => {
      chooseZone(this.zone.value);
      state.setZone(this.zone.value);
    });
    this.name.addEventListener("input", () => state.changed());
    for (const control of [this.wallClock, this.gaps, ...this.previews]) {
      control.addEventListener("change", () => state.changed());
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (state.window && !this.button.disabled && !this.faulty()) this.send(this.request());
    });
  }

  /** Show the zones to choose from, and the requests that are not done. */
  async begin(serverZone) {
    fillZones(this.zone, this.state.zone, serverZone);
    await this.requests.begin();
  }

  show() {
    this.showFields(this.state.window, this.state.zone);
    if (this.isFaulty && !this.form.querySelector(INVALID)) {
      this.isFaulty = false;
      this.refused.hidden = true;
    }
    this.plan.show(this.request(), this.state.zone);
  }

  request() {
    const { camera, window } = this.state;
    if (!window) return null;
    const name = this.name.value.trim();
    const previews = this.previews.filter((box) => box.checked).map((box) => box.value);
    const options = {
      ...(this.wallClock.checked ? { wallClock: this.state.zone } : {}),
      ...(this.gaps.value === "skip" ? {} : { gaps: this.gaps.value }),
      ...(previews.length ? { previews } : {}),
    };
    return {
      cameraId: camera.cameraId,
      startTimestampInMs: window.startMs,
      endTimestampInMs: window.endMs,
      ...(name ? { clipId: name } : {}),
      ...(Object.keys(options).length ? { options } : {}),
    };
  }

  /** Return whether a text cannot be read: the window is not what the fields say. */
  faulty() {
    const field = this.form.querySelector(INVALID);
    this.isFaulty = field !== null;
    if (!field) return false;
    this.refused.textContent = "Correct the time or length that is marked: nothing was requested.";
    this.refused.hidden = false;
    field.focus();
    return true;
  }

  async send(request) {
    const isFocused = document.activeElement === this.button;
    this.refused.hidden = true;
    this.button.disabled = true;
    try {
      await this.requests.send(request);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.refused.textContent = error.text;
      this.refused.hidden = false;
      if (OF_THE_ID.includes(error.kind)) {
        this.name.closest("details").open = true;
        this.name.focus();
      }
    } finally {
      this.button.disabled = false;
      // A button that is disabled loses the focus.
      if (isFocused && document.activeElement === document.body) this.button.focus();
    }
  }
}
