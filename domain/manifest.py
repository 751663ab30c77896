"""What is stored beside and about a clip."""

from attrs import frozen

from domain.clip import ClipReport
from domain.window import TimeWindow


@frozen
class MediaInfo:
    """What was measured of a finished clip."""

    frames: int
    first_ms: float
    """When the first frame is shown, on the clip's clock."""
    last_ms: float
    """When the last frame is shown, on the clip's clock."""
    duration_ms: float
    codec: str
    width: int
    height: int
    copied_frames: int = 0
    """How many of the frames are the recording's own bytes; the others were encoded."""


@frozen
class ByteRange:
    """Bytes of a recording that are the clip's as they are."""

    offset: int
    length: int


@frozen
class Source:
    """One recording that a clip was made of."""

    name: str
    version: str
    window: TimeWindow
    ranges: tuple[ByteRange, ...] = ()


@frozen
class StoredClip:
    """A clip in the store, as its own metadata describes it."""

    fingerprint: str
    writer: str
    stored_at_ms: int
    """Since the epoch, by the store's clock."""
    gaps: tuple[TimeWindow, ...] = ()
    media: MediaInfo | None = None


@frozen
class Manifest:
    """The report with its proof, stored beside the clip."""

    report: ClipReport
    writer: str
    media: MediaInfo | None = None
    sources: tuple[Source, ...] = ()
