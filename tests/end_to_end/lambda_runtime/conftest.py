"""The function's package, run by AWS's own runtime client, with moto and a camera API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from devtools.footage import Recording
from devtools.footage.recording import FFMPEG
from devtools.local_aws.event_source import Delivery, EventSource
from devtools.local_aws.runtime import Function, link_client
from tests.integration.deploy.packaged import packaged_function
from tests.support.service import World, deployed, wait_until

FOOTAGE = Recording(first_number=0, frames=120, size=(160, 90))
TIMEOUT_S = 120
"""Far more than any invocation takes, even on a busy machine."""
MAX_S = 300

HANGING = """#!/bin/sh
trap "" TERM
echo $$ > {pid_file}.$$ && mv {pid_file}.$$ {pid_file}
while :; do sleep 1; done
"""
"""An ffmpeg that writes its process id and ends only by SIGKILL."""


@frozen
class Deployment:
    """The service as deployed, with its queue and everything it calls."""

    world: World
    function: Function

    def source(self, **options: Any) -> EventSource:  # noqa: ANN401
        """Return a poller; failed messages are visible again at once unless `options` differ."""
        cloud, settings = self.world.cloud, {"failed_hidden_s": 0, **options}
        return EventSource(cloud.sqs, cloud.queue_url, self.function, **settings)


def deliver(source: EventSource) -> Delivery:
    """Poll until there is a delivery: at once, unless there is none."""
    delivery: Delivery = wait_until(source.poll)
    return delivery


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> list[Path]:
    """Return the path of a deployed function: its package and the runtime client, no more."""
    return [packaged_function(packages), link_client(tmp_path_factory.mktemp("client"))]


@pytest.fixture(scope="session")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, films: Path, package: list[Path]
) -> Iterator[Deployment]:
    """Start everything but the function's process, which the first message starts."""
    scratch = tmp_path_factory.mktemp("scratch")
    hidden_s = TIMEOUT_S + 30
    with deployed("runtime", scratch, films, visibility_s=hidden_s, max_receive_count=3) as world:
        world.record(FOOTAGE)
        own = {"CAMCLIP_FFMPEG": FFMPEG, "THUMBNAIL_SIZES": "160"}
        settings = {**world.environ(), **own, "FUNCTION_TIMEOUT": str(TIMEOUT_S)}
        function = Function(package, settings, TIMEOUT_S, lambda _: None)
        yield Deployment(world, function)
        function.close()
    assert list(scratch.iterdir()) == []
