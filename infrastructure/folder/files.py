"""Files that appear whole under their names, and what their errors mean."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from domain.errors import DeadlineExceeded, Unavailable

ABANDONED_S = 3600
"""A temporary file that was not written for so long belongs to a dead process: it is removed."""


def now_ms() -> int:
    """Return the current time in ms since the epoch."""
    return time.time_ns() // 1_000_000


@contextmanager
def translating_os_errors(subject: str, deadline_s: float) -> Iterator[None]:
    """Begin only before the deadline, and translate OSError to Unavailable."""
    require_time(deadline_s)
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{subject}: {error.strerror or error}.") from error


def require_time(deadline_s: float) -> None:
    """Raise DeadlineExceeded once the deadline has passed."""
    if time.monotonic() >= deadline_s:
        raise DeadlineExceeded("The deadline of this delivery has passed.")


@contextmanager
def temporary_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`; remove it at the end, and abandoned ones before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for abandoned in path.parent.glob(f".{path.name}.*.part"):
        with suppress(FileNotFoundError):
            if time.time() - abandoned.stat().st_mtime > ABANDONED_S:
                abandoned.unlink()
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a file that appears whole; FileExistsError if it exists and must not be replaced."""
    with temporary_path(path) as part:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            part.replace(path)
        else:
            os.link(part, path)
        fsync_folder(path.parent)


def fsync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that new names survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
