"""Work folders that leave nothing behind, not even after SIGKILL."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "camclip-work-"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@contextmanager
def work_folder(scratch: Path) -> Iterator[Path]:
    """Make a folder in `scratch` that is removed at the end of the block.

    It is locked while its process lives, so that `sweep` in other processes skips it.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    folder, lock = _locked_folder(scratch)
    try:
        yield folder
    finally:
        try:
            shutil.rmtree(folder)
        finally:
            os.close(lock)


def _locked_folder(scratch: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=scratch))
        try:
            lock = os.open(folder, FOLDER)
        except FileNotFoundError:
            continue  # A sweep may remove it between any two of these steps.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


def sweep(scratch: Path) -> int:
    """Remove the work folders of dead processes; return how many there were.

    Folders of another user, or of a living process, stay.
    """
    swept = 0
    for folder in scratch.glob(PREFIX + "*"):
        try:
            lock = os.open(folder, FOLDER)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
            swept += 1
        except OSError:
            continue
        finally:
            os.close(lock)
    return swept
