"""Recordings are made once for all processes of a test run."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def footage_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the run's processes share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "fuzz_cuts"
