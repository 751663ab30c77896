"""What the use case needs of the world. Every sentence of a docstring is a test in tests/contract.

Deadlines are instants on the monotonic clock in seconds; a method that takes one raises DeadlineExceeded
rather than outlast it by more than a second. Each method may raise Unavailable: the dependency
failed, refused or lied, and nothing is known of the effect. Everything else it raises is listed.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from domain.clip import ClipName, ClipReport, ClipRequest
from domain.manifest import Manifest, MediaInfo, StoredClip
from domain.planning import ClipPlan
from domain.recording import RecordingSegment
from domain.window import TimeWindow


class CameraService(ABC):
    """The camera API: which recordings a camera has, and what became of its clips."""

    @abstractmethod
    def find_segments(
        self, camera_id: str, window: TimeWindow, deadline_s: float
    ) -> Sequence[RecordingSegment]:
        """Return every listed segment that overlaps `window`, in any order, perhaps twice.

        A window without footage gives an empty answer. An unknown camera is Refused.
        """

    @abstractmethod
    def update_clip(self, report: ClipReport, deadline_s: float) -> None:
        """Store the clip's state, in place of what was stored before.

        A clip that the service no longer knows is ClipDeleted.
        """


class Recording(ABC):
    """A stored segment, opened: bytes by range."""

    segment: RecordingSegment
    """The segment as long as its media is."""
    size_bytes: int
    version: str
    """Changes whenever the bytes do."""
    read_bytes: int
    """How many have been read of it so far, to open it and since."""

    @abstractmethod
    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset` on.

        A range that reaches beyond the file is a ValueError, before anything is read. Bytes that
        are not of `version` any more are never returned: RecordingChanged.
        """


class RecordingStore(ABC):
    """Where the cameras' recorder puts its files."""

    @abstractmethod
    def open(self, segment: RecordingSegment, deadline_s: float) -> Recording:
        """Open a segment's file; its reads are bound to `deadline_s` too.

        A file that is absent, empty, or has no sample table yet is NotRecordedYet. One that is no
        recording, or lies about itself, is UnusableFootage.
        """


@frozen
class FilePiece:
    """Bytes of a local file."""

    path: Path
    offset: int
    length: int


@frozen
class RecordingPiece:
    """Bytes of a recording, taken over as they are."""

    recording: Recording
    offset: int
    length: int


Piece = FilePiece | RecordingPiece


@frozen
class ThumbnailSpec:
    """Which stills to make: JPEG, PNG or WebP pictures of given widths."""

    widths: tuple[int, ...]
    format: str = "jpg"


@frozen
class Rendition:
    """A rendered clip: its bytes as ordered pieces, its stills by width, and what was measured."""

    pieces: tuple[Piece, ...]
    thumbnails: Mapping[int, Path]
    media: MediaInfo

    @property
    def size_bytes(self) -> int:
        """The clip's size."""
        return sum(piece.length for piece in self.pieces)


class Transcoder(ABC):
    """Turns recordings into a clip."""

    @abstractmethod
    def render(
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
    ) -> Rendition:
        """Render the plan's cuts out of `recordings` (by segment name), writing only to `folder`.

        The clip holds exactly the frames seen within the cuts, each at its time on the plan's
        clock. A still is taken where a quarter of the clip has been shown, as wide as asked and
        of even height. Cuts without a single frame are Refused. Footage that does not give exactly
        that is UnusableFootage.
        """


class AlreadyExists(Exception):
    """There is an object of that name: nothing was written."""


class ClipStore(ABC):
    """Where finished clips go."""

    @abstractmethod
    def find(self, name: ClipName, deadline_s: float) -> StoredClip | None:
        """Describe the clip stored under `name`, whoever asked for it, else None."""

    @abstractmethod
    def store_thumbnails(
        self, name: ClipName, thumbnails: Mapping[int, Path], deadline_s: float
    ) -> None:
        """Store the stills, by width, beside the clip, in place of those that were there."""

    @abstractmethod
    def commit(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        gaps: Sequence[TimeWindow],
        deadline_s: float,
    ) -> None:
        """Store the rendition's pieces, one after the other, as one object, whole or not at all.

        `find` then gives back the request's fingerprint, the writer, the gaps and the footage. An
        object that is there already is left as it is: AlreadyExists.
        """

    @abstractmethod
    def read_manifest(self, name: ClipName, deadline_s: float) -> Manifest | None:
        """Return the manifest stored under `name`, as it was written, else None."""

    @abstractmethod
    def write_manifest(
        self, name: ClipName, manifest: Manifest, deadline_s: float, *, replace: bool
    ) -> None:
        """Store the manifest; without `replace` only if there is none, else AlreadyExists."""


class RetryQueue(ABC):
    """Where a request rests until its footage may be there."""

    @abstractmethod
    def send(self, request: ClipRequest, delay_s: int, deadline_s: float) -> None:
        """Queue the request, unknown keys included, to be delivered no sooner than `delay_s`.

        A delay outside 1..900 s is a ValueError.
        """


class Notifier(ABC):
    """Tells the subscribers."""

    @abstractmethod
    def publish(self, report: ClipReport, deadline_s: float) -> None:
        """Publish the report with its event id, at least once."""
