"""moto with what a deployment has: buckets, the queue and its dead letters, a topic, a subscriber.

The clients carry made-up keys and the stand-in's address, so that no call can ever leave the
machine, whatever the environment holds.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import RLock, Thread
from typing import TYPE_CHECKING, Any

import boto3
from attrs import frozen
from botocore.config import Config

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

REGION = "us-east-1"
KEY, SECRET = "local", "local"
ORIGIN_DIR = "rewinds"


@frozen
class Cloud:
    """What there is, and clients of it."""

    endpoint: str
    origin: str
    """The bucket with the recordings, below ORIGIN_DIR."""
    destination: str
    """The bucket that gets the clips."""
    s3: "S3Client"
    sqs: "SQSClient"
    sns: "SNSClient"
    queue_url: str
    dead_url: str
    subscriber_url: str
    """A queue that gets every notification of the topic."""
    topic_arn: str
    max_receive_count: int

    def environ(self, cameras_url: str) -> dict[str, str]:
        """Return the settings of a function that runs here."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "CAM_SERVICES_URL": cameras_url,
            "RECORDINGS_URL": cameras_url,
            "CLIP_URL": f"{self.endpoint}/{self.destination}",
            "S3_BUCKET_ORIGIN": self.origin,
            "S3_BUCKET_ORIGIN_DIR": ORIGIN_DIR,
            "S3_BUCKET_DESTINATION": self.destination,
            "AWS_SNS_TOPIC": self.topic_arn,
            "AWS_SQS_QUEUE_URL": self.queue_url,
            "MAX_RECEIVE_COUNT": str(self.max_receive_count),
            "GIVEN_BACK_REST": "1",
        }

    def send(self, body: str) -> str:
        """Put a message into the queue; return its id."""
        return self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body)["MessageId"]

    def notifications(self) -> Iterator[dict[str, Any]]:
        """Take the notifications that have come since, `Message` parsed."""
        while messages := self.sqs.receive_message(
            QueueUrl=self.subscriber_url, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in messages:
                self.sqs.delete_message(
                    QueueUrl=self.subscriber_url, ReceiptHandle=message["ReceiptHandle"]
                )
                note = json.loads(message["Body"])
                yield {**note, "Message": json.loads(note["Message"])}

    def waiting(self, queue_url: str) -> int:
        """Count a queue's messages: those to be had, those being handled, those delayed."""
        told = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
        return sum(
            int(count)
            for name, count in told["Attributes"].items()
            if name.startswith("ApproximateNumberOfMessages")
        )


@contextmanager
def cloud(visibility_s: int, max_receive_count: int = 5, name: str = "camclip") -> Iterator[Cloud]:
    """Start it all, everything named after `name`: moto knows one set of names in a process.

    Messages are hidden for `visibility_s`, and are dead after `max_receive_count` deliveries.
    """
    with _moto() as endpoint:
        session = boto3.Session(KEY, SECRET, region_name=REGION)
        config = Config(max_pool_connections=20)
        s3 = session.client("s3", endpoint_url=endpoint, config=config)
        sqs = session.client("sqs", endpoint_url=endpoint, config=config)
        sns = session.client("sns", endpoint_url=endpoint, config=config)
        origin, destination = f"{name}-recordings", f"{name}-clips"
        for bucket in (origin, destination):
            s3.create_bucket(Bucket=bucket)
        dead_url = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        redrive = {
            "deadLetterTargetArn": _arn(sqs, dead_url),
            "maxReceiveCount": max_receive_count,
        }
        queue_url = sqs.create_queue(
            QueueName=f"{name}-requests",
            Attributes={
                "VisibilityTimeout": str(visibility_s),
                "RedrivePolicy": json.dumps(redrive),
            },
        )["QueueUrl"]
        subscriber_url = sqs.create_queue(QueueName=f"{name}-subscriber")["QueueUrl"]
        topic_arn = sns.create_topic(Name=f"{name}-topic")["TopicArn"]
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=_arn(sqs, subscriber_url))
        try:
            yield Cloud(
                endpoint,
                origin,
                destination,
                s3,
                sqs,
                sns,
                queue_url,
                dead_url,
                subscriber_url,
                topic_arn,
                max_receive_count,
            )
        finally:
            for client in (s3, sqs, sns):
                client.close()


def _arn(sqs: "SQSClient", queue_url: str) -> str:
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return attributes["Attributes"]["QueueArn"]


@contextmanager
def _moto() -> Iterator[str]:
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - only local-aws and tests need it
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415

    class Quiet(MotoRequestHandler):
        def log(self, *_: object) -> None:
            pass

    server = make_server(
        "127.0.0.1",
        0,
        _taking_turns(DomainDispatcherApplication(create_backend_app)),
        threaded=True,
        request_handler=Quiet,
    )
    serving = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def _taking_turns(app: "WSGIApplication") -> "WSGIApplication":
    """Let one request at a time at queues and topics.

    In moto 5, a queue that loses one message and gets another at the same time can lose both: a
    deletion replaces its list of messages without the lock that an addition holds.
    """
    lock = RLock()

    def turn(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        scope = environ.get("HTTP_AUTHORIZATION", "")
        if "/sqs/" not in scope and "/sns/" not in scope:
            return app(environ, start_response)
        with lock:
            return list(app(environ, start_response))

    return turn
