"""SQS events as Lambda receives them, in the 2018 service's form."""

import json
import uuid
from collections.abc import Iterable
from enum import Enum
from typing import Any

from domain.clip import ClipRequest
from domain.recording import RecordingSegment
from domain.retry import RetryPolicy
from domain.window import TimeWindow
from infrastructure.formats.messages import message_body

CLIP_MS = 30_000
"""The duration of sample clips."""
MARGIN_MS = 60_000


class Flow(Enum):
    """The outcome of a sample request."""

    AVAILABLE = "available"
    PENDING = "pending"
    NOT_AVAILABLE = "not available"
    OUT_OF_RANGE = "out of range"
    TOO_LONG = "too long"


def first_event(request: ClipRequest, sent_at_ms: int) -> dict[str, Any]:
    """Return the event of a request's first message: a single-quoted dict, as of the 2018 service.

    `sent_at_ms` is since the epoch.
    """
    return sqs_event(str(json.loads(message_body(request))), sent_at_ms, str(uuid.uuid4()))


def first_events(requests: Iterable[ClipRequest], sent_at_ms: int) -> dict[str, Any]:
    """Return the event of the first messages of several requests."""
    events = (first_event(request, sent_at_ms) for request in requests)
    return {"Records": [record for event in events for record in event["Records"]]}


def window_of(
    flow: Flow, policy: RetryPolicy, now_ms: int, recorded: Iterable[RecordingSegment] = ()
) -> TimeWindow:
    """Return a window whose request, sent at `now_ms`, ends as `flow`.

    For AVAILABLE it lies in the middle of the newest recording; if none are given, far enough back
    for a camera that records all the time to have stored it. PENDING, NOT_AVAILABLE and
    OUT_OF_RANGE assume that there is no footage.
    """
    newest = max(recorded, default=None)
    match flow:
        case Flow.AVAILABLE if newest:
            duration_ms = min(CLIP_MS, -(-newest.window.duration_ms // 2))
            start_ms = newest.window.start_ms + (newest.window.duration_ms - duration_ms) // 2
            return TimeWindow(start_ms, start_ms + duration_ms)
        case Flow.AVAILABLE:
            end_ms = now_ms - policy.retry_limit_ms
        case Flow.PENDING:
            end_ms = now_ms
        case Flow.NOT_AVAILABLE:
            end_ms = now_ms - (policy.retry_limit_ms + policy.out_of_range_limit_ms) // 2
        case Flow.OUT_OF_RANGE:
            end_ms = now_ms - policy.out_of_range_limit_ms - MARGIN_MS
        case Flow.TOO_LONG:
            return TimeWindow(now_ms - policy.max_duration_ms - MARGIN_MS, now_ms)
    return TimeWindow(end_ms - CLIP_MS, end_ms)


def sqs_event(
    body: str, sent_at_ms: int, message_id: str, receive_count: int = 1
) -> dict[str, Any]:
    """Return the event that carries one message, sent at `sent_at_ms` since the epoch."""
    record = {
        "messageId": message_id,
        "receiptHandle": "MessageReceiptHandle",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(receive_count),
            "SentTimestamp": str(sent_at_ms),
            "SenderId": "123456789012",
            "ApproximateFirstReceiveTimestamp": str(sent_at_ms),
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-west-1:123456789012:MyQueue",
        "awsRegion": "us-west-1",
    }
    return {"Records": [record]}
