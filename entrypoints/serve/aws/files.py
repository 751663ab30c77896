"""Links to the files of clips: this server passes no bytes of them on."""

from concurrent.futures import ThreadPoolExecutor

from attrs import frozen
from starlette.responses import RedirectResponse, Response

from application.ports import ThumbnailSpec
from domain.clip import ClipName
from domain.errors import NotRecordedYet
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.clip_page.templates import Thumbnail
from entrypoints.cli.service import call_deadline_s
from entrypoints.serve.clips import address_of
from entrypoints.serve.files import row_width
from entrypoints.serve.ports import ListedFiles
from entrypoints.serve.problems import NOT_FOUND, UNKNOWN_CLIP, Problem
from infrastructure.formats.object_keys import clip_key, sidecar_key, thumbnail_key
from infrastructure.mp4.recording import Mp4Recording
from infrastructure.s3.links import S3Links
from infrastructure.s3.manifests import S3Manifests
from infrastructure.s3.recordings import S3RecordingStore

EXPIRES_S = 900
"""A browser that plays a clip asks its link for range after range, and clips last minutes."""
TEMPORARY = 307
"""With the same method."""
CONCURRENCY = 4
GONE = "Its file is gone."


@frozen
class AwsFiles:
    """The files of clips in the destination."""

    stored: S3Manifests
    links: S3Links
    spec: ThumbnailSpec

    def has(self, name: ClipName) -> bool:
        """Return whether a clip is there."""
        return self.stored.has(clip_key(name), call_deadline_s())

    def thumbnails(self, name: ClipName) -> list[Thumbnail]:
        """Return the thumbnails of the widths that the service makes, the smallest first."""
        deadline_s = call_deadline_s()

        def find(width: int) -> Thumbnail | None:
            key = thumbnail_key(name, width, self.spec.format)
            size_bytes = self.stored.size_bytes(key, deadline_s)
            return None if size_bytes is None else Thumbnail(width, _url(name, width), size_bytes)

        with ThreadPoolExecutor(CONCURRENCY) as askers:
            return [found for found in askers.map(find, sorted(self.spec.widths)) if found]

    def listed(self, name: ClipName) -> ListedFiles:
        """Return the files that the report promises: each would take a request."""
        width = row_width(self.spec)
        thumbnail = None if width is None else Thumbnail(width, _url(name, width), 0)
        return ListedFiles(True, thumbnail)

    def open(self, name: ClipName) -> Mp4Recording:
        """Open a clip by ranges of its object."""
        key, start = clip_key(name), TimeWindow(0, 1)
        store = S3RecordingStore(self.stored.client, self.stored.bucket, tolerance_ms=0)
        try:
            return store.open(RecordingSegment(start, key), start, call_deadline_s())
        except NotRecordedYet as error:
            raise Problem(UNKNOWN_CLIP, GONE) from error

    def video(self, name: ClipName, disposition: str, method: str) -> Response:
        """Return the redirection to a clip."""
        if not self.has(name):
            raise Problem(UNKNOWN_CLIP, GONE)
        return self._redirection(clip_key(name), method, ResponseContentDisposition=disposition)

    def thumbnail(self, name: ClipName, width: int, method: str) -> Response:
        """Return the redirection to a thumbnail."""
        key = thumbnail_key(name, width, self.spec.format)
        is_made = width in self.spec.widths
        if not is_made or not self.stored.has(key, call_deadline_s()):
            message = "The clip has no thumbnail of that width; its report has them."
            raise Problem(NOT_FOUND, message)
        return self._redirection(key, method)

    def sidecar(self, name: ClipName, sidecar: str, method: str) -> Response | None:
        """Return the redirection to an image next to the clip; None if there is none."""
        key = sidecar_key(name, sidecar)
        if not self.stored.has(key, call_deadline_s()):
            return None
        return self._redirection(key, method)

    def read_sidecar(self, name: ClipName, sidecar: str) -> bytes | None:
        """Return the bytes of a file next to the clip, a few kilobytes; None if there is none."""
        return self.stored.bytes_of(sidecar_key(name, sidecar), call_deadline_s())

    def _redirection(self, key: str, method: str, **headers: str) -> Response:
        link = self.links.link(key, method, EXPIRES_S, **headers)
        return RedirectResponse(link, TEMPORARY)


def _url(name: ClipName, width: int) -> str:
    return f"{address_of(name)}/thumbnails/{width}"
