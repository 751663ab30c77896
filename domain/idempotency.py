"""What a clip's name already holds, and what that means for a delivery of its request."""

from attrs import frozen

from domain.clip import ClipReport, ClipRequest, ClipStatus, report_of
from domain.delivery import Delivery
from domain.manifest import Manifest, StoredClip
from domain.window import TimeWindow


@frozen
class Absent:
    """Nothing stands in the way of making the clip."""

    ended: ClipReport | None = None
    """How an earlier delivery of this same request ended without a clip, if one did."""


@frozen
class Announced:
    """The clip is made and everybody was told."""

    report: ClipReport


@frozen
class Unannounced:
    """The clip is made, by a delivery that is over, and nobody may know."""

    clip: StoredClip


@frozen
class InProgress:
    """Another delivery has just stored the clip and may be about to announce it."""


@frozen
class NameTaken:
    """The name belongs to a clip of another window."""


Existing = Absent | Announced | Unannounced | InProgress | NameTaken


def decide_existing(
    request: ClipRequest,
    delivery: Delivery,
    clip: StoredClip | None,
    manifest: Manifest | None,
    delivery_timeout_ms: int,
) -> Existing:
    """Decide from what was found, `clip` looked for before `manifest`.

    `delivery_timeout_ms` is the longest that a delivery can take: a clip older than that is no longer in
    anybody's hands.
    """
    if clip is None:
        same = manifest and manifest.report.fingerprint == request.fingerprint
        return Absent(manifest.report if manifest and same else None)
    if clip.fingerprint != request.fingerprint:
        return NameTaken()
    if manifest and manifest.report.has_clip and manifest.report.fingerprint == clip.fingerprint:
        return Announced(manifest.report)
    if (
        delivery.wrote_earlier(clip.writer)
        or delivery.now_ms - clip.stored_at_ms >= delivery_timeout_ms
    ):
        return Unannounced(clip)
    return InProgress()


def available(request: ClipRequest, gaps: tuple[TimeWindow, ...]) -> ClipReport:
    """Report that the clip is there, and what it lacks."""
    missing_s = sum(gap.duration_ms for gap in gaps) / 1000
    reason = f"There is no footage of {missing_s:g} s of the clip." if gaps else None
    return report_of(request, ClipStatus.AVAILABLE, gaps=gaps, reason=reason)
