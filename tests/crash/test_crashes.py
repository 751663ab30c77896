"""A crash at every effect, before it and after it, and a second one at every effect that follows."""

from collections.abc import Iterator

import pytest
from attrs import evolve

from domain.clip import ClipStatus
from tests.crash.cases import HALVES, WANTED, WHOLE, asked, long_ago, made
from tests.crash.outside import NOW, Outside, footage
from tests.crash.running import CrashAt, drained, redriven

CASES = {
    "one recording": (evolve(asked(), recorded=WHOLE), ClipStatus.AVAILABLE),
    "two recordings": (evolve(asked(), recorded=HALVES), ClipStatus.AVAILABLE),
    "waiting for all of it": (evolve(asked(), to_come=WHOLE), ClipStatus.AVAILABLE),
    "waiting for the tail": (
        evolve(asked(), recorded=HALVES[:1], to_come=HALVES[1:]),
        ClipStatus.AVAILABLE,
    ),
    "waiting in vain": (asked(), ClipStatus.RETRY_TIMEOUT),
    "waiting for a tail in vain": (evolve(asked(), recorded=HALVES[:1]), ClipStatus.AVAILABLE),
    "waited long enough": (
        long_ago(1_000_000, retries_ms=(NOW - 1_000_000,)),
        ClipStatus.RETRY_TIMEOUT,
    ),
    "too old": (long_ago(2_000_000), ClipStatus.NOT_AVAILABLE),
    "far too old": (long_ago(300_000_000), ClipStatus.OUT_OF_RANGE),
    "too long": (asked(evolve(WANTED, start_ms=NOW - 400_000)), ClipStatus.TOO_LONG),
    "ends before it starts": (asked(evolve(WANTED, end_ms=0)), ClipStatus.FATAL_ERROR),
    "unknown camera": (asked(evolve(WANTED, camera_id="quay")), ClipStatus.FATAL_ERROR),
    "not a single frame": (
        evolve(
            asked(evolve(WANTED, start_ms=NOW - 59_999, end_ms=NOW - 59_990)), recorded=WHOLE
        ),
        ClipStatus.FATAL_ERROR,
    ),
    "two messages": (evolve(asked(times=2), recorded=WHOLE), ClipStatus.AVAILABLE),
    "two messages that wait": (evolve(asked(times=2), to_come=WHOLE), ClipStatus.AVAILABLE),
    "two messages in vain": (asked(times=2), ClipStatus.RETRY_TIMEOUT),
    "asked again when it was there": (
        made(evolve(asked(), recorded=WHOLE)),
        ClipStatus.AVAILABLE,
    ),
    "asked again when it was refused": (made(long_ago(2_000_000)), ClipStatus.NOT_AVAILABLE),
    "asked again with footage": (
        evolve(made(long_ago(1_000_000)), recorded=(footage("a", -1_100_000, 600_000),)),
        ClipStatus.AVAILABLE,
    ),
    "the last receive": (evolve(asked(received=4), recorded=WHOLE), ClipStatus.AVAILABLE),
    "the last receive of a refusal": (
        evolve(asked(evolve(WANTED, camera_id="quay"), received=4), recorded=WHOLE),
        ClipStatus.FATAL_ERROR,
    ),
    "damaged on the last receive": (
        evolve(asked(received=4), recorded=WHOLE, broken=True),
        ClipStatus.AVAILABLE,
    ),
}
"""What was asked under which circumstances, and the status that it must end with at last."""


def crashes(effects: int) -> Iterator[CrashAt]:
    return (CrashAt(n, after) for n in range(effects) for after in (False, True))


def assert_right(
    outside: Outside, status: ClipStatus, crashed: list[CrashAt], letters: int
) -> None:
    assert outside.verdict() == frozenset(), crashed
    assert len(outside.queue.dead) <= letters, crashed
    outside = redriven(outside)
    assert outside.verdict() == frozenset(), crashed
    assert not outside.queue.dead
    assert outside.told
    assert outside.told.status is status, crashed


@pytest.mark.parametrize("case", CASES)
def test_after_any_crash_and_any_second_crash_the_request_ends_right(case: str) -> None:
    """Redelivery makes good whatever was left: bytes, last status, notification, accounts."""
    outside, status = CASES[case]
    letters = len([m for m in outside.queue.held if m.received])
    end, effects = drained(outside)
    assert_right(end, status, [], letters)
    points = pairs = 0
    for first in crashes(len(effects[0])):
        end, effects = drained(outside, [first])
        assert_right(end, status, [first], letters)
        points += 1
        for second in crashes(len(effects[1]) if len(effects) > 1 else 0):
            end, _ = drained(outside, [first, second])
            assert_right(end, status, [first, second], letters)
            pairs += 1
    assert points
    print(case, points, pairs)
