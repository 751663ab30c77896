"""A crash at every effect, before it and after it, then one at every effect that follows."""

import pytest
from attrs import evolve

from domain.clip import ClipStatus
from domain.errors import Unavailable
from tests.model.cases import HALVES, WANTED, WHOLE, asked, long_ago, made
from tests.model.outside import NOW, Outside, footage
from tests.model.running import At, Crash, drained, redriven

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
        evolve(asked(evolve(WANTED, start_ms=NOW - 59_999, end_ms=NOW - 59_990)), recorded=WHOLE),
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


def disturbances(effects: int, error: type[BaseException] = Crash) -> list[At]:
    return [At(n, after, error) for n in range(effects) for after in (False, True)]


def assert_right(outside: Outside, status: ClipStatus, letters: int, *disturbed: At) -> None:
    """All is right, and still is when the `letters` that may be dead letters are sent again."""
    assert outside.verdict() == frozenset(), disturbed
    assert len(outside.queue.dead) <= letters, disturbed
    ends = {status}
    if outside.queue.dead and status is ClipStatus.RETRY_TIMEOUT:
        ends.add(ClipStatus.NOT_AVAILABLE)  # sent again, it is asked for when it is too old
    outside = redriven(outside)
    assert outside.verdict() == frozenset(), disturbed
    assert not outside.queue.dead
    assert outside.told
    assert outside.told.status in ends, disturbed


@pytest.mark.parametrize("case", CASES)
def test_after_any_crash_and_any_second_crash_the_request_ends_right(case: str) -> None:
    """Redelivery makes good whatever was left: bytes, last status, notification, accounts."""
    outside, status = CASES[case]
    letters = len([m for m in outside.queue.held if m.received])
    end, effects = drained(outside)
    assert_right(end, status, letters)
    for first in disturbances(len(effects[0])):
        end, effects = drained(outside, [first])
        assert_right(end, status, letters, first)
        for second in disturbances(len(effects[1]) if len(effects) > 1 else 0):
            end, _ = drained(outside, [first, second])
            assert_right(end, status, letters, first, second)


@pytest.mark.parametrize("received", [0, 4], ids=["first", "last"])
@pytest.mark.parametrize("case", CASES)
def test_after_any_failing_call_the_request_ends_right(case: str, received: int) -> None:
    """A dependency fails before or after its effect; people send the dead letters again."""
    outside, status = CASES[case]
    held = tuple(evolve(m, received=received) for m in outside.queue.held)
    outside = evolve(outside, queue=evolve(outside.queue, held=held))
    _, effects = drained(outside)
    for failure in disturbances(len(effects[0]) - 1, Unavailable):
        end, _ = drained(outside, [failure])
        assert_right(end, status, len(held), failure)


def test_the_effects_of_a_clip_are_numbered_in_their_order() -> None:
    """So that no crash point is left out: every call of a port, and the acknowledgement."""
    outside, _ = CASES["two recordings"]
    _, (effects,) = drained(outside)
    assert [str(effect) for effect in effects] == [
        "clips.find",
        "clips.read_manifest",
        "cameras.find_segments",
        "recordings.open",
        "recordings.open",
        "transcoder.render",
        "clips.store_thumbnails",
        "clips.commit",
        "cameras.update_clip AVAILABLE",
        "notifier.publish AVAILABLE",
        "clips.write_manifest",
        "queue.acknowledge",
    ]
