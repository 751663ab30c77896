"""The files of a folder's cameras."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from attrs import field, frozen

from domain.errors import Rejected
from domain.window import TimeWindow
from infrastructure.layouts.camera_files import CameraFiles
from infrastructure.layouts.clock_changes import DatedFile

ALL_TIME = TimeWindow(0, 10**15)
MAX_NAMED_CAMERAS = 20
"""How many cameras a message names."""


@frozen
class StoredFile(DatedFile):
    """A file of a camera whose path, in the folder, says when it starts."""

    folder: Path = field(kw_only=True)

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.folder / self.name

    def written_ms(self) -> int:
        """Return its modification time."""
        return self.path.stat().st_mtime_ns // 1_000_000


def unknown_camera(camera_id: str, cameras: Iterable[str]) -> Rejected:
    """Return the error that there is no such camera; it names those that there are."""
    named = ", ".join(islice(cameras, MAX_NAMED_CAMERAS)) or "none"
    return Rejected(f"unknown camera {camera_id}; there is {named}")


class RecordingFiles(ABC):
    """Which cameras have recordings in a folder, and which files."""

    @abstractmethod
    def cameras(self) -> Mapping[str, str]:
        """Return the cameras: by id, what they are called in the paths."""

    @abstractmethod
    def files(self, camera_id: str, window: TimeWindow) -> CameraFiles[StoredFile]:
        """Return the camera's files that may overlap `window`, and others around it, unopened.

        An unknown camera raises Rejected.
        """

    def outermost(self, camera_id: str, count: int, *, is_last: bool) -> CameraFiles[StoredFile]:  # noqa: ARG002 - all files may be returned
        """Return the camera's first or last files, with `count` recordings, if it has as many.

        There may be more of them. An unknown camera raises Rejected, or has none.
        """
        return self.files(camera_id, ALL_TIME)

    @abstractmethod
    def undated(self, camera_id: str) -> Sequence[str]:
        """Return the names of the camera's recordings that hold no start, of any time."""
