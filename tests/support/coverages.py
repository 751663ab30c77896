"""Coverages with everything in them."""

from domain.coverage import Clock, Coverage, Unused, Verification
from domain.window import TimeWindow


def windows(count: int, start_ms: int, step_ms: int, duration_ms: int) -> tuple[TimeWindow, ...]:
    starts = range(start_ms, start_ms + count * step_ms, step_ms)
    return tuple(TimeWindow(at_ms, at_ms + duration_ms) for at_ms in starts)


def every_kind(
    start_ms: int, count: int = 1, *, name: str = "pier.mp4", unused: int = 0
) -> Coverage:
    """Return `count` gaps, damaged and held windows each, and as many or more unused ones."""
    return Coverage(
        gaps=windows(count, start_ms, 3000, 400),
        damaged=windows(count, start_ms + 1000, 3000, 333),
        held=windows(count, start_ms + 2000, 3000, 999),
        unused=tuple(
            Unused(f"{number}{name}"[-200:], window)
            for number, window in enumerate(windows(unused or count, start_ms, 500, 1499))
        ),
        clock=Clock(0.986301, -1234),
        verified=Verification.ALL,
        notes=(
            "The recorder's clock stepped back  (twice).",
            "Doubtful: 100 % of \u201eit\x7f\u201d. ",
        ),
    )
