"""A crash at every effect, before it and after it, then one at every effect that follows."""

import json

import pytest
from attrs import evolve

from domain.clip import ClipStatus
from domain.coverage import Clock, Verification
from domain.errors import Unavailable
from domain.window import TimeWindow
from tests.contract.worlds import FORMAT
from tests.model.recorder import At, Crash, drained, redriven
from tests.model.scenarios import (
    HALVES,
    LONGER,
    PREVIEWED,
    WANTED,
    WHOLE,
    long_ago,
    made,
    requested,
    with_every_kind,
)
from tests.model.world import NOW, World, footage

CASES = {
    "one recording": (evolve(requested(), recorded=WHOLE), ClipStatus.AVAILABLE),
    "two recordings": (evolve(requested(), recorded=HALVES), ClipStatus.AVAILABLE),
    "with previews": (evolve(requested(PREVIEWED), recorded=HALVES), ClipStatus.AVAILABLE),
    "waiting for all of it": (evolve(requested(), to_come=WHOLE), ClipStatus.AVAILABLE),
    "waiting for the tail": (
        evolve(requested(), recorded=HALVES[:1], to_come=HALVES[1:]),
        ClipStatus.AVAILABLE,
    ),
    "waiting in vain": (requested(), ClipStatus.RETRY_TIMEOUT),
    "waiting for a tail in vain": (evolve(requested(), recorded=HALVES[:1]), ClipStatus.AVAILABLE),
    "waited long enough": (
        long_ago(1_000_000, retries_ms=(NOW - 1_000_000,)),
        ClipStatus.RETRY_TIMEOUT,
    ),
    "too old": (long_ago(2_000_000), ClipStatus.NOT_AVAILABLE),
    "far too old": (long_ago(300_000_000), ClipStatus.OUT_OF_RANGE),
    "too long": (requested(evolve(WANTED, start_ms=NOW - 400_000)), ClipStatus.TOO_LONG),
    "ends before it starts": (requested(evolve(WANTED, end_ms=0)), ClipStatus.FATAL_ERROR),
    "unknown camera": (requested(evolve(WANTED, camera_id="quay")), ClipStatus.FATAL_ERROR),
    "no picture can be decoded": (
        evolve(requested(), recorded=WHOLE, without_picture=(("a", WANTED.window),)),
        ClipStatus.FATAL_ERROR,
    ),
    "a part cannot be decoded": (
        evolve(
            requested(LONGER),
            recorded=WHOLE,
            without_picture=(("a", TimeWindow(NOW - 60_000, NOW - 58_880)),),
        ),
        ClipStatus.AVAILABLE,
    ),
    "within one picture": (
        evolve(
            requested(evolve(WANTED, start_ms=NOW - 59_999, end_ms=NOW - 59_990)), recorded=WHOLE
        ),
        ClipStatus.AVAILABLE,
    ),
    "a report with everything": (with_every_kind(), ClipStatus.AVAILABLE),
    "two messages": (evolve(requested(times=2), recorded=WHOLE), ClipStatus.AVAILABLE),
    "two messages that wait": (evolve(requested(times=2), to_come=WHOLE), ClipStatus.AVAILABLE),
    "two messages in vain": (requested(times=2), ClipStatus.RETRY_TIMEOUT),
    "requested again when it was there": (
        made(evolve(requested(), recorded=WHOLE)),
        ClipStatus.AVAILABLE,
    ),
    "requested again when it was refused": (made(long_ago(2_000_000)), ClipStatus.NOT_AVAILABLE),
    "requested again with footage": (
        evolve(made(long_ago(1_000_000)), recorded=(footage("a", -1_100_000, 600_000),)),
        ClipStatus.AVAILABLE,
    ),
    "the last receive": (evolve(requested(received=4), recorded=WHOLE), ClipStatus.AVAILABLE),
    "the last receive of a refusal": (
        evolve(requested(evolve(WANTED, camera_id="quay"), received=4), recorded=WHOLE),
        ClipStatus.FATAL_ERROR,
    ),
    "damaged on the last receive": (
        evolve(requested(received=4), recorded=WHOLE, broken=True),
        ClipStatus.AVAILABLE,
    ),
}
"""What was requested under which circumstances, and the status that it must end with at last."""


def disturbances(effects: int, error: type[BaseException] = Crash) -> list[At]:
    return [At(n, after, error) for n in range(effects) for after in (False, True)]


def assert_right(world: World, status: ClipStatus, letters: int, *disturbed: At) -> None:
    """All is right, and still is when the `letters` that may be dead letters are sent again."""
    assert world.verdict() == frozenset(), disturbed
    assert len(world.queue.dead) <= letters, disturbed
    ends = {status}
    if world.queue.dead and status is ClipStatus.RETRY_TIMEOUT:
        ends.add(ClipStatus.NOT_AVAILABLE)  # sent again, it is requested for when it is too old
    world = redriven(world)
    assert world.verdict() == frozenset(), disturbed
    assert not world.queue.dead
    assert world.status_report
    assert world.status_report.status in ends, disturbed


@pytest.mark.parametrize("case", CASES)
def test_after_any_crash_and_any_second_crash_the_request_ends_right(case: str) -> None:
    """Redelivery makes good whatever was left: bytes, last status, notification, accounts."""
    world, status = CASES[case]
    letters = len([m for m in world.queue.held if m.received])
    end, effects = drained(world)
    assert_right(end, status, letters)
    for first in disturbances(len(effects[0])):
        end, effects = drained(world, [first])
        assert_right(end, status, letters, first)
        for second in disturbances(len(effects[1]) if len(effects) > 1 else 0):
            end, _ = drained(world, [first, second])
            assert_right(end, status, letters, first, second)


@pytest.mark.parametrize("received", [0, 4], ids=["first", "last"])
@pytest.mark.parametrize("case", CASES)
def test_after_any_failing_call_the_request_ends_right(case: str, received: int) -> None:
    """A dependency fails before or after its effect; people send the dead letters again."""
    world, status = CASES[case]
    held = tuple(evolve(m, received=received) for m in world.queue.held)
    world = evolve(world, queue=evolve(world.queue, held=held))
    _, effects = drained(world)
    for failure in disturbances(len(effects[0]) - 1, Unavailable):
        end, _ = drained(world, [failure])
        assert_right(end, status, len(held), failure)


def test_a_resumed_delivery_reports_the_same() -> None:
    """Byte for byte, wherever the one before it died: status, notifications and manifest."""
    world, _ = CASES["a report with everything"]
    end, effects = drained(world)
    (status_text,) = report_texts(end)
    (report, *_) = end.clip_reports
    coverage = report.coverage
    assert all((coverage.gaps, coverage.damaged, coverage.held, coverage.unused, coverage.notes))
    assert coverage.clock == Clock(1.0, 100)
    assert coverage.verified is Verification.ALL
    for first in disturbances(len(effects[0])):
        end, _ = drained(world, [first])
        assert report_texts(end) == {status_text}, first


def report_texts(world: World) -> set[str]:
    return {json.dumps(FORMAT.report(report)) for report in world.clip_reports}


def test_the_effects_of_a_clip_are_numbered_in_their_order() -> None:
    """So that no crash point is left out: every call of a port, and the acknowledgement."""
    world, _ = CASES["two recordings"]
    _, (effects,) = drained(world)
    assert [str(effect) for effect in effects] == [
        "clips.find",
        "clips.read_manifest",
        "cameras.find_segments",
        "recordings.open",
        "recordings.open",
        "transcoder.render",
        "clips.commit",
        "clips.store_thumbnails",
        "cameras.update_clip AVAILABLE",
        "notifier.publish AVAILABLE",
        "clips.write_manifest",
        "queue.acknowledge",
    ]


def test_sidecars_are_stored_between_the_thumbnails_and_the_status() -> None:
    """Made of the stored clip, once for all."""
    world, _ = CASES["with previews"]
    _, (effects,) = drained(world)
    names = [str(effect) for effect in effects]
    first = names.index("clips.store_thumbnails")
    assert names[first - 1 : first + 5] == [
        "clips.commit",
        "clips.store_thumbnails",
        "clips.open",
        "transcoder.sidecars",
        "clips.store_sidecars",
        "cameras.update_clip AVAILABLE",
    ]
