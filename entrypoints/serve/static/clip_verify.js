/** The verification of a clip: what its server finds when it is held against its proof. */

const ORDER = ["changed", "unknown", "intact"];
const VERDICTS = {
  intact: ["good", "The clip is what was cut, as far as it could be checked."],
  changed: ["bad", "The clip is not what was cut."],
};
const WORDS = { changed: "Changed", unknown: "Not checked", intact: "Unchanged" };

/** Verify a clip when `button` is pressed, and show what is found in `output`. */
export function offerVerification(button, output, { camera, clip }) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    output.replaceChildren(made("p", "All bytes of the clip and its recordings are read.", "quiet"));
    output.replaceChildren(...(await found(camera, clip)));
    button.disabled = false;
  });
}

async function found(camera, clip) {
  try {
    const response = await fetch(`/api/v1/clips/${camera}/${clip}/verification`, { method: "POST" });
    const answer = await response.json();
    if (response.ok) return shown(answer);
    const text = [answer.title, answer.detail, answer.remedy].filter(Boolean).join(" ");
    return [made("p", text, "notice bad")];
  } catch {
    return [made("p", "The server does not answer. Try again once it runs.", "notice bad")];
  }
}

function shown({ judgement, findings }) {
  const [kind, text] = VERDICTS[judgement];
  const list = made("ul", "", "findings small");
  const sorted = findings.toSorted((a, b) => ORDER.indexOf(a.judgement) - ORDER.indexOf(b.judgement));
  for (const each of sorted) {
    const item = made("li", "");
    item.append(made("strong", WORDS[each.judgement], each.judgement), ` ${each.text}${seen(each)}`);
    list.append(item);
  }
  return [made("p", text, `notice ${kind}`), list];
}

/** Return when the frames that have changed bytes were seen, in UTC. */
function seen({ frames = [] }) {
  if (!frames.length) return "";
  const count = frames.reduce((total, run) => total + run.count, 0);
  const utc = (ms) => new Date(ms).toISOString().replace("T", " ").replace("Z", " UTC");
  const [first, last] = [frames[0].firstTimestampInMs, frames.at(-1).lastTimestampInMs];
  return ` Frames with these bytes: ${count}, seen from ${utc(first)} to ${utc(last)}.`;
}

function made(name, text, className = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}
