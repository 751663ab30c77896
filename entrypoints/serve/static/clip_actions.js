/** What can be done with a clip: copy its address, delete it. */

const get = (id) => document.getElementById(id);

/** Copy a text; where that is not allowed, as without HTTPS, show it to be copied by hand. */
export async function copyText(text, output) {
  try {
    await navigator.clipboard.writeText(text);
    output.textContent = "The link is copied.";
  } catch {
    const field = document.createElement("input");
    field.value = text;
    field.readOnly = true;
    field.setAttribute("aria-label", "The link, to be copied");
    output.replaceChildren(field);
    field.select();
  }
}

/**
 * Ask whether a clip is to be deleted, and delete it; resolve to whether it is.
 *
 * `ask` is the question, `done` the words on the button that does it.
 */
export function askToDelete({ camera, clip, ask, done }) {
  const dialog = get("deletion");
  const fault = get("deletion-fault");
  const confirm = get("deletion-confirm");
  get("deletion-title").textContent = ask;
  confirm.textContent = done;
  confirm.disabled = false;
  fault.hidden = true;
  return new Promise((resolve) => {
    let isDeleted = false;
    confirm.onclick = async () => {
      confirm.disabled = true;
      const problem = await deletion(camera, clip);
      isDeleted = problem === "";
      fault.textContent = problem;
      fault.hidden = isDeleted;
      confirm.disabled = false;
      if (isDeleted) dialog.close();
    };
    dialog.addEventListener("close", () => resolve(isDeleted), { once: true });
    dialog.showModal();
  });
}

/** Delete a clip; return why it cannot be deleted, or an empty text. */
async function deletion(camera, clip) {
  try {
    const response = await fetch(`/api/v1/clips/${camera}/${clip}`, { method: "DELETE" });
    if (response.ok) return "";
    const { title, detail, remedy } = await response.json();
    return [title, detail, remedy].filter(Boolean).join(" ");
  } catch {
    return "The server does not answer. Try again once it runs.";
  }
}
