"""moto with the resources of a deployment: buckets, queue, dead-letter queue, topic, subscriber.

The clients carry made-up keys and moto's address, so no call leaves this machine whatever the
environment holds.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from io import BytesIO
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
    from mypy_boto3_sqs.type_defs import MessageTypeDef

REGION = "us-east-1"
KEY, SECRET = "local", "local"
ORIGIN_DIR = "rewinds"
DEAD_LETTERS_KEPT_S = "1209600"
"""14 days, as in the template."""


@frozen
class Cloud:
    """The resources of one deployment, and clients for them."""

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
    """A queue that receives every notification of the topic."""
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
            "S3_CONDITIONS": "both",
            "AWS_SNS_TOPIC": self.topic_arn,
            "AWS_SQS_QUEUE_URL": self.queue_url,
            "MAX_RECEIVE_COUNT": str(self.max_receive_count),
            "GIVEN_BACK_REST": "1",
        }

    def send(self, body: str) -> str:
        """Put a message into the queue; return its id."""
        return self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body)["MessageId"]

    def notifications(self) -> Iterator[dict[str, Any]]:
        """Receive and delete the subscriber's new notifications; yield each, `Message` parsed."""
        for message in self.take(self.subscriber_url):
            note = json.loads(message["Body"])
            yield {**note, "Message": json.loads(note["Message"])}

    def take(self, queue_url: str, wait_s: int = 0) -> "Iterator[MessageTypeDef]":
        """Receive and delete all visible messages, after up to `wait_s` for the first."""
        while messages := self.sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=wait_s,
            AttributeNames=["All"],
        ).get("Messages"):
            wait_s = 0
            for message in messages:
                self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
                yield message

    def waiting(self, queue_url: str) -> int:
        """Count a queue's messages: visible, in flight and delayed ones."""
        found = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
        return sum(
            int(count)
            for name, count in found["Attributes"].items()
            if name.startswith("ApproximateNumberOfMessages")
        )

    def has(self, bucket: str, key: str) -> bool:
        """Return whether a bucket holds an object whose key begins with `key`."""
        return bool(self.s3.list_objects_v2(Bucket=bucket, Prefix=key).get("KeyCount"))


@contextmanager
def cloud(
    visibility_s: int,
    max_receive_count: int = 5,
    name: str = "camclip",
    endpoint: str | None = None,
) -> Iterator[Cloud]:
    """Create a deployment at `endpoint`, or in a moto server of its own.

    Messages in flight are hidden for `visibility_s` and are dead-lettered after
    `max_receive_count` deliveries. Everything is named after `name`, since all moto servers of a
    process share their resources.
    """
    with nullcontext(endpoint) if endpoint else moto_server() as url:
        session = boto3.Session(KEY, SECRET, region_name=REGION)
        config = Config(max_pool_connections=20)
        s3 = session.client("s3", endpoint_url=url, config=config)
        sqs = session.client("sqs", endpoint_url=url, config=config)
        sns = session.client("sns", endpoint_url=url, config=config)
        origin, destination = f"{name}-recordings", f"{name}-clips"
        for bucket in (origin, destination):
            s3.create_bucket(Bucket=bucket)
        _protect(s3, destination)
        dead_url = sqs.create_queue(
            QueueName=f"{name}-dead", Attributes={"MessageRetentionPeriod": DEAD_LETTERS_KEPT_S}
        )["QueueUrl"]
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
        yield Cloud(
            url,
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
        for client in (s3, sqs, sns):
            client.close()


def _protect(s3: "S3Client", bucket: str) -> None:
    """Configure the clips' bucket as the template does, so that the doctor finds no fault."""
    rule: Any = {
        "ID": "abort-incomplete-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    block: Any = dict.fromkeys(blocks, True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)


def _arn(sqs: "SQSClient", queue_url: str) -> str:
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return attributes["Attributes"]["QueueArn"]


@contextmanager
def moto_server(*, serializes_queues: bool = True) -> Iterator[str]:
    """Serve moto on a free loopback port; yield its URL."""
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - only local-aws and tests need it
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415

    class Quiet(MotoRequestHandler):
        def log(self, *_: object) -> None:
            pass

    app = _with_trace_headers(DomainDispatcherApplication(create_backend_app))
    server = make_server(
        "127.0.0.1",
        0,
        _serialized(app) if serializes_queues else app,
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


def _with_trace_headers(app: "WSGIApplication") -> "WSGIApplication":
    """Return the application with messages that keep the trace header of their SendMessage.

    moto 5 keeps the system attribute AWSTraceHeader, but does not make it of the HTTP header, as
    SQS does (X-Ray developer guide, "Amazon SQS and AWS X-Ray"). Only for JSON, which boto3 sends.
    """

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        trace = environ.get("HTTP_X_AMZN_TRACE_ID")
        if trace and environ.get("HTTP_X_AMZ_TARGET") == "AmazonSQS.SendMessage":
            request = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            system = request.setdefault("MessageSystemAttributes", {})
            system.setdefault("AWSTraceHeader", {"DataType": "String", "StringValue": trace})
            body = json.dumps(request).encode()
            environ = {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return app(environ, start_response)

    return answer


def _serialized(app: "WSGIApplication") -> "WSGIApplication":
    """Return the application with one request at a time at queues and topics.

    In moto 5, a queue that loses one message and gets another at the same time can lose both: a
    deletion replaces its list of messages without the lock that an addition holds.
    """
    lock = RLock()

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        scope = environ.get("HTTP_AUTHORIZATION", "")
        if "/sqs/" not in scope and "/sns/" not in scope:
            return app(environ, start_response)
        with lock:
            return list(app(environ, start_response))

    return answer
