"""Lambda's poller for SQS: receive a batch, invoke the function with it, delete what is done.

A message is deleted only once the function has answered and has not named it among its
`batchItemFailures`; an error, a death or a timeout deletes none. What is not deleted comes back
when the queue's visibility timeout ends, and is a dead letter after so many deliveries: both are
SQS's doing. How answers are read:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen
from botocore.exceptions import BotoCoreError, ClientError

from devtools.local_aws.runtime import Function, FunctionError, Invoked

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

ARN = "arn:aws:sqs:us-east-1:123456789012:"
REST_S = 0.1
"""Lambda polls for up to 20 s at a time; moto, whose queues take turns, is asked this often."""


@frozen
class Delivery:
    """A batch that was handed to the function, and what became of it."""

    records: Sequence[Mapping[str, Any]]
    deleted: frozenset[str]
    """Ids of the messages that are done; the others come back."""
    invoked: Invoked | None = None
    error: str = ""


@define
class EventSource:
    """Feeds the messages of a queue to a function."""

    sqs: "SQSClient"
    queue_url: str
    function: Function
    tell: Callable[[Delivery], None] = lambda _delivery: None
    """Is told of each delivery when it is over."""
    batch_size: int = 10
    given_back_after_s: int | None = None
    """Lets what has failed come back sooner than the visibility timeout, which is left as it is for
    what is being handled."""
    in_hand: Sequence[Mapping[str, Any]] = ()
    """The records that the function is handling."""
    faults: list[str] = field(factory=list)
    """Calls to the queue that failed."""

    def run(self, stop: Event) -> None:
        """Poll until `stop` is set."""
        while not stop.is_set():
            try:
                delivery = self.poll()
            except (BotoCoreError, ClientError) as error:
                self.faults.append(str(error))
                delivery = None
            if delivery is None:
                stop.wait(REST_S)

    def poll(self) -> Delivery | None:
        """Deliver one batch if there is one; return what became of it."""
        received = self.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=self.batch_size,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = received.get("Messages", [])
        if not messages:
            return None
        records = [self._record(message) for message in messages]
        ids = frozenset(record["messageId"] for record in records)
        self.in_hand = records
        try:
            invoked = self.function.invoke({"Records": records})
        except FunctionError as error:
            self._settle(messages, frozenset())
            delivery = Delivery(records, frozenset(), error=str(error))
        else:
            done = ids - failures(invoked.payload, ids)
            self._settle(messages, done)
            delivery = Delivery(records, done, invoked)
        self.in_hand = ()
        self.tell(delivery)
        return delivery

    def _settle(self, messages: Sequence["MessageTypeDef"], done: frozenset[str]) -> None:
        for message in messages:
            receipt = message["ReceiptHandle"]
            if message["MessageId"] in done:
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=receipt)
            elif self.given_back_after_s is not None:
                self.sqs.change_message_visibility(
                    QueueUrl=self.queue_url,
                    ReceiptHandle=receipt,
                    VisibilityTimeout=self.given_back_after_s,
                )

    def _record(self, message: "MessageTypeDef") -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": dict(message["Attributes"]),
            "messageAttributes": {
                name: {
                    "stringValue": value.get("StringValue"),
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value["DataType"],
                }
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": ARN + self.queue_url.rpartition("/")[2],
            "awsRegion": "us-east-1",
        }


def failures(payload: object, ids: frozenset[str]) -> frozenset[str]:
    """Say which messages of a batch an answer gives back, as Lambda reads it.

    No answer, or no failures named, is success; anything odd in it gives the whole batch back.
    """
    match payload:
        case None | {"batchItemFailures": None | []}:
            return frozenset()
        case {"batchItemFailures": [*named]}:
            found = {str(n.get("itemIdentifier")) if isinstance(n, dict) else "" for n in named}
            return frozenset(found) if found <= ids else ids
        case {"batchItemFailures": _}:
            return ids
        case _:
            return frozenset()
