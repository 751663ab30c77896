"""The folder's recordings."""

import math
import os
from pathlib import Path

from attrs import Factory, frozen

from application.ports import RecordingStore
from domain.errors import NotRecordedYet, RecordingChanged, UnusableFootage
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.camera_api.names import is_recording_name
from infrastructure.folder.files import translating_os_errors
from infrastructure.folder.known_indexes import KnownIndexes
from infrastructure.mp4.index import SampleIndex, index_of
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording, open_mp4


def recording_files(root: Path, alias: str) -> list[Path]:
    """Return a camera's recordings, by name; `.MP4` is a suffix like `.mp4`."""
    folder = camera_folder(root, alias)
    return [folder / name for name in camera_files(root, alias) if is_recording_name(name)]


def camera_files(root: Path, alias: str) -> list[str]:
    """Return the names of all files in a camera's folder that are not hidden, in order."""
    try:
        with os.scandir(camera_folder(root, alias)) as entries:
            return sorted(e.name for e in entries if not e.name.startswith(".") and e.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []


def camera_folder(root: Path, alias: str) -> Path:
    """Return the folder of a camera's recordings."""
    return root / "recordings" / alias


@frozen
class FolderRecordingStore(RecordingStore):
    """The files in the folders below `recordings/`, found by their names.

    A name that is in two folders raises UnusableFootage, because either could be meant.
    """

    root: Path
    tolerance_ms: int = 1000
    indexes: KnownIndexes = Factory(KnownIndexes)

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
            return open_recording(
                found[0], segment, window, deadline_s, self.tolerance_ms, self.indexes
            )


def open_recording(  # noqa: PLR0913, PLR0917
    path: Path,
    segment: RecordingSegment,
    window: TimeWindow,
    deadline_s: float,
    tolerance_ms: int,
    indexes: KnownIndexes | None = None,
) -> Mp4Recording:
    """Open the file at `path` as `RecordingStore.open` does."""
    try:
        stat = path.stat()
    except FileNotFoundError as error:
        raise NotRecordedYet(f"{path.name} no longer exists.") from error
    version = _version(stat)

    def file(until_s: float) -> RangeCache:
        def fetch(offset: int, length: int) -> bytes:
            with translating_os_errors(path.name, until_s):
                return _read(path, version, offset, length)

        return RangeCache(fetch, stat.st_size)

    def known_index(data: RangeCache) -> SampleIndex:
        if indexes is None:
            return index_of(data)
        # Later calls go on reading it after this one's deadline.
        return indexes.get((str(path), version), lambda: index_of(file(math.inf)))

    return open_mp4(segment, window, version, file(deadline_s), tolerance_ms, known_index)


def _read(path: Path, version: str, offset: int, length: int) -> bytes:
    """Return bytes of that version; RecordingChanged if the file has another by now."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(length)
            if _version(os.fstat(file.fileno())) == version and len(data) == length:
                return data
    except FileNotFoundError:
        pass
    raise RecordingChanged(f"{path.name} was replaced while it was read.")


def _version(stat: os.stat_result) -> str:
    return f"{stat.st_size}-{stat.st_mtime_ns}-{stat.st_ino}"
