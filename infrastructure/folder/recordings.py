"""The folder's recordings."""

import os
from pathlib import Path

from attrs import frozen

from application.ports import RecordingStore
from domain.errors import NotRecordedYet, RecordingChanged, UnusableFootage
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.camera_api.names import is_recording_name
from infrastructure.folder.files import translating_os_errors
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording, open_mp4


def recording_files(root: Path, alias: str) -> list[Path]:
    """Return a camera's recordings, by name; `.MP4` is a suffix like `.mp4`."""
    return [path for path in camera_files(root, alias) if is_recording_name(path.name)]


def camera_files(root: Path, alias: str) -> list[Path]:
    """Return all files in a camera's folder that are not hidden, by name."""
    folder = root / "recordings" / alias
    return sorted(path for path in folder.glob("[!.]*") if path.is_file())


@frozen
class FolderRecordingStore(RecordingStore):
    """The files in the folders below `recordings/`, found by their names.

    A name that is in two folders raises UnusableFootage, because either could be meant.
    """

    root: Path
    tolerance_ms: int = 1000

    def open(
        self, segment: RecordingSegment, window: TimeWindow, deadline_s: float
    ) -> Mp4Recording:
        """Open the file of that name; its version is its size, time and inode."""
        with translating_os_errors(segment.name, deadline_s):
            recordings = self.root / "recordings"
            if segment.name in {"", ".", ".."} or "/" in segment.name or not recordings.is_dir():
                raise NotRecordedYet(f"{segment.name} does not exist.")
            folders = sorted(p for p in recordings.iterdir() if p.is_dir())
            found = [path for f in folders if (path := f / segment.name).is_file()]
            if not found:
                raise NotRecordedYet(f"{segment.name} does not exist yet.")
            if len(found) > 1:
                raise UnusableFootage(
                    f"{segment.name} is in two folders, {found[0].parent.name} and"
                    f" {found[1].parent.name}: rename one of them."
                )
            return open_recording(found[0], segment, window, deadline_s, self.tolerance_ms)


def open_recording(
    path: Path,
    segment: RecordingSegment,
    window: TimeWindow,
    deadline_s: float,
    tolerance_ms: int,
) -> Mp4Recording:
    """Open the file at `path` as `RecordingStore.open` does."""
    try:
        stat = path.stat()
    except FileNotFoundError as error:
        raise NotRecordedYet(f"{path.name} no longer exists.") from error
    version = _version(stat)

    def fetch(offset: int, length: int) -> bytes:
        with translating_os_errors(path.name, deadline_s):
            try:
                with path.open("rb") as file:
                    file.seek(offset)
                    data = file.read(length)
                    same = _version(os.fstat(file.fileno())) == version and len(data) == length
            except FileNotFoundError:
                same = False
            if not same:
                raise RecordingChanged(f"{path.name} was replaced while it was read.")
            return data

    return open_mp4(segment, window, version, RangeCache(fetch, stat.st_size), tolerance_ms)


def _version(stat: os.stat_result) -> str:
    return f"{stat.st_size}-{stat.st_mtime_ns}-{stat.st_ino}"
