"""The cameras' API on a folder of recordings, as far as the service asks it."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import Factory, frozen

from devtools.local_aws.serving import Request, Response
from domain.errors import Rejected
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.folder.cameras import FolderCameraService

ANSWER_S = 60


@frozen
class CameraStandIn:
    """Lists what the folder holds, and keeps the states of clips; a camera's alias is its id."""

    cameras: FolderCameraService
    told: Callable[[dict[str, Any]], None]
    """Is told of each report that comes in."""
    states: dict[str, dict[str, Any]] = Factory(dict)
    """The last report on each clip, by its id."""

    def __call__(self, asked: Request) -> Response:
        """Answer one request; an unknown camera or clip is 404."""
        url = urlsplit(asked.target)
        try:
            match [asked.method, *map(unquote, url.path.strip("/").split("/"))]:
                case ["PUT", "cameras", "clips", clip_id]:
                    self.states[clip_id] = json.loads(asked.body)
                    self.told(self.states[clip_id])
                    return _json({})
                case ["GET", "cameras", "clips", clip_id] if clip_id in self.states:
                    return _json(self.states[clip_id])
                case ["GET", "cameras", "recording", camera_id]:
                    query = parse_qs(url.query)
                    window = TimeWindow(int(query["startDate"][0]), int(query["endDate"][0]))
                    found = self._find(camera_id, window)
                    return _json([_row(camera_id, s) for s in sorted(found, reverse=True)])
                case ["GET", "cameras", camera_id]:
                    self._find(camera_id, TimeWindow(0, 1))
                    return _json({"alias": camera_id})
                case _:
                    return Response(404)
        except Rejected:
            return Response(404)

    def _find(self, camera_id: str, window: TimeWindow) -> list[RecordingSegment]:
        return list(self.cameras.find_segments(camera_id, window, time.monotonic() + ANSWER_S))


def recordings_of(root: Path) -> list[Path]:
    """Return the files of all cameras of a folder."""
    return sorted(p for p in (root / "recordings").glob("*/[!.]*.mp4") if p.is_file())


def _row(camera_id: str, segment: RecordingSegment) -> dict[str, str]:
    return {
        "startDate": _iso(segment.window.start_ms),
        "endDate": _iso(segment.window.end_ms),
        "recordingUrl": f"https://recordings.invalid/{segment.name}",
        "alias": camera_id,
        "thumbLargeUrl": f"https://recordings.invalid/{segment.name}.large.jpg",
        "thumbSmallUrl": f"https://recordings.invalid/{segment.name}.small.jpg",
    }


def _iso(instant_ms: int) -> str:
    instant = datetime.fromtimestamp(instant_ms // 1000, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant_ms % 1000:03}Z"


def _json(payload: object) -> Response:
    return Response(200, json.dumps(payload).encode())
