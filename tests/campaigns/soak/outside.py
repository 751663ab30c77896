"""The cameras' API with everything that goes wrong in it, and the recorder behind it."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock, Timer
from typing import Any

from attrs import Factory, define

from devtools.footage import Recording
from devtools.local_aws.cloud import ORIGIN_DIR, Cloud
from devtools.local_aws.serving import Request as HttpRequest
from devtools.local_aws.serving import Response
from tests.campaigns.soak.asking import FIRST, SECOND, Request

FAILURES = 4
"""Requests in a row that are answered with 500: the client tries three times a delivery."""
KILLED_WITHIN_S = 0.5
NO_RECORDING = b"#EXTM3U\nno recording at all"


@define
class Outside:
    """Answers the function. Each request has a camera of its own, so that faults find theirs."""

    cloud: Cloud
    requests: dict[str, Request]
    """By camera."""
    files: dict[Recording, bytes]
    moment_ms: int
    """When the footage starts."""
    pid_of: Callable[[str], int | None]
    """Says which process has a camera's request in hand."""
    told: dict[str, list[dict[str, Any]]] = Factory(dict)
    """What was told of each clip, in order."""
    violations: list[str] = Factory(list)
    kills: int = 0
    refusals: int = 0
    _left: dict[str, int] = Factory(dict)
    _killed: set[str] = Factory(set)
    _lock: Lock = Factory(Lock)

    def record(self) -> None:
        """Store what the recorder has written at the start."""
        for recording in (FIRST, SECOND):
            self._store(self._name("shared", recording), self.files[recording])
        for request in self.requests.values():
            if request.variant == "media":
                self._store(self._name(request.camera_id, FIRST), NO_RECORDING)
                self._store(self._name(request.camera_id, SECOND), NO_RECORDING)

    def __call__(self, asked: HttpRequest) -> Response:
        """Answer one request of the function's."""
        match [asked.method, *asked.target.partition("?")[0].strip("/").split("/")]:
            case ["GET", "cameras", "recording", camera_id]:
                return self._ask("recording", camera_id, lambda r: _json(self._rows(r)))
            case ["PUT", "cameras", "clips", _]:
                report = json.loads(asked.body)
                return self._ask("status", report["cameraId"], lambda r: self._told(r, report))
            case ["GET", "cameras", camera_id]:
                return self._ask("camera", camera_id, self._camera)
            case _:
                return Response(404)

    def _ask(self, what: str, camera_id: str, answer: Callable[[Request], Response]) -> Response:
        request = self.requests[camera_id]
        if request.kind == "api 500" and request.variant == what and self._fails(camera_id):
            return Response(500)
        if request.kind == "killed" and self._is_first(camera_id, what):
            if request.variant != "at random":
                self._kill(camera_id)
                return Response(503)  # nobody is there to see it
            Timer(request.chance * KILLED_WITHIN_S, self._kill, [camera_id]).start()
        return answer(request)

    def _fails(self, camera_id: str) -> bool:
        with self._lock:
            left = self._left.setdefault(camera_id, FAILURES)
            self._left[camera_id] -= 1
            self.refusals += left > 0
            return left > 0

    def _is_first(self, camera_id: str, what: str) -> bool:
        variant = self.requests[camera_id].variant
        with self._lock:
            now = what == variant or (variant == "at random" and what == "camera")
            first = now and camera_id not in self._killed
            self._killed |= {camera_id} if first else set()
            return first

    def _kill(self, camera_id: str) -> None:
        if pid := self.pid_of(camera_id):
            with suppress(ProcessLookupError):  # another fault was faster
                os.kill(pid, signal.SIGKILL)
                self.kills += 1

    def _camera(self, request: Request) -> Response:
        if request.variant == "unknown camera":
            return Response(404)
        return _json({"alias": request.camera_id})

    def _rows(self, request: Request) -> list[dict[str, str]]:
        own = request.kind == "waiting" or request.variant == "media"
        return [
            {
                "startDate": _iso(self.moment_ms + recording.start_ms),
                "endDate": _iso(self.moment_ms + recording.start_ms + 20_000),
                "recordingUrl": "https://recordings.invalid/"
                + self._name(request.camera_id if own else "shared", recording),
                "alias": request.camera_id,
                "thumbLargeUrl": "",
                "thumbSmallUrl": "",
            }
            for recording in (SECOND, FIRST)
        ]

    def _told(self, request: Request, report: dict[str, Any]) -> Response:
        clip_id = report["clipId"]
        with self._lock:
            before = self.told.setdefault(clip_id, [])
            before.append(report)
            pending = sum(r["status"] == "CLIP_PENDING" for r in before)
        if report["status"] == "CLIP_AVAILABLE":
            self._look_for_the_bytes(report)
        if request.kind == "waiting" and pending == int(request.variant):
            for recording in (FIRST, SECOND):
                self._store(self._name(request.camera_id, recording), self.files[recording])
        return Response(200, b"{}")

    def _look_for_the_bytes(self, report: dict[str, Any]) -> None:
        key = report["clip"]["key"].removeprefix("/")
        found = self.cloud.s3.list_objects_v2(Bucket=self.cloud.destination, Prefix=key)
        if not found.get("KeyCount"):
            self.violations.append(f"{report['clipId']} was called available without bytes")

    def _store(self, name: str, data: bytes) -> None:
        key = f"{ORIGIN_DIR}/{name}"
        self.cloud.s3.put_object(Bucket=self.cloud.origin, Key=key, Body=data)

    def _name(self, whose: str, recording: Recording) -> str:
        stamp = _iso(self.moment_ms + recording.start_ms).translate(str.maketrans("", "", "-:.Z"))
        return f"{whose}.stream.{stamp}.mp4"


def _iso(instant_ms: int) -> str:
    instant = datetime.fromtimestamp(instant_ms // 1000, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant_ms % 1000:03}Z"


def _json(payload: object) -> Response:
    return Response(200, json.dumps(payload).encode())
