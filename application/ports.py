"""The ports of the use cases. Each promise of a docstring is a test in tests/contract.

Deadlines are instants on the monotonic clock, in seconds. A method that takes one raises
DeadlineExceeded rather than outlast it by more than a second. Each method may raise Unavailable:
the dependency failed or refused, and the effect is unknown. All other errors are listed.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from domain.clip import ClipName, ClipReport, ClipRequest
from domain.clip_label import ClipLabel
from domain.coverage import Coverage, Verification
from domain.errors import NotRecordedYet, UnusableFootage
from domain.manifest import Evidence, Manifest, MediaInfo, StoredClip
from domain.options import USUAL, ClipOptions
from domain.planning import ClipPlan
from domain.recording import RecordingSegment
from domain.window import TimeWindow


@frozen
class LeftOut:
    """A recording that is listed or stored, but cannot be used, and why."""

    name: str
    """The name of its file, or its place in the list."""
    reason: str

    def __str__(self) -> str:
        """Return one sentence for people."""
        return f"{self.name} was left out: {self.reason}."


@frozen
class Listing:
    """What a camera has of a window: the usable segments, and the recordings left out."""

    segments: tuple[RecordingSegment, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    remark: str = ""
    """For people, in one sentence: why there may be nothing, if it is doubtful."""


class CameraService(ABC):
    """Which recordings a camera has, and the status of its clips."""

    @abstractmethod
    def find_segments(self, camera_id: str, window: TimeWindow, deadline_s: float) -> Listing:
        """Return every listed segment that overlaps `window`, in any order, perhaps twice.

        A recording that may overlap `window` and cannot be used is left out by name; one that
        cannot overlap it is ignored. A window without footage returns none. A segment whose end is
        not known lasts until the next one starts. An unknown camera raises Rejected; where only its
        recordings show that there is a camera, it has none, and the remark names it.
        """

    def list_segments(
        self, camera_id: str, window: TimeWindow, deadline_s: float
    ) -> Callable[[], Listing]:
        """Return a function that returns, or raises, what `find_segments` does.

        An adapter may begin at once, while other calls are made.
        """
        return lambda: self.find_segments(camera_id, window, deadline_s)

    @abstractmethod
    def update_clip(self, report: ClipReport, deadline_s: float) -> None:
        """Store the clip's status, in place of the one before.

        A clip that the service no longer knows raises ClipDeleted. A service without clips does
        nothing.
        """


class Recording(ABC):
    """The opened file of a segment, read by byte ranges."""

    segment: RecordingSegment
    """The segment, with the stretches that its frames cover."""
    size_bytes: int
    version: str
    """Changes whenever the bytes do."""
    read_bytes: int
    """How many bytes have been read so far, opening the file included."""
    key: str = ""
    """The object's key, in S3."""
    version_id: str = ""
    """The object's version, in a bucket with versions."""
    checksum: str = ""
    """The store's own of the whole file, once it has given one: the algorithm, a colon, base64."""

    @abstractmethod
    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset` on.

        A range beyond the end of the file raises ValueError, before anything is read. Bytes of
        another version are never returned: RecordingChanged.
        """

    def read_once(self, offset: int, length: int) -> bytes:
        """Return what `read` returns, and cache none of it: for bytes that are read only once."""
        return self.read(offset, length)


Opened = Recording | NotRecordedYet | UnusableFootage
"""A recording, or why it cannot be used."""


class RecordingStore(ABC):
    """Where the recorder stores its files."""

    @abstractmethod
    def open(self, segment: RecordingSegment, window: TimeWindow, deadline_s: float) -> Recording:
        """Open a segment's file; `deadline_s` limits its reads, too.

        The segment's stretches are those that its frames cover within `window`; elsewhere they may
        be assumed.

        A file that is absent, empty, or has no sample table yet raises NotRecordedYet; if it has
        bytes, this may be a NotFinishedYet. One that is no recording, or contradicts itself, raises
        UnusableFootage.
        """

    def open_all(
        self, segments: Sequence[RecordingSegment], window: TimeWindow, deadline_s: float
    ) -> list[Opened]:
        """Open the files of all segments, as `open` does; return what it returns or raises.

        An adapter may open several at once.
        """
        return [self._opened(segment, window, deadline_s) for segment in segments]

    def _opened(self, segment: RecordingSegment, window: TimeWindow, deadline_s: float) -> Opened:
        try:
            return self.open(segment, window, deadline_s)
        except (NotRecordedYet, UnusableFootage) as error:
            return error


@frozen
class FilePiece:
    """Bytes of a local file."""

    path: Path
    offset: int
    length: int


@frozen
class RecordingPiece:
    """Bytes of a recording, copied unchanged."""

    recording: Recording
    offset: int
    length: int


Piece = FilePiece | RecordingPiece


@frozen
class ThumbnailSpec:
    """Which thumbnails to make: JPEG, PNG or WebP images of the given widths, in pixels."""

    widths: tuple[int, ...]
    format: str = "jpg"


@frozen
class Rendition:
    """A rendered clip: its bytes as ordered pieces, its thumbnails by width, its media info."""

    pieces: tuple[Piece, ...]
    thumbnails: Mapping[int, Path]
    media: MediaInfo
    verified: Verification = Verification.SPLICES
    damaged: tuple[TimeWindow, ...] = ()
    """Where pictures could not be decoded without a fault; the clip shows what a decoder makes of
    them."""
    notes: tuple[str, ...] = ()
    """For the log: which cuts had to be encoded as a whole, and why."""
    evidence: Evidence = Evidence()  # noqa: RUF009 - it is frozen
    """What the pieces' bytes are. The transcoder leaves its sources to whoever planned the clip."""

    @property
    def size_bytes(self) -> int:
        """The clip's size in bytes."""
        return sum(piece.length for piece in self.pieces)


class Transcoder(ABC):
    """Turns recordings into a clip."""

    @abstractmethod
    def render(  # noqa: PLR0913, PLR0917
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        options: ClipOptions = USUAL,
        label: ClipLabel | None = None,
    ) -> Rendition:
        """Render the plan's cuts from `recordings` (by segment name), writing only to `folder`.

        The clip contains exactly the frames seen within the cuts, each at its time on the plan's
        clock, but the first one at 0. One exception: if the camera takes at most two pictures a
        second, or there is no frame within the first cut, the clip begins with the picture that is
        on screen when this cut begins. Thumbnails show the picture at a quarter of the clip, in the
        requested widths and with even heights. Options change none of this, except that a plan
        that fills its gaps, and the option for it, give filler from the beginning of each gap until
        the next frame; a thumbnail then shows the last frame before its moment that is no filler,
        or else the first. A labelled clip also says when its first frame was seen, in whole
        seconds rounded down, its title, and its id. The proof names each byte of the pieces once,
        and each frame.
        Cuts without a single frame raise Rejected, as does a wall clock of an unknown zone. Footage
        that a decoder makes no picture of raises NoPicture, other footage that cannot become such a
        clip UnusableFootage.
        """

    def render_reporting(  # noqa: PLR0913, PLR0917
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        options: ClipOptions,
        label: ClipLabel | None,
        assembled: Callable[[Rendition], None],
    ) -> Rendition:
        """Render as `render` does, and report the clip as soon as it is assembled.

        `assembled` is called with what will be returned, but for its thumbnails, before that is
        verified; again, with another clip, if it turns out to be wrong. An adapter need not call
        it.
        """
        del assembled
        return self.render(plan, recordings, thumbnails, folder, deadline_s, options, label)

    @abstractmethod
    def thumbnails(
        self,
        clip: Recording,
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        filler: Sequence[range] = (),
    ) -> Mapping[int, Path]:
        """Make the thumbnails of a stored clip, by width: of the picture that `render` chose.

        `filler` are the numbers of the frames that fill gaps, in the order shown.
        """

    @abstractmethod
    def sidecars(
        self,
        clip: Recording,
        manifest: Manifest,
        options: ClipOptions,
        folder: Path,
        deadline_s: float,
    ) -> Mapping[str, Path]:
        """Make the sidecars that the manifest's report names, of a stored clip's own bytes.

        They show no picture but the clip's, each with the instant at which it was seen, in the zone
        of the wall clock, or in UTC. The index of a sprite has a cue for each picture: it begins
        when the clip shows the picture and ends when the next begins, the last with the clip. The
        same clip has the same sidecars.
        """


class AlreadyExists(Exception):
    """There is an object of that name: nothing was written."""


class ClipStore(ABC):
    """Where finished clips are stored."""

    @abstractmethod
    def find(self, name: ClipName, deadline_s: float) -> StoredClip | None:
        """Return the clip stored under `name`, whatever its window, else None."""

    def look(self, name: ClipName, deadline_s: float) -> tuple[StoredClip | None, Manifest | None]:
        """Return what `find` and `read_manifest` return, called in any order or at once."""
        return self.find(name, deadline_s), self.read_manifest(name, deadline_s)

    @abstractmethod
    def open(self, name: ClipName, deadline_s: float) -> Recording:
        """Open the stored clip as a recording; Unavailable if there is none."""

    @abstractmethod
    def store_thumbnails(
        self, name: ClipName, thumbnails: Mapping[int, Path], deadline_s: float
    ) -> Mapping[int, str]:
        """Store the thumbnails, by width, next to the clip, in place of any that were there.

        Return the SHA-256 of each, in hexadecimal digits.
        """

    @abstractmethod
    def store_sidecars(
        self, name: ClipName, sidecars: Mapping[str, Path], deadline_s: float
    ) -> Mapping[str, str]:
        """Store files next to the clip, by the ends of their names, in place of any there were.

        Return the SHA-256 of each, in hexadecimal digits.
        """

    @contextmanager
    def sending(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        coverage: Coverage,
        deadline_s: float,
    ) -> Iterator[None]:
        """Return a block in which the pieces may be sent already.

        No clip is found before `commit`, which does the same as without this block, but has less
        left to do if its arguments are the same. At the end of the block, the store removes what it
        was sent without a commit.
        """
        del request, rendition, writer, coverage, deadline_s
        yield

    @abstractmethod
    def commit(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        coverage: Coverage,
        deadline_s: float,
    ) -> None:
        """Store the rendition's pieces, in order, as one object, whole or not at all.

        `find` then returns the request's fingerprint, the writer, the media info, and the coverage
        and the rendition's evidence, however long they are. An object that exists already stays as
        it is: AlreadyExists. Of several deliveries at once one succeeds; the others may also raise
        AlreadyInProgress.
        """

    @abstractmethod
    def read_manifest(self, name: ClipName, deadline_s: float) -> Manifest | None:
        """Return the manifest stored under `name`, as it was written, else None.

        A store with a key has signed it.
        """

    @abstractmethod
    def write_manifest(
        self, name: ClipName, manifest: Manifest, deadline_s: float, *, replace: bool
    ) -> None:
        """Store the manifest; without `replace` only if there is none, else AlreadyExists."""


class RetryQueue(ABC):
    """Where a request waits until its footage may have been stored."""

    @abstractmethod
    def send(self, request: ClipRequest, delay_s: int, deadline_s: float) -> tuple[str, ...]:
        """Queue the request, unknown keys included, for delivery after at least `delay_s` seconds.

        Unknown keys that make it longer than the queue accepts are dropped, the largest first;
        their names are returned, fit for a log.
        A delay outside 1..900 s raises ValueError.
        """


class Notifier(ABC):
    """Publishes reports to the subscribers."""

    @abstractmethod
    def publish(self, report: ClipReport, deadline_s: float) -> None:
        """Publish the report with its event id, at least once."""
