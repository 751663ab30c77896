"""The queue in which requests rest."""

from typing import TYPE_CHECKING

from attrs import frozen

from application.ports import RetryQueue
from domain.clip import ClipRequest
from domain.retry import LONGEST_DELAY_S
from infrastructure.aws import call
from infrastructure.wire import message_body

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@frozen
class SqsRetryQueue(RetryQueue):
    """An SQS standard queue: a FIFO queue takes no delay per message."""

    client: "SQSClient"
    queue_url: str

    def send(self, request: ClipRequest, delay_s: int, deadline_s: float) -> None:
        """Send the request's message with a delay."""
        if not 1 <= delay_s <= LONGEST_DELAY_S:
            raise ValueError(f"a delay of {delay_s} s is not within 1..{LONGEST_DELAY_S}")
        call(
            "SQS",
            deadline_s,
            lambda: self.client.send_message(
                QueueUrl=self.queue_url, MessageBody=message_body(request), DelaySeconds=delay_s
            ),
        )
