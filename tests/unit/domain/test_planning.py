"""Planning: which parts of which recordings, and what is missing."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domain.coverage import Clock, Unused, merged
from domain.planning import Availability, ClipPlan, Cut, FilledGap, plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow

SEAM_MS = 1_000
MORNING = RecordingSegment(TimeWindow(0, 600_000), "morning")
NOON = RecordingSegment(TimeWindow(600_000, 1_200_000), "noon")
MORNING_WITH_A_LATE_PICTURE = evolve(
    MORNING, held=(TimeWindow(5_000, 5_400),), frame_interval_ms=40
)


def segment(
    name: str,
    start_ms: int,
    end_ms: int,
    *,
    last_frame_duration_ms: int = 0,
    hold_last_frame_until_ms: int = 0,
    interval_ms: float = 0,
    holes: Iterable[tuple[int, int]] = (),
) -> RecordingSegment:
    window = TimeWindow(start_ms, end_ms)
    return RecordingSegment(
        window,
        name,
        stretches=tuple(window.without(TimeWindow(*hole) for hole in holes)),
        frame_interval_ms=interval_ms,
        last_frame_duration_ms=last_frame_duration_ms,
        hold_last_frame_until_ms=hold_last_frame_until_ms,
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
        Availability.FULL,
    ),
    "the whole of one segment": (
        (0, 600_000),
        [MORNING, NOON],
        [("morning", 0, 600_000)],
        Availability.FULL,
    ),
    "over two segments, newest first, as the camera answers": (
        (590_000, 610_000),
        [NOON, MORNING],
        [("morning", 590_000, 600_000), ("noon", 600_000, 610_000)],
        Availability.FULL,
    ),
    "a segment that only touches the window is not cut": (
        (600_000, 610_000),
        [MORNING, NOON],
        [("noon", 600_000, 610_000)],
        Availability.FULL,
    ),
    "a segment listed twice plays once": (
        (10_000, 20_000),
        [MORNING, MORNING],
        [("morning", 10_000, 20_000)],
        Availability.FULL,
    ),
    "an overlap plays once, from the segment that is playing": (
        (0, 20_000),
        [segment("a", 0, 12_000), segment("b", 8_000, 30_000)],
        [("a", 0, 12_000), ("b", 12_000, 20_000)],
        Availability.FULL,
    ),
    "within the last frame's duration the next segment takes over": (
        (0, 20_000),
        [segment("a", 0, 10_001, last_frame_duration_ms=34), segment("b", 10_000, 30_000)],
        [("a", 0, 10_000), ("b", 10_000, 20_000)],
        Availability.FULL,
    ),
    "even if the window ends before the last frame would": (
        (0, 10_020),
        [segment("a", 0, 10_030, last_frame_duration_ms=34), segment("b", 10_000, 30_000)],
        [("a", 0, 10_000), ("b", 10_000, 10_020)],
        Availability.FULL,
    ),
    "right after the last frame too": (
        (0, 20_000),
        [segment("a", 0, 10_001, last_frame_duration_ms=34), segment("b", 9_968, 30_000)],
        [("a", 0, 9_968), ("b", 9_968, 20_000)],
        Availability.FULL,
    ),
    "a segment that is shorter than another's last frame plays within it": (
        (0, 20_000),
        [segment("a", 0, 20_000, last_frame_duration_ms=9_000), segment("b", 14_000, 16_000)],
        [("a", 0, 14_000), ("b", 14_000, 16_000), ("a", 16_000, 20_000)],
        Availability.FULL,
    ),
    "at its instant both play whole: the date of the second is rounded": (
        (0, 20_000),
        [segment("a", 0, 10_001, last_frame_duration_ms=34), segment("b", 9_967, 30_000)],
        [("a", 0, 10_001), ("b", 9_967, 20_000)],
        Availability.FULL,
    ),
    "so do those that overlap by the tolerance": (
        (0, 20_000),
        [segment("a", 0, 10_000), segment("b", 9_000, 30_000)],
        [("a", 0, 10_000), ("b", 9_000, 20_000)],
        Availability.FULL,
    ),
    "whatever the window begins with": (
        (9_500, 20_000),
        [segment("a", 0, 10_000), segment("b", 9_000, 30_000)],
        [("a", 9_500, 10_000), ("b", 9_500, 20_000)],
        Availability.FULL,
    ),
    "an overlap a millisecond longer plays once": (
        (0, 20_000),
        [segment("a", 0, 10_001), segment("b", 9_000, 30_000)],
        [("a", 0, 10_001), ("b", 10_001, 20_000)],
        Availability.FULL,
    ),
    "two that begin at once are two of one time, however short": (
        (0, 20_000),
        [segment("a", 0, 800), segment("b", 0, 800), segment("c", 800, 20_000)],
        [("a", 0, 800), ("c", 800, 20_000)],
        Availability.FULL,
    ),
    "a segment within another is left out": (
        (0, 20_000),
        [segment("a", 0, 30_000), segment("b", 8_000, 12_000)],
        [("a", 0, 20_000)],
        Availability.FULL,
    ),
    "of two that could go on, the one that began first": (
        (0, 20_000),
        [segment("a", 0, 5_000), segment("b", 3_000, 10_000), segment("c", 2_000, 9_000)],
        [("a", 0, 5_000), ("c", 5_000, 9_000), ("b", 9_000, 10_000), ("gap", 10_000, 20_000)],
        Availability.TAIL_MISSING,
    ),
    "a hole inside a segment is filled by another": (
        (0, 20_000),
        [segment("a", 0, 20_000, holes=[(5_000, 15_000)]), segment("b", 3_000, 17_000)],
        [("a", 0, 5_000), ("b", 5_000, 17_000), ("a", 17_000, 20_000)],
        Availability.FULL,
    ),
    "else it is a gap": (
        (0, 20_000),
        [segment("a", 0, 20_000, holes=[(5_000, 15_000)])],
        [("a", 0, 5_000), ("gap", 5_000, 15_000), ("a", 15_000, 20_000)],
        Availability.HOLE,
    ),
    "a hole as long as the tolerance is a seam": (
        (0, 20_000),
        [segment("a", 0, 9_000), segment("b", 10_000, 30_000)],
        [("a", 0, 9_000), ("seam", 9_000, 10_000), ("b", 10_000, 20_000)],
        Availability.FULL,
    ),
    "within a seam, the picture before it is held": (
        (9_200, 9_800),
        [segment("a", 0, 9_000), segment("b", 10_000, 30_000)],
        [("a", 9_200, 9_201), ("seam", 9_201, 9_800)],
        Availability.FULL,
    ),
    "within a gap there is nothing": (
        (9_200, 9_800),
        [segment("a", 0, 9_000), segment("b", 10_001, 30_000)],
        [("gap", 9_200, 9_800)],
        Availability.NONE,
    ),
    "a hole a millisecond longer is a gap": (
        (0, 20_000),
        [segment("a", 0, 9_000), segment("b", 10_001, 30_000)],
        [("a", 0, 9_000), ("gap", 9_000, 10_001), ("b", 10_001, 20_000)],
        Availability.HOLE,
    ),
    "the tail is missing": (
        (590_000, 610_000),
        [MORNING],
        [("morning", 590_000, 600_000), ("gap", 600_000, 610_000)],
        Availability.TAIL_MISSING,
    ),
    "a tail of one millisecond is missing": (
        (590_000, 600_001),
        [MORNING],
        [("morning", 590_000, 600_000), ("gap", 600_000, 600_001)],
        Availability.TAIL_MISSING,
    ),
    "a tail that the recorder says it recorded is held": (
        (0, 20_000),
        [segment("a", 0, 19_967, hold_last_frame_until_ms=20_000)],
        [("a", 0, 19_967), ("seam", 19_967, 20_000)],
        Availability.FULL,
    ),
    "a window behind the last frame, where the recorder says it recorded": (
        (19_970, 19_990),
        [segment("a", 0, 19_967, hold_last_frame_until_ms=20_000)],
        [("a", 19_970, 19_971), ("seam", 19_971, 19_990)],
        Availability.FULL,
    ),
    "a tail beyond what the recorder says is missing whole": (
        (0, 20_001),
        [segment("a", 0, 19_967, hold_last_frame_until_ms=20_000)],
        [("a", 0, 19_967), ("gap", 19_967, 20_001)],
        Availability.TAIL_MISSING,
    ),
    "a head up to the tolerance is held by the first picture": (
        (-1_000, 10_000),
        [MORNING],
        [("seam", -1_000, 0), ("morning", 0, 10_000)],
        Availability.FULL,
    ),
    "a longer head is missing": (
        (-1_001, 10_000),
        [MORNING],
        [("gap", -1_001, 0), ("morning", 0, 10_000)],
        Availability.HOLE,
    ),
    "a tail is held until the next segment begins, within the tolerance": (
        (0, 9_500),
        [segment("a", 0, 9_000), segment("b", 10_000, 30_000)],
        [("a", 0, 9_000), ("seam", 9_000, 9_500)],
        Availability.FULL,
    ),
    "but not if it begins later": (
        (0, 9_500),
        [segment("a", 0, 9_000), segment("b", 10_001, 30_000)],
        [("a", 0, 9_000), ("gap", 9_000, 9_500)],
        Availability.TAIL_MISSING,
    ),
    "a slow camera's picture is held for three of its intervals": (
        (0, 30_000),
        [segment("a", 0, 10_000, interval_ms=5_000), segment("b", 25_000, 40_000)],
        [("a", 0, 10_000), ("seam", 10_000, 25_000), ("b", 25_000, 30_000)],
        Availability.FULL,
    ),
    "head and tail are missing": (
        (-5_000, 605_000),
        [MORNING],
        [("gap", -5_000, 0), ("morning", 0, 600_000), ("gap", 600_000, 605_000)],
        Availability.TAIL_MISSING,
    ),
    "a gap in the middle and the tail missing": (
        (0, 40_000),
        [segment("a", 0, 10_000), segment("b", 20_000, 30_000)],
        [("a", 0, 10_000), ("gap", 10_000, 20_000), ("b", 20_000, 30_000), ("gap", 30_000, 40_000)],
        Availability.TAIL_MISSING,
    ),
    "segments that touch nothing of the window": (
        (700_000, 710_000),
        [MORNING],
        [("gap", 700_000, 710_000)],
        Availability.NONE,
    ),
    "no segments at all": ((0, 1), [], [("gap", 0, 1)], Availability.NONE),
}


@pytest.mark.parametrize(
    ("window", "segments", "wanted", "availability"), PLANS.values(), ids=PLANS
)
def test_a_plan_covers_what_it_can(
    window: tuple[int, int],
    segments: list[RecordingSegment],
    wanted: list[tuple[str, int, int]],
    availability: Availability,
) -> None:
    """Each named case gives its parts and what is available."""
    plan = plan_clip(TimeWindow(*window), segments, SEAM_MS)
    assert parts(plan) == wanted
    assert plan.availability is availability


def test_the_clips_clock_is_the_wall_clock_less_the_gaps_before() -> None:
    """A seam takes its time, a gap takes none."""
    plan = plan_clip(
        TimeWindow(1_000, 60_000),
        [segment("a", 0, 10_000), segment("b", 10_500, 20_000), segment("c", 50_000, 70_000)],
        SEAM_MS,
    )
    assert [plan.delivered_before_ms(t) for t in (1_000, 9_999, 10_500, 19_999)] == [
        0,
        8_999,
        9_500,
        18_999,
    ]
    assert plan.delivered_before_ms(50_000) == 19_000
    assert plan.delivered_before_ms(60_000) == plan.delivered_ms == 29_000


def test_an_overlap_delays_what_follows_until_a_hole_makes_up_for_it() -> None:
    """The clip is longer than its window as long as nothing has."""
    a, b = segment("a", 0, 10_000), segment("b", 9_200, 20_000)
    c, d = segment("c", 20_500, 30_000), segment("d", 30_600, 40_000)
    delayed = plan_clip(TimeWindow(0, 15_000), [a, b], SEAM_MS)
    assert [cut.clip_ms for cut in delayed.cuts] == [0, 10_000]
    assert (delayed.delivered_ms, delayed.duration_ms) == (15_000, 15_800)
    assert delayed.clock == Clock(1.0, 800)
    caught_up = plan_clip(TimeWindow(0, 40_000), [a, b, c, d], SEAM_MS)
    assert [cut.clip_ms for cut in caught_up.cuts] == [0, 10_000, 20_800, 30_600]
    assert (caught_up.duration_ms, caught_up.clock) == (40_000, None)


def test_media_of_another_rate_plays_at_its_own_pace() -> None:
    """The wall clock says which of it is seen; the clip's clock departs from that."""
    wide = [
        evolve(segment(name, start_ms, start_ms + 60_000), rate=Fraction(5, 4))
        for name, start_ms in (("a", 0), ("b", 60_000), ("c", 120_000))
    ]
    plan = plan_clip(TimeWindow(30_000, 130_000), wide, SEAM_MS)
    assert [cut.window.start_ms for cut in plan.cuts] == [30_000, 60_000, 120_000]
    assert [cut.clip_ms for cut in plan.cuts] == [0, 37_500, 112_500]
    assert (plan.delivered_ms, plan.duration_ms, plan.gaps) == (100_000, 125_000, ())
    assert plan.clock == Clock(1.25, 25_000)
    narrow = [
        evolve(segment(name, start_ms, start_ms + 72_000), rate=Fraction(5, 6))
        for name, start_ms in (("a", 0), ("b", 72_000))
    ]
    plan = plan_clip(TimeWindow(0, 144_000), narrow, SEAM_MS)
    assert (plan.duration_ms, plan.clock) == (120_000, Clock(0.833333, -24_000))


def test_what_is_left_out_is_listed() -> None:
    """By name, within the window, in the order of the stretches."""
    plan = plan_clip(
        TimeWindow(5_000, 40_000),
        [segment("a", 0, 30_000), segment("b", 3_000, 8_000), segment("c", 20_000, 50_000)],
        SEAM_MS,
    )
    assert plan.unused == (
        Unused("b", TimeWindow(5_000, 8_000)),
        Unused("c", TimeWindow(20_000, 30_000)),
    )


HELD = {
    "in a cut": ((0, 10_000), [MORNING_WITH_A_LATE_PICTURE], [(5_000, 5_400)]),
    "as far as it is in the window": ((0, 5_100), [MORNING_WITH_A_LATE_PICTURE], [(5_000, 5_100)]),
    "between two cuts": (
        (0, 20_000),
        [segment("a", 0, 9_000, interval_ms=40), segment("b", 9_021, 30_000, interval_ms=40)],
        [(9_000, 9_021)],
    ),
    "but not for half an interval: that is late footage": (
        (0, 20_000),
        [segment("a", 0, 9_000, interval_ms=40), segment("b", 9_020, 30_000, interval_ms=40)],
        [],
    ),
    "at the head": (
        (-100, 5_000),
        [segment("a", 0, 9_000, interval_ms=40)],
        [(-100, 0)],
    ),
    "at the tail": (
        (0, 9_500),
        [segment("a", 0, 9_000, interval_ms=40, hold_last_frame_until_ms=10_000)],
        [(9_000, 9_500)],
    ),
}


@pytest.mark.parametrize(("window", "segments", "held"), HELD.values(), ids=HELD)
def test_pictures_that_stand_for_long_are_listed(
    window: tuple[int, int], segments: list[RecordingSegment], held: list[tuple[int, int]]
) -> None:
    """Wherever they stand."""
    plan = plan_clip(TimeWindow(*window), segments, SEAM_MS)
    assert plan.held == tuple(TimeWindow(*part) for part in held)


segments_strategy = st.lists(
    st.builds(
        lambda start, duration, name, held, last_frame: segment(
            name,
            start,
            start + duration,
            last_frame_duration_ms=min(last_frame, duration),
            hold_last_frame_until_ms=start + duration + held if held else 0,
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
    lambda start, duration: TimeWindow(start, start + duration),
    st.integers(0, 80),
    st.integers(1, 60),
)


@given(windows_strategy, segments_strategy, st.integers(0, 20))
def test_cuts_seams_and_gaps_cover_the_window(
    window: TimeWindow, segments: list[RecordingSegment], tolerance_ms: int
) -> None:
    """Every instant of the window is in a part, and no instant of a hole in another."""
    plan = plan_clip(window, segments, tolerance_ms)
    cuts = [cut.window for cut in plan.cuts]
    assert merged([*cuts, *plan.seams, *plan.gaps]) == [window]
    holes = sorted([*plan.seams, *plan.gaps])
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(holes))
    assert not any(hole.overlaps(cut) for hole in holes for cut in cuts)
    assert cuts == sorted(cuts)
    assert all(after.clip_ms >= before.clip_ms for before, after in pairwise(plan.cuts))
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


def test_a_filled_gap_does_not_stop_the_clips_clock() -> None:
    """At the head, in the middle and at the tail; without filling there is none."""
    a, b = segment("a", 10_000, 20_000), segment("b", 30_000, 40_000)
    window = TimeWindow(5_000, 50_000)
    plan = plan_clip(window, [a, b], SEAM_MS, fills_gaps=True)
    assert [cut.clip_ms for cut in plan.cuts] == [5_000, 25_000]
    assert plan.filled == (
        FilledGap(TimeWindow(5_000, 10_000), 0, 5_000),
        FilledGap(TimeWindow(20_000, 30_000), 15_000, 25_000),
        FilledGap(TimeWindow(40_000, 50_000), 35_000, 45_000),
    )
    assert (plan.duration_ms, plan.shown_ms, plan.delivered_ms) == (45_000, 45_000, 20_000)
    assert plan.clock is None
    skipping = plan_clip(window, [a, b], SEAM_MS)
    assert skipping.filled == ()
    assert (skipping.gaps, skipping.shown_ms, skipping.duration_ms) == (plan.gaps, 20_000, 20_000)


def test_a_plan_without_footage_fills_nothing() -> None:
    """There is no picture to make filler of, and no clip."""
    plan = plan_clip(TimeWindow(0, 1_000), [], SEAM_MS, fills_gaps=True)
    assert (plan.filled, plan.availability) == ((), Availability.NONE)


def test_a_filled_gap_makes_up_for_recordings_that_overlapped() -> None:
    """The later recording waited for 800 ms; the gap of 2 s is filled for 1.2 s."""
    a, b = segment("a", 0, 10_000), segment("b", 9_200, 18_000)
    c = segment("c", 20_000, 30_000)
    plan = plan_clip(TimeWindow(0, 30_000), [a, b, c], SEAM_MS, fills_gaps=True)
    assert [cut.clip_ms for cut in plan.cuts] == [0, 10_000, 20_000]
    assert plan.filled == (FilledGap(TimeWindow(18_000, 20_000), 18_800, 20_000),)
    assert (plan.duration_ms, plan.clock) == (30_000, None)


def test_a_filled_gap_keeps_the_drift_of_a_wrong_clock() -> None:
    """Media that is a fifth longer than its time moves what follows, filler included."""
    slow = evolve(segment("a", 0, 10_000), rate=Fraction(6, 5))
    plan = plan_clip(
        TimeWindow(0, 30_000), [slow, segment("b", 20_000, 30_000)], SEAM_MS, fills_gaps=True
    )
    assert plan.filled == (FilledGap(TimeWindow(10_000, 20_000), 12_000, 22_000),)
    assert plan.clock == Clock(1.2, 2_000)


def test_a_gap_that_overlapping_recordings_have_used_up_is_not_filled() -> None:
    """Both waited for 800 ms, which is more than the gap of 1.2 s."""
    files = [("a", 0, 10_000), ("b", 9_200, 18_000), ("c", 17_200, 26_000), ("d", 27_200, 30_000)]
    segments = [segment(*file) for file in files]
    plan = plan_clip(TimeWindow(0, 30_000), segments, SEAM_MS, fills_gaps=True)
    assert plan.gaps == (TimeWindow(26_000, 27_200),)
    assert plan.filled == ()
