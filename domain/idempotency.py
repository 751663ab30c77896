"""What exists already under a clip's name, and what that means for a delivery of its request."""

from attrs import frozen

from domain.clip import DELETED, ClipReport
from domain.delivery import Delivery
from domain.manifest import Manifest, StoredClip


@frozen
class Absent:
    """There is no clip yet."""

    rejection: ClipReport | None = None
    """How an earlier delivery rejected this same request, if one did."""


@frozen
class Announced:
    """The clip is stored, reported and published."""

    report: ClipReport


@frozen
class Unannounced:
    """The clip is stored by a delivery that has ended, perhaps before it could announce it."""

    clip: StoredClip


@frozen
class InProgress:
    """Another delivery has just stored the clip and may be about to announce it."""


@frozen
class NameTaken:
    """A clip of another window, or with other options, has the name."""


@frozen
class Deleted:
    """The clip was made, or was to be, and has been deleted since."""


Existing = Absent | Announced | Unannounced | InProgress | NameTaken | Deleted


def decide_existing(
    delivery: Delivery,
    clip: StoredClip | None,
    manifest: Manifest | None,
    delivery_timeout_ms: int,
) -> Existing:
    """Decide from what was found; a `clip` was found before its `manifest` was looked up.

    `delivery_timeout_ms` is the maximum duration of a delivery: one that stored its clip longer ago
    has ended.
    """
    fingerprint = delivery.request.fingerprint
    same = manifest is not None and manifest.report.fingerprint == fingerprint
    if manifest and same and manifest.report.status == DELETED:
        return Deleted()  # Even if a part of it is left.
    if clip is None:
        return Absent(manifest.report if manifest and same else None)
    if clip.fingerprint != fingerprint:
        return NameTaken()
    if manifest and manifest.report.has_clip and manifest.report.fingerprint == fingerprint:
        return Announced(manifest.report)
    age_ms = delivery.received_at_ms - clip.stored_at_ms
    if delivery.follows(clip.writer) or age_ms >= delivery_timeout_ms:
        return Unannounced(clip)
    return InProgress()
