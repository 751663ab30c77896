"""The clips' bytes and thumbnails."""

from datetime import tzinfo
from http import HTTPStatus

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from application.ports import ThumbnailSpec
from domain.clip import DELETED, ClipName, ClipReport
from domain.clip_label import ClipLabel
from domain.window import TimeWindow
from entrypoints.serve.parameters import clip_name_in, query, truth
from entrypoints.serve.ports import ClipFiles, Clips
from entrypoints.serve.problems import DELETED as DELETED_PROBLEM
from entrypoints.serve.problems import UNKNOWN_CLIP, Problem

REVALIDATED = {"Cache-Control": "private, no-cache"}
"""A name may be used again: browsers keep a copy, and ask whether it is still the same."""
MIN_ROW_WIDTH = 160


@frozen
class FileRoutes:
    """The addresses of a clip's files."""

    known: Clips
    files: ClipFiles
    zone: tzinfo
    """The zone of the times in names to download."""

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = "/api/v1/clips/{camera:identifier}/{clip:identifier}"
        return [
            Route(f"{one}/video", self.video, methods=["GET"]),
            Route(f"{one}/thumbnails/{{width:width}}", self.thumbnail, methods=["GET"]),
        ]

    def video(self, request: Request) -> Response:
        """Answer with the clip, or a range of it, to play or to download."""
        is_download = truth(query(request, ("download",)), "download")
        name = clip_name_in(request)
        file_name = self._file_name(name, available(self.known, name))
        kind = "attachment" if is_download else "inline"
        return self.files.video(name, f'{kind}; filename="{file_name}"', request.method)

    def thumbnail(self, request: Request) -> Response:
        """Answer with a thumbnail of one of the clip's widths."""
        query(request, ())
        name = clip_name_in(request)
        available(self.known, name)
        found = self.files.thumbnail(name, int(request.path_params["width"]), request.method)
        return unless_known(request, found)

    def _file_name(self, name: ClipName, report: ClipReport) -> str:
        assert report.start_ms is not None  # noqa: S101 - a clip has a window
        assert report.end_ms is not None  # noqa: S101
        window = TimeWindow(report.start_ms, report.end_ms)
        return ClipLabel(name, window, self.zone).file_name


def available(clips: Clips, name: ClipName) -> ClipReport:
    """Return the report of a clip that there is; Problem if there is none."""
    known = clips.find(name)
    if known and known.report.status == DELETED:
        raise Problem(DELETED_PROBLEM)
    if known is None or not known.report.has_clip:
        raise Problem(UNKNOWN_CLIP, "Its report says why." if known else "")
    return known.report


def unless_known(request: Request, found: Response) -> Response:
    """Return an answer, or, if the client has it already, that it is still the same."""
    etag = found.headers.get("etag")
    if etag is None or request.headers.get("if-none-match") != etag:
        return found
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={**REVALIDATED, "ETag": etag})


def row_width(spec: ThumbnailSpec) -> int | None:
    """Return the width of the thumbnail that a list of clips shows; None if none is made."""
    widths = sorted(spec.widths, key=lambda width: (width < MIN_ROW_WIDTH, width))
    return widths[0] if widths else None
