"""A camera with one recording of four seconds, in a deployment that is served."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.footage import Recording
from devtools.local_aws.cloud import moto_server
from tests.support.served_aws import ServedAws, deployment, served_aws
from tests.support.service import World

FOOTAGE = Recording(first_number=0, frames=120, size=(160, 90))


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Stand in for AWS; deployments have names of their own."""
    with moto_server() as url:
        yield url


@pytest.fixture
def world(tmp_path: Path, films: Path, endpoint: str) -> Iterator[World]:
    with deployment(tmp_path, films, endpoint) as there:
        there.record(FOOTAGE)
        yield there


@pytest.fixture
def served(world: World, tmp_path: Path) -> Iterator[ServedAws]:
    with served_aws(world, tmp_path / "state") as running:
        yield running
