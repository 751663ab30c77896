"""x"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from domain.errors import DeadlineExceeded, Unavailable

ABANDONED_S = 3600
"""After this time without a write, what a killed attempt left half-written is cleared away."""


def now_ms() -> int:
    """Read the clock: milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@contextmanager
def translating_os_errors(what: str, deadline_s: float) -> Iterator[None]:
    """Begin only before the deadline, and translate what the file system says."""
    require_time(deadline_s)
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{what}: {error.strerror or error}.") from error


def require_time(deadline_s: float) -> None:
    if time.monotonic() >= deadline_s:
        raise DeadlineExceeded("The time for this attempt is over.")


@contextmanager
def temporary_path(path: Path) -> Iterator[Path]:
    """Give a name to write under until `path` may appear; clear it away, and abandoned ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name}.*.part"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > ABANDONED_S:
                left.unlink()
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a file that appears whole; FileExistsError if it may not replace one."""
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
    """Flush a folder's entries, so that what has a name keeps it through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
