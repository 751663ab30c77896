"""The Lambda function as deployed: moto for AWS, a loopback camera API, real ffmpeg, real footage.

The handler's module reads the environment when it is imported, so there is one world per process;
tests keep apart by the ids of their clips and cameras.
"""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest
from attrs import Factory, define, frozen
from moto.server import ThreadedMotoServer
from mypy_boto3_s3 import S3Client
from mypy_boto3_sqs import SQSClient

from devtools.footage import Recording, cached_recording
from entrypoints.lambda_context import HandlerContext
from tests.support.logs import Watch, leaks

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECRETS = ("AKIDEXAMPLE", "made-up-secret", "Authorization", "Signature=", "X-Amz-Security")
"""No line of the log holds any of them."""
FRAMES_PER_SECOND = 30
PERIOD_MS = 8_000
"""The beeps of the footage repeat after this time."""


@frozen
class Context(HandlerContext):
    """Lambda's context, whose remaining time stands still."""

    ends_s: float = 0
    aws_request_id: str = "request"
    left_ms: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


@define
class CameraServer:
    """The camera API: what it lists, what it was told, and how it fails."""

    recordings: dict[str, list[dict[str, str]]] = Factory(dict)
    """Rows by camera; the alias is the camera id with `-alias` behind it."""
    told: list[dict[str, Any]] = Factory(list)
    asked: list[str] = Factory(list)
    failing: set[str] = Factory(set)
    """Fragments of paths that are answered with `failure`."""
    failure: int = 500

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, object]:
        url = urlsplit(target)
        self.asked.append(f"{method} {url.path}")
        if any(part in url.path for part in self.failing):
            return self.failure, "out of order"
        match [method, *url.path.strip("/").split("/")]:
            case ["GET", "cameras", "recording", alias]:
                query = {
                    key: int(values[0])
                    for key, values in parse_qs(url.query).items()
                    if key[-4:] == "Date"
                }
                rows = self.recordings[alias.removesuffix("-alias")]
                return 200, [r for r in rows if _overlaps(r, query["startDate"], query["endDate"])]
            case ["GET", "cameras", camera_id] if camera_id in self.recordings:
                return 200, {"alias": f"{camera_id}-alias"}
            case ["PUT", "cameras", "clips", _]:
                self.told.append(json.loads(body))
                return 200, {}
            case _:
                return 404, {}


def _overlaps(row: dict[str, str], start_ms: int, end_ms: int) -> bool:
    starts, ends = (
        (datetime.fromisoformat(row[key]) - EPOCH) // timedelta(milliseconds=1)
        for key in ("startDate", "endDate")
    )
    return starts < end_ms and start_ms < ends


def iso(instant_ms: int) -> str:
    return (
        (EPOCH + timedelta(milliseconds=instant_ms))
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


@define
class World:
    """The service and everything around it."""

    camera_api: CameraServer
    s3: S3Client
    sqs: SQSClient
    requests_url: str
    subscriber_url: str
    scratch: Path
    footage: Path
    handler: Any
    notes: list[dict[str, Any]] = Factory(list)
    bodies: list[str] = Factory(list)
    """What was delivered: none of it may be logged."""
    camera_id: str = Factory(lambda: f"cam-{uuid4().hex[:8]}")
    clip_id: str = Factory(lambda: f"clip-{uuid4().hex[:8]}")
    now_ms: int = Factory(lambda: time.time_ns() // 1_000_000)

    @property
    def moment_ms(self) -> int:
        """A moment two to three minutes ago at which the footage's beeps begin anew."""
        return (self.now_ms - 150_000) // PERIOD_MS * PERIOD_MS

    def record(self, recording: Recording, *, listed: bool = True, stored: bool = True) -> str:
        """Let the recorder write a recording that starts `start_ms` after the moment."""
        start_ms = self.moment_ms + recording.start_ms
        stamp = iso(start_ms).translate(str.maketrans("", "", "-:.Z"))
        name = f"{self.camera_id}.stream.{stamp}.mp4"
        if stored:
            path = cached_recording(self.footage, recording)
            self.s3.upload_file(str(path), "origin", f"rewinds/{name}")
        if listed:
            self.camera_api.recordings[self.camera_id].insert(
                0,
                {
                    "startDate": iso(start_ms),
                    "endDate": iso(start_ms + round(recording.duration_ms)),
                    "recordingUrl": f"https://recordings.invalid/somewhere/{name}",
                    "alias": f"{self.camera_id}-alias",
                    "thumbLargeUrl": "https://recordings.invalid/large.jpg",
                    "thumbSmallUrl": "https://recordings.invalid/small.jpg",
                },
            )
        return name

    def body(self, start_ms: int, end_ms: int, **other: object) -> dict[str, Any]:
        """A request for the footage from `start_ms` to `end_ms` after the moment."""
        return {
            "clipId": self.clip_id,
            "cameraId": self.camera_id,
            "startTimestampInMs": self.moment_ms + start_ms,
            "endTimestampInMs": self.moment_ms + end_ms,
            "retryTimestamps": [],
            **other,
        }

    def message(
        self, body: object, *, sent_at_ms: int | None = None, received: int = 1
    ) -> dict[str, Any]:
        """A record as SQS hands it to Lambda."""
        return {
            "messageId": str(uuid4()),
            "body": body if isinstance(body, str) else json.dumps(body),
            "eventSource": "aws:sqs",
            "attributes": {
                "SentTimestamp": str(self.now_ms if sent_at_ms is None else sent_at_ms),
                "ApproximateReceiveCount": str(received),
            },
        }

    def handle(self, *messages: dict[str, Any], context: Context | None = None) -> list[str]:
        """Deliver the messages; return the ids of those given back."""
        self.bodies += [str(message["body"]) for message in messages]
        answer = self.handler({"Records": list(messages)}, context or Context())
        assert set(answer) == {"batchItemFailures"}
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def told(self, clip_id: str | None = None) -> list[dict[str, Any]]:
        """What the camera API was told of the clip, in order."""
        return [r for r in self.camera_api.told if r["clipId"] == (clip_id or self.clip_id)]

    def published(self, clip_id: str | None = None) -> list[dict[str, Any]]:
        """What the subscribers got of the clip: SNS's envelopes, `Message` parsed."""
        while messages := self.sqs.receive_message(
            QueueUrl=self.subscriber_url, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in messages:
                note = json.loads(message["Body"])
                self.notes.append({**note, "Message": json.loads(note["Message"])})
                self.sqs.delete_message(
                    QueueUrl=self.subscriber_url, ReceiptHandle=message["ReceiptHandle"]
                )
        return [n for n in self.notes if n["Message"]["clipId"] == (clip_id or self.clip_id)]

    def queued(self, wait_s: int = 0) -> list[dict[str, Any]]:
        """Take the requests for the clip out of the queue, as records for the handler.

        SQS holds them back for a second at least: `wait_s` is how long to wait for the first.
        """
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(
            QueueUrl=self.requests_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=0 if found else wait_s,
            AttributeNames=["All"],
        ).get("Messages"):
            for message in messages:
                self.sqs.delete_message(
                    QueueUrl=self.requests_url, ReceiptHandle=message["ReceiptHandle"]
                )
                if self.clip_id in message["Body"]:
                    record = self.message(message["Body"])
                    found.append({**record, "attributes": message["Attributes"]})
        return found

    def stored(self) -> dict[str, dict[str, Any]]:
        """The objects of the clip, by key: the answer to a GET of each."""
        found = self.s3.list_objects_v2(
            Bucket="destination", Prefix=f"{self.camera_id}/{self.clip_id}"
        )
        return {
            row["Key"]: dict(self.s3.get_object(Bucket="destination", Key=row["Key"]))
            for row in found.get("Contents", [])
        }

    def download(self, folder: Path) -> Path:
        """Fetch the clip."""
        path = folder / "clip.mp4"
        self.s3.download_file("destination", f"{self.camera_id}/{self.clip_id}.mp4", str(path))
        return path


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of footage for all the processes of a test run."""
    folder = tmp_path_factory.getbasetemp()
    shared = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "footage"
    shared.mkdir(exist_ok=True)
    return shared


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, footage: Path) -> Iterator[World]:
    """Start everything and import the handler."""
    camera_api = CameraServer()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def reply(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            status, payload = camera_api.answer(self.command, self.path, self.rfile.read(length))
            data = json.dumps(payload).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    api = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=api.serve_forever, daemon=True).start()
    moto = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    scratch = tmp_path_factory.mktemp("scratch")
    os.environ.update(
        AWS_ACCESS_KEY_ID=SECRETS[0],
        AWS_SECRET_ACCESS_KEY=SECRETS[1],
        AWS_DEFAULT_REGION="us-west-1",
        AWS_ENDPOINT_URL=f"http://{host}:{port}",
    )
    s3, sqs, sns = boto3.client("s3"), boto3.client("sqs"), boto3.client("sns")
    for bucket in ("origin", "destination"):
        s3.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-1"}
        )
    requests_url = sqs.create_queue(QueueName="requests")["QueueUrl"]
    subscriber_url = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    topic_arn = sns.create_topic(Name="clips")["TopicArn"]
    subscriber_arn = sqs.get_queue_attributes(QueueUrl=subscriber_url, AttributeNames=["QueueArn"])[
        "Attributes"
    ]["QueueArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=subscriber_arn)
    base = f"http://127.0.0.1:{api.server_address[1]}"
    os.environ.update(
        CLIP_DOWNLOAD_DEST=str(scratch),
        CAM_SERVICES_URL=base,
        RECORDINGS_URL=base,
        CLIP_URL="https://camclips.sandbox.test.com",
        S3_BUCKET_ORIGIN="origin",
        S3_BUCKET_ORIGIN_DIR="rewinds",
        S3_BUCKET_DESTINATION="destination",
        AWS_SNS_TOPIC=topic_arn,
        AWS_SQS_QUEUE="arn:aws:sqs:us-west-1:123456789012:requests",
        AWS_SQS_QUEUE_URL=requests_url,
        SQS_TIMEOUT="1",
        LOG_LEVEL="INFO",
    )
    from entrypoints.aws_lambda import handler  # noqa: PLC0415 - it reads the environment

    yield World(camera_api, s3, sqs, requests_url, subscriber_url, scratch, footage, handler)
    moto.stop()
    api.shutdown()
    api.server_close()


@pytest.fixture
def world(service: World) -> Iterator[World]:
    """A camera and a clip of its own; whatever happens, no scratch is left, and no secret told."""
    fresh = World(
        service.camera_api,
        service.s3,
        service.sqs,
        service.requests_url,
        service.subscriber_url,
        service.scratch,
        service.footage,
        service.handler,
        service.notes,
    )
    fresh.camera_api.failing.clear()
    fresh.camera_api.failure = 500
    fresh.camera_api.recordings[fresh.camera_id] = []
    with Watch() as watch:
        yield fresh
    assert leaks(watch.lines, SECRETS, fresh.bodies) == []
    assert list(service.scratch.iterdir()) == []  # nothing is left, whatever the outcome
