"""How the whole suite runs, and the folders that all its processes share."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples every time, however busy the machine: `make fuzz` looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=5_000)
settings.load_profile("steady")

# What a shell starts in the background ignores SIGINT, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the run, one for all xdist processes."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def films(run_folder: Path) -> Path:
    """Return where recordings are kept: each is made once in a run."""
    return run_folder / "films"


@pytest.fixture(scope="session")
def packages(run_folder: Path) -> Path:
    """Return where the function's package is built, once in a run."""
    return run_folder / "packages"
