/** The HTTP API of this server. */

const ROOT = "/api/v1";
/** What problems say where a choice on the page is their cause. */
const FOR_PEOPLE = {
  "unknown-camera": "The camera has no recordings any more. Choose another one.",
  "deleted": "A clip with this id was deleted. Type another id, or none, below Name and options.",
  "name-taken": "Another clip has this id. Type another one, or none, below Name and options.",
};

/** An answer that is an error, with what is wrong and what to do. */
export class Problem extends Error {
  constructor({ type = "", title = "The request failed.", status = 0, detail = "", remedy = "" }) {
    super(detail || title);
    this.kind = type.split("#")[1] ?? "";
    this.status = status;
    this.remedy = remedy;
  }

  /** What is wrong and what to do, for people; remedies for programs name JSON or addresses. */
  get text() {
    if (FOR_PEOPLE[this.kind]) return FOR_PEOPLE[this.kind];
    const isForPrograms = /`|\/api/.test(this.remedy);
    return isForPrograms ? this.message : `${this.message} ${this.remedy}`.trim();
  }
}

export const listCameras = () => json(`${ROOT}/cameras`);

export const showFootage = (camera, { startMs, endMs }, width, signal) =>
  json(`${ROOT}/cameras/${camera}/footage?from=${startMs}&to=${endMs}&width=${width}`, { signal });

export const showFrameTimes = (camera, { startMs, endMs }, signal) =>
  json(`${ROOT}/cameras/${camera}/frames/times?from=${startMs}&to=${endMs}`, { signal });

export const lastPicture = (camera, width) =>
  picture(`${ROOT}/cameras/${camera}/frames/last?width=${width}`);

export const showPicture = (camera, atMs, width, isExact, signal) =>
  picture(`${ROOT}/cameras/${camera}/frames?at=${atMs}&width=${width}&exact=${isExact}`, signal);

export const planClip = (request, signal) => json(`${ROOT}/plans`, { ...posted(request), signal });

export const requestClip = (request) => json(`${ROOT}/clips`, posted(request));

export const showClip = (camera, clip) => json(`${ROOT}/clips/${camera}/${clip}`);

export const listClips = () => json(`${ROOT}/clips?limit=1`);

const posted = (body) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

async function json(address, options) {
  return (await answer(address, options)).json();
}

/** Return a picture's bytes, and when it was seen. */
async function picture(address, signal) {
  const found = await answer(address, { signal });
  const seenMs = Number(found.headers.get("Camclip-Seen-Timestamp-In-Ms"));
  return { blob: await found.blob(), seenMs };
}

async function answer(address, options) {
  let found;
  try {
    found = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The server does not answer.", remedy: "Check that it runs." });
  }
  if (found.ok) return found;
  const isProblem = found.headers.get("Content-Type")?.startsWith("application/problem+json");
  throw new Problem(isProblem ? await found.json() : { status: found.status });
}
