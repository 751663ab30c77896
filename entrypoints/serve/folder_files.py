"""The files of a folder's clips."""

import time
from http import HTTPStatus
from pathlib import Path

from attrs import frozen
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from application.ports import ThumbnailSpec
from domain.clip import ClipName
from domain.errors import Unavailable
from entrypoints.cli.clip_page.templates import Thumbnail
from entrypoints.serve.clips import address_of
from entrypoints.serve.files import REVALIDATED, row_width
from entrypoints.serve.ports import ListedFiles
from entrypoints.serve.problems import NO_RANGE, NOT_FOUND, UNKNOWN_CLIP, Problem, ProblemAnswer
from infrastructure.folder.clips import FolderClipStore
from infrastructure.formats.object_keys import thumbnail_key
from infrastructure.mp4.recording import Mp4Recording

CALL_S = 20
IMAGE_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


class RangedFile(FileResponse):
    """A file, or a range of it; a range that it does not have is answered with a problem.

    A client that has it already gets no bytes.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        etag = self.headers["etag"]
        if is_same(etag, Headers(scope=scope).get("if-none-match", "")):
            headers = {"ETag": etag, "Cache-Control": self.headers["cache-control"]}
            await Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)(
                scope, receive, send
            )
            return
        refused: list[Response] = []

        async def translated(message: Message) -> None:
            status = message.get("status", HTTPStatus.OK)
            if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}:
                size = f"bytes */{self.headers['content-length']}"
                refused.append(ProblemAnswer(NO_RANGE, "", {"Content-Range": size}))
            if not refused:
                await send(message)

        await super().__call__(scope, receive, translated)
        for response in refused:
            await response(scope, receive, send)


def is_same(etag: str, if_none_match: str) -> bool:
    """Return whether a request's If-None-Match names a file's strong ETag (RFC 9110, 13.1.2)."""
    known = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return not known.isdisjoint({etag, "*"})


@frozen
class FolderFiles:
    """The files next to a folder's clips."""

    clips: FolderClipStore
    spec: ThumbnailSpec

    def has(self, name: ClipName) -> bool:
        """Return whether a clip is there."""
        return self.clips.path(name).exists()

    def thumbnails(self, name: ClipName) -> list[Thumbnail]:
        """Return a clip's thumbnails, the smallest first."""
        at = f"{address_of(name)}/thumbnails"
        paths = self.clips.thumbnails(name)
        return [Thumbnail.of(path, f"{at}/{path.stem.rpartition('_')[2]}") for path in paths]

    def listed(self, name: ClipName) -> ListedFiles:
        """Return the files of a clip; the folder is not listed for it.

        Of 1500 clips, 50 were shown in 0.2 s, and in 1.1 s with a listing for each.
        """
        width = row_width(self.spec)
        thumbnail = None if width is None else self._thumbnail(name, width)
        return ListedFiles(self.has(name), thumbnail)

    def open(self, name: ClipName) -> Mp4Recording:
        """Open a clip's file."""
        try:
            return self.clips.open(name, time.monotonic() + CALL_S)
        except Unavailable as error:
            raise Problem(UNKNOWN_CLIP, str(error)) from error

    def video(self, name: ClipName, disposition: str, method: str) -> Response:  # noqa: ARG002 - it answers both
        """Return the answer with a clip, or a range of it."""
        return _file(self.clips.path(name), "video/mp4", {"Content-Disposition": disposition})

    def thumbnail(self, name: ClipName, width: int, method: str) -> Response:  # noqa: ARG002 - it answers both
        """Return the answer with a thumbnail."""
        stem = f"{name.clip_id}_{width}"
        for path in self.clips.thumbnails(name):
            if path.stem == stem:
                return _file(path, IMAGE_TYPES[path.suffix], {})
        raise Problem(NOT_FOUND, "The clip has no thumbnail of that width; its report has them.")

    def sidecar(self, name: ClipName, sidecar: str, method: str) -> Response | None:  # noqa: ARG002 - it answers both
        """Return the answer with an image next to the clip; None if there is none."""
        path = self.clips.sidecar_path(name, sidecar)
        return _file(path, IMAGE_TYPES[path.suffix], {}) if path.exists() else None

    def read_sidecar(self, name: ClipName, sidecar: str) -> bytes | None:
        """Return the bytes of a file next to the clip; None if there is none."""
        try:
            return self.clips.sidecar_path(name, sidecar).read_bytes()
        except FileNotFoundError:
            return None

    def _thumbnail(self, name: ClipName, width: int) -> Thumbnail | None:
        path = self.clips.folder / thumbnail_key(name, width, self.spec.format)
        url = f"{address_of(name)}/thumbnails/{width}"
        return Thumbnail.of(path, url) if path.exists() else None


def _file(path: Path, media_type: str, headers: dict[str, str]) -> FileResponse:
    """Return the answer with a file; Problem if it is gone."""
    try:
        stat = path.stat()
    except OSError as error:
        raise Problem(UNKNOWN_CLIP, "Its file is gone.") from error
    return RangedFile(
        path, headers={**REVALIDATED, **headers}, media_type=media_type, stat_result=stat
    )
