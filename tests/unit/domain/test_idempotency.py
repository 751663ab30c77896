"""What exists under a clip's name, and what that means for a delivery."""

import pytest
from attrs import evolve

from domain.clip import DELETED, ClipReport, ClipRequest, ClipStatus
from domain.coverage import Coverage
from domain.delivery import Delivery
from domain.idempotency import (
    Absent,
    Announced,
    Deleted,
    Existing,
    InProgress,
    NameTaken,
    Unannounced,
    decide_existing,
)
from domain.manifest import Manifest, StoredClip

REQUEST = ClipRequest("clip", "camera", 0, 10_000)
OTHER = ClipRequest("clip", "camera", 0, 20_000)
NOW = 1_600_000_000_000
DELIVERY = Delivery(REQUEST, "message", NOW, NOW, 0, receive_count=2)
TIMEOUT_MS = 300_000

REJECTION = ClipReport.of(REQUEST, ClipStatus.RETRY_TIMEOUT)
DELETION = Manifest(evolve(REJECTION, status=DELETED), "deleted#1")


def stored(
    writer: str = "other#1", age_ms: int = 0, fingerprint: str = REQUEST.fingerprint
) -> StoredClip:
    return StoredClip(fingerprint, writer, NOW - age_ms)


CASES: dict[str, tuple[StoredClip | None, Manifest | None, Existing]] = {
    "nothing exists": (None, None, Absent()),
    "the request was rejected": (None, Manifest(REJECTION, "m#1"), Absent(REJECTION)),
    "another request of that name was rejected": (
        None,
        Manifest(ClipReport.of(OTHER, ClipStatus.RETRY_TIMEOUT), "m#1"),
        Absent(),
    ),
    "clip and manifest exist": (
        stored(),
        Manifest(ClipReport.available(REQUEST, Coverage()), "m#1"),
        Announced(ClipReport.available(REQUEST, Coverage())),
    ),
    "a clip of another window": (stored(fingerprint="x"), None, NameTaken()),
    "a clip of another window, with our manifest": (
        stored(fingerprint="x"),
        Manifest(ClipReport.available(REQUEST, Coverage()), "m#1"),
        NameTaken(),
    ),
    "an earlier delivery of this message stored it": (
        stored("message#1"),
        None,
        Unannounced(stored("message#1")),
    ),
    "another message stored it just now": (stored(), None, InProgress()),
    "another message stored it within the delivery timeout": (
        stored(age_ms=TIMEOUT_MS - 1),
        None,
        InProgress(),
    ),
    "another message stored it a delivery timeout ago": (
        stored(age_ms=TIMEOUT_MS),
        None,
        Unannounced(stored(age_ms=TIMEOUT_MS)),
    ),
    "the clip was stored after the request had been rejected": (
        stored("message#1"),
        Manifest(REJECTION, "m#1"),
        Unannounced(stored("message#1")),
    ),
    "the clip was deleted": (None, DELETION, Deleted()),
    "its files are not all removed yet": (stored("message#1"), DELETION, Deleted()),
    "a clip of another window was deleted": (
        None,
        Manifest(evolve(ClipReport.available(OTHER, Coverage()), status=DELETED), "m#1"),
        Absent(),
    ),
    "the manifest is of another window": (
        stored(),
        Manifest(ClipReport.available(OTHER, Coverage()), "m#1"),
        InProgress(),
    ),
}


@pytest.mark.parametrize(("clip", "manifest", "existing"), CASES.values(), ids=CASES)
def test_existing(clip: StoredClip | None, manifest: Manifest | None, existing: Existing) -> None:
    """Each named case has its meaning."""
    assert decide_existing(DELIVERY, clip, manifest, TIMEOUT_MS) == existing
