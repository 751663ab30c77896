"""The dead-letter queue."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from domain.errors import Unavailable
from infrastructure.aws import call
from infrastructure.sqs.queue import delete, redrive_policy

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_BATCH_SIZE = 10
"""SQS's limit of messages per call."""
POLL_S = 1
"""A short poll (0 s) asks only some of SQS's servers, a long one asks all."""


@frozen
class DeadLetter:
    """A message of the dead-letter queue, received and so hidden for a while."""

    message_id: str
    body: str
    sent_at_ms: int
    """Since the epoch. SQS keeps it when it moves a message to a standard dead-letter queue."""
    receipt_handle: str
    attributes: Mapping[str, Any]
    """The sender's message attributes: moved along with the body."""

    @property
    def attributes_bytes(self) -> int:
        """The part of SQS's limit that the attributes take: names, types and values."""
        texts = [
            text
            for name, attribute in self.attributes.items()
            for text in (name, *attribute.values())
        ]
        return sum(len(text.encode() if isinstance(text, str) else text) for text in texts)


@frozen
class DeadLetterQueue:
    """A dead-letter queue. Each receive counts, unless the queue has a redrive policy itself."""

    client: "SQSClient"
    queue_url: str

    def receive(self, visibility_s: int, deadline_s: float) -> Sequence[DeadLetter]:
        """Receive up to ten letters, hidden from others for `visibility_s`."""
        response = call(
            "SQS",
            deadline_s,
            lambda: self.client.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=MAX_BATCH_SIZE,
                VisibilityTimeout=visibility_s,
                WaitTimeSeconds=POLL_S,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            ),
        )
        return [_letter(message) for message in response.get("Messages", [])]

    def release(self, letters: Sequence[DeadLetter], deadline_s: float) -> None:
        """Make the letters visible again, as far as their receipt handles are still valid."""
        for batch in _batches(letters):
            call(
                "SQS",
                deadline_s,
                lambda batch=batch: self.client.change_message_visibility_batch(  # type: ignore[misc]
                    QueueUrl=self.queue_url,
                    Entries=[
                        {
                            "Id": str(number),
                            "ReceiptHandle": letter.receipt_handle,
                            "VisibilityTimeout": 0,
                        }
                        for number, letter in enumerate(batch)
                    ],
                ),
            )

    def move(self, letter: DeadLetter, body: str, queue_url: str, deadline_s: float) -> None:
        """Send the letter as `body` to another queue, then delete it here.

        A crash between the two leaves it in both, which is one more delivery; in the other order
        it would be lost.
        """
        call(
            "SQS",
            deadline_s,
            lambda: self.client.send_message(
                QueueUrl=queue_url, MessageBody=body, MessageAttributes=letter.attributes
            ),
        )
        self.delete(letter, deadline_s)

    def delete(self, letter: DeadLetter, deadline_s: float) -> None:
        """Delete the letter; LeaseLost if it is no longer hidden."""
        delete(self.client, self.queue_url, letter.receipt_handle, deadline_s)


def dead_letter_url(
    client: "SQSClient", attributes: Mapping[str, str], deadline_s: float
) -> str | None:
    """Return the URL of the dead-letter queue that a queue's attributes name, if any."""
    arn = str(redrive_policy(attributes).get("deadLetterTargetArn", "")).split(":")
    if len(arn) != len(["arn", "aws", "sqs", "region", "account", "name"]):
        return None
    name, account = arn[5], arn[4]
    response = call(
        "SQS",
        deadline_s,
        lambda: client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account),
    )
    return response["QueueUrl"]


def _letter(message: Mapping[str, Any]) -> DeadLetter:
    sent_at = str(message.get("Attributes", {}).get("SentTimestamp"))
    if not sent_at.isdecimal():
        raise Unavailable("SQS sent no SentTimestamp with a message.")
    # SQS does not implement lists in attributes, but some responses contain them, empty.
    attributes = {
        name: {key: value for key, value in attribute.items() if not key.endswith("ListValues")}
        for name, attribute in message.get("MessageAttributes", {}).items()
    }
    return DeadLetter(
        message["MessageId"], message["Body"], int(sent_at), message["ReceiptHandle"], attributes
    )


def _batches(letters: Sequence[DeadLetter]) -> Iterator[Sequence[DeadLetter]]:
    return (letters[at : at + MAX_BATCH_SIZE] for at in range(0, len(letters), MAX_BATCH_SIZE))
