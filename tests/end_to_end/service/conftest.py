"""The Lambda function as deployed: moto for AWS, a loopback camera API, real ffmpeg, real footage.

The handler's module reads the environment when it is imported, so there is one service per process;
tests are kept apart by the ids of their clips and cameras.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.local_aws.camera_api import no_fault
from tests.campaigns.kills.deployment import Deployment, deployment
from tests.support.keys import SIGNING_KEY
from tests.support.logs import Watch, leaks
from tests.support.service import CREDENTIALS, World, deployed

SECRETS = (
    SIGNING_KEY.split("\n")[1],
    *CREDENTIALS.values(),
    "Authorization",
    "Signature=",
    "X-Amz-Security",
)
"""No line of the log holds any of them."""

ZONE = "Europe/Madrid"


@pytest.fixture(scope="session")
def around(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Iterator[Deployment]:
    """Start what a function in a process of its own works with."""
    with deployment(tmp_path_factory.mktemp("deployment"), films) as started:
        yield started


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Iterator[World]:
    """Start everything and import the handler."""
    with deployed("service", tmp_path_factory.mktemp("scratch"), films) as world:
        os.environ.update(world.environ(), SQS_TIMEOUT="1", THUMBNAIL_SIZES="300 640", CLIP_TZ=ZONE)
        os.environ["PROOF_KEY"] = SIGNING_KEY
        del os.environ["GIVEN_BACK_REST"]
        from entrypoints.aws_lambda import handler  # noqa: PLC0415 - it reads the environment

        world.handler = handler
        yield world


@pytest.fixture
def world(service: World) -> Iterator[World]:
    """A new camera and clip; afterwards no scratch may be left, and no secret in the log."""
    service.cameras.fault = no_fault
    fresh = service.new_camera()
    with Watch() as watch:
        yield fresh
    assert leaks(watch.lines, SECRETS, fresh.bodies) == []
    assert list(service.scratch.iterdir()) == []
