"""When a clip is looked for again, and what is known of it until then."""

import pytest
from attrs import evolve

from domain.clip import ClipRequest, ClipStatus
from entrypoints.serve.aws.awaited import (
    GIVEN_UP,
    LATE,
    MAX_AWAITED_MS,
    SENT,
    interval_s,
    is_awaited,
    without_manifest,
)
from entrypoints.serve.known_clip import Phase
from infrastructure.folder.sent_requests import SentRequest

START_MS = 1_777_636_800_000
REQUEST = ClipRequest("c1", "pier", START_MS, START_MS + 10_000)
LIMIT_MS = 900_000
SENT_MS = START_MS + 60_000


@pytest.mark.parametrize(
    ("age_s", "expected_s"),
    [(-5, 1), (0, 1), (3, 1), (10, 1), (20, 2), (300, 30), (600, 60), (86_400, 60)],
)
def test_a_clip_is_looked_for_later_and_later(age_s: float, expected_s: float) -> None:
    """Each second at first, each minute in the end."""
    assert interval_s(age_s) == expected_s


CASES: dict[str, tuple[int, bool, Phase, ClipStatus, str]] = {
    "just sent": (SENT_MS, False, Phase.WAITING, ClipStatus.PENDING, SENT),
    "while footage may come": (
        SENT_MS + LIMIT_MS,
        False,
        Phase.WAITING,
        ClipStatus.PENDING,
        SENT,
    ),
    "after that": (SENT_MS + LIMIT_MS + 1, False, Phase.WAITING, ClipStatus.PENDING, LATE),
    "for a day": (
        SENT_MS + MAX_AWAITED_MS - 1,
        False,
        Phase.WAITING,
        ClipStatus.PENDING,
        LATE,
    ),
    "after a day": (
        SENT_MS + MAX_AWAITED_MS,
        False,
        Phase.DONE,
        ClipStatus.FATAL_ERROR,
        GIVEN_UP,
    ),
    "ended, but its manifest is gone": (
        SENT_MS + 1,
        True,
        Phase.DONE,
        ClipStatus.FATAL_ERROR,
        GIVEN_UP,
    ),
}


@pytest.mark.parametrize(
    ("at_ms", "has_ended", "phase", "status", "reason"), CASES.values(), ids=CASES
)
def test_what_is_known_without_a_manifest(
    at_ms: int, phase: Phase, status: ClipStatus, reason: str, *, has_ended: bool
) -> None:
    """Each named case."""
    known = without_manifest(SentRequest(REQUEST, SENT_MS, has_ended), at_ms, LIMIT_MS)
    assert (known.phase, known.report.status, known.report.reason) == (phase, status, reason)
    assert (known.changed_at_ms, known.name) == (SENT_MS, REQUEST.name)
    sent = SentRequest(REQUEST, SENT_MS, has_ended)
    assert is_awaited(sent, at_ms) is (phase is Phase.WAITING)


def test_a_clip_that_ends_later_is_late_later() -> None:
    """Footage is waited for from its end on."""
    later = evolve(REQUEST, end_ms=SENT_MS + 200_000)
    known = without_manifest(SentRequest(later, SENT_MS), SENT_MS + LIMIT_MS + 200_000, LIMIT_MS)
    assert known.report.reason == SENT
