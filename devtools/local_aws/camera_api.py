"""The camera API over HTTP in front of any `CameraService`, with faults on demand."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import Factory, define

from application.ports import CameraService
from devtools.local_aws.http_server import Request, Response
from domain.errors import Rejected
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.times import compact, iso_utc
from infrastructure.camera_api.names import is_recording_name

ANSWER_S = 60
ALIAS_SUFFIX = "-alias"
"""An alias differs from the camera's id, so that one used for the other is noticed."""

Fault = Callable[[Request], Response | None]
"""Answers a request in the stand-in's place, or returns None."""


def no_fault(_: Request) -> None:
    """Interfere with nothing."""


def fails(path_part: str, status: int = 500) -> Fault:
    """Return a fault that answers `status` to each path that contains `path_part`."""
    return lambda request: Response(status) if path_part in request.target else None


@define
class CameraStandIn:
    """Lists the segments of `cameras` newest first, and keeps each report on a clip."""

    cameras: CameraService
    on_report: Callable[[dict[str, Any]], object] = lambda _report: None
    """Is called with each report."""
    fault: Fault = no_fault
    reports: list[dict[str, Any]] = Factory(list)
    """All reports in order."""
    requests: list[str] = Factory(list)
    """Method and path of each request that no fault answered."""

    def state(self, clip_id: str) -> dict[str, Any] | None:
        """Return the latest report on a clip."""
        return next((r for r in reversed(self.reports) if r["clipId"] == clip_id), None)

    def __call__(self, request: Request) -> Response:
        """Answer one request; an unknown camera or clip is 404."""
        url = urlsplit(request.target)
        if response := self.fault(request):
            return response
        self.requests.append(f"{request.method} {url.path}")
        try:
            match [request.method, *map(unquote, url.path.strip("/").split("/"))]:
                case ["PUT", "cameras", "clips", _]:
                    report = json.loads(request.body)
                    self.reports.append(report)
                    self.on_report(report)
                    return Response.json({})
                case ["GET", "cameras", "clips", clip_id] if report := self.state(clip_id):
                    return Response.json(report)
                case ["GET", "cameras", "recording", alias]:
                    query = parse_qs(url.query)
                    if query["allowPartialMatch"] != ["true"]:
                        return Response(400)
                    # Wider by 1 ms: segments that only touch the window are listed too.
                    start_ms, end_ms = int(query["startDate"][0]), int(query["endDate"][0])
                    window = TimeWindow(start_ms - 1, end_ms + 1)
                    found = self._find(alias.removesuffix(ALIAS_SUFFIX), window)
                    return Response.json([_row(alias, s) for s in sorted(found, reverse=True)])
                case ["GET", "cameras", camera_id]:
                    self._find(camera_id, TimeWindow(0, 1))
                    return Response.json({"alias": camera_id + ALIAS_SUFFIX})
                case _:
                    return Response.json({"message": "There is no such path."}, 404)
        except Rejected:
            return Response.json({"message": "There is no such camera."}, 404)

    def _find(self, camera_id: str, window: TimeWindow) -> list[RecordingSegment]:
        listing = self.cameras.find_segments(camera_id, window, time.monotonic() + ANSWER_S)
        return list(listing.segments)


def recordings_of(root: Path) -> list[Path]:
    """Return the files of all cameras of a folder."""
    found = (root / "recordings").glob("*/[!.]*")
    return sorted(path for path in found if is_recording_name(path.name) and path.is_file())


def file_name(camera_id: str, start_ms: int) -> str:
    """Return the name that a recorder gives to a file that starts at `start_ms`."""
    return f"{camera_id}.stream.{compact(start_ms)}.mp4"


def _row(alias: str, segment: RecordingSegment) -> dict[str, str]:
    url = f"https://recordings.invalid/somewhere/{segment.name}"
    return {
        "startDate": iso_utc(segment.window.start_ms),
        "endDate": iso_utc(segment.window.end_ms),
        "recordingUrl": url,
        "alias": alias,
        "thumbLargeUrl": f"{url}.large.jpg",
        "thumbSmallUrl": f"{url}.small.jpg",
    }
