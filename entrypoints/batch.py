"""A batch of SQS messages, as Lambda hands it over: each is handled, each answered for itself."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from application.make_clip import Ending, MakeClip
from domain.clip import Attempt, BrokenRequest, ClipRequest
from domain.errors import ClipDeleted, ClipError, Conflict, Nameless, OutOfTime
from domain.retry import first_seen_ms, rest_s
from entrypoints.scratch import sweep, work_folder
from entrypoints.stages import stages
from infrastructure.wire import read_message

MARGIN_S = 8.0
"""What is kept of the time left, to clean up and answer."""

LEAST_S = 15.0
"""With less than this left, a message is given back rather than begun."""

LET_REST_S = 2.0
"""How long telling the queue for how long a message rests may take, of the margin."""


class NoBatch(ValueError):
    """The event is not a batch of SQS messages."""


@frozen
class Outcome:
    """What became of one message: an ending, or the error that gives it back."""

    message_id: str
    elapsed_ms: int
    stages_ms: Mapping[str, int]
    """Where that went, by the methods of the ports."""
    attempt: Attempt | None = None
    request: ClipRequest | BrokenRequest | None = None
    ending: Ending | None = None
    error: Exception | None = None

    @property
    def status(self) -> str:
        """The status that was told, or what else became of the message."""
        if self.ending:
            return self.ending.report.status.value
        return "CLIP_DELETED" if isinstance(self.error, ClipDeleted) else "GIVEN_BACK"

    def line(self) -> dict[str, object]:
        """Say it in one line of the log: what is known, and never a message's body."""
        request, ending, error = self.request, self.ending, self.error
        footage = ending.footage if ending else None
        is_clip = ending is not None and ending.report.has_clip
        known = {
            "messageId": self.message_id,
            "clipId": request.clip_id if request else None,
            "cameraId": request.camera_id if request else None,
            "status": self.status,
            "reason": ending.report.reason if ending else None,
            "deliveredInMs": ending.report.delivered_ms if ending else None,
            "complete": not ending.report.gaps if ending and is_clip else None,
            "gaps": len(ending.report.gaps) if ending else None,
            "eventId": ending.report.event_id if ending else None,
            "frames": footage.frames if footage else None,
            "copiedFrames": footage.copied_frames if footage else None,
            "encodedFrames": footage.frames - footage.copied_frames if footage else None,
            "readBytes": ending.read_bytes if ending else None,
            "waitedInMs": self._waited_ms if is_clip else None,
            "attempt": self.attempt.receive_count if self.attempt else None,
            "retries": len(request.retries_ms) if isinstance(request, ClipRequest) else None,
            "elapsedInMs": self.elapsed_ms,
            **{_camel(name) + "InMs": taken_ms for name, taken_ms in self.stages_ms.items()},
            "notes": list(ending.notes if ending else getattr(error, "__notes__", ())) or None,
            "error": type(error).__name__ if error else None,
            "fault": str(error) if isinstance(error, ClipError) else None,
        }
        return {key: value for key, value in known.items() if value is not None}

    @property
    def _waited_ms(self) -> int | None:
        """How long after its end, or after it was asked for if that was later, the clip came."""
        if self.attempt is None or not isinstance(self.request, ClipRequest):
            return None
        since_ms = max(self.request.end_ms, first_seen_ms(self.request, self.attempt))
        return self.attempt.now_ms + self.elapsed_ms - since_ms


@frozen
class HandleBatch:
    """Handles every message of a batch and answers with those to be delivered again."""

    make_clip: MakeClip
    scratch: Path
    max_receive_count: int
    tell: Callable[[Outcome], None]
    first_rest_s: int = 60
    let_rest: Callable[[str, int, float], None] | None = None
    """Has the message of a receipt delivered again after some seconds, by a deadline. Without it,
    or where that fails, a message given back rests for as long as its queue says."""

    def __call__(self, event: Mapping[str, Any], remaining_ms: Callable[[], int]) -> dict[str, Any]:
        """Return `{"batchItemFailures": [...]}`; an event of another shape is NoBatch."""
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
        request: ClipRequest | BrokenRequest | None = None
        ending: Ending | None = None
        fault: Exception | None = None
        attempt: Attempt | None = None
        taken_ms: dict[str, int] = {}
        try:
            attempt = self._attempt(record, ends_s - MARGIN_S)
            request = read_message(str(record.get("body")), attempt.sent_ms)
            with stages() as taken_ms:
                ending = self._carry(request, attempt, ends_s - began_s)
        except ClipDeleted as error:
            fault = error
        except Exception as error:
            fault = error
            self._let_rest(record, attempt, error)
            raise
        finally:
            elapsed_ms = round((time.monotonic() - began_s) * 1000)
            self.tell(
                Outcome(record.message_id, elapsed_ms, taken_ms, attempt, request, ending, fault)
            )

    def _let_rest(self, record: SQSRecord, attempt: Attempt | None, error: Exception) -> None:
        """Choose when the message comes again: at once if no delivery can do better."""
        receipt = record.get("receiptHandle")
        if self.let_rest is None or attempt is None or not isinstance(receipt, str):
            return
        hopeless = isinstance(error, Nameless | Conflict)
        seconds = rest_s(self.first_rest_s, attempt.receive_count, attempt.receives_left)
        try:
            self.let_rest(receipt, 0 if hopeless else seconds, time.monotonic() + LET_REST_S)
        except ClipError as untold:
            error.add_note(f"Nor could the queue be told for how long it rests: {untold}")

    def _carry(
        self, request: ClipRequest | BrokenRequest, attempt: Attempt, left_s: float
    ) -> Ending:
        if left_s < LEAST_S:
            raise OutOfTime(f"{max(left_s, 0):.0f} s are left, too few to begin.")
        if isinstance(request, BrokenRequest):
            return self.make_clip.refuse_broken(request, attempt)
        try:
            with work_folder(self.scratch) as folder:
                return self.make_clip(request, attempt, folder)
        except OSError as error:
            raise ScratchFault(f"The scratch folder failed: {error.strerror}") from error

    def _attempt(self, record: SQSRecord, deadline_s: float) -> Attempt:
        attributes = record.get("attributes")
        received = _number(attributes, "ApproximateReceiveCount")
        return Attempt(
            message_id=record.message_id,
            sent_ms=_number(attributes, "SentTimestamp"),
            now_ms=time.time_ns() // 1_000_000,
            deadline_s=deadline_s,
            receive_count=received,
            receives_left=max(0, self.max_receive_count - received),
        )


class ScratchFault(ClipError):
    """The scratch folder is full, missing or not ours to write: the message is given back."""


def check_records(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the event's records if they are SQS messages, else raise NoBatch."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise NoBatch("The event holds no list of Records.")
    for number, record in enumerate(records):
        if not isinstance(record, dict) or record.get("eventSource") != "aws:sqs":
            raise NoBatch(f"Record {number} is not an SQS message.")
        if not isinstance(record.get("messageId"), str):
            raise NoBatch(f"Record {number} has no messageId, so it could not be given back alone.")
    return records


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _number(attributes: object, name: str) -> int:
    """Read one of the numbers that SQS sends as text."""
    text = str(attributes.get(name)) if isinstance(attributes, Mapping) else ""
    if not (text.isascii() and text.isdecimal() and len(text) < 16):  # noqa: PLR2004
        raise Nameless(f"The message does not say its {name}.")
    return int(text)
