/** What happens to clips, as it happens: the API's events, as long as the page is visible. */

const AGAIN_MS = 5000;

/**
 * Call `onClip` with each clip to which something happens, and `onOpen` whenever the stream begins:
 * what happened before is not sent, so look there. `onLost` is called if the connection is lost.
 *
 * A browser reconnects by itself, and names the last event that it got. It gives up if the server
 * answers with an error, so that it is asked again here. Returns a function that ends it: a browser
 * has few connections to a server, and each stream takes one.
 */
export function followClips({ onClip, onOpen, onLost }) {
  let source = null;
  let timer = 0;
  let isOver = false;

  function open() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource("/api/v1/events");
    source.addEventListener("open", onOpen);
    source.addEventListener("error", () => {
      onLost();
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
    });
    for (const state of ["waiting", "reading", "encoding", "storing", "done"])
      source.addEventListener(state, ({ data }) => onClip(JSON.parse(data)));
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function onVisibility() {
    if (document.hidden) close();
    else if (!source) open();
  }

  document.addEventListener("visibilitychange", onVisibility);
  onVisibility();
  return () => {
    if (isOver) return;
    isOver = true;
    document.removeEventListener("visibilitychange", onVisibility);
    close();
  };
}
