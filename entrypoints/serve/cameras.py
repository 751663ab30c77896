"""The cameras, and the footage of one."""

import time
from threading import Lock

from attrs import define, field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from application.survey_footage import coarsened
from entrypoints.serve.answers import JsonAnswer
from entrypoints.serve.found_footage import bounds
from entrypoints.serve.parameters import camera_id_in, query, whole, window_in
from entrypoints.serve.ports import Cameras

MAX_WIDTH = 10_000
USUAL_WIDTH = 1000
LISTED_S = 5.0
"""For so long, the list of cameras is not made again."""


@define
class CameraRoutes:
    """The cameras' addresses."""

    cameras: Cameras
    _listed: list[dict[str, object]] = field(factory=list)
    _listed_until_s: float = 0
    _lock: Lock = field(factory=Lock)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/api/v1/cameras", self.list_cameras, methods=["GET"]),
            Route("/api/v1/cameras/{camera:identifier}/footage", self.footage, methods=["GET"]),
        ]

    def list_cameras(self, request: Request) -> Response:
        """Answer with the cameras; no recording is opened."""
        query(request, ())
        with self._lock:
            if time.monotonic() >= self._listed_until_s:
                self._listed = [
                    {**facts.as_json(), "usualDurationInMs": facts.usual_ms}
                    for facts in self.cameras.known()
                ]
                self._listed_until_s = time.monotonic() + LISTED_S
            zone = str(self.cameras.zone)
            max_ms = self.cameras.max_footage_ms
            members = {"cameras": self._listed, "zone": zone, "maxFootageInMs": max_ms}
            return JsonAnswer(members)

    def footage(self, request: Request) -> Response:
        """Answer with the stretches and gaps of a window, coarsened to a width in pixels."""
        given = query(request, ("from", "to", "width"))
        window = window_in(given, self.cameras.max_footage_ms)
        width = whole(given, "width", 1, MAX_WIDTH, USUAL_WIDTH)
        camera_id = camera_id_in(request)
        found = self.cameras.footage(camera_id, window)
        resolution_ms = -(-window.duration_ms // width)
        shown = coarsened(found.surveyed, resolution_ms)
        return JsonAnswer(
            {
                "cameraId": camera_id,
                **bounds(window),
                "resolutionInMs": resolution_ms,
                "isExact": found.is_exact,
                "stretches": [{**bounds(s.window), "files": s.files} for s in shown.stretches],
                "gaps": [bounds(gap) for gap in shown.gaps],
                "held": [bounds(h) for h in found.held if h.duration_ms >= resolution_ms],
                "leftOut": [each.members() for each in found.left_out],
            }
        )
