"""What is found under a clip's name, and what that means for a delivery."""

import pytest

from domain.clip import ClipRequest, ClipStatus, report_of
from domain.delivery import Delivery
from domain.idempotency import (
    Absent,
    Announced,
    Existing,
    InProgress,
    NameTaken,
    Unannounced,
    available,
    decide_existing,
)
from domain.manifest import Manifest, StoredClip
from domain.window import TimeWindow

REQUEST = ClipRequest("clip", "camera", 0, 10_000)
OTHER = ClipRequest("clip", "camera", 0, 20_000)
NOW = 1_600_000_000_000
ATTEMPT = Delivery("message", NOW, NOW, 0, receive_count=2)
PATIENCE_MS = 300_000

REFUSED = report_of(REQUEST, ClipStatus.RETRY_TIMEOUT)


def stored(
    writer: str = "other#1", age_ms: int = 0, fingerprint: str = REQUEST.fingerprint
) -> StoredClip:
    return StoredClip(fingerprint, writer, NOW - age_ms)


CASES: dict[str, tuple[StoredClip | None, Manifest | None, Existing]] = {
    "nothing is there": (None, None, Absent()),
    "the request ended without a clip": (None, Manifest(REFUSED, "m#1"), Absent(REFUSED)),
    "another request ended under that name without a clip": (
        None,
        Manifest(report_of(OTHER, ClipStatus.RETRY_TIMEOUT), "m#1"),
        Absent(),
    ),
    "clip and manifest are there": (
        stored(),
        Manifest(available(REQUEST, ()), "m#1"),
        Announced(available(REQUEST, ())),
    ),
    "a clip of another window": (stored(fingerprint="x"), None, NameTaken()),
    "a clip of another window, with our manifest": (
        stored(fingerprint="x"),
        Manifest(available(REQUEST, ()), "m#1"),
        NameTaken(),
    ),
    "an earlier delivery of this message stored it": (
        stored("message#1"),
        None,
        Unannounced(stored("message#1")),
    ),
    "another message stored it just now": (stored(), None, InProgress()),
    "another message stored it a moment less than the patience ago": (
        stored(age_ms=PATIENCE_MS - 1),
        None,
        InProgress(),
    ),
    "another message stored it as long ago as the patience": (
        stored(age_ms=PATIENCE_MS),
        None,
        Unannounced(stored(age_ms=PATIENCE_MS)),
    ),
    "the clip came after the request had ended without one": (
        stored("message#1"),
        Manifest(REFUSED, "m#1"),
        Unannounced(stored("message#1")),
    ),
    "a manifest of another clip stands beside ours": (
        stored(),
        Manifest(available(OTHER, ()), "m#1"),
        InProgress(),
    ),
}


@pytest.mark.parametrize(("clip", "manifest", "standing"), CASES.values(), ids=CASES)
def test_standing(clip: StoredClip | None, manifest: Manifest | None, standing: Existing) -> None:
    """Each named find has its meaning."""
    assert decide_existing(REQUEST, ATTEMPT, clip, manifest, PATIENCE_MS) == standing


def test_a_clip_with_gaps_says_how_much_it_lacks() -> None:
    """The report of an incomplete clip has a reason, that of a complete one has none."""
    assert available(REQUEST, ()).reason is None
    gaps = (TimeWindow(1_000, 3_500),)
    assert available(REQUEST, gaps).reason == "There is no footage of 2.5 s of the clip."
