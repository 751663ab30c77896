"""The page that shows clips, and the server of both."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen
from playwright.sync_api import Browser, Error

from devtools.local_aws.http_server import Request, Response, serve

PAGE = Path(__file__).with_name("page.html")


@frozen
class Showing:
    """A clip for the page: what it plays, and where it seeks to."""

    path: Path
    seeks_ms: Sequence[float]


def show(browser: Browser, clips: Sequence[Showing]) -> Iterator[dict[str, Any]]:
    """Play each clip and step through it; yield what the page saw of each, in order.

    A clip that the browser cannot show has the member `error` alone.
    """
    with _serving([clip.path for clip in clips]) as url, browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        for number, clip in enumerate(clips):
            try:
                yield page.evaluate("(clip) => show(clip)", [f"/{number}.mp4", [*clip.seeks_ms]])
            except Error as error:
                yield {"error": error.message}


@contextmanager
def _serving(paths: Sequence[Path]) -> Iterator[str]:
    """Serve the page and the clips on a free port; yield the page's address."""
    files = {
        "/": ("text/html", PAGE.read_bytes()),
        **{f"/{n}.mp4": ("video/mp4", path.read_bytes()) for n, path in enumerate(paths)},
    }

    def answer(request: Request) -> Response:
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
        yield f"{url}/"
