"""The files next to a clip: its contact sheet, its sprite with the index, its wall clock."""

import hashlib

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.clip import ClipName
from domain.errors import UnusableFootage
from domain.sidecars import SHEET, SPRITE, SPRITE_INDEX, WALL_CLOCK
from entrypoints.serve.files import REVALIDATED, available, unless_known
from entrypoints.serve.parameters import clip_name_in, query
from entrypoints.serve.ports import ClipFiles, Clips
from entrypoints.serve.problems import NOT_FOUND, UNKNOWN_CLIP, Problem
from infrastructure.formats.object_keys import sidecar_key
from infrastructure.formats.webvtt import webvtt
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.transcoder.wall_clock import read_text

MEDIA_TYPE = "text/vtt"


@frozen
class SidecarRoutes:
    """Their addresses."""

    known: Clips
    files: ClipFiles

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = "/api/v1/clips/{camera:identifier}/{clip:identifier}"
        return [
            Route(f"{one}/{SHEET}", self.sheet, methods=["GET"]),
            Route(f"{one}/{SPRITE}", self.sprite, methods=["GET"]),
            Route(f"{one}/{SPRITE_INDEX}", self.sprite_index, methods=["GET"]),
            Route(f"{one}/wall-clock.vtt", self.wall_clock, methods=["GET"]),
        ]

    def sheet(self, request: Request) -> Response:
        """Answer with the contact sheet."""
        return self._image(request, SHEET)

    def sprite(self, request: Request) -> Response:
        """Answer with the sprite."""
        return self._image(request, SPRITE)

    def sprite_index(self, request: Request) -> Response:
        """Answer with the sprite's index, which names the sprite as it is addressed here."""
        name = self._name(request)
        text = self.files.read_sidecar(name, SPRITE_INDEX)
        if text is None:
            raise Problem(NOT_FOUND, _missing("sprite"))
        stored = sidecar_key(name, SPRITE).rpartition("/")[2]
        return _text(request, text.replace(f"\n{stored}#".encode(), f"\n{SPRITE}#".encode()))

    def wall_clock(self, request: Request) -> Response:
        """Answer with the wall clock that is stored, or else the clip's own track of text."""
        name = self._name(request)
        return _text(request, self.files.read_sidecar(name, WALL_CLOCK) or self._own_text(name))

    def _image(self, request: Request, sidecar: str) -> Response:
        name = self._name(request)
        found = self.files.sidecar(name, sidecar, request.method)
        if found is None:
            raise Problem(NOT_FOUND, _missing(sidecar.partition(".")[0]))
        return unless_known(request, found)

    def _own_text(self, name: ClipName) -> bytes:
        try:
            clip = self.files.open(name)
            _, cues = read_text(clip.read, clip.size_bytes)
        except (InvalidMp4, UnusableFootage) as error:
            raise Problem(UNKNOWN_CLIP, "Its file is gone, or is none of ours.") from error
        if not cues:
            raise Problem(NOT_FOUND, "The clip has no text: request it with options.wallClock.")
        return webvtt(cues).encode()

    def _name(self, request: Request) -> ClipName:
        query(request, ())
        name = clip_name_in(request)
        available(self.known, name)
        return name


def _text(request: Request, text: bytes) -> Response:
    etag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    headers = {**REVALIDATED, "ETag": etag}
    return unless_known(request, Response(text, media_type=MEDIA_TYPE, headers=headers))


def _missing(preview: str) -> str:
    return f"The clip has no {preview}: request it with options.previews."
