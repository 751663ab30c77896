"""The stretches that a file's frames cover, and the rate of its media."""

from fractions import Fraction

import pytest
from attrs import evolve

from domain.recording import FrameTimes, RecordingSegment, believed_rates
from domain.window import TimeWindow

SEAM_MS = 1_000
ORIGIN_MS = 1_000_000
MORNING = RecordingSegment(TimeWindow(ORIGIN_MS, ORIGIN_MS + 10_000), "morning", listed_ms=10_000)


def times(*frames_ms: float, end_ms: int | None = None, step_ms: float = 40) -> FrameTimes:
    """Return frames at these times, the last as long as the others unless it has an end."""
    last_ms = frames_ms[-1]
    return FrameTimes(frames_ms[0], last_ms, end_ms or int(last_ms + step_ms), frames_ms)


def every(step_ms: float, from_ms: float, to_ms: float) -> tuple[float, ...]:
    count = round((to_ms - from_ms) / step_ms)
    return tuple(from_ms + number * step_ms for number in range(count))


STRETCHES = {
    "frames at equal distances": (times(*every(40, 0, 10_000)), [(0, 10_000)], []),
    "an interval of one and a half": (
        times(*every(40, 0, 5_000), *every(40, 5_020, 10_020)),
        [(0, 10_020)],
        [],
    ),
    "an interval a millisecond longer: held": (
        times(*every(40, 0, 5_000), *every(40, 5_021, 10_021)),
        [(0, 10_021)],
        [(5_000, 5_021)],
    ),
    "an interval as long as the tolerance: held": (
        times(*every(40, 0, 5_000), *every(40, 5_960, 9_960)),
        [(0, 9_960)],
        [(5_000, 5_960)],
    ),
    "a longer one: a gap": (
        times(*every(40, 0, 5_000), *every(40, 5_961, 9_961)),
        [(0, 5_000), (5_961, 9_961)],
        [],
    ),
    "two gaps": (
        times(*every(40, 0, 1_000), *every(40, 3_000, 4_000), *every(40, 9_000, 9_400)),
        [(0, 1_000), (3_000, 4_000), (9_000, 9_400)],
        [],
    ),
    "a slow camera: three intervals are held": (
        times(0, 2_000, 4_000, 6_000, 12_000, 14_000, step_ms=2_000),
        [(0, 16_000)],
        [(8_000, 12_000)],
    ),
    "and more than that is a gap": (
        times(0, 2_000, 4_000, 6_000, 12_001, 14_001, step_ms=2_000),
        [(0, 8_000), (12_001, 16_001)],
        [],
    ),
    "the first frames cannot be decoded": (
        times(*every(40, 320, 10_000)),
        [(320, 10_000)],
        [],
    ),
    "the last frame is said to last an hour": (
        times(*every(40, 0, 10_000), end_ms=3_600_000),
        [(0, 10_000)],
        [],
    ),
    "the last frame lasts as long as the tolerance": (
        times(*every(40, 0, 10_000), end_ms=10_960),
        [(0, 10_960)],
        [(10_000, 10_960)],
    ),
    "frames between two milliseconds": (
        times(*every(1000 / 30, 0, 10_000), step_ms=1000 / 30),
        [(0, 10_000)],
        [],
    ),
    "variable intervals": (
        times(0, 20, 60, 100, 130, 190, 230, 270, 300, 340),
        [(0, 380)],
        [],
    ),
    "a single frame, as long as the recorder's dates say": (
        times(0, end_ms=10_000),
        [(0, 10_000)],
        [],
    ),
    "a single frame that is said to last an hour": (times(0, end_ms=3_600_000), [(0, 10_000)], []),
    "two frames of one time": (times(0, 40, 40, 80, 120), [(0, 160)], []),
}


@pytest.mark.parametrize(("frames", "stretches", "held"), STRETCHES.values(), ids=STRETCHES)
def test_a_recording_is_the_stretches_that_its_frames_cover(
    frames: FrameTimes, stretches: list[tuple[int, int]], held: list[tuple[int, int]]
) -> None:
    """From its start on, whatever it says of its end."""
    opened = MORNING.opened(frames, SEAM_MS)
    assert opened.stretches == tuple(TimeWindow(*s).shifted(ORIGIN_MS) for s in stretches)
    assert opened.held == tuple(TimeWindow(*h).shifted(ORIGIN_MS) for h in held)
    assert opened.window.start_ms == opened.stretches[0].start_ms
    assert opened.window.end_ms == opened.stretches[-1].end_ms


def test_frames_that_were_not_looked_at_are_assumed() -> None:
    """Of a long file only those around the window are known."""
    frames = FrameTimes(0, 599_960, 600_000, (*every(40, 300_000, 301_000), 305_000, 305_040))
    opened = MORNING.opened(frames, SEAM_MS)
    assert [s.shifted(-ORIGIN_MS) for s in opened.stretches] == [
        TimeWindow(0, 301_000),
        TimeWindow(305_000, 600_000),
    ]
    assert MORNING.opened(FrameTimes(0, 9_960, 10_000, ()), SEAM_MS).stretches == (MORNING.window,)


ENDS = {
    "the media is shorter than the camera says": (8_000, 0),
    "the media is longer than the camera says": (10_400, 0),
    "the media ends a frame early: the recorder has rounded": (9_960, 10_000),
    "as early as the tolerance": (9_000, 10_000),
    "a frame earlier than that": (8_960, 0),
    "to the millisecond": (10_000, 0),
}


@pytest.mark.parametrize(("end_ms", "held_until_ms"), ENDS.values(), ids=ENDS)
def test_the_dates_say_how_long_the_last_frame_is_held(end_ms: int, held_until_ms: int) -> None:
    """The media says when it ends."""
    opened = MORNING.opened(times(*every(40, 0, end_ms)), SEAM_MS)
    assert opened.window == TimeWindow(0, end_ms).shifted(ORIGIN_MS)
    assert opened.last_frame_duration_ms == 40
    assert opened.hold_last_frame_until_ms == (ORIGIN_MS + held_until_ms if held_until_ms else 0)


def files(*media_ms: int, listed_ms: int = 60_000, hole_ms: int = 0) -> list[RecordingSegment]:
    """Return opened files of these durations, listed one after the other."""
    return [
        RecordingSegment(
            TimeWindow(start_ms, start_ms + listed_ms), f"{number}", listed_ms=listed_ms
        ).opened(times(*every(40, 0, duration_ms)), SEAM_MS)
        for number, duration_ms in enumerate(media_ms)
        for start_ms in [number * (listed_ms + hole_ms)]
    ]


RATES = {
    "three files that agree": (files(75_000, 75_000, 75_000), ["5/4"] * 3),
    "slower than the dates": (files(60_000, 60_000, 60_000, listed_ms=72_000), ["5/6"] * 3),
    "within a hundredth": (files(75_000, 75_720, 75_000), ["5/4", "631/500", "5/4"]),
    "two files prove nothing": (files(75_000, 75_000), []),
    "nor do three that differ": (files(75_000, 76_000, 75_000), []),
    "nor three that are listed apart": (files(75_000, 75_000, 75_000, hole_ms=1_001), []),
    "what the tolerance explains is no rate": (files(61_000, 61_000, 61_000), []),
    "a clock is not wrong by half": (files(90_000, 90_000, 90_000), []),
    "half the footage is missing": (files(30_000, 30_000, 30_000), []),
    "three in a row among others": (
        files(60_000, 75_000, 75_000, 75_000, 60_000, 75_000),
        ["", "5/4", "5/4", "5/4", "", ""],
    ),
}


@pytest.mark.parametrize(("segments", "rates"), RATES.values(), ids=RATES)
def test_a_rate_is_believed_where_files_agree(
    segments: list[RecordingSegment], rates: list[str]
) -> None:
    """In any order."""
    believed = {str(n): Fraction(rate) for n, rate in enumerate(rates) if rate}
    assert believed_rates(segments, SEAM_MS) == believed
    assert believed_rates(reversed(segments), SEAM_MS) == believed


def test_a_file_without_a_listed_end_has_no_rate() -> None:
    """There is nothing to compare its duration with."""
    unlisted = [evolve(segment, listed_ms=0) for segment in files(75_000, 75_000, 75_000)]
    assert believed_rates(unlisted, SEAM_MS) == {}


@pytest.mark.parametrize(("media_ms", "rates"), [(54_000, 0), (66_000, 3)])
def test_media_that_ends_before_an_assumed_end_is_followed_by_a_gap(
    media_ms: int, rates: int
) -> None:
    """Longer media is of another rate: the next recording does begin then."""
    listed = files(media_ms, media_ms, media_ms)
    assert len(believed_rates(listed, SEAM_MS)) == 3
    assumed = [evolve(segment, is_end_assumed=True) for segment in listed]
    assert len(believed_rates(assumed, SEAM_MS)) == rates


def test_media_of_another_rate_fills_its_listed_window() -> None:
    """Its stretches too; the start stays."""
    opened = MORNING.opened(
        times(*every(40, 0, 5_000), *every(40, 7_500, 12_500)), SEAM_MS
    ).at_rate(Fraction(5, 4))
    assert [s.shifted(-ORIGIN_MS) for s in opened.stretches] == [
        TimeWindow(0, 4_000),
        TimeWindow(6_000, 10_000),
    ]
    assert opened.window == MORNING.window
    assert opened.media_ms(ORIGIN_MS + 6_000) == 7_500
    assert opened.frame_interval_ms == 32


def test_windows_can_be_taken_out() -> None:
    """Nothing can be decoded there."""
    opened = MORNING.opened(times(*every(40, 0, 10_000)), SEAM_MS)
    left = opened.without([TimeWindow(2_000, 3_000).shifted(ORIGIN_MS)])
    assert [s.shifted(-ORIGIN_MS) for s in left.stretches] == [
        TimeWindow(0, 2_000),
        TimeWindow(3_000, 10_000),
    ]
