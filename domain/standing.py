"""What is stored under a clip's name, and what that means for a delivery of its request."""

from attrs import frozen

from domain.clip import Attempt, ClipReport, ClipRequest, ClipStatus, report_of
from domain.window import TimeWindow


@frozen
class Footage:
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
    footage: Footage | None = None


@frozen
class Manifest:
    """The report with its proof, stored beside the clip."""

    report: ClipReport
    writer: str
    footage: Footage | None = None
    sources: tuple[Source, ...] = ()


@frozen
class Absent:
    """Nothing stands in the way of making the clip."""

    ended: ClipReport | None = None
    """How an earlier delivery of this same request ended without a clip, if one did."""


@frozen
class Finished:
    """The clip is made and everybody was told."""

    report: ClipReport


@frozen
class Unannounced:
    """The clip is made, by a delivery that is over, and nobody may know."""

    clip: StoredClip


@frozen
class InOtherHands:
    """Another delivery has just stored the clip and may be about to announce it."""


@frozen
class Taken:
    """The name belongs to a clip of another window."""


Standing = Absent | Finished | Unannounced | InOtherHands | Taken


def decide_standing(
    request: ClipRequest,
    attempt: Attempt,
    clip: StoredClip | None,
    manifest: Manifest | None,
    patience_ms: int,
) -> Standing:
    """Decide from what was found, `clip` looked for before `manifest`.

    `patience_ms` is the longest that a delivery can take: a clip older than that is no longer in
    anybody's hands.
    """
    if clip is None:
        same = manifest and manifest.report.fingerprint == request.fingerprint
        return Absent(manifest.report if manifest and same else None)
    if clip.fingerprint != request.fingerprint:
        return Taken()
    if manifest and manifest.report.has_clip and manifest.report.fingerprint == clip.fingerprint:
        return Finished(manifest.report)
    if attempt.wrote_earlier(clip.writer) or attempt.now_ms - clip.stored_at_ms >= patience_ms:
        return Unannounced(clip)
    return InOtherHands()


def available(request: ClipRequest, gaps: tuple[TimeWindow, ...]) -> ClipReport:
    """Report that the clip is there, and what it lacks."""
    missing_s = sum(gap.length_ms for gap in gaps) / 1000
    reason = f"There is no footage of {missing_s:g} s of the clip." if gaps else None
    return report_of(request, ClipStatus.AVAILABLE, gaps=gaps, reason=reason)
