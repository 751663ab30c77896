"""Everything around the function: moto for AWS, a camera API, each behind a gate; footage."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import Any

import boto3
from attrs import frozen
from botocore.config import Config

from tests.end_to_end.service.conftest import CameraServer, World
from tests.support.gate import Gate, Reply, Request, Trap, forward, gate

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "made-up-secret",
    "AWS_DEFAULT_REGION": "us-west-1",
}
SOMEBODY_ELSES = "somebody-elses"


@frozen
class Scene:
    """A camera and a clip of its own, a scratch folder, gates, and the function's environment."""

    world: World
    camera_api: Gate
    aws: Gate
    environ: Mapping[str, str]
    folder: Path
    _drained: Lock

    @property
    def key(self) -> str:
        """The clip's key, without the `.mp4`."""
        return f"{self.world.camera_id}/{self.world.clip_id}"

    @property
    def asked_s(self) -> list[float]:
        """When each request so far was made, on the monotonic clock."""
        return sorted(self.camera_api.asked_s + self.aws.asked_s)

    def release(self) -> None:
        """Take the traps away."""
        for opened in (self.camera_api, self.aws):
            opened.release()

    def published(self) -> list[dict[str, Any]]:
        with self._drained:
            return self.world.published()

    def scratch(self) -> list[str]:
        """What lies in the scratch folder, but for what somebody else put there."""
        left = {path.name for path in self.world.scratch.iterdir()}
        assert SOMEBODY_ELSES in left, "The function took what is somebody else's."
        return sorted(left - {SOMEBODY_ELSES})


@frozen
class Outside:
    """What all scenes share."""

    world: World
    moto_url: str
    topic_arn: str
    folder: Path
    _drained: Lock

    @contextmanager
    def scene(
        self,
        camera_trap: Trap | None = None,
        aws_trap: Trap | None = None,
        scratch: Path | None = None,
        **environ: str,
    ) -> Iterator[Scene]:
        """Set a scene up."""
        scratch = scratch or Path(mkdtemp(prefix="scratch-", dir=self.folder))
        (scratch / SOMEBODY_ELSES).mkdir()
        shared = self.world
        world = World(
            shared.camera_api,
            shared.s3,
            shared.sqs,
            shared.requests_url,
            shared.subscriber_url,
            scratch,
            shared.footage,
            None,
            shared.notes,
        )
        world.camera_api.recordings[world.camera_id] = []
        with ExitStack() as gates:
            api = gates.enter_context(gate(_camera(world.camera_api), camera_trap))
            aws = gates.enter_context(gate(forward(self.moto_url), aws_trap))
            wired = self._environ(world, api.url, aws.url) | environ
            yield Scene(world, api, aws, wired, self.folder, self._drained)

    def _environ(self, world: World, camera_url: str, aws_url: str) -> dict[str, str]:
        return {
            **CREDENTIALS,
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": aws_url,
            "CLIP_DOWNLOAD_DEST": str(world.scratch),
            "CAM_SERVICES_URL": camera_url,
            "RECORDINGS_URL": camera_url,
            "CLIP_URL": "https://camclips.sandbox.test.com",
            "S3_BUCKET_ORIGIN": "origin",
            "S3_BUCKET_ORIGIN_DIR": "rewinds",
            "S3_BUCKET_DESTINATION": "destination",
            "AWS_SNS_TOPIC": self.topic_arn,
            "AWS_SQS_QUEUE_URL": world.requests_url,
            "THUMBNAIL_SIZES": "300 640",
        }


def _camera(server: CameraServer) -> Callable[[Request], Reply]:
    def ask(request: Request) -> Reply:
        status, payload = server.answer(request.method, request.target, request.body)
        return Reply(status, {"Content-Type": "application/json"}, json.dumps(payload).encode())

    return ask


@contextmanager
def outside(folder: Path, footage: Path) -> Iterator[Outside]:
    """Start moto, with buckets, queues and a topic; `footage` keeps recordings once made."""
    with _moto() as url:
        yield _set_up(url, folder, footage)


@contextmanager
def _moto() -> Iterator[str]:
    """Serve AWS in a process of its own: within one, all of moto's servers share what they hold."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(argv, stdin=quiet, stdout=quiet, stderr=quiet) as moto:
        try:
            until_s = time.monotonic() + 60
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    assert time.monotonic() < until_s, "moto does not start."
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            moto.kill()


def _set_up(url: str, folder: Path, footage: Path) -> Outside:
    session = boto3.Session(
        CREDENTIALS["AWS_ACCESS_KEY_ID"],
        CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
    )
    config = Config(max_pool_connections=20)
    s3 = session.client("s3", endpoint_url=url, config=config)
    sqs = session.client("sqs", endpoint_url=url, config=config)
    sns = session.client("sns", endpoint_url=url)
    for bucket in ("origin", "destination"):
        s3.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-1"}
        )
    requests_url = sqs.create_queue(QueueName="requests")["QueueUrl"]
    subscriber_url = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    topic_arn = sns.create_topic(Name="clips")["TopicArn"]
    attributes = sqs.get_queue_attributes(QueueUrl=subscriber_url, AttributeNames=["QueueArn"])
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=attributes["Attributes"]["QueueArn"])
    world = World(CameraServer(), s3, sqs, requests_url, subscriber_url, folder, footage, None)
    return Outside(world, url, topic_arn, folder, Lock())
