"""A batch of SQS messages, as Lambda passes it: each message is handled and answered by itself."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from application.make_clip import ClipResult, MakeClip
from domain.clip import ClipRequest, InvalidRequest
from domain.delivery import Delivery
from domain.errors import ClipDeleted, ClipError, Conflict, DeadlineExceeded, NoClipId, Unavailable
from domain.retry import redelivery_backoff_s
from entrypoints.log_line import DeliveryOutcome
from entrypoints.timing import measured_calls
from infrastructure.formats.messages import read_message
from infrastructure.scratch import sweep, work_folder

CLEANUP_S = 8.0
"""The part of the remaining time that is reserved for clean-up and the answer."""

MIN_DELIVERY_S = 15.0
"""With less time than this remaining, a message is returned to the queue at once."""

DELAY_REDELIVERY_S = 2.0
"""The part of CLEANUP_S that setting a redelivery delay may take."""


class NotAnSqsEvent(ValueError):
    """The event is not a batch of SQS messages."""


class ScratchFault(ClipError):
    """The scratch folder is full, missing or not writable: the message returns to the queue."""


Record = Mapping[str, Any]
"""One SQS message of an event."""
HandleRecord = Callable[[Any], None]
ProcessRecords = Callable[[list[dict[str, Any]], HandleRecord], dict[str, Any]]
"""Handles each record; returns `{"batchItemFailures": [...]}`, those whose handling raised."""


def process_each(records: list[dict[str, Any]], handle: HandleRecord) -> dict[str, Any]:
    """Handle the records one by one, as ProcessRecords; without Lambda there is no more to it."""
    failures = []
    for record in records:
        try:
            handle(record)
        except Exception:  # noqa: BLE001 - it is in the outcome; the next message is another matter
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


@frozen
class HandleBatch:
    """Handles every message of a batch, and returns those to be delivered again."""

    make_clip: MakeClip
    scratch: Path
    max_receive_count: int
    on_outcome: Callable[[DeliveryOutcome], None]
    backoff_base_s: int = 60
    delay_redelivery: Callable[[str, int, float], None] | None = None
    """Sets a failed message's redelivery delay, given its receipt handle, the delay in seconds and
    a deadline. Otherwise, or if that fails, the queue's visibility timeout applies."""
    process: ProcessRecords = process_each

    def __call__(self, event: Mapping[str, Any], remaining_ms: Callable[[], int]) -> dict[str, Any]:
        """Return `{"batchItemFailures": [...]}`, or raise NotAnSqsEvent."""
        records = check_records(event)
        sweep(self.scratch)

        def handle(record: Record) -> None:
            self._handle(record, time.monotonic() + remaining_ms() / 1000)

        return self.process(records, handle)

    def _handle(self, record: Record, ends_s: float) -> None:
        began_s = time.monotonic()
        receive_count: int | None = None
        request: ClipRequest | InvalidRequest | None = None
        delivery: Delivery | None = None
        result: ClipResult | None = None
        error: Exception | None = None
        calls_ms: dict[str, int] = {}
        try:
            receive_count = _attribute(record, "ApproximateReceiveCount")
            sent_at_ms = _attribute(record, "SentTimestamp")
            request = read_message(str(record.get("body")), sent_at_ms)
            _require_time(ends_s - began_s)
            deadline_s = ends_s - CLEANUP_S
            with measured_calls() as calls_ms:
                if isinstance(request, InvalidRequest):
                    result = self.make_clip.reject_invalid(request, deadline_s)
                else:
                    delivery = Delivery(
                        request,
                        record["messageId"],
                        sent_at_ms,
                        time.time_ns() // 1_000_000,
                        deadline_s,
                        receive_count,
                        self._deliveries_left(receive_count),
                    )
                    result = self._make(delivery)
        except ClipDeleted as deleted:
            error = deleted
        except Exception as failure:
            error = failure
            self._delay_redelivery(record, receive_count, failure)
            raise
        finally:
            elapsed_ms = round((time.monotonic() - began_s) * 1000)
            self.on_outcome(
                DeliveryOutcome(
                    record["messageId"],
                    elapsed_ms,
                    calls_ms,
                    receive_count,
                    request,
                    delivery,
                    result,
                    error,
                )
            )

    def _make(self, delivery: Delivery) -> ClipResult:
        try:
            with work_folder(self.scratch) as folder:
                return self.make_clip(delivery, folder)
        except OSError as error:
            raise ScratchFault(f"The scratch folder failed: {error.strerror}.") from error

    def _delay_redelivery(
        self, record: Record, receive_count: int | None, error: Exception
    ) -> None:
        """Choose when the message is delivered again: at once if no delivery can do better."""
        receipt = record.get("receiptHandle")
        if self.delay_redelivery is None or receive_count is None or not isinstance(receipt, str):
            return
        is_hopeless = isinstance(error, NoClipId | Conflict)
        left = self._deliveries_left(receive_count)
        delay_s = (
            0 if is_hopeless else redelivery_backoff_s(self.backoff_base_s, receive_count, left)
        )
        try:
            self.delay_redelivery(receipt, delay_s, time.monotonic() + DELAY_REDELIVERY_S)
        except ClipError as failure:
            error.add_note(f"Setting the redelivery delay also failed: {failure}")

    def _deliveries_left(self, receive_count: int) -> int:
        return max(0, self.max_receive_count - receive_count)


def check_records(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the event's records if they are SQS messages, else raise NotAnSqsEvent."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise NotAnSqsEvent("The event has no list of Records.")
    for number, record in enumerate(records):
        if not isinstance(record, dict) or record.get("eventSource") != "aws:sqs":
            raise NotAnSqsEvent(f"Record {number} is not an SQS message.")
        if not isinstance(record.get("messageId"), str):
            raise NotAnSqsEvent(f"Record {number} has no messageId to report it by.")
    return records


def _require_time(remaining_s: float) -> None:
    if remaining_s < MIN_DELIVERY_S:
        raise DeadlineExceeded(f"{max(remaining_s, 0):.0f} s remain, too few to begin.")


def _attribute(record: Record, name: str) -> int:
    """Return one of the numbers that SQS sends as text; Unavailable if it is missing."""
    attributes = record.get("attributes")
    text = str(attributes.get(name)) if isinstance(attributes, Mapping) else ""
    if not (text.isascii() and text.isdecimal() and len(text) < 16):  # noqa: PLR2004 - digits of an epoch time
        raise Unavailable(f"SQS sent no {name} with the message.")
    return int(text)
