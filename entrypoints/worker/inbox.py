"""The queue as the worker uses it: take a message, keep it hidden, have done with it."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from attrs import field, frozen
from botocore.config import Config

from domain.errors import ClipError
from entrypoints.worker.decisions import Lease
from infrastructure.aws import CONFIG, call

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

SLACK_S = 10
"""What a long poll may take beyond the time that SQS was asked to wait."""
NOT_OURS = (
    "AWS.SimpleQueueService.MessageNotInflight",
    "MessageNotInflight",
    "ReceiptHandleIsInvalid",
)


class LeaseLost(ClipError):
    """The message is visible again, in other hands, or gone."""


@frozen
class ReceivedMessage:
    """A message in hand."""

    message_id: str
    receipt: str = field(repr=False)
    receive_count: int
    record: Mapping[str, Any] = field(repr=False)
    """As Lambda gets it."""


@frozen
class SqsConsumer:
    """An SQS standard queue. Every error is a ClipError, every call has an end."""

    client: "SQSClient"
    queue_url: str
    poll_s: int
    visibility_s: int

    @property
    def longest_receive_s(self) -> int:
        """The longest that `receive` takes."""
        return self.poll_s + SLACK_S

    def receive(self) -> ReceivedMessage | None:
        """Wait for a message, at most one."""
        answer = call(
            "SQS",
            time.monotonic() + self.longest_receive_s,
            lambda: self.client.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=self.poll_s,
                VisibilityTimeout=self.visibility_s,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            ),
        )
        messages = answer.get("Messages")
        return _taken(messages[0]) if messages else None

    def hide(self, taken: ReceivedMessage, until_s: float) -> Lease:
        """Keep the message hidden for another `visibility_s`; LeaseLost if it is too late for that.

        The answer is waited for until `until_s`.
        """
        asked_s = time.monotonic()
        self._change(taken, self.visibility_s, until_s)
        return Lease(asked_s, self.visibility_s)

    def rest(self, taken: ReceivedMessage, redelivery_backoff_s: int, until_s: float) -> None:
        """Have the message delivered again after `redelivery_backoff_s`."""
        self._change(taken, redelivery_backoff_s, until_s)

    def delete(self, taken: ReceivedMessage, until_s: float) -> None:
        """Have done with the message."""
        call(
            "SQS",
            until_s,
            lambda: self.client.delete_message(
                QueueUrl=self.queue_url, ReceiptHandle=taken.receipt
            ),
            {code: LeaseLost("The message is no longer in our hands.") for code in NOT_OURS},
        )

    def _change(self, taken: ReceivedMessage, visibility_s: int, until_s: float) -> None:
        call(
            "SQS",
            until_s,
            lambda: self.client.change_message_visibility(
                QueueUrl=self.queue_url,
                ReceiptHandle=taken.receipt,
                VisibilityTimeout=visibility_s,
            ),
            {code: LeaseLost("The message is no longer in our hands.") for code in NOT_OURS},
        )


def open_inbox(queue_url: str, poll_s: int, visibility_s: int, slots: int) -> SqsConsumer:
    """Make the client; a BotoCoreError if it cannot be made (no region)."""
    own = Config(
        # A read timeout below the wait would break off every quiet poll.
        read_timeout=poll_s + SLACK_S,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=2 * slots + 2,
    )
    return SqsConsumer(
        boto3.client("sqs", config=CONFIG.merge(own)), queue_url, poll_s, visibility_s
    )


def _taken(message: "MessageTypeDef") -> ReceivedMessage:
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
