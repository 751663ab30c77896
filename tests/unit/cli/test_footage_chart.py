"""The text timeline of footage."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import pytest

from domain.window import TimeWindow
from entrypoints.cli.footage_chart import chart

NOON_MS = 1_777_636_800_000
"""2026-05-01 12:00 UTC."""
MIN_MS, H_MS, DAY_MS = 60_000, 3_600_000, 86_400_000

CHARTS: dict[str, tuple[tuple[int, int], list[tuple[int, int]], tzinfo, list[str]]] = {
    "a minute a row, a second a cell": (
        (-10_000, 20_000),
        [(-10_000, 5_000), (15_500, 20_000)],
        UTC,
        [
            "2026-05-01 11:59  " + " " * 50 + "█" * 10,
            "2026-05-01 12:00  " + "█" * 5 + "·" * 10 + "▒" + "█" * 4,
        ],
    ),
    "an hour a row, if minutes are too many": (
        (0, 49 * MIN_MS),
        [(0, 90_000)],
        UTC,
        ["2026-05-01 12:00  █▒" + "·" * 47],
    ),
    "a day a row, if hours are too many": (
        (0, 49 * H_MS),
        [(H_MS, 49 * H_MS)],
        UTC,
        [
            "2026-05-01 00:00  " + " " * 24 + "··" + "█" * 22,
            "2026-05-02 00:00  " + "█" * 48,
            "2026-05-03 00:00  " + "█" * 26,
        ],
    ),
    "days begin at midnight of the zone": (
        (-12 * H_MS, 37 * H_MS),
        [],
        ZoneInfo("Asia/Tokyo"),
        [
            "2026-05-01 00:00  " + " " * 18 + "·" * 30,
            "2026-05-02 00:00  " + "·" * 48,
            "2026-05-03 00:00  " + "·" * 20,
        ],
    ),
    "many empty rows are summed up": (
        (0, 6 * H_MS),
        [(0, H_MS), (5 * H_MS, 6 * H_MS)],
        UTC,
        [
            "2026-05-01 12:00  " + "█" * 60,
            "               …  4 h without footage",
            "2026-05-01 17:00  " + "█" * 60,
        ],
    ),
}


@pytest.mark.parametrize("name", CHARTS)
def test_charts(name: str) -> None:
    """Below a line that explains the cells; bounds are relative to noon."""
    bounds, footage, zone, expected = CHARTS[name]
    within, *windows = (
        TimeWindow(NOON_MS + start, NOON_MS + end) for start, end in (bounds, *footage)
    )
    legend, *rows = chart(within, windows, zone)
    assert "·" in legend
    assert rows == expected
