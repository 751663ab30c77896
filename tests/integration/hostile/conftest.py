"""The service, with a record of what it asks for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.real import Aws
from tests.integration.hostile.audited_service import AuditedService, audited_service


@pytest.fixture(scope="session")
def service(
    aws: Aws, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[AuditedService, Path]]:
    """Put one service together for all tests, which takes a while."""
    scratch = tmp_path_factory.mktemp("scratch")
    with audited_service(aws.s3.meta.endpoint_url, scratch) as made:
        yield made, scratch


@pytest.fixture
def world(service: tuple[AuditedService, Path]) -> Iterator[AuditedService]:
    """A service that has been asked for nothing yet; no scratch is left, whatever happens."""
    made, scratch = service
    made.forget()
    yield made
    assert list(scratch.iterdir()) == []
