"""What SQS and SNS are handed."""

import json
import time
from typing import Any

import pytest
from attrs import evolve
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.model import OperationModel

from domain.clip import ClipReport, ClipRequest, ClipStatus
from domain.errors import Unavailable
from infrastructure.formats.messages import message_body, read_message
from tests.contract.real import Aws, SnsNotifierWorld, SqsQueueWorld, aws_session
from tests.contract.test_retry_queue import REQUEST
from tests.contract.worlds import FORMAT

AVAILABLE = ClipReport("clip-1", ClipStatus.AVAILABLE, "pier", 5, 9)
BROKEN = ClipReport("clip-2", ClipStatus.FATAL_ERROR, reason="cameraId is missing")


def soon() -> float:
    return time.monotonic() + 10


def test_the_queues_message_is_the_services_own(aws: Aws) -> None:
    """JSON, as it would be asked for the first time."""
    world = SqsQueueWorld(aws)
    world.queue.send(REQUEST, 1, soon())
    time.sleep(1.2)
    (message,) = aws.sqs.receive_message(QueueUrl=world.queue_url)["Messages"]
    assert message["Body"] == message_body(REQUEST)
    assert json.loads(message["Body"])["retryTimestamps"] == list(REQUEST.retries_ms)


@pytest.mark.parametrize("limit_bytes", [1024, 5000, 262_144, 1_048_576])
def test_a_message_is_no_longer_than_its_queue_accepts(aws: Aws, limit_bytes: int) -> None:
    """By the queue's own limit; the largest unknown key is dropped and named."""
    world = SqsQueueWorld(aws)
    aws.sqs.set_queue_attributes(
        QueueUrl=world.queue_url, Attributes={"MaximumMessageSize": str(limit_bytes)}
    )
    fits = evolve(REQUEST, unknown_keys={"note": "x" * (limit_bytes - 200), "a": 1})
    assert len(message_body(fits)) <= limit_bytes
    assert world.queue.send(fits, 1, soon()) == ()
    long = evolve(REQUEST, unknown_keys={"note": "x" * limit_bytes, "a": 1})
    assert world.queue.send(long, 1, soon()) == ("note",)
    received = world.received_within(4)
    assert received == [REQUEST, REQUEST]
    assert sorted(map(len, (request.unknown_keys for request in received))) == [1, 2]


def test_a_queue_that_does_not_name_its_limit_has_the_usual_one(aws: Aws) -> None:
    """The role may lack sqs:GetQueueAttributes; short messages need no such call."""
    world = SqsQueueWorld(aws)
    events: Any = aws.sqs.meta.events
    asked: list[str] = []

    def deny(model: OperationModel, **_: object) -> tuple[AWSResponse, dict[str, object]] | None:
        asked.append(model.name)
        if model.name != "GetQueueAttributes":
            return None
        response = AWSResponse("http://localhost", 403, HTTPHeaders(), None)
        return response, {"Error": {"Code": "AccessDenied"}}

    events.register_first("before-call.sqs", deny)
    try:
        short = evolve(REQUEST, unknown_keys={"note": "x" * 500}, retries_ms=(1, 2, 3))
        assert world.queue.send(short, 1, soon()) == ()
        many = evolve(REQUEST, unknown_keys={}, retries_ms=tuple(range(10**12, 10**12 + 100)))
        assert world.queue.send(many, 1, soon()) == ()
        assert asked == ["SendMessage", "SendMessage"]
        long = evolve(REQUEST, unknown_keys={"note": "x" * 262_144})
        assert world.queue.send(long, 1, soon()) == ("note",)
        fits = evolve(REQUEST, unknown_keys={"note": "x" * 260_000})
        assert world.queue.send(fits, 1, soon()) == ()
    finally:
        events.unregister("before-call.sqs", deny)


def test_a_received_message_is_redelivered_after_the_delay(aws: Aws) -> None:
    """Not when the queue would have delivered it, half a minute later."""
    world = SqsQueueWorld(aws)
    aws.sqs.send_message(QueueUrl=world.queue_url, MessageBody="{}")
    (message,) = aws.sqs.receive_message(QueueUrl=world.queue_url)["Messages"]
    world.queue.delay_redelivery(message["ReceiptHandle"], 1, soon())
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=world.queue_url)
    again = aws.sqs.receive_message(QueueUrl=world.queue_url, WaitTimeSeconds=5)
    assert [m["MessageId"] for m in again["Messages"]] == [message["MessageId"]]


def test_a_receipt_that_sqs_does_not_know_is_unavailable(aws: Aws) -> None:
    """Whoever asks may go on without it."""
    with pytest.raises(Unavailable, match="not in flight"):
        SqsQueueWorld(aws).queue.delay_redelivery("no receipt", 1, soon())


def test_a_notification_can_be_filtered_by_its_attributes(aws: Aws) -> None:
    """Status, camera and event id."""
    world = SnsNotifierWorld(aws)
    world.notifier.publish(AVAILABLE, soon())
    (letter,) = world.letters()
    assert letter["MessageAttributes"] == {
        "status": {"Type": "String", "Value": "CLIP_AVAILABLE"},
        "cameraId": {"Type": "String", "Value": "pier"},
        "eventId": {"Type": "String", "Value": AVAILABLE.event_id},
    }
    assert json.loads(letter["Message"]) == FORMAT.report(AVAILABLE)


def test_what_is_not_known_is_no_attribute(aws: Aws) -> None:
    """SNS refuses an empty one."""
    world = SnsNotifierWorld(aws)
    world.notifier.publish(BROKEN, soon())
    (letter,) = world.letters()
    assert set(letter["MessageAttributes"]) == {"status", "eventId"}


@pytest.mark.parametrize("service", ["SNS", "EventBridge"])
def test_a_request_that_another_service_forwards_is_read(aws: Aws, service: str) -> None:
    """Both wrap what they forward to a queue."""
    queue_url, body = aws.queue(), message_body(REQUEST)
    attributes = aws.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    queue_arn = attributes["Attributes"]["QueueArn"]
    name = queue_arn.rpartition(":")[2]
    if service == "SNS":
        topic_arn = aws.sns.create_topic(Name=name)["TopicArn"]
        aws.sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
        aws.sns.publish(TopicArn=topic_arn, Message=body)
    else:
        events = aws_session().client("events", endpoint_url=aws.sqs.meta.endpoint_url)
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue_arn}])
        events.put_events(Entries=[{"Source": name, "DetailType": "clip", "Detail": body}])
    (message,) = aws.sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=5)["Messages"]
    assert "clipId" not in json.loads(message["Body"])
    request = read_message(message["Body"], REQUEST.end_ms)
    assert request == REQUEST
    assert isinstance(request, ClipRequest)
    assert request.unknown_keys == REQUEST.unknown_keys
