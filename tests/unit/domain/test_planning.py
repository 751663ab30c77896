"""Planning: which parts of which recordings, and what is missing."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.planning import ClipPlan, Coverage, Cut, plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow

SEAM_MS = 1_000
MORNING = RecordingSegment(TimeWindow(0, 600_000), "morning")
NOON = RecordingSegment(TimeWindow(600_000, 1_200_000), "noon")


def segment(
    name: str,
    start_ms: int,
    end_ms: int,
    *,
    last_frame_duration_ms: int = 0,
    hold_last_frame_until_ms: int = 0,
) -> RecordingSegment:
    return RecordingSegment(
        TimeWindow(start_ms, end_ms), name, last_frame_duration_ms, hold_last_frame_until_ms
    )


def parts(plan: ClipPlan) -> list[tuple[str, int, int]]:
    """Write a plan down as (segment's name or what is missing, start, end), in time order."""
    rows = [(c.segment.name, c.window.start_ms, c.window.end_ms) for c in plan.cuts]
    rows += [("seam", w.start_ms, w.end_ms) for w in plan.seams]
    rows += [("gap", w.start_ms, w.end_ms) for w in plan.gaps]
    return sorted(rows, key=lambda row: row[1])


PLANS = {
    "within one segment": (
        (10_000, 20_000),
        [MORNING, NOON],
        [("morning", 10_000, 20_000)],
        Coverage.FULL,
    ),
    "the whole of one segment": (
        (0, 600_000),
        [MORNING, NOON],
        [("morning", 0, 600_000)],
        Coverage.FULL,
    ),
    "over two segments, newest first, as the camera answers": (
        (590_000, 610_000),
        [NOON, MORNING],
        [("morning", 590_000, 600_000), ("noon", 600_000, 610_000)],
        Coverage.FULL,
    ),
    "a segment that only touches the window is not cut": (
        (600_000, 610_000),
        [MORNING, NOON],
        [("noon", 600_000, 610_000)],
        Coverage.FULL,
    ),
    "a segment listed twice plays once": (
        (10_000, 20_000),
        [MORNING, MORNING],
        [("morning", 10_000, 20_000)],
        Coverage.FULL,
    ),
    "an overlap plays once, from the segment that is playing": (
        (0, 20_000),
        [segment("a", 0, 12_000), segment("b", 8_000, 30_000)],
        [("a", 0, 12_000), ("b", 12_000, 20_000)],
        Coverage.FULL,
    ),
    "within the last frame's duration the next segment takes over": (
        (0, 20_000),
        [segment("a", 0, 10_001, last_frame_duration_ms=34), segment("b", 10_000, 30_000)],
        [("a", 0, 10_000), ("b", 10_000, 20_000)],
        Coverage.FULL,
    ),
    "even if the window ends before the last frame would": (
        (0, 10_020),
        [segment("a", 0, 10_030, last_frame_duration_ms=34), segment("b", 10_000, 30_000)],
        [("a", 0, 10_000), ("b", 10_000, 10_020)],
        Coverage.FULL,
    ),
    "right after the last frame too": (
        (0, 20_000),
        [segment("a", 0, 10_001, last_frame_duration_ms=34), segment("b", 9_968, 30_000)],
        [("a", 0, 9_968), ("b", 9_968, 20_000)],
        Coverage.FULL,
    ),
    "but not at its instant": (
        (0, 20_000),
        [segment("a", 0, 10_001, last_frame_duration_ms=34), segment("b", 9_967, 30_000)],
        [("a", 0, 10_001), ("b", 10_001, 20_000)],
        Coverage.FULL,
    ),
    "a segment within another is left out": (
        (0, 20_000),
        [segment("a", 0, 30_000), segment("b", 8_000, 12_000)],
        [("a", 0, 20_000)],
        Coverage.FULL,
    ),
    "of two that could go on, the one that reaches further": (
        (0, 20_000),
        [segment("a", 0, 5_000), segment("b", 4_000, 10_000), segment("c", 3_000, 30_000)],
        [("a", 0, 5_000), ("c", 5_000, 20_000)],
        Coverage.FULL,
    ),
    "a hole as long as the tolerance is a seam": (
        (0, 20_000),
        [segment("a", 0, 9_000), segment("b", 10_000, 30_000)],
        [("a", 0, 9_000), ("seam", 9_000, 10_000), ("b", 10_000, 20_000)],
        Coverage.FULL,
    ),
    "a hole a millisecond longer is a gap": (
        (0, 20_000),
        [segment("a", 0, 9_000), segment("b", 10_001, 30_000)],
        [("a", 0, 9_000), ("gap", 9_000, 10_001), ("b", 10_001, 20_000)],
        Coverage.HOLE,
    ),
    "the tail is missing": (
        (590_000, 610_000),
        [MORNING],
        [("morning", 590_000, 600_000), ("gap", 600_000, 610_000)],
        Coverage.TAIL_MISSING,
    ),
    "a tail of one millisecond is missing": (
        (590_000, 600_001),
        [MORNING],
        [("morning", 590_000, 600_000), ("gap", 600_000, 600_001)],
        Coverage.TAIL_MISSING,
    ),
    "a tail that the recorder says it recorded is held": (
        (0, 20_000),
        [segment("a", 0, 19_967, hold_last_frame_until_ms=20_000)],
        [("a", 0, 19_967), ("seam", 19_967, 20_000)],
        Coverage.FULL,
    ),
    "a tail beyond what the recorder says is missing whole": (
        (0, 20_001),
        [segment("a", 0, 19_967, hold_last_frame_until_ms=20_000)],
        [("a", 0, 19_967), ("gap", 19_967, 20_001)],
        Coverage.TAIL_MISSING,
    ),
    "the head is missing, however short": (
        (-500, 10_000),
        [MORNING],
        [("gap", -500, 0), ("morning", 0, 10_000)],
        Coverage.HOLE,
    ),
    "head and tail are missing": (
        (-5_000, 605_000),
        [MORNING],
        [("gap", -5_000, 0), ("morning", 0, 600_000), ("gap", 600_000, 605_000)],
        Coverage.HOLE,
    ),
    "a gap in the middle and the tail missing": (
        (0, 40_000),
        [segment("a", 0, 10_000), segment("b", 20_000, 30_000)],
        [("a", 0, 10_000), ("gap", 10_000, 20_000), ("b", 20_000, 30_000), ("gap", 30_000, 40_000)],
        Coverage.HOLE,
    ),
    "segments that touch nothing of the window": (
        (700_000, 710_000),
        [MORNING],
        [("gap", 700_000, 710_000)],
        Coverage.NONE,
    ),
    "no segments at all": ((0, 1), [], [("gap", 0, 1)], Coverage.NONE),
}


@pytest.mark.parametrize(("window", "segments", "wanted", "coverage"), PLANS.values(), ids=PLANS)
def test_a_plan_covers_what_it_can(
    window: tuple[int, int],
    segments: list[RecordingSegment],
    wanted: list[tuple[str, int, int]],
    coverage: Coverage,
) -> None:
    """Each named case gives its parts and its coverage."""
    plan = plan_clip(TimeWindow(*window), segments, SEAM_MS)
    assert parts(plan) == wanted
    assert plan.coverage is coverage


def test_the_clips_clock_is_the_wall_clock_less_the_gaps_before() -> None:
    """A seam takes its time, a gap takes none."""
    plan = plan_clip(
        TimeWindow(1_000, 60_000),
        [segment("a", 0, 10_000), segment("b", 10_500, 20_000), segment("c", 50_000, 70_000)],
        SEAM_MS,
    )
    assert [plan.clip_time_ms(t) for t in (1_000, 9_999, 10_500, 19_999)] == [
        0,
        8_999,
        9_500,
        18_999,
    ]
    assert plan.clip_time_ms(50_000) == 19_000
    assert plan.clip_time_ms(60_000) == plan.delivered_ms == 29_000


MEDIA_DURATIONS = {
    "the media is shorter than the camera says": (580_000, 580_000, 0),
    "the media is longer than the camera says": (600_400, 600_400, 0),
    "the media ends a frame early: the recorder has rounded": (599_967, 599_967, 600_000),
    "as early as the tolerance": (599_000, 599_000, 600_000),
    "a millisecond earlier than that": (598_999, 598_999, 0),
    "to the millisecond": (600_000, 600_000, 0),
}


@pytest.mark.parametrize(
    ("duration_ms", "end_ms", "held_ms"), MEDIA_DURATIONS.values(), ids=MEDIA_DURATIONS
)
def test_the_medias_duration_overrides_the_listed_one(
    duration_ms: int, end_ms: int, held_ms: int
) -> None:
    """The camera's date is the start; its end gives only how long the last frame is held."""
    measured = MORNING.with_media_duration(duration_ms, duration_ms - 33, SEAM_MS)
    wanted = segment(
        "morning", 0, end_ms, last_frame_duration_ms=33, hold_last_frame_until_ms=held_ms
    )
    assert measured == wanted


segments_strategy = st.lists(
    st.builds(
        lambda start, length, name, held, last_frame: segment(
            name,
            start,
            start + length,
            last_frame_duration_ms=min(last_frame, length),
            hold_last_frame_until_ms=start + length + held if held else 0,
        ),
        st.integers(-50, 150),
        st.integers(1, 80),
        st.sampled_from("abcdef"),
        st.sampled_from([0, 0, 3]),
        st.sampled_from([0, 0, 4, 40]),
    ),
    max_size=8,
)
windows_strategy = st.builds(
    lambda start, length: TimeWindow(start, start + length), st.integers(0, 80), st.integers(1, 60)
)


@given(windows_strategy, segments_strategy, st.integers(0, 20))
def test_cuts_seams_and_gaps_tile_the_window(
    window: TimeWindow, segments: list[RecordingSegment], tolerance_ms: int
) -> None:
    """Every instant of the window is in exactly one part, and parts of a kind are in order."""
    plan = plan_clip(window, segments, tolerance_ms)
    rows = parts(plan)
    assert rows[0][1] == window.start_ms
    assert rows[-1][2] == window.end_ms
    assert all(before[2] == after[1] for before, after in pairwise(rows))
    for kind in ([c.window for c in plan.cuts], plan.seams, plan.gaps):
        assert list(kind) == sorted(kind)
    assert plan.delivered_ms == window.duration_ms - sum(g.duration_ms for g in plan.gaps)


@given(windows_strategy, segments_strategy, st.integers(0, 20))
def test_every_instant_with_footage_is_cut(
    window: TimeWindow, segments: list[RecordingSegment], tolerance_ms: int
) -> None:
    """A cut lies within its segment, and no seam or gap touches any footage."""
    plan = plan_clip(window, segments, tolerance_ms)
    for cut in plan.cuts:
        assert cut.segment.window.start_ms <= cut.window.start_ms
        assert cut.window.end_ms <= cut.segment.window.end_ms
    for hole in (*plan.seams, *plan.gaps):
        assert not any(s.window.overlaps(hole) for s in segments)


@given(windows_strategy, segments_strategy, st.integers(0, 20), st.randoms())
def test_a_plan_does_not_depend_on_the_order_of_the_segments(
    window: TimeWindow, segments: list[RecordingSegment], tolerance_ms: int, random: Random
) -> None:
    """Shuffled segments give the same plan."""
    shuffled = segments.copy()
    random.shuffle(shuffled)
    assert plan_clip(window, shuffled, tolerance_ms) == plan_clip(window, segments, tolerance_ms)


def test_a_cut_names_its_segment() -> None:
    """What the transcoder is given says where to read."""
    assert plan_clip(TimeWindow(1, 2), [MORNING], 0).cuts == (Cut(MORNING, TimeWindow(1, 2)),)
