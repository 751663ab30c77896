/** The keys of the player. */

const COMMANDS = {
  " ": ["toggle"],
  k: ["toggle"],
  ",": ["step", -1],
  ".": ["step", 1],
  ArrowLeft: ["skip", -1],
  ArrowRight: ["skip", 1],
  "Shift ArrowLeft": ["skip", -10],
  "Shift ArrowRight": ["skip", 10],
  Home: ["goTo", 0],
  End: ["goTo", Infinity],
  g: ["jump", 1],
  G: ["jump", -1],
  "<": ["changeSpeed", -1],
  ">": ["changeSpeed", 1],
  l: ["toggleLoop"],
  m: ["toggleMute"],
  f: ["toggleFull"],
};
const OWN_KEYS = "input:not(#position):not([type=checkbox]), select, textarea, pre, dialog, [contenteditable]";
const PRESSED = "button, a, summary, input[type=checkbox]";

/**
 * Return what a key does, as the name of the player's method and its argument, or null.
 *
 * Keys that an element needs itself do nothing else: letters in a field, space on a button.
 */
export function commandOf({ key, shiftKey, ctrlKey, metaKey, altKey, target }) {
  if (ctrlKey || metaKey || altKey) return null;
  if (target?.closest?.(OWN_KEYS)) return null;
  if (key === " " && target?.closest?.(PRESSED)) return null;
  const isArrow = key.startsWith("Arrow");
  const name = shiftKey && isArrow ? `Shift ${key}` : key;
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : null;
}
