"""Lambda's poller for SQS: receive a batch, invoke the function with it, delete what succeeded.

A message is deleted once the function has answered without naming it in `batchItemFailures`; after
an error, a crash or a timeout none is. SQS delivers the others again when their visibility timeout
ends, and dead-letters them after the queue's maximum of deliveries. How Lambda reads answers:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

A message that is part of a recursive loop does not reach the function, unless that is allowed: it
is dead-lettered, here at once.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen
from botocore.exceptions import BotoCoreError, ClientError

from devtools.local_aws.recursive_loop import invocation_trace, is_loop
from devtools.local_aws.runtime import Function, Invoked
from devtools.local_aws.runtime_api import FunctionError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

ARN = "arn:aws:sqs:us-east-1:123456789012:"
POLL_INTERVAL_S = 0.1
"""Lambda polls for up to 20 s at a time; a long poll would block moto's other queues."""


@frozen
class Delivery:
    """A batch delivered to the function, and the outcome."""

    records: Sequence[Mapping[str, Any]]
    deleted: frozenset[str]
    """Ids of the messages that succeeded; the others are delivered again."""
    invoked: Invoked | None = None
    error: str = ""
    dropped: Sequence[Mapping[str, Any]] = ()
    """The records that the function did not get, since they are part of a recursive loop."""


@define
class EventSource:
    """Feeds the messages of a queue to a function."""

    sqs: "SQSClient"
    queue_url: str
    function: Function
    on_delivery: Callable[[Delivery], None] = lambda _delivery: None
    """Is called after each delivery."""
    batch_size: int = 10
    failed_hidden_s: int | None = None
    """Shortens the visibility timeout of messages that failed, not of those in flight."""
    loop_dead_letters_url: str | None = None
    """The queue for messages of recursive loops (Terminate); None if these are allowed (Allow)."""
    in_flight: Sequence[Mapping[str, Any]] = ()
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
                stop.wait(POLL_INTERVAL_S)

    def poll(self) -> Delivery | None:
        """Deliver one batch if there is one; return the outcome."""
        received = self.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=self.batch_size,
            AttributeNames=["All"],
        )
        messages = received.get("Messages", [])
        if not messages:
            return None
        dropped = self._drop_loops(messages)
        delivery = self._deliver([message for message in messages if message not in dropped])
        delivery = evolve(delivery, dropped=[self._record(message) for message in dropped])
        self.on_delivery(delivery)
        return delivery

    def _deliver(self, messages: Sequence["MessageTypeDef"]) -> Delivery:
        records = [self._record(message) for message in messages]
        if not records:
            return Delivery(records, frozenset())
        ids = frozenset(record["messageId"] for record in records)
        self.in_flight = records
        try:
            trace = invocation_trace(map(trace_of, messages))
            invoked = self.function.invoke({"Records": records}, trace)
        except FunctionError as error:
            self._settle(messages, frozenset())
            delivery = Delivery(records, frozenset(), error=str(error))
        else:
            done = ids - failures(invoked.payload, ids)
            self._settle(messages, done)
            delivery = Delivery(records, done, invoked)
        self.in_flight = ()
        return delivery

    def _drop_loops(self, messages: Sequence["MessageTypeDef"]) -> Sequence["MessageTypeDef"]:
        """Dead-letter those messages that are part of a loop, and return them."""
        if self.loop_dead_letters_url is None:
            return ()
        loops = [message for message in messages if is_loop(trace_of(message))]
        for message in loops:
            self.sqs.send_message(
                QueueUrl=self.loop_dead_letters_url,
                MessageBody=message["Body"],
                MessageSystemAttributes={
                    "AWSTraceHeader": {"DataType": "String", "StringValue": trace_of(message)}
                },
            )
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return loops

    def _settle(self, messages: Sequence["MessageTypeDef"], done: frozenset[str]) -> None:
        for message in messages:
            receipt = message["ReceiptHandle"]
            if message["MessageId"] in done:
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=receipt)
            elif self.failed_hidden_s is not None:
                # The function has shortened it too: the message may be in flight again.
                with suppress(self.sqs.exceptions.ReceiptHandleIsInvalid):
                    self.sqs.change_message_visibility(
                        QueueUrl=self.queue_url,
                        ReceiptHandle=receipt,
                        VisibilityTimeout=self.failed_hidden_s,
                    )

    def _record(self, message: "MessageTypeDef") -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": dict(message["Attributes"]),
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": ARN + self.queue_url.rpartition("/")[2],
            "awsRegion": "us-east-1",
        }


def trace_of(message: "MessageTypeDef") -> str:
    """Return a received message's trace header; empty if it has none."""
    return message["Attributes"].get("AWSTraceHeader", "")


def failures(payload: object, ids: frozenset[str]) -> frozenset[str]:
    """Return the ids of a batch's failed messages, as Lambda reads them from an answer.

    No answer, or no failures named, is success; a malformed answer fails the whole batch.
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
