"""The queue in which requests wait, and calls on its messages."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from attrs import frozen

from application.ports import RetryQueue
from domain.clip import ClipRequest
from domain.errors import Unavailable
from domain.retry import MAX_DELAY_S
from infrastructure.aws import call
from infrastructure.formats.messages import FittedBody, fitted_body

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LEASE_LOST_CODES = (
    "AWS.SimpleQueueService.MessageNotInflight",
    "MessageNotInflight",
    "ReceiptHandleIsInvalid",
)


MIN_LIMIT_BYTES = 1024
"""The smallest MaximumMessageSize that a queue can have (SQS, SetQueueAttributes)."""

USUAL_LIMIT_BYTES = 262_144
"""The MaximumMessageSize of a queue that was made before it could be more (1 MiB, 2025)."""


class Delay(TypedDict, total=False):
    """For how long a message is delayed, if not as the queue's own setting says."""

    DelaySeconds: int


class LeaseLost(Unavailable):
    """The message is visible again, received by another consumer, or deleted."""


@frozen
class SqsRetryQueue(RetryQueue):
    """An SQS standard queue; a FIFO queue accepts no delay per message."""

    client: "SQSClient"
    queue_url: str

    def send(self, request: ClipRequest, delay_s: int, deadline_s: float) -> tuple[str, ...]:
        """Send the request's message with a delay, as long as the queue accepts."""
        if not 1 <= delay_s <= MAX_DELAY_S:
            raise ValueError(f"a delay of {delay_s} s is not within 1..{MAX_DELAY_S}")
        return self._send(request, {"DelaySeconds": delay_s}, deadline_s)

    def add(self, request: ClipRequest, deadline_s: float) -> tuple[str, ...]:
        """Send the first message of a request, for delivery at once; return as `send` does."""
        return self._send(request, {}, deadline_s)

    def _send(self, request: ClipRequest, delay: Delay, deadline_s: float) -> tuple[str, ...]:
        fitted = accepted_body(self.client, self.queue_url, request, deadline_s)
        call(
            "SQS",
            deadline_s,
            lambda: self.client.send_message(
                QueueUrl=self.queue_url, MessageBody=fitted.body, **delay
            ),
        )
        return fitted.dropped

    def delay_redelivery(self, receipt_handle: str, delay_s: int, deadline_s: float) -> None:
        """Set when a received message is delivered again, in seconds from now.

        SQS hides a message for at most 12 hours.
        """
        change_visibility(self.client, self.queue_url, receipt_handle, delay_s, deadline_s)


def accepted_body(
    client: "SQSClient",
    queue_url: str,
    request: ClipRequest,
    deadline_s: float,
    attributes_bytes: int = 0,
) -> FittedBody:
    """Return a body that the queue accepts next to message attributes of so many bytes.

    Any queue accepts most bodies; for a longer one it is asked how much it accepts. If it does not
    say, USUAL_LIMIT_BYTES hold.
    """
    small = fitted_body(request, MIN_LIMIT_BYTES - attributes_bytes)
    if not small.dropped:
        return small
    try:
        limit = queue_attributes(client, queue_url, deadline_s).get("MaximumMessageSize", "")
    except Unavailable:
        limit = ""
    max_bytes = int(limit) if limit.isdecimal() else USUAL_LIMIT_BYTES
    return fitted_body(request, max_bytes - attributes_bytes)


def change_visibility(
    client: "SQSClient", queue_url: str, receipt_handle: str, timeout_s: int, deadline_s: float
) -> None:
    """Set the visibility timeout of a received message; LeaseLost if it is no longer in flight."""
    call(
        "SQS",
        deadline_s,
        lambda: client.change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=timeout_s
        ),
        _lease_lost(),
    )


def delete(client: "SQSClient", queue_url: str, receipt_handle: str, deadline_s: float) -> None:
    """Delete a received message; LeaseLost if its receipt handle is no longer valid."""
    call(
        "SQS",
        deadline_s,
        lambda: client.delete_message(QueueUrl=queue_url, ReceiptHandle=receipt_handle),
        _lease_lost(),
    )


def queue_attributes(client: "SQSClient", queue_url: str, deadline_s: float) -> Mapping[str, str]:
    """Return all attributes of a queue, as text."""
    response = call(
        "SQS",
        deadline_s,
        lambda: client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"]),
    )
    return {str(name): text for name, text in response.get("Attributes", {}).items()}


def redrive_policy(attributes: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the RedrivePolicy among a queue's attributes; empty if there is no valid one."""
    try:
        policy = json.loads(attributes.get("RedrivePolicy") or "{}")
    except ValueError:
        return {}
    return policy if isinstance(policy, dict) else {}


def _lease_lost() -> dict[str, Exception]:
    lost = LeaseLost(
        "The message is not in flight: its visibility timeout expired, or its receipt handle is"
        " invalid."
    )
    return dict.fromkeys(LEASE_LOST_CODES, lost)
