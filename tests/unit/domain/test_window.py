"""Windows are half-open and never empty."""

import pytest

from domain.window import TimeWindow


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
