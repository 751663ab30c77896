"""A deployment in moto that is served, and its function, which handles the queue on demand."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from devtools.footage.recording import FFMPEG
from entrypoints.container import AwsService, aws_service
from entrypoints.serve.application import aws_serving
from entrypoints.serve.aws.clips import AwsClips
from entrypoints.serve.guard import Access
from tests.support.served import EVERYONE, Served, running
from tests.support.service import World, deployed, sqs_record


@frozen
class ServedAws:
    """A server of a deployment."""

    server: Served
    world: World
    service: AwsService
    """The server's."""
    function: AwsService

    @property
    def clips(self) -> AwsClips:
        """The clips that are served."""
        assert isinstance(self.server.serving.known, AwsClips)
        return self.server.serving.known

    @property
    def name(self) -> str:
        """The address of the world's clip."""
        return f"/api/v1/clips/{self.world.key}"

    def body(self, start_ms: int, end_ms: int, **other: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the body of a request for the footage between two times after the moment."""
        body = {**self.world.body(start_ms, end_ms), **other}
        del body["retryTimestamps"]
        return body

    def queued(self) -> list[str]:
        """Take the bodies out of the queue."""
        cloud = self.world.cloud
        return [message["Body"] for message in cloud.take(cloud.queue_url)]

    def handle(self) -> int:
        """Handle the queue as the function does; return how many messages there were."""
        bodies = self.queued()
        for body in bodies:
            record = sqs_record(body, self.world.now_ms)
            answer = self.function.handle_batch()({"Records": [record]}, lambda: 120_000)
            assert answer == {"batchItemFailures": []}
        return len(bodies)


@contextmanager
def deployment(folder: Path, films: Path, endpoint: str | None = None) -> Iterator[World]:
    """Deploy what is served, and set the environment for it."""
    scratch = folder / "scratch"
    scratch.mkdir()
    with (
        deployed("serve", scratch, films, endpoint=endpoint) as world,
        pytest.MonkeyPatch.context() as env,
    ):
        own = {"CAMCLIP_FFMPEG": FFMPEG, "THUMBNAIL_SIZES": "160", "SQS_TIMEOUT": "1"}
        for name, text in {**world.environ(), **own}.items():
            env.setenv(name, text)
        yield world
    assert list(scratch.iterdir()) == []


@contextmanager
def served_aws(
    world: World, state: Path, *named: str, access: Access = EVERYONE
) -> Iterator[ServedAws]:
    """Serve a deployment that the environment describes until the block ends."""
    service = aws_service(os.environ)
    with running(aws_serving(service, named or (world.camera_id,), state, access)) as server:
        yield ServedAws(server, world, service, aws_service(os.environ))
