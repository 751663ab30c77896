"""The faults of a soak: failing requests, kills, and recordings that arrive late or broken."""

import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Timer
from typing import Any

from attrs import Factory, define

from devtools.footage import Recording
from devtools.local_aws.camera_api import CameraStandIn, file_name
from devtools.local_aws.cloud import ORIGIN_DIR, Cloud
from devtools.local_aws.http_server import Request, Response
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.in_memory import InMemoryCameraService
from tests.campaigns.soak.requests import FIRST, SECOND, SoakRequest

FAILURES = 4
"""Requests in a row that are answered with 500: the client tries three times a delivery."""
KILLED_WITHIN_S = 0.5
NOT_A_RECORDING = b"#EXTM3U\nno recording at all"


@define
class Faults:
    """Interferes with the camera API. Each request has a camera of its own, which identifies it."""

    cloud: Cloud
    requests: dict[str, SoakRequest]
    """By camera."""
    files: dict[Recording, bytes]
    moment_ms: int
    """When the footage starts."""
    pid_of: Callable[[str], int | None]
    """Returns the process that is handling a camera's request."""
    violations: list[str] = Factory(list)
    kills: int = 0
    failures: int = 0
    _failures_left: dict[str, int] = Factory(dict)
    _killed: set[str] = Factory(set)
    _lock: Lock = Factory(Lock)

    def camera_api(self) -> CameraStandIn:
        """Store the footage that there is at the start; return the camera API that lists it."""
        for recording in (FIRST, SECOND):
            self._store("shared", recording, self.files[recording])
        for request in self.requests.values():
            if request.variant == "media":
                self._store(request.camera_id, FIRST, NOT_A_RECORDING)
                self._store(request.camera_id, SECOND, NOT_A_RECORDING)
        segments = {
            camera_id: [self._segment(request, recording) for recording in (FIRST, SECOND)]
            for camera_id, request in self.requests.items()
            if request.variant != "unknown camera"
        }
        cameras = CameraStandIn(InMemoryCameraService(segments), fault=self.fault)
        cameras.on_report = lambda report: self._check_report(cameras, report)
        return cameras

    def fault(self, http_request: Request) -> Response | None:
        """Fail or kill, if that is the request's fate at this point."""
        number = re.search(r"/(?:cam|clip)-(\d+)", http_request.target)
        assert number
        request = self.requests[f"cam-{number[1]}"]
        part = "status" if http_request.method == "PUT" else "camera"
        part = "recording" if "/recording/" in http_request.target else part
        if request.kind == "api 500" and request.variant == part and self._fails(request.camera_id):
            return Response(500)
        if request.kind == "killed" and self._is_first(request, part):
            if request.variant != "at random":
                self._kill(request.camera_id)
                return Response(503)  # the client is dead
            Timer(request.chance * KILLED_WITHIN_S, self._kill, [request.camera_id]).start()
        return None

    def _fails(self, camera_id: str) -> bool:
        with self._lock:
            left = self._failures_left.setdefault(camera_id, FAILURES)
            self._failures_left[camera_id] -= 1
            self.failures += left > 0
            return left > 0

    def _is_first(self, request: SoakRequest, part: str) -> bool:
        at = "camera" if request.variant == "at random" else request.variant
        with self._lock:
            is_first = part == at and request.camera_id not in self._killed
            self._killed |= {request.camera_id} if is_first else set()
            return is_first

    def _kill(self, camera_id: str) -> None:
        if pid := self.pid_of(camera_id):
            with suppress(ProcessLookupError):  # another fault was faster
                os.kill(pid, signal.SIGKILL)
                self.kills += 1

    def _check_report(self, cameras: CameraStandIn, report: dict[str, Any]) -> None:
        """Check that an available clip is stored; let late footage arrive once it is pending."""
        request = self.requests[report["cameraId"]]
        own = [r["status"] for r in list(cameras.reports) if r["clipId"] == report["clipId"]]
        if report["status"] == "CLIP_AVAILABLE" and not self.cloud.has(
            self.cloud.destination, report["clip"]["key"].removeprefix("/")
        ):
            self.violations.append(f"{report['clipId']} was called available without bytes")
        if request.kind == "waiting" and own.count("CLIP_PENDING") == int(request.variant):
            for recording in (FIRST, SECOND):
                self._store(request.camera_id, recording, self.files[recording])

    def _segment(self, request: SoakRequest, recording: Recording) -> RecordingSegment:
        has_own = request.kind == "waiting" or request.variant == "media"
        start_ms = self.moment_ms + recording.start_ms
        name = file_name(request.camera_id if has_own else "shared", start_ms)
        return RecordingSegment(TimeWindow(start_ms, start_ms + 20_000), name)

    def _store(self, owner: str, recording: Recording, data: bytes) -> None:
        key = f"{ORIGIN_DIR}/{file_name(owner, self.moment_ms + recording.start_ms)}"
        self.cloud.s3.put_object(Bucket=self.cloud.origin, Key=key, Body=data)
