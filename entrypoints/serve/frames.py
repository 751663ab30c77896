"""When a camera's frames were seen, and pictures of them, made once each."""

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import BoundedSemaphore, Lock

from attrs import define, field, frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from application.gather_footage import GatheredFootage
from domain.clip import ClipRequest
from domain.errors import Rejected, UnusableFootage
from entrypoints.cli.previewing import in_recording, preview_clip
from entrypoints.serve.answers import JsonAnswer
from entrypoints.serve.found_footage import bounds
from entrypoints.serve.parameters import camera_id_in, instant_ms, query, truth, whole, window_in
from entrypoints.serve.ports import Cameras
from entrypoints.serve.problems import NO_PICTURE, Problem
from infrastructure.scratch import work_folder
from infrastructure.splicing.frames import resolve_cuts
from infrastructure.transcoder.picture import FoundFrame, draw_frame, find_frame

MIN_WIDTH, MAX_WIDTH, USUAL_WIDTH = 16, 3840, 640
MAX_CACHED_BYTES = 32 << 20
"""Of each of the two caches."""
FRESH_S = 60
"""How long an answer may be used again, here and in a browser."""
LAST_FRESH_S = 10
"""The same for the last picture."""
MAX_TIMES_MS = 60_000
DRAWING_S = 20
SEEN = "Camclip-Seen-Timestamp-In-Ms"
"""The header that says when the picture was seen."""


@frozen
class Picture:
    """A JPEG, and when what it shows was seen, in ms since the epoch."""

    data: bytes
    seen_ms: int


@define
class PictureCache:
    """Pictures by key, the least recently used ones forgotten; each is made by one thread."""

    max_bytes: int = MAX_CACHED_BYTES
    _made: "OrderedDict[Hashable, Future[Picture]]" = field(factory=OrderedDict)
    _bytes: int = 0
    _lock: Lock = field(factory=Lock)

    def get(self, key: Hashable, make: Callable[[], Picture]) -> Picture:
        """Return the picture of that key, made now if it is not there; raises what `make` does."""
        with self._lock:
            future = self._made.get(key)
            is_own = future is None
            if future is None:
                future = self._made[key] = Future()
            self._made.move_to_end(key)
        if not is_own:
            return future.result()
        try:
            picture = make()
        except BaseException as error:
            with self._lock:
                del self._made[key]
            future.set_exception(error)
            raise
        with self._lock:
            future.set_result(picture)
            self._bytes += len(picture.data)
            self._forget()
        return picture

    def _forget(self) -> None:
        """Forget pictures until the rest is small enough, but none that is being made."""
        for key, future in list(self._made.items()):
            if self._bytes <= self.max_bytes:
                return
            if future.done():
                del self._made[key]
                self._bytes -= len(future.result().data)


@define
class FrameRoutes:
    """The pictures' address."""

    cameras: Cameras
    answered: PictureCache = field(factory=PictureCache)
    """By what was asked: for a minute, no file is looked at again."""
    drawn: PictureCache = field(factory=PictureCache)
    """By frame: moments between two keyframes share a picture."""
    _drawing: BoundedSemaphore = field(
        factory=lambda: BoundedSemaphore(max(2, os.cpu_count() or 1))
    )
    """No more pictures are decoded at once."""

    def routes(self) -> list[Route]:
        """Return the routes."""
        frames = "/api/v1/cameras/{camera:identifier}/frames"
        return [
            Route(frames, self.frame, methods=["GET"]),
            Route(f"{frames}/last", self.last, methods=["GET"]),
            Route(f"{frames}/times", self.times, methods=["GET"]),
        ]

    def frame(self, request: Request) -> Response:
        """Answer with the picture on screen at a moment, or the keyframe before it."""
        given = query(request, ("at", "width", "exact"))
        at_ms = instant_ms(given, "at")
        width = whole(given, "width", MIN_WIDTH, MAX_WIDTH, USUAL_WIDTH)
        is_exact = truth(given, "exact")
        camera_id = camera_id_in(request)
        minute = int(time.monotonic() / FRESH_S)
        picture = self.answered.get(
            (camera_id, at_ms, width, is_exact, minute),
            lambda: self._picture(camera_id, at_ms, width, is_exact=is_exact),
        )
        return _answer(request, picture, width, FRESH_S)

    def last(self, request: Request) -> Response:
        """Answer with the last picture of a camera: a keyframe."""
        given = query(request, ("width",))
        width = whole(given, "width", MIN_WIDTH, MAX_WIDTH, USUAL_WIDTH)
        camera_id = camera_id_in(request)
        moment = int(time.monotonic() / LAST_FRESH_S)
        picture = self.answered.get(
            (camera_id, width, moment), lambda: self._last_picture(camera_id, width)
        )
        return _answer(request, picture, width, LAST_FRESH_S)

    def times(self, request: Request) -> Response:
        """Answer with the instants at which the frames of a window were seen.

        A clip that begins at such an instant begins with that frame, as instants and times of
        frames are rounded down; one that ends there ends with the frame before.
        """
        window = window_in(query(request, ("from", "to")), MAX_TIMES_MS)
        camera_id = camera_id_in(request)
        self.cameras.require(camera_id, window.start_ms)
        wanted = ClipRequest("frames", camera_id, window.start_ms, window.end_ms)
        footage = preview_clip(self.cameras).gather(wanted, time.monotonic() + DRAWING_S)
        members = {"cameraId": camera_id, **bounds(window), "frames": sorted(_seen_ms(footage))}
        return JsonAnswer(members, headers={"Cache-Control": "private, max-age=5"})

    def _picture(self, camera_id: str, at_ms: int, width: int, *, is_exact: bool) -> Picture:
        try:
            found = self._find(camera_id, at_ms, is_exact=is_exact)
        except Rejected as error:
            self.cameras.require(camera_id, at_ms)
            raise Problem(NO_PICTURE, str(error)) from error
        return self.drawn.get((found.key, width), lambda: self._draw(found, width))

    def _last_picture(self, camera_id: str, width: int) -> Picture:
        for at_ms in self.cameras.last_moments(camera_id):
            try:
                return self._picture(camera_id, at_ms, width, is_exact=False)
            except (Problem, UnusableFootage):
                continue  # An earlier recording may be whole.
        raise Problem(NO_PICTURE, "None of the camera's last recordings has a picture.")

    def _find(self, camera_id: str, at_ms: int, *, is_exact: bool) -> FoundFrame:
        moment = ClipRequest("frame", camera_id, at_ms, at_ms + 1)
        deadline_s = time.monotonic() + DRAWING_S
        latest = None if is_exact else self.cameras.find_latest(camera_id, at_ms)
        footage = in_recording(self.cameras, latest, moment, deadline_s) if latest else None
        footage = footage or preview_clip(self.cameras).gather(moment, deadline_s)
        if footage.plan is None or not footage.plan.cuts:
            raise Problem(NO_PICTURE, "There is no footage of that moment.")
        return find_frame(footage.plan, footage.recordings, is_keyframe=not is_exact)

    def _draw(self, found: FoundFrame, width: int) -> Picture:
        service = self.cameras.service
        with self._drawing, work_folder(service.scratch()) as folder:
            deadline_s = time.monotonic() + DRAWING_S
            path, _ = draw_frame(service.ffmpeg(), found, "jpg", folder, deadline_s, width)
            return Picture(path.read_bytes(), found.seen_ms)


def _seen_ms(footage: GatheredFootage) -> set[int]:
    """Return when the frames of a window were seen; Rejected if they are too large for a clip."""
    if footage.plan is None or not footage.plan.cuts:
        return set()
    sources = resolve_cuts(footage.plan, footage.recordings)
    return {each.seen_ms(frame) for each in sources for frame in each.copyable}


def _answer(request: Request, picture: Picture, width: int, fresh_s: int) -> Response:
    """Return the answer with a picture, or that the client's copy is still the same."""
    etag = f'"{picture.seen_ms}-{width}-{len(picture.data)}"'
    headers = {
        "Cache-Control": f"private, max-age={fresh_s}",
        "ETag": etag,
        SEEN: str(picture.seen_ms),
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(picture.data, headers=headers, media_type="image/jpeg")
