"""Headless Chromium, and the server of its page."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from attrs import frozen

from devtools.local_aws.http_server import Request, Response, serve

PAGE = Path(__file__).with_name("page.html")
NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "apt-get install -y chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--autoplay-policy=no-user-gesture-required",
)
LOG_TAIL_CHARS = 2000
LEAVES_WITHIN_S = 10.0


class NoBrowserError(Exception):
    """Chromium is missing or does not work."""


@frozen
class Page:
    """A clip for the page: what it plays, and where it seeks to."""

    path: Path
    seeks_ms: Sequence[float]


def find_chromium() -> str:
    """Return the browser's path; NoBrowserError, with how to get one, if there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise NoBrowserError(f"There is no Chromium: none of {', '.join(NAMES)}. Try: {INSTALL}")
    return found


def show(chromium: str, clips: Sequence[Page], timeout_s: float) -> Iterator[dict[str, Any]]:
    """Show each clip in the browser, and yield its page's result for each, in order.

    NoBrowserError if there is none for `timeout_s`.
    """
    with _serving(clips) as (url, posts), _running(chromium, url) as log:
        for number in range(len(clips) + 1):
            try:
                path, result = posts.get(timeout=timeout_s)
            except Empty:
                words = log.read_text(errors="replace")[-LOG_TAIL_CHARS:]
                raise NoBrowserError(
                    f"{chromium} does not answer. Its last messages: {words}"
                ) from None
            if path == "/done":
                if number < len(clips):
                    raise NoBrowserError(f"the page gave up: {result}")
                return
            assert path == f"/{number}.mp4"
            yield result


@contextmanager
def _running(chromium: str, url: str) -> Iterator[Path]:
    """Run the browser with its own profile, and yield its log file."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        log = Path(profile, "log")
        argv = [chromium, *FLAGS, f"--user-data-dir={profile}/profile", url]
        env = {"PATH": os.defpath, "HOME": profile}
        with log.open("wb") as words:
            browser = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=env,
                start_new_session=True,
            )  # fmt: skip
        try:
            yield log
        finally:
            # The browser is a family of processes: a session of its own.
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait(LEAVES_WITHIN_S)


@contextmanager
def _serving(clips: Sequence[Page]) -> Iterator[tuple[str, Queue[tuple[str, dict[str, Any]]]]]:
    """Serve the page and the clips on a free port; what is posted comes out of the queue."""
    posts: Queue[tuple[str, dict[str, Any]]] = Queue()
    listing = [{"url": f"/{n}.mp4", "seeks_ms": list(c.seeks_ms)} for n, c in enumerate(clips)]
    files: dict[str, tuple[str, bytes]] = {
        "/": ("text/html", PAGE.read_bytes()),
        "/clips.json": ("application/json", json.dumps(listing).encode()),
        **{f"/{n}.mp4": ("video/mp4", clip.path.read_bytes()) for n, clip in enumerate(clips)},
    }

    def answer(request: Request) -> Response:
        if request.method == "POST":
            posts.put((request.target, json.loads(request.body)))
            return Response(204)
        if request.target not in files:
            return Response(404)
        kind, data = files[request.target]
        headers = {"Content-Type": kind, "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if asked is None:
            return Response(200, data, headers)
        first = int(asked[1])
        part = data[first : int(asked[2]) + 1 if asked[2] else None]
        headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{len(data)}"
        return Response(206, part, headers)

    with serve(answer) as url:
        yield f"{url}/", posts
