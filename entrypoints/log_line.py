"""The log line of one delivery: its facts, and the CloudWatch metrics among them."""

from collections import Counter
from collections.abc import Mapping

from attrs import frozen

from application.make_clip import ClipResult
from domain.clip import ClipRequest, InvalidRequest
from domain.coverage import total_ms
from domain.delivery import Delivery
from domain.errors import ClipDeleted, ClipError

CALL_MEMBERS = {
    "find_segments": "findSegmentsInMs",
    "list_segments": "findSegmentsInMs",
    "update_clip": "recordInMs",
    "open": "openInMs",
    "open_all": "openInMs",
    "render": "renderInMs",
    "render_reporting": "renderInMs",
    "thumbnails": "thumbnailsInMs",
    "sidecars": "sidecarsInMs",
    "find": "findInMs",
    "look": "findInMs",
    "store_thumbnails": "storeStillsInMs",
    "store_sidecars": "storeStillsInMs",
    "sending": "commitInMs",
    "commit": "commitInMs",
    "read_manifest": "readManifestInMs",
    "write_manifest": "writeManifestInMs",
    "send": "sendInMs",
    "publish": "publishInMs",
}
"""The member that holds the time spent in each port's method. Dashboards read these names."""

METRIC_UNITS = {
    "elapsedInMs": "Milliseconds",
    "findSegmentsInMs": "Milliseconds",
    "openInMs": "Milliseconds",
    "renderInMs": "Milliseconds",
    "storeStillsInMs": "Milliseconds",
    "commitInMs": "Milliseconds",
    "recordInMs": "Milliseconds",
    "publishInMs": "Milliseconds",
    "waitedInMs": "Milliseconds",
    "readBytes": "Bytes",
    "copiedFrames": "Count",
    "encodedFrames": "Count",
    "retries": "Count",
}
COUNTER = "clips"
"""1 in each line; the only metric with a dimension, the line's status."""


@frozen
class DeliveryOutcome:
    """What became of one message: a result, or the error that returns it to the queue."""

    message_id: str
    elapsed_ms: int
    calls_ms: Mapping[str, int]
    """How much of that was spent in each port's method."""
    receive_count: int | None = None
    request: ClipRequest | InvalidRequest | None = None
    delivery: Delivery | None = None
    result: ClipResult | None = None
    error: Exception | None = None

    @property
    def status(self) -> str:
        """The reported status, else CLIP_DELETED or GIVEN_BACK."""
        if self.result:
            return self.result.report.status.value
        return "CLIP_DELETED" if isinstance(self.error, ClipDeleted) else "GIVEN_BACK"

    def _spent_ms(self) -> Counter[str]:
        """Return the time spent in each member's methods."""
        spent_ms: Counter[str] = Counter()
        for name, duration_ms in self.calls_ms.items():
            spent_ms[CALL_MEMBERS[name]] += duration_ms
        return spent_ms

    def line(self) -> dict[str, object]:
        """Return the members of the log line: all known facts, never a message's body."""
        request, result, error = self.request, self.result, self.error
        media = result.media if result else None
        is_clip = result is not None and result.report.has_clip
        coverage = result.report.coverage if result and is_clip else None
        clock = coverage.clock if coverage else None
        members = {
            "messageId": self.message_id,
            "clipId": request.clip_id if request else None,
            "cameraId": request.camera_id if request else None,
            "status": self.status,
            "reason": result.report.reason if result else None,
            "deliveredInMs": result.report.delivered_ms if result else None,
            "complete": coverage.is_complete if coverage else None,
            "gaps": len(result.report.coverage.gaps) if result else None,
            "damagedInMs": total_ms(coverage.damaged) if coverage else None,
            "heldInMs": total_ms(coverage.held) if coverage else None,
            "unused": len(coverage.unused) if coverage else None,
            "clockRate": clock.rate if clock else None,
            "clockDifferenceInMs": clock.difference_ms if clock else None,
            "verified": coverage.verified.value if coverage and coverage.verified else None,
            "eventId": result.report.event_id if result else None,
            "frames": media.frames if media else None,
            "copiedFrames": media.copied_frames if media else None,
            "encodedFrames": media.frames - media.copied_frames if media else None,
            "heldFrames": media.held_frames if media else None,
            "readBytes": result.read_bytes if result else None,
            "waitedInMs": self._waited_ms if is_clip else None,
            "attempt": self.receive_count,
            "retries": len(request.retries_ms) if isinstance(request, ClipRequest) else None,
            "elapsedInMs": self.elapsed_ms,
            **self._spent_ms(),
            "notes": list(dict.fromkeys(self.notes)) or None,
            "error": type(error).__name__ if error else None,
            "fault": str(error) if isinstance(error, ClipError) else None,
        }
        return {name: value for name, value in members.items() if value is not None}

    @property
    def notes(self) -> tuple[str, ...]:
        """What is remarkable about the delivery, and what is doubtful about the footage."""
        if self.result is None:
            return tuple(getattr(self.error, "__notes__", ()))
        return (*self.result.notes, *self.result.report.coverage.notes)

    @property
    def _waited_ms(self) -> int | None:
        """From the later of the clip's end and its request until the clip was available."""
        if self.delivery is None:
            return None
        since_ms = max(self.delivery.request.end_ms, self.delivery.first_seen_ms)
        return self.delivery.received_at_ms + self.elapsed_ms - since_ms


def with_metrics(line: Mapping[str, object], namespace: str, now_ms: int) -> dict[str, object]:
    """Return the line with the member `_aws`, which declares metrics among the other members.

    The form is CloudWatch's "Embedded metric format specification". Only the count of messages has
    a dimension, because each combination of dimensions is charged as a metric of its own.
    """
    metrics = [{"Name": name, "Unit": unit} for name, unit in METRIC_UNITS.items() if name in line]
    counter = {"Name": COUNTER, "Unit": "Count"}
    return {
        **line,
        COUNTER: 1,
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [
                {"Namespace": namespace, "Dimensions": [["status"]], "Metrics": [counter]},
                {"Namespace": namespace, "Dimensions": [[]], "Metrics": metrics},
            ],
        },
    }
