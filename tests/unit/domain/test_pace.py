"""How a clip's clock and the wall clock run."""

from fractions import Fraction

import pytest
from attrs import evolve

from domain.clip import ClipReport, ClipRequest
from domain.coverage import Clock, Coverage
from domain.manifest import Manifest
from domain.options import ClipOptions
from domain.pace import Pace, paces_between, paces_of
from domain.planning import plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow

A = RecordingSegment(TimeWindow(0, 60_000), "a")
B = RecordingSegment(TimeWindow(60_500, 100_000), "b")
C = RecordingSegment(TimeWindow(110_000, 160_000), "c")
OVERLAPPING = RecordingSegment(TimeWindow(59_500, 100_000), "b")
FAST = A.at_rate(Fraction(5, 4))


@pytest.mark.parametrize(
    ("window", "segments", "expected"),
    [
        pytest.param((1000, 2000), [A], [(0, 1000, 1)], id="one recording"),
        pytest.param((1000, 2000), [], [(0, 1000, 1)], id="no recording"),
        pytest.param(
            (50_000, 120_000),
            [A, B, C],
            [(0, 50_000, 1), (10_500, 60_500, 1), (50_000, 110_000, 1)],
            id="a seam runs on, a gap is skipped",
        ),
        pytest.param(
            (50_000, 70_000),
            [A, OVERLAPPING],
            [(0, 50_000, 1), (10_000, 59_500, 1)],
            id="after an overlap, the wall clock steps back",
        ),
        pytest.param(
            (40_000, 50_000),
            [FAST],
            [(0, 40_000, 1.25), (10_000, 48_000, 1)],
            id="a wrong clock holds to the recording's end",
        ),
        pytest.param(
            (60_200, 70_000),
            [B],
            [(0, 60_200, 1), (300, 60_500, 1)],
            id="a seam at the head is shown",
        ),
    ],
)
def test_paces_of_a_plan(
    window: tuple[int, int],
    segments: list[RecordingSegment],
    expected: list[tuple[int, int, float]],
) -> None:
    """One for each cut, at its own time in the clip."""
    assert list(paces_of(plan_clip(TimeWindow(*window), segments, 1000))) == [
        Pace(*each) for each in expected
    ]


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([], [(0, 1000)]),
        ([(2000, 5000)], [(0, 1000), (1000, 5000)]),
        ([(2000, 3000), (4000, 5000)], [(0, 1000), (1000, 3000), (2000, 5000)]),
        ([(1000, 3000)], [(0, 3000)]),
        ([(8000, 9000)], [(0, 1000)]),
        ([(1000, 3000), (8000, 9000)], [(0, 3000)]),
    ],
    ids=["none", "one", "two", "at the start", "at the end", "at both ends"],
)
def test_paces_between_gaps(gaps: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    """The clip's clock skips them; nothing is shown after one at the end."""
    found = paces_between(TimeWindow(1000, 9000), [TimeWindow(*gap) for gap in gaps])
    assert list(found) == [Pace(*each) for each in expected]


def test_a_clip_that_keeps_to_the_wall_clock_needs_no_paces() -> None:
    """They follow from its gaps; a departing clock without paces is known to be unknown."""
    request = ClipRequest("c1", "pier", 1000, 9000)
    report = ClipReport.available(request, Coverage((TimeWindow(2000, 5000),)))
    manifest = Manifest(report, "m#1")
    assert manifest.known_paces == (Pace(0, 1000), Pace(1000, 5000))
    assert manifest.is_clock_known
    holding = evolve(request, options=ClipOptions(gaps="hold"))
    filling = ClipReport.available(holding, report.coverage)
    assert Manifest(filling, "m#1").known_paces == (Pace(0, 1000),)
    departing = ClipReport.available(request, Coverage(clock=Clock(1, 40)))
    assert not Manifest(departing, "m#1").is_clock_known
    paces = (Pace(0, 1000), Pace(20, 990))
    known = Manifest(departing, "m#1", paces=paces)
    assert known.known_paces == paces
    assert known.is_clock_known
    assert Manifest(ClipReport("c1", report.status), "m#1").known_paces == ()
