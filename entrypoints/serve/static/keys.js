/** What keys do on the timeline: a table. */

/** Return what a key does, as `{action, by}`, null if nothing. */
export function actionOf({ key, shiftKey, ctrlKey, altKey, metaKey }) {
  if (ctrlKey || altKey || metaKey) return null;
  const big = shiftKey ? 10 : 1;
  const actions = {
    __proto__: null,
    ArrowLeft: { action: "step", by: -big },
    ArrowRight: { action: "step", by: big },
    ArrowUp: { action: "zoom", by: 2 },
    ArrowDown: { action: "zoom", by: 0.5 },
    ",": { action: "frame", by: -1 },
    ".": { action: "frame", by: 1 },
    "+": { action: "zoom", by: 2 },
    "=": { action: "zoom", by: 2 },
    "-": { action: "zoom", by: 0.5 },
    "_": { action: "zoom", by: 0.5 },
    PageUp: { action: "page", by: -1 },
    PageDown: { action: "page", by: 1 },
    Home: { action: "first", by: 0 },
    End: { action: "last", by: 0 },
    i: { action: "set", by: "startMs" },
    o: { action: "set", by: "endMs" },
    a: { action: "all", by: 0 },
    w: { action: "window", by: 0 },
  };
  return actions[key.length === 1 ? key.toLowerCase() : key] ?? null;
}
