"""Windows are half-open and never empty."""

import pytest

from domain.window import TimeWindow, duration_text


def test_a_window_knows_its_length() -> None:
    """The end is not part of it."""
    assert TimeWindow(1_000, 3_500).duration_ms == 2_500


@pytest.mark.parametrize(("start_ms", "end_ms"), [(5, 5), (6, 5)])
def test_a_window_that_does_not_start_before_it_ends_is_refused(start_ms: int, end_ms: int) -> None:
    """Neither an empty nor a backward stretch is a window."""
    with pytest.raises(ValueError, match="must start before it ends"):
        TimeWindow(start_ms, end_ms)


@pytest.mark.parametrize(
    ("other", "overlap"),
    [
        (TimeWindow(0, 10), False),
        (TimeWindow(0, 11), True),
        (TimeWindow(19, 30), True),
        (TimeWindow(20, 30), False),
        (TimeWindow(12, 15), True),
        (TimeWindow(0, 30), True),
    ],
)
def test_windows_that_only_touch_do_not_overlap(other: TimeWindow, overlap: bool) -> None:
    """The end of one may be the start of the next."""
    window = TimeWindow(10, 20)
    assert window.overlaps(other) is overlap
    assert other.overlaps(window) is overlap


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (0, "0 s"),
        (1, "0.001 s"),
        (33_500, "33.5 s"),
        (60_000, "1 min"),
        (300_001, "5 min 0.001 s"),
        (1_800_000, "30 min"),
        (3_661_500, "1 h 1 min 1.5 s"),
        (86_400_000, "24 h"),
        (172_799_999, "47 h 59 min 59.999 s"),
        (7 * 86_400_000, "7 days"),
        (2 * 86_400_000 + 3_600_000, "2 days 1 h"),
    ],
)
def test_a_duration_is_written_as_people_say_it(duration_ms: int, text: str) -> None:
    """To the millisecond, without what is zero."""
    assert duration_text(duration_ms) == text
