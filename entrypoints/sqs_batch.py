"""A batch of SQS messages, as Lambda hands it over: each is handled, each answered for itself."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from application.make_clip import ClipResult, MakeClip
from domain.clip import ClipRequest, InvalidRequest
from domain.delivery import Delivery
from domain.errors import ClipDeleted, ClipError, Conflict, DeadlineExceeded, NoClipId
from domain.retry import first_seen_ms, redelivery_backoff_s
from entrypoints.timing import measured_calls
from infrastructure.formats.messages import read_message
from infrastructure.scratch import sweep, work_folder

MARGIN_S = 8.0
"""What is kept of the time left, to clean up and answer."""

MIN_DELIVERY_S = 15.0
"""With less than this left, a message is given back rather than begun."""

LET_REST_S = 2.0
"""How long telling the queue for how long a message rests may take, of the margin."""


CALL_MEMBERS = {
    "find_segments": "findSegmentsInMs",
    "update_clip": "recordInMs",
    "open": "openInMs",
    "render": "renderInMs",
    "find": "findInMs",
    "store_thumbnails": "storeStillsInMs",
    "commit": "commitInMs",
    "read_manifest": "readManifestInMs",
    "write_manifest": "writeManifestInMs",
    "send": "sendInMs",
    "publish": "publishInMs",
}
"""The log member that holds the time spent in each port's method. Dashboards read these names."""


class NotAnSqsEvent(ValueError):
    """The event is not a batch of SQS messages."""


@frozen
class DeliveryOutcome:
    """What became of one message: an ending, or the error that gives it back."""

    message_id: str
    elapsed_ms: int
    stages_ms: Mapping[str, int]
    """Where that went, by the methods of the ports."""
    delivery: Delivery | None = None
    request: ClipRequest | InvalidRequest | None = None
    result: ClipResult | None = None
    error: Exception | None = None

    @property
    def status(self) -> str:
        """The status that was told, or what else became of the message."""
        if self.result:
            return self.result.report.status.value
        return "CLIP_DELETED" if isinstance(self.error, ClipDeleted) else "GIVEN_BACK"

    def line(self) -> dict[str, object]:
        """Say it in one line of the log: what is known, and never a message's body."""
        request, result, error = self.request, self.result, self.error
        media = result.media if result else None
        is_clip = result is not None and result.report.has_clip
        known = {
            "messageId": self.message_id,
            "clipId": request.clip_id if request else None,
            "cameraId": request.camera_id if request else None,
            "status": self.status,
            "reason": result.report.reason if result else None,
            "deliveredInMs": result.report.delivered_ms if result else None,
            "complete": not result.report.gaps if result and is_clip else None,
            "gaps": len(result.report.gaps) if result else None,
            "eventId": result.report.event_id if result else None,
            "frames": media.frames if media else None,
            "copiedFrames": media.copied_frames if media else None,
            "encodedFrames": media.frames - media.copied_frames if media else None,
            "readBytes": result.read_bytes if result else None,
            "waitedInMs": self._waited_ms if is_clip else None,
            "attempt": self.delivery.receive_count if self.delivery else None,
            "retries": len(request.retries_ms) if isinstance(request, ClipRequest) else None,
            "elapsedInMs": self.elapsed_ms,
            **{CALL_MEMBERS[name]: taken_ms for name, taken_ms in self.stages_ms.items()},
            "notes": list(result.notes if result else getattr(error, "__notes__", ())) or None,
            "error": type(error).__name__ if error else None,
            "fault": str(error) if isinstance(error, ClipError) else None,
        }
        return {key: value for key, value in known.items() if value is not None}

    @property
    def _waited_ms(self) -> int | None:
        """How long after its end, or after it was asked for if that was later, the clip came."""
        if self.delivery is None or not isinstance(self.request, ClipRequest):
            return None
        since_ms = max(self.request.end_ms, first_seen_ms(self.request, self.delivery))
        return self.delivery.now_ms + self.elapsed_ms - since_ms


@frozen
class HandleBatch:
    """Handles every message of a batch and answers with those to be delivered again."""

    make_clip: MakeClip
    scratch: Path
    max_receive_count: int
    tell: Callable[[DeliveryOutcome], None]
    backoff_base_s: int = 60
    delay_redelivery: Callable[[str, int, float], None] | None = None
    """Has the message of a receipt delivered again after some seconds, by a deadline. Without it,
    or where that fails, a message given back rests for as long as its queue says."""

    def __call__(self, event: Mapping[str, Any], remaining_ms: Callable[[], int]) -> dict[str, Any]:
        """Return `{"batchItemFailures": [...]}`; an event of another shape is NotAnSqsEvent."""
        records = check_records(event)
        sweep(self.scratch)
        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)

        def handle(record: SQSRecord) -> None:
            self._handle(record, time.monotonic() + remaining_ms() / 1000)

        with processor(records, handle):
            processor.process()
        return dict(processor.response())

    def _handle(self, record: SQSRecord, ends_s: float) -> None:
        began_s = time.monotonic()
        request: ClipRequest | InvalidRequest | None = None
        result: ClipResult | None = None
        fault: Exception | None = None
        delivery: Delivery | None = None
        taken_ms: dict[str, int] = {}
        try:
            delivery = self._attempt(record, ends_s - MARGIN_S)
            request = read_message(str(record.get("body")), delivery.sent_at_ms)
            with measured_calls() as taken_ms:
                result = self._carry(request, delivery, ends_s - began_s)
        except ClipDeleted as error:
            fault = error
        except Exception as error:
            fault = error
            self._let_rest(record, delivery, error)
            raise
        finally:
            elapsed_ms = round((time.monotonic() - began_s) * 1000)
            self.tell(
                DeliveryOutcome(
                    record.message_id, elapsed_ms, taken_ms, delivery, request, result, fault
                )
            )

    def _let_rest(self, record: SQSRecord, delivery: Delivery | None, error: Exception) -> None:
        """Choose when the message comes again: at once if no delivery can do better."""
        receipt = record.get("receiptHandle")
        if self.delay_redelivery is None or delivery is None or not isinstance(receipt, str):
            return
        hopeless = isinstance(error, NoClipId | Conflict)
        seconds = redelivery_backoff_s(
            self.backoff_base_s, delivery.receive_count, delivery.deliveries_left
        )
        try:
            self.delay_redelivery(
                receipt, 0 if hopeless else seconds, time.monotonic() + LET_REST_S
            )
        except ClipError as untold:
            error.add_note(f"Nor could the queue be told for how long it rests: {untold}")

    def _carry(
        self, request: ClipRequest | InvalidRequest, delivery: Delivery, left_s: float
    ) -> ClipResult:
        if left_s < MIN_DELIVERY_S:
            raise DeadlineExceeded(f"{max(left_s, 0):.0f} s are left, too few to begin.")
        if isinstance(request, InvalidRequest):
            return self.make_clip.reject_invalid(request, delivery)
        try:
            with work_folder(self.scratch) as folder:
                return self.make_clip(request, delivery, folder)
        except OSError as error:
            raise ScratchFault(f"The scratch folder failed: {error.strerror}") from error

    def _attempt(self, record: SQSRecord, deadline_s: float) -> Delivery:
        attributes = record.get("attributes")
        received = _number(attributes, "ApproximateReceiveCount")
        return Delivery(
            message_id=record.message_id,
            sent_at_ms=_number(attributes, "SentTimestamp"),
            now_ms=time.time_ns() // 1_000_000,
            deadline_s=deadline_s,
            receive_count=received,
            deliveries_left=max(0, self.max_receive_count - received),
        )


class ScratchFault(ClipError):
    """The scratch folder is full, missing or not ours to write: the message is given back."""


def check_records(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the event's records if they are SQS messages, else raise NotAnSqsEvent."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise NotAnSqsEvent("The event holds no list of Records.")
    for number, record in enumerate(records):
        if not isinstance(record, dict) or record.get("eventSource") != "aws:sqs":
            raise NotAnSqsEvent(f"Record {number} is not an SQS message.")
        if not isinstance(record.get("messageId"), str):
            raise NotAnSqsEvent(
                f"Record {number} has no messageId, so it could not be given back alone."
            )
    return records


def _number(attributes: object, name: str) -> int:
    """Read one of the numbers that SQS sends as text."""
    text = str(attributes.get(name)) if isinstance(attributes, Mapping) else ""
    if not (text.isascii() and text.isdecimal() and len(text) < 16):  # noqa: PLR2004
        raise NoClipId(f"The message does not say its {name}.")
    return int(text)
