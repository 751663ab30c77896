"""Work folders that leave nothing behind, not even after SIGKILL."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "camclip-work-"


@contextmanager
def work_folder(scratch: Path) -> Iterator[Path]:
    """Make a folder in `scratch` that is gone when the block is left.

    It is locked while its process lives, so that `sweep` of any other process lets it be.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".new-" + PREFIX, dir=scratch))
    lock = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Only a locked folder gets the name that a sweep looks for.
        folder = new.rename(scratch / new.name.removeprefix(".new-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
    finally:
        os.close(lock)


def sweep(scratch: Path) -> int:
    """Remove the work folders of processes that are no more; return how many there were."""
    swept = 0
    for folder in scratch.glob(PREFIX + "*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # Another process has just removed it, or it is none of ours.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
            swept += 1
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
    return swept
