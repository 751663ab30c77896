"""What is stored of a clip in addition to its bytes."""

from attrs import frozen

from domain.clip import ClipReport
from domain.coverage import Coverage
from domain.window import TimeWindow


@frozen
class MediaInfo:
    """What a finished clip's own tables say."""

    frames: int
    first_ms: float
    """When the first frame is shown, on the clip's clock."""
    last_ms: float
    """When the last frame is shown, on the clip's clock."""
    duration_ms: float
    codec: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    copied_frames: int = 0
    """How many frames are the recording's own bytes; the others were encoded."""
    held_frames: int = 0
    """How many of the frames were on screen when the window began, recorded before it."""


@frozen
class ByteRange:
    """A range of a recording's bytes that the clip contains unchanged."""

    offset: int
    length: int


@frozen
class Source:
    """One recording that a clip was made from."""

    name: str
    version: str
    window: TimeWindow
    ranges: tuple[ByteRange, ...] = ()


@frozen
class StoredClip:
    """A clip in the store, as its own metadata describes it."""

    fingerprint: str
    writer: str
    """The id of the delivery that stored it."""
    stored_at_ms: int
    """Since the epoch, by the store's clock."""
    coverage: Coverage = Coverage()  # noqa: RUF009 - it is frozen
    media: MediaInfo | None = None


@frozen
class Manifest:
    """The report with its evidence, stored next to the clip."""

    report: ClipReport
    writer: str
    """The id of the delivery that stored the clip, or rejected the request."""
    media: MediaInfo | None = None
    sources: tuple[Source, ...] = ()
