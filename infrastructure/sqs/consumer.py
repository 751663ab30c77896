"""A consumer of the queue: receive a message, extend its lease, delete it."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from attrs import field, frozen
from botocore.config import Config

from infrastructure.aws import CONFIG, call
from infrastructure.sqs.queue import change_visibility, delete

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

POLL_OVERHEAD_S = 10
"""What a long poll may take beyond its wait time."""


@frozen
class ReceivedMessage:
    """A message in flight."""

    message_id: str
    receipt_handle: str = field(repr=False)
    receive_count: int
    record: Mapping[str, Any] = field(repr=False)
    """The record that Lambda would pass to its function."""


@frozen
class SqsConsumer:
    """A consumer of an SQS standard queue. Every error is a ClipError, every call has an end."""

    client: "SQSClient"
    queue_url: str
    poll_s: int
    visibility_s: int
    """The visibility timeout of each lease."""

    @property
    def max_receive_s(self) -> int:
        """The longest that `receive` takes."""
        return self.poll_s + POLL_OVERHEAD_S

    def receive(self) -> ReceivedMessage | None:
        """Wait for a message, at most one."""
        response = call(
            "SQS",
            time.monotonic() + self.max_receive_s,
            lambda: self.client.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=self.poll_s,
                VisibilityTimeout=self.visibility_s,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            ),
        )
        messages = response.get("Messages")
        return _received(messages[0]) if messages else None

    def extend(self, message: ReceivedMessage, deadline_s: float) -> None:
        """Hide the message for `visibility_s` from now; LeaseLost if it is too late for that."""
        self.delay(message, self.visibility_s, deadline_s)

    def delay(self, message: ReceivedMessage, delay_s: int, deadline_s: float) -> None:
        """Redeliver the message after `delay_s`; LeaseLost as for `extend`."""
        handle = message.receipt_handle
        change_visibility(self.client, self.queue_url, handle, delay_s, deadline_s)

    def delete(self, message: ReceivedMessage, deadline_s: float) -> None:
        """Acknowledge the message."""
        delete(self.client, self.queue_url, message.receipt_handle, deadline_s)


def open_consumer(queue_url: str, poll_s: int, visibility_s: int, concurrency: int) -> SqsConsumer:
    """Make a client for `concurrency` threads; BotoCoreError if that fails (no region)."""
    config = Config(
        # A read timeout below the wait time would break off every quiet poll.
        read_timeout=poll_s + POLL_OVERHEAD_S,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=2 * concurrency + 2,
    )
    client = boto3.client("sqs", config=CONFIG.merge(config))
    return SqsConsumer(client, queue_url, poll_s, visibility_s)


def _received(message: "MessageTypeDef") -> ReceivedMessage:
    attributes = dict(message.get("Attributes", {}))
    count = attributes.get("ApproximateReceiveCount", "")
    return ReceivedMessage(
        message["MessageId"],
        message["ReceiptHandle"],
        int(count) if count.isdecimal() else 1,
        {
            "messageId": message["MessageId"],
            "body": message["Body"],
            "attributes": attributes,
            "eventSource": "aws:sqs",
        },
    )
