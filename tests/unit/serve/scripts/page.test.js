// The address, keys and words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, ignoredOf, readAddress } from "../static/address.js";
import { Problem } from "../static/api.js";
import { actionOf } from "../static/keys.js";
import { extentOf } from "../static/view_state.js";
import { duration, roughly } from "../static/words.js";

const STATE = {
  camera: "pier",
  window: { startMs: 1000, endMs: 2000 },
  seen: { startMs: 500, endMs: 2500 },
  zone: "Europe/Madrid",
};
const NONE = { camera: null, window: null, seen: null, zone: null };

test("an address has the state, and is read again", () => {
  const address = addressOf(STATE);
  assert.equal(address, "?camera=pier&from=1000&to=2000&zone=Europe/Madrid&view=500-2500");
  assert.deepEqual(readAddress(address), STATE);
  assert.deepEqual(readAddress(addressOf(NONE)), NONE);
});

for (const [name, query] of [
  ["a window that is reversed", "?from=2000&to=1000"],
  ["half a window", "?from=2000"],
  ["times that are none", "?from=1e3&to=NaN&view=a-b"],
  ["times that are too large", "?from=1&to=9999999999999999&view=1-1000000000000000"],
  ["an unknown zone", "?zone=Mars/Olympus"],
]) {
  test(`an address makes no sense, and is ignored: ${name}`, () => {
    assert.deepEqual(readAddress(query), NONE);
  });
}

for (const [name, query, text] of [
  ["nothing", "", ""],
  ["members without a text", "?camera=&from=&to=&zone=&view=", ""],
  ["what makes sense", "?camera=pier&from=1&to=2&zone=UTC&view=1-2&more=1", ""],
  ["a window that is reversed", "?from=5&to=3", "This part of the address is ignored: from=5 and to=3 (from must be before to)."],
  ["a window that is empty", "?from=5&to=5", "This part of the address is ignored: from=5 and to=5 (from must be before to)."],
  ["half a window", "?from=5", "This part of the address is ignored: from=5 (to is missing)."],
  ["the other half", "?from=&to=5", "This part of the address is ignored: to=5 (from is missing)."],
  ["a time that is none", "?from=noon&to=5", "This part of the address is ignored: from=noon and to=5 (both must be times in ms since 1970)."],
  ["a view that is none", "?view=5-3", "This part of the address is ignored: view=5-3 (two times in ms are needed, the earlier one first)."],
  ["several", "?camera=quay&zone=Mars", "These parts of the address are ignored: camera=quay (no such camera: choose one of the list); zone=Mars (no such time zone: choose one of the list)."],
  ["a text that is long", `?zone=${"x".repeat(41)}`, `This part of the address is ignored: zone=${"x".repeat(40)}… (no such time zone: choose one of the list).`],
]) {
  test(`what is ignored of an address is said: ${name}`, () => {
    assert.equal(ignoredOf(query, ["pier", "mole"]), text);
  });
}

for (const [event, action, by] of [
  [{ key: "ArrowLeft" }, "step", -1],
  [{ key: "ArrowRight", shiftKey: true }, "step", 10],
  [{ key: "+", shiftKey: true }, "zoom", 2],
  [{ key: "I", shiftKey: true }, "set", "startMs"],
  [{ key: "o" }, "set", "endMs"],
  [{ key: "Home" }, "first", 0],
]) {
  test(`a key acts: ${event.key}`, () => assert.deepEqual(actionOf(event), { action, by }));
}

test("other keys, and those of the browser, do nothing", () => {
  assert.equal(actionOf({ key: "Tab" }), null);
  assert.equal(actionOf({ key: "+", ctrlKey: true }), null);
  assert.equal(actionOf({ key: "ArrowLeft", altKey: true }), null);
  assert.equal(actionOf({ key: "constructor" }), null);
});

for (const [ms, text] of [
  [0, "0 s"], [33, "0.033 s"], [12_345, "12.345 s"], [60_000, "1 min"], [3_661_500, "1 h 1 min 1.5 s"],
]) {
  test(`a duration in words: ${ms}`, () => assert.equal(duration(ms), text));
}

test("an age is rough", () => {
  assert.equal(roughly(3 * 86_400_000 + 5), "3 days");
  assert.equal(roughly(61_000), "1 minute");
});

for (const [name, problem, text] of [
  ["a camera that is gone", { type: "/api#unknown-camera", detail: "unknown camera pier; there is none", remedy: "GET /api/v1/cameras lists the cameras." }, "The camera has no recordings any more. Choose another one."],
  ["a remedy that names an address", { title: "There is no such clip.", remedy: "GET /api/v1/clips lists the clips." }, "There is no such clip."],
  ["a remedy that names a member", { title: "It is invalid.", remedy: "Change what `detail` names." }, "It is invalid."],
  ["a remedy for people", { title: "It is full.", remedy: "Wait." }, "It is full. Wait."],
]) {
  test(`a problem in words for people: ${name}`, () => assert.equal(new Problem(problem).text, text));
}

for (const [name, camera, extent] of [
  ["files of an hour", { firstStartTimestampInMs: 0, lastStartTimestampInMs: 7_200_000, usualDurationInMs: 3_600_000, recordings: null }, { startMs: 0, endMs: 10_800_000 }],
  ["one file", { firstStartTimestampInMs: 5, lastStartTimestampInMs: 5, usualDurationInMs: null, recordings: null }, { startMs: 5, endMs: 60_005 }],
  ["a pause before the last file", { firstStartTimestampInMs: 0, lastStartTimestampInMs: 90_000_000, usualDurationInMs: 90_000_000, recordings: null }, { startMs: 0, endMs: 93_600_000 }],
  ["an unknown first file", { firstStartTimestampInMs: null, lastStartTimestampInMs: 1000, usualDurationInMs: null, recordings: null }, { startMs: 0, endMs: 61_000 }],
  ["no file", { firstStartTimestampInMs: null, lastStartTimestampInMs: null, usualDurationInMs: null, recordings: 0 }, { startMs: 1_400_000, endMs: 5_000_000 }],
]) {
  test(`how far footage goes: ${name}`, () => assert.deepEqual(extentOf(camera, 5_000_000), extent));
}
