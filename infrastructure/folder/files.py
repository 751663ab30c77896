"""Files that appear whole under their names, and what their errors mean.

A file gets a name that no other may have by a hard link. Where there are none (exFAT, SMB, FUSE),
its name is claimed first, by creating an empty file exclusively, and the file then replaces it.
"""

import errno
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from attrs import frozen

from domain.errors import DeadlineExceeded, Unavailable

ABANDONED_S = 3600
"""A temporary file that was not written for so long belongs to a dead process: it is removed."""

UNSUPPORTED = {
    *(errno.EPERM, errno.EACCES, errno.EINVAL, errno.EBADF, errno.EMLINK, errno.EXDEV),
    *(errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY, errno.EISDIR),
}
"""How file systems refuse hard links, and flushing a folder."""
POLL_S = 0.02


@frozen
class FileOperations:
    """The operations that not every file system has."""

    link: Callable[[Path, Path], None] = os.link
    fsync: Callable[[int], None] = os.fsync
    """Of a folder."""
    claim_s: float = 5
    """A claim that is not replaced within this time belongs to a dead process."""


OPERATIONS = FileOperations()


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


def write_atomically(
    path: Path,
    text: str,
    *,
    replace: bool = True,
    deadline_s: float = math.inf,
    operations: FileOperations = OPERATIONS,
) -> None:
    """Write a file that appears whole; FileExistsError if it exists and must not be replaced."""
    with temporary_path(path) as part:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            part.replace(path)
        elif not link(part, path, operations):
            with claimed(path, deadline_s, operations):
                part.replace(path)
        fsync_folder(path.parent, operations)


def link(part: Path, path: Path, operations: FileOperations) -> bool:
    """Link `part` as `path`, FileExistsError if it exists; return False if it must be claimed."""
    try:
        operations.link(part, path)
    except FileExistsError:
        if _is_claim(path):
            return False
        raise
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        return False
    return True


@contextmanager
def claimed(path: Path, deadline_s: float, operations: FileOperations) -> Iterator[None]:
    """Own the name `path` while the block replaces it; FileExistsError if there is a file.

    An empty file is a claim. A living process replaces its claim at once; one that stays for
    `claim_s` was left by a dead process, and is replaced. Two processes that replace the same dead
    claim at the same moment may both succeed: the file is then whole, and of the second.
    """
    began_s = time.monotonic()
    while not _create(path):
        if path.exists() and not _is_claim(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        if time.monotonic() - began_s >= operations.claim_s:
            break
        require_time(deadline_s)
        time.sleep(POLL_S)
    try:
        yield
    except BaseException:
        if _is_claim(path):
            path.unlink(missing_ok=True)
        raise


def _is_claim(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return False


def _create(path: Path) -> bool:
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def fsync_folder(folder: Path, operations: FileOperations = OPERATIONS) -> None:
    """Flush a folder's entries, so that new names survive a power failure, if that is possible."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            operations.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
