"""The worlds of the adapters that a deployed service has: an HTTP server, and moto for AWS."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import boto3
from attrs import frozen

from devtools.local_aws.camera_api import CameraStandIn
from devtools.local_aws.http_server import Request, Response, serve
from domain.clip import ClipName, ClipRequest
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.aws import CONFIG
from infrastructure.camera_api.client import HttpCameraService
from infrastructure.formats.messages import read_message
from infrastructure.formats.object_keys import clip_key, sidecar_key, thumbnail_key
from infrastructure.in_memory import InMemoryCameraService
from infrastructure.layouts.bucket_layout import bucket_layout
from infrastructure.layouts.wall_clock import EPOCH
from infrastructure.s3 import S3CameraService, S3ClipStore, S3RecordingStore
from infrastructure.sns import SnsNotifier
from infrastructure.sqs.queue import SqsRetryQueue
from tests.contract.media import FORMAT, LENGTH_MS, Media
from tests.support.clip_store import clip_store
from tests.support.contracts import Exchange, faults

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


@frozen
class Aws:
    """Clients of a stand-in for AWS."""

    s3: "S3Client"
    sqs: "SQSClient"
    sns: "SNSClient"

    def bucket(self) -> str:
        """Make a bucket."""
        name = f"b-{uuid4().hex}"
        self.s3.create_bucket(Bucket=name)
        return name

    def queue(self) -> str:
        """Make a queue and return its address."""
        return self.sqs.create_queue(QueueName=uuid4().hex)["QueueUrl"]

    def object(self, bucket: str, key: str) -> bytes | None:
        """Return an object's bytes."""
        try:
            return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None


@cache
def aws_session() -> boto3.Session:
    """Share what takes long to load."""
    return boto3.Session("test", "test", region_name="us-east-1")


def clients_of(endpoint: str) -> Aws:
    """Connect to a server that does not ask who one is."""
    session = aws_session()
    return Aws(
        session.client("s3", endpoint_url=endpoint, config=CONFIG),
        session.client("sqs", endpoint_url=endpoint, config=CONFIG),
        session.client("sns", endpoint_url=endpoint, config=CONFIG),
    )


class HttpCameraWorld:
    """The camera API over HTTP, newest recordings first."""

    def __init__(self, stand_in: CameraStandIn, listed: InMemoryCameraService, url: str) -> None:
        self.stand_in, self.listed, self.url = stand_in, listed, url
        self.deleted: set[str] = set()
        self.exchanges: list[Exchange] = []
        stand_in.fault = self._forgotten
        self.cameras: HttpCameraService = HttpCameraService(url, url, FORMAT)

    def has_camera(self, camera_id: str) -> None:
        self.listed.segments.setdefault(camera_id, [])

    def has_segment(self, camera_id: str, start_ms: int, suffix: str = "mp4") -> RecordingSegment:
        window = TimeWindow(start_ms, start_ms + LENGTH_MS)
        segment = RecordingSegment(window, f"{camera_id}.stream.{start_ms}.{suffix}")
        self.listed.segments.setdefault(camera_id, []).append(segment)
        return segment

    def has_unusable(self, camera_id: str, start_ms: int) -> str:
        return self.has_segment(camera_id, start_ms, "ts").name

    def forgets_clip(self, clip_id: str) -> None:
        self.deleted.add(clip_id)

    def state(self, clip_id: str) -> Mapping[str, object] | None:
        return self.stand_in.state(clip_id)

    def _forgotten(self, request: Request) -> Response | None:
        clip_id = request.target.rpartition("/")[2]
        is_forgotten = request.method == "PUT" and clip_id in self.deleted
        return Response.json({"message": "no such clip"}, 404) if is_forgotten else None


@contextmanager
def http_cameras() -> Iterator[HttpCameraWorld]:
    """Serve a camera API without cameras."""
    listed = InMemoryCameraService()
    stand_in = CameraStandIn(listed)
    exchanges: list[Exchange] = []

    def answer(request: Request) -> Response:
        response = stand_in(request)
        asked = (request.method, request.target, request.body)
        exchanges.append(Exchange(*asked, response.status, response.body))
        return response

    with serve(answer) as url:
        world = HttpCameraWorld(stand_in, listed, url)
        world.exchanges = exchanges
        yield world


class BucketCameraWorld:
    """Cameras of which there is nothing but recordings in a bucket, as mediamtx names them."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.bucket = aws.bucket()
        self.zone = ZoneInfo("Europe/Madrid")
        layout = bucket_layout("mediamtx")
        self.cameras = S3CameraService(aws.s3, self.bucket, layout, self.zone, "rewinds")

    def has_camera(self, camera_id: str) -> None:
        """Make what the console makes for a folder."""
        self._put(f"{camera_id}/")

    def has_segment(self, camera_id: str, start_ms: int, suffix: str = "mp4") -> RecordingSegment:
        start = (EPOCH + timedelta(milliseconds=start_ms)).astimezone(self.zone)
        name = f"{camera_id}/{start:%Y-%m-%d_%H-%M-%S-%f}.{suffix}"
        self._put(name)
        return RecordingSegment(TimeWindow(start_ms, start_ms + LENGTH_MS), name)

    def has_unusable(self, camera_id: str, start_ms: int) -> str:
        return self.has_segment(camera_id, start_ms, "ts").name

    def _put(self, name: str) -> None:
        self.aws.s3.put_object(Bucket=self.bucket, Key=f"rewinds/{name}")


class S3RecordingWorld:
    """A bucket with a folder."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.bucket = aws.bucket()
        self.recordings: S3RecordingStore = S3RecordingStore(aws.s3, self.bucket, "/rewinds/")

    def stores(self, name: str, media: Media) -> None:
        self.aws.s3.put_object(Bucket=self.bucket, Key=f"rewinds/{name}", Body=media.data)

    def removes(self, name: str) -> None:
        self.aws.s3.delete_object(Bucket=self.bucket, Key=f"rewinds/{name}")


class S3ClipWorld:
    """A bucket."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.bucket = aws.bucket()
        self.clips: S3ClipStore = clip_store(aws.s3, self.bucket)

    def clip_bytes(self, name: ClipName) -> bytes | None:
        return self.aws.object(self.bucket, clip_key(name))

    def thumbnail_bytes(self, name: ClipName, width: int) -> bytes | None:
        return self.aws.object(self.bucket, thumbnail_key(name, width, "jpg"))

    def sidecar_bytes(self, name: ClipName, sidecar: str) -> bytes | None:
        return self.aws.object(self.bucket, sidecar_key(name, sidecar))

    def has_foreign_clip(self, name: ClipName) -> None:
        self.aws.s3.put_object(Bucket=self.bucket, Key=clip_key(name), Body=b"foreign")

    def manifests(self) -> list[object]:
        listed = self.aws.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        keys = [row["Key"] for row in listed if row["Key"].endswith(".json")]
        return [json.loads(self.aws.object(self.bucket, key) or b"") for key in keys]


class SqsQueueWorld:
    """A queue."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.queue_url = aws.queue()
        self.queue: SqsRetryQueue = SqsRetryQueue(aws.sqs, self.queue_url)

    def received_within(self, time_s: float) -> list[ClipRequest]:
        answer = self.aws.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=round(time_s),
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        received = []
        for message in answer.get("Messages", []):
            assert faults("request", json.loads(message["Body"])) == []
            request = read_message(message["Body"], int(message["Attributes"]["SentTimestamp"]))
            assert isinstance(request, ClipRequest)
            received.append(request)
        return received


class SnsNotifierWorld:
    """A topic, heard through a queue that subscribes to it."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.queue_url = aws.queue()
        topic_arn = aws.sns.create_topic(Name=uuid4().hex)["TopicArn"]
        queue_arn = aws.sqs.get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        aws.sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
        self.notifier: SnsNotifier = SnsNotifier(aws.sns, topic_arn, FORMAT)

    def heard(self) -> list[tuple[str, Mapping[str, object]]]:
        return [
            (letter["MessageAttributes"]["eventId"]["Value"], json.loads(letter["Message"]))
            for letter in self.letters()
        ]

    def letters(self) -> list[dict[str, Any]]:
        """Return the notifications whole, as the queue got them."""
        answer = self.aws.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        letters = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        assert [fault for letter in letters for fault in faults("notification", letter)] == []
        return letters
