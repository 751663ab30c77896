"""The queue in which requests rest, and the one where dead letters end up."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from application.ports import RetryQueue
from domain.clip import ClipRequest
from domain.errors import Unavailable
from domain.retry import MAX_DELAY_S
from infrastructure.aws import call
from infrastructure.formats.messages import message_body

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_BATCH_SIZE = 10
"""Messages in a call, as many as SQS allows."""
LAST_LOOK_S = 1
"""A poll of no length asks only some of SQS's servers; one that waits asks all."""


@frozen
class SqsRetryQueue(RetryQueue):
    """An SQS standard queue: a FIFO queue takes no delay per message."""

    client: "SQSClient"
    queue_url: str

    def send(self, request: ClipRequest, delay_s: int, deadline_s: float) -> None:
        """Send the request's message with a delay."""
        if not 1 <= delay_s <= MAX_DELAY_S:
            raise ValueError(f"a delay of {delay_s} s is not within 1..{MAX_DELAY_S}")
        call(
            "SQS",
            deadline_s,
            lambda: self.client.send_message(
                QueueUrl=self.queue_url, MessageBody=message_body(request), DelaySeconds=delay_s
            ),
        )

    def delay_redelivery(self, receipt: str, seconds: int, deadline_s: float) -> None:
        """Have a message in hand delivered again after so many seconds, not when it was due.

        SQS counts them from now on; a message is hidden for 12 hours at most.
        """
        call(
            "SQS",
            deadline_s,
            lambda: self.client.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            ),
        )


@frozen
class DeadLetter:
    """A message of the dead-letter queue, received and thus hidden for a while."""

    message_id: str
    body: str
    sent_at_ms: int
    """Since the epoch. SQS keeps it when it moves a message to a standard dead-letter queue."""
    receipt: str
    attributes: Mapping[str, Any]
    """What the sender attached: carried along."""


@frozen
class DeadLetterQueue:
    """A dead-letter queue. Every receive counts, unless this queue has one of its own."""

    client: "SQSClient"
    queue_url: str

    def receive(self, hidden_s: int, deadline_s: float) -> Sequence[DeadLetter]:
        """Take up to ten letters, which nobody else sees for `hidden_s`; none if there are none."""
        answer = call(
            "SQS",
            deadline_s,
            lambda: self.client.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=MAX_BATCH_SIZE,
                VisibilityTimeout=hidden_s,
                WaitTimeSeconds=LAST_LOOK_S,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            ),
        )
        return [_letter(message) for message in answer.get("Messages", [])]

    def give_back(self, letters: Sequence[DeadLetter], deadline_s: float) -> None:
        """Let everybody see the letters again, as far as SQS still knows their receipts."""
        for some in _tens(letters):
            call(
                "SQS",
                deadline_s,
                lambda some=some: self.client.change_message_visibility_batch(  # type: ignore[misc]
                    QueueUrl=self.queue_url,
                    Entries=[
                        {"Id": str(at), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                        for at, letter in enumerate(some)
                    ],
                ),
            )

    def move(self, letter: DeadLetter, body: str, queue_url: str, deadline_s: float) -> None:
        """Send the letter as `body` to another queue, then delete it here.

        In this order a crash between the two leaves it in both, which is one delivery more; in the
        other it would be lost.
        """
        call(
            "SQS",
            deadline_s,
            lambda: self.client.send_message(
                QueueUrl=queue_url, MessageBody=body, MessageAttributes=letter.attributes
            ),
        )
        call(
            "SQS",
            deadline_s,
            lambda: self.client.delete_message(
                QueueUrl=self.queue_url, ReceiptHandle=letter.receipt
            ),
        )


def queue_attributes(client: "SQSClient", queue_url: str, deadline_s: float) -> Mapping[str, str]:
    """Return all attributes of a queue, as text."""
    answer = call(
        "SQS",
        deadline_s,
        lambda: client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"]),
    )
    return {str(name): text for name, text in answer.get("Attributes", {}).items()}


def redrive_policy(attributes: Mapping[str, str]) -> Mapping[str, Any]:
    """Read the RedrivePolicy among a queue's attributes; empty if there is none to be read."""
    try:
        policy = json.loads(attributes.get("RedrivePolicy") or "{}")
    except ValueError:
        return {}
    return policy if isinstance(policy, dict) else {}


def dead_letter_url(
    client: "SQSClient", attributes: Mapping[str, str], deadline_s: float
) -> str | None:
    """Return the address of the dead-letter queue that a queue's attributes name, if any."""
    arn = str(redrive_policy(attributes).get("deadLetterTargetArn", "")).split(":")
    if len(arn) != len(["arn", "aws", "sqs", "region", "account", "name"]):
        return None
    name, account = arn[5], arn[4]
    answer = call(
        "SQS",
        deadline_s,
        lambda: client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account),
    )
    return answer["QueueUrl"]


def _letter(message: Mapping[str, Any]) -> DeadLetter:
    sent = str(message.get("Attributes", {}).get("SentTimestamp"))
    if not sent.isdecimal():
        raise Unavailable("SQS does not say when a message was sent.")
    # Lists in attributes are not implemented by SQS, but some answers hold them, empty.
    attributes = {
        name: {key: value for key, value in attribute.items() if not key.endswith("ListValues")}
        for name, attribute in message.get("MessageAttributes", {}).items()
    }
    return DeadLetter(
        message["MessageId"], message["Body"], int(sent), message["ReceiptHandle"], attributes
    )


def _tens(letters: Sequence[DeadLetter]) -> Iterator[Sequence[DeadLetter]]:
    return (letters[at : at + MAX_BATCH_SIZE] for at in range(0, len(letters), MAX_BATCH_SIZE))
