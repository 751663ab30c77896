"""The worlds that adapters live in: verbs to arrange them, and to see what an adapter did there."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from attrs import frozen

from application.ports import (
    CameraService,
    ClipStore,
    Notifier,
    RecordingStore,
    RetryQueue,
    ThumbnailSpec,
)
from domain.clip import ClipName, ClipRequest
from domain.recording import RecordingSegment
from infrastructure.formats.reports import ReportFormat

START_MS = 1_534_341_619_000
"""2018-08-15 14:00:19 UTC."""
LENGTH_MS = 2000
"""How long every recording here is."""
FORMAT = ReportFormat("clips", "https://clips.example", ThumbnailSpec((300, 640)))


@frozen
class Media:
    """A recording's bytes, and what is in them for who cannot read it: its length, if any."""

    data: bytes
    duration_ms: int | None = LENGTH_MS
    is_recording: bool = True


@frozen
class Footages:
    """A file in each of the states that a recorder may leave it in."""

    whole: Media
    other: Media
    """Another recording, of the same size in bytes."""
    empty: Media
    unfinished: Media
    text: Media


class CameraWorld(ABC):
    """Cameras with recordings, and clips with a state."""

    cameras: CameraService

    @abstractmethod
    def has_camera(self, camera_id: str) -> None:
        """Add a camera without recordings."""

    @abstractmethod
    def has_segment(self, camera_id: str, start_ms: int, suffix: str = "mp4") -> RecordingSegment:
        """List one more segment of LENGTH_MS, which starts at a whole second."""

    @abstractmethod
    def has_unusable(self, camera_id: str, start_ms: int) -> str:
        """List a file of LENGTH_MS that is no MP4, and return its name."""

    @abstractmethod
    def forgets_clip(self, clip_id: str) -> None:
        """Delete the clip."""

    @abstractmethod
    def state(self, clip_id: str) -> Mapping[str, object] | None:
        """Return the clip's stored status report, as clients read it."""


class RecordingWorld(ABC):
    """A recorder's files."""

    recordings: RecordingStore

    @abstractmethod
    def stores(self, name: str, media: Media) -> None:
        """Put a file, in place of one that was there."""

    @abstractmethod
    def removes(self, name: str) -> None:
        """Delete a file."""


class ClipWorld(ABC):
    """Where clips are stored."""

    clips: ClipStore

    @abstractmethod
    def clip_bytes(self, name: ClipName) -> bytes | None:
        """Return the clip's bytes."""

    @abstractmethod
    def thumbnail_bytes(self, name: ClipName, width: int) -> bytes | None:
        """Return a still's bytes."""

    @abstractmethod
    def has_foreign_clip(self, name: ClipName) -> None:
        """Store a clip that is not ours under its key."""


class QueueWorld(ABC):
    """A queue, and who receives from it."""

    queue: RetryQueue

    @abstractmethod
    def received_within(self, time_s: float) -> list[ClipRequest]:
        """Receive what is delivered within `time_s`."""


class NotifierWorld(ABC):
    """A subscriber."""

    notifier: Notifier

    @abstractmethod
    def heard(self) -> list[tuple[str, Mapping[str, object]]]:
        """Return the event ids and reports that were published, in order."""
