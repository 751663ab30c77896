// The keys of the player.

import assert from "node:assert/strict";
import { test } from "node:test";

import { commandOf } from "../static/player_keys.js";

/** An element that `closest` finds by these selectors. */
const within = (...kinds) => ({
  closest: (selector) => (selector.split(", ").some((each) => kinds.includes(each)) ? {} : null),
});
const BODY = within();

for (const [name, event, command] of [
  ["space plays", { key: " ", target: BODY }, ["toggle"]],
  ["space on a button presses it", { key: " ", target: within("button") }, null],
  ["a letter on a button is a key", { key: "k", target: within("button") }, ["toggle"]],
  ["a letter in a field is a letter", { key: "k", target: within("textarea") }, null],
  ["arrows in a list choose from it", { key: "ArrowLeft", target: within("select") }, null],
  ["a full stop is the next frame", { key: ".", target: BODY }, ["step", 1]],
  ["a comma is the frame before", { key: ",", target: BODY }, ["step", -1]],
  ["an arrow is a second", { key: "ArrowRight", target: BODY }, ["skip", 1]],
  ["with Shift, ten", { key: "ArrowRight", shiftKey: true, target: BODY }, ["skip", 10]],
  ["G is the next gap", { key: "g", target: BODY }, ["jump", 1]],
  ["Shift G is the one before", { key: "G", shiftKey: true, target: BODY }, ["jump", -1]],
  ["with Control, the browser's", { key: "f", ctrlKey: true, target: BODY }, null],
  ["other keys do nothing", { key: "x", target: BODY }, null],
  ["names of members are no keys", { key: "toString", target: BODY }, null],
])
  test(name, () => assert.deepEqual(commandOf(event), command));
