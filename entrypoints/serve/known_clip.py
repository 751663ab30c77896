"""A clip's report and how far the clip is, as a value and as JSON."""

import time
import uuid
from enum import Enum
from typing import Any

from attrs import frozen

from application.ports import ThumbnailSpec
from domain.clip import DELETED, ClipName, ClipReport, ClipRequest
from domain.delivery import Delivery
from domain.retry import RetryPolicy, decide_from_request
from domain.sidecars import WALL_CLOCK
from entrypoints.serve.problems import DELETED as DELETED_PROBLEM
from entrypoints.serve.problems import NAME_TAKEN, NOT_POSSIBLE, Problem
from infrastructure.formats.reports import ReportFormat

ADDRESSES = {WALL_CLOCK: "wall-clock.vtt"}
"""Where a sidecar is not addressed by the end of its name."""


class Phase(Enum):
    """How far a clip is."""

    WAITING = "waiting"
    READING = "reading"
    ENCODING = "encoding"
    STORING = "storing"
    DONE = "done"


@frozen
class KnownClip:
    """A clip's report, and how far it is."""

    report: ClipReport
    phase: Phase = Phase.DONE
    changed_at_ms: int = 0
    """When it was requested or done, since the epoch."""
    due_ms: int | None = None
    """When it is tried next, if it waits."""
    encoded_frames: int = 0
    frames_to_encode: int = 0

    @property
    def name(self) -> ClipName:
        """The clip's name."""
        assert self.report.camera_id  # noqa: S101 - only such clips are known
        return ClipName(self.report.camera_id, self.report.clip_id)


def clip_members(known: KnownClip, bucket: str, thumbnails: ThumbnailSpec) -> dict[str, object]:
    """Return the report's members, with addresses of this server, and how far the clip is."""
    name = known.name
    members = ReportFormat(bucket, "", thumbnails).report(known.report)
    if known.report.has_clip:
        at = f"/api/v1/clips/{name.camera_id}/{name.clip_id}"
        clip: Any = members["clip"]
        thumbnail: Any = members["thumbnail"]
        members["clip"] = {**clip, "url": f"{at}/video"}
        members["thumbnail"] = {**thumbnail, "url": f"{at}/thumbnails/{{size}}"}
        sidecars: Any = members.get("sidecars", [])
        for sidecar in sidecars:
            sidecar["url"] = f"{at}/{ADDRESSES.get(sidecar['name'], sidecar['name'])}"
    more = {
        "dueTimestampInMs": known.due_ms,
        "encodedFrames": known.encoded_frames if known.frames_to_encode else None,
        "framesToEncode": known.frames_to_encode or None,
    }
    return {
        **members,
        "state": known.phase.value,
        "changedTimestampInMs": known.changed_at_ms,
        **{key: value for key, value in more.items() if value is not None},
    }


def require_same(known: KnownClip, request: ClipRequest) -> None:
    """Raise a Problem unless a clip that is known is that of the request, and may be had."""
    if known.report.status == DELETED:
        raise Problem(DELETED_PROBLEM)
    if known.report.fingerprint != request.fingerprint:
        raise Problem(NAME_TAKEN)


def require_possible(policy: RetryPolicy, request: ClipRequest, at_ms: int) -> None:
    """Raise a Problem if no footage could help a request that is sent at `at_ms`."""
    delivery = Delivery(request, str(uuid.uuid4()), at_ms, at_ms, time.monotonic())
    if rejected := decide_from_request(policy, delivery):
        raise Problem(NOT_POSSIBLE, rejected.reason)
