"""The service under test: its deployment in moto, a camera API, and one camera's requests."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from attrs import Factory, define, evolve, frozen

from devtools.footage import Recording, cached_recording
from devtools.local_aws.camera_api import CameraStandIn, file_name
from devtools.local_aws.cloud import ORIGIN_DIR, Cloud, cloud
from devtools.local_aws.http_server import serve
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.lambda_context import HandlerContext
from infrastructure.in_memory import InMemoryCameraService

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CLIP_URL = "https://camclips.sandbox.test.com"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "made-up-secret"}
AGE_MS = 150_000
PERIOD_MS = 8_000
"""The beeps of the footage repeat after this time."""


def wait_until(condition: Callable[[], Any], within_s: float = 60) -> Any:  # noqa: ANN401
    """Wait for the condition and return its value; AssertionError if it stays false."""
    ends_s = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < ends_s, "what was waited for did not come"
        time.sleep(0.005)
    return found


def sqs_record(body: object, sent_at_ms: int, received: int = 1, **own: object) -> dict[str, Any]:
    """Return a record as Lambda's event source delivers it."""
    return {
        "messageId": str(uuid4()),
        "body": body if isinstance(body, str) else json.dumps(body),
        "eventSource": "aws:sqs",
        "attributes": {
            "SentTimestamp": str(sent_at_ms),
            "ApproximateReceiveCount": str(received),
        },
        **own,
    }


def clip_body(clip_id: str, camera_id: str, start_ms: int, end_ms: int) -> dict[str, Any]:
    """Return the body of a request."""
    return {
        "clipId": clip_id,
        "cameraId": camera_id,
        "startTimestampInMs": start_ms,
        "endTimestampInMs": end_ms,
    }


def moment_before(now_ms: int) -> int:
    """Return a moment two to three minutes ago at which the footage's beeps start over."""
    return (now_ms - AGE_MS) // PERIOD_MS * PERIOD_MS


@frozen
class Context(HandlerContext):
    """Lambda's context, whose remaining time stands still."""

    ends_s: float = 0
    aws_request_id: str = "request"
    left_ms: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


@define
class World:
    """One camera and one clip of it, in a deployment that others may share."""

    cloud: Cloud
    cameras: CameraStandIn
    scratch: Path
    films: Path
    cameras_url: str = ""
    handler: Any = None
    notes: list[dict[str, Any]] = Factory(list)
    """All notifications received so far, by whichever camera."""
    bodies: list[str] = Factory(list)
    """The delivered bodies, none of which may be logged."""
    camera_id: str = Factory(lambda: f"cam-{uuid4().hex[:8]}")
    clip_id: str = Factory(lambda: f"clip-{uuid4().hex[:8]}")
    now_ms: int = Factory(lambda: time.time_ns() // 1_000_000)

    def new_camera(self, scratch: Path | None = None) -> "World":
        """Return a world with another camera and clip in the same deployment."""
        name = uuid4().hex[:8]
        fresh = evolve(
            self,
            scratch=scratch or self.scratch,
            bodies=[],
            camera_id=f"cam-{name}",
            clip_id=f"clip-{name}",
            now_ms=time.time_ns() // 1_000_000,
        )
        fresh.segments.clear()  # the camera exists, without recordings
        return fresh

    def new_clip(self, suffix: object) -> "World":
        """Return a world with another clip of the same camera."""
        return evolve(self, clip_id=f"{self.clip_id}-{suffix}")

    @property
    def s3(self) -> "S3Client":
        """The deployment's client."""
        return self.cloud.s3

    @property
    def segments(self) -> list[RecordingSegment]:
        """What the camera API lists of this camera."""
        assert isinstance(self.cameras.cameras, InMemoryCameraService)
        return self.cameras.cameras.segments.setdefault(self.camera_id, [])

    @property
    def moment_ms(self) -> int:
        """The moment that all times of recordings and requests count from."""
        return moment_before(self.now_ms)

    @property
    def key(self) -> str:
        """The clip's key without its extension."""
        return f"{self.camera_id}/{self.clip_id}"

    def environ(self, cameras_url: str = "") -> dict[str, str]:
        """Return the settings of a function of this deployment."""
        return {
            **self.cloud.environ(cameras_url or self.cameras_url),
            **CREDENTIALS,
            "CLIP_URL": CLIP_URL,
            "CLIP_DOWNLOAD_DEST": str(self.scratch),
            "LOG_LEVEL": "INFO",
        }

    def record(self, recording: Recording, *, listed: bool = True, stored: bool = True) -> str:
        """Store and list a recording that starts `start_ms` after the moment; return its name."""
        start_ms = self.moment_ms + recording.start_ms
        name = file_name(self.camera_id, start_ms)
        if stored:
            self.put(name, cached_recording(self.films, recording).read_bytes())
        if listed:
            window = TimeWindow(start_ms, start_ms + round(recording.duration_ms))
            self.segments.append(RecordingSegment(window, name))
        return name

    def put(self, name: str, data: bytes) -> None:
        """Store the bytes of a recording."""
        key = f"{ORIGIN_DIR}/{name}"
        self.cloud.s3.put_object(Bucket=self.cloud.origin, Key=key, Body=data)

    def body(self, start_ms: int, end_ms: int, **other: object) -> dict[str, Any]:
        """Return a request for the footage from `start_ms` to `end_ms` after the moment."""
        start_ms, end_ms = self.moment_ms + start_ms, self.moment_ms + end_ms
        body = clip_body(self.clip_id, self.camera_id, start_ms, end_ms)
        return {**body, "retryTimestamps": [], **other}

    def ask(self, start_ms: int, end_ms: int, **other: object) -> "World":
        """Queue a request for another clip, which is returned."""
        clip = self.new_clip(uuid4().hex[:8])
        self.cloud.send(json.dumps(clip.body(start_ms, end_ms, **other)))
        return clip

    def message(
        self, body: object, *, sent_at_ms: int | None = None, received: int = 1
    ) -> dict[str, Any]:
        """Return a record for the handler."""
        return sqs_record(body, self.now_ms if sent_at_ms is None else sent_at_ms, received)

    def handle(self, *messages: dict[str, Any], context: HandlerContext | None = None) -> list[str]:
        """Deliver the messages; return the ids of those that failed."""
        self.bodies += [str(message["body"]) for message in messages]
        answer = self.handler({"Records": list(messages)}, context or Context())
        assert set(answer) == {"batchItemFailures"}
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def reports(self, clip_id: str | None = None) -> list[dict[str, Any]]:
        """Return the camera API's reports on the clip, in order."""
        return [r for r in self.cameras.reports if r["clipId"] == (clip_id or self.clip_id)]

    def statuses(self, clip_id: str | None = None) -> list[str]:
        """Return the statuses reported of the clip, in order."""
        return [report["status"] for report in self.reports(clip_id)]

    def published(self, clip_id: str | None = None) -> list[dict[str, Any]]:
        """Return the clip's notifications: SNS's envelopes, `Message` parsed."""
        self.notes.extend(self.cloud.notifications())
        return [n for n in self.notes if n["Message"]["clipId"] == (clip_id or self.clip_id)]

    def queued(self, wait_s: int = 0) -> list[dict[str, Any]]:
        """Take the requests for the clip out of the queue, as records for the handler.

        SQS delays them by a second at least: `wait_s` is how long to wait for the first.
        """
        return [
            {**self.message(message["Body"]), "attributes": message["Attributes"]}
            for message in self.cloud.take(self.cloud.queue_url, wait_s)
            if self.clip_id in message["Body"]
        ]

    def stored(self) -> dict[str, Mapping[str, Any]]:
        """Return the clip's objects by key: the answer to a GET of each."""
        s3, bucket = self.cloud.s3, self.cloud.destination
        rows = s3.list_objects_v2(Bucket=bucket, Prefix=self.key).get("Contents", [])
        found: dict[str, Any] = {
            row["Key"]: dict(s3.get_object(Bucket=bucket, Key=row["Key"])) for row in rows
        }
        for answer in found.values():
            answer["Body"] = BytesIO(answer["Body"].read())
        return found

    def download(self, folder: Path) -> Path:
        """Fetch the clip."""
        path = folder / "clip.mp4"
        self.cloud.s3.download_file(self.cloud.destination, f"{self.key}.mp4", str(path))
        return path


@contextmanager
def deployed(
    name: str,
    scratch: Path,
    films: Path,
    *,
    visibility_s: int = 60,
    max_receive_count: int = 5,
    endpoint: str | None = None,
) -> Iterator[World]:
    """Create a deployment and serve its camera API; its function is up to the test."""
    cameras = CameraStandIn(InMemoryCameraService())
    own_name = f"{name}-{uuid4().hex[:8]}"
    with (
        cloud(visibility_s, max_receive_count, own_name, endpoint) as there,
        serve(cameras) as url,
    ):
        yield World(there, cameras, scratch, films, url)


def redelivered(message: dict[str, Any]) -> dict[str, Any]:
    """Return the message as it is delivered for the second time."""
    return {**message, "attributes": {**message["attributes"], "ApproximateReceiveCount": "2"}}
