"""Which folders, names and keys can hold a window."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.window import TimeWindow
from infrastructure.layouts.key_ranges import camera_prefix, key_ranges, next_place
from infrastructure.layouts.pattern import parse_pattern
from infrastructure.layouts.pruning import name_range, start_range
from infrastructure.layouts.wall_clock import EPOCH, local_time

MADRID, LORD_HOWE = ZoneInfo("Europe/Madrid"), ZoneInfo("Australia/Lord_Howe")
NEW_YORK = ZoneInfo("America/New_York")
NOON_MS = 1_777_636_810_250
WINDOW = TimeWindow(NOON_MS, NOON_MS + 20_000)
"""2026-05-01 12:00:10.250 UTC, for 20 s."""
FRIGATE, MEDIAMTX = "%Y-%m-%d/%H/{camera}/%M.%S", "{camera}/%Y-%m-%d_%H-%M-%S-%f"
TEN_MINUTES_MS, DAY_MS = 600_000, 86_400_000


DAY = "2026-05-01"
KEYS: dict[str, tuple[str, int, tzinfo, list[tuple[str, str, str]]]] = {
    "a camera's folder, then times: one range": (
        MEDIAMTX,
        TEN_MINUTES_MS,
        UTC,
        [(f"pier/{DAY}_1", f"pier/{DAY}_11-50-10-", f"pier/{DAY}_13-00-30-")],
    ),
    "by local time, with no margin far from a change of the clock": (
        MEDIAMTX,
        TEN_MINUTES_MS,
        MADRID,
        [(f"pier/{DAY}_1", f"pier/{DAY}_13-50-10-", f"pier/{DAY}_15-00-30-")],
    ),
    "folders of hours hold those of cameras: a range for each hour": (
        FRIGATE,
        TEN_MINUTES_MS,
        UTC,
        [
            (f"{DAY}/11/pier/", f"{DAY}/11/pier/50.10", f"{DAY}/11/pier/"),
            (f"{DAY}/12/pier/", f"{DAY}/12/pier/", f"{DAY}/12/pier/"),
            (f"{DAY}/13/pier/", f"{DAY}/13/pier/", f"{DAY}/13/pier/00.30"),
        ],
    ),
    "more hours than are listed one by one: all cameras of them": (
        FRIGATE,
        40 * 3_600_000,
        UTC,
        [("2026-0", "2026-04-29/20/pier/00.10", f"{DAY}/13/pier/00.30")],
    ),
    "the camera at the end of a name: all cameras of the time": (
        "%Y%m%d_%H%M%S_?{camera}",
        TEN_MINUTES_MS,
        UTC,
        [("20260501_1", "20260501_115010_", "20260501_130030_")],
    ),
    "seconds since the epoch": (
        "{camera}/%s",
        TEN_MINUTES_MS,
        UTC,
        [("pier/17776", "pier/1777636210", "pier/1777640430")],
    ),
    "any characters before the time: the camera's folder": (
        "{camera}/[*.]%Y%m%d%H%M%S",
        TEN_MINUTES_MS,
        UTC,
        [("pier/", "pier/", "pier/")],
    ),
    "days before months, whose order is not that of time": (
        "%d.%m.%Y/{camera}/%H%M%S",
        DAY_MS,
        UTC,
        [(f"{day}.2026/pier/",) * 3 for day in ("30.04", "01.05")],
    ),
}
"""By name: a pattern, how long recordings last, its zone; prefix, first and last of its ranges."""


@pytest.mark.parametrize(("pattern", "max_ms", "zone", "expected"), KEYS.values(), ids=KEYS)
def test_keys_of_a_window_are_few_ranges(
    pattern: str, max_ms: int, zone: tzinfo, expected: list[tuple[str, str, str]]
) -> None:
    """A listing may begin at the first of each, and end after its last."""
    parsed = parse_pattern(pattern)
    ranges = key_ranges(parsed, "pier", start_range(parsed, WINDOW, max_ms, zone))
    assert [(keys.prefix, keys.first, keys.last) for keys in ranges] == expected


def test_what_is_before_or_after_a_range_is_not_in_it() -> None:
    """Compared as text."""
    pattern = parse_pattern(MEDIAMTX)
    [keys] = key_ranges(pattern, "pier", start_range(pattern, WINDOW, TEN_MINUTES_MS, UTC))
    assert "pier/2026-05-01_12-00-00-000000.mp4" in keys
    assert "pier/2026-05-01_11-50-09-999999.mp4" not in keys
    assert "pier/2026-05-01_13-00-31-000000.mp4" not in keys


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (MEDIAMTX, "pier/"),
        ("cams/{camera}_%Y%m%d%H%M%S", "cams/pier_"),
        ("{camera}/[*.]%Y%m%d%H%M%S", "pier/"),
        (FRIGATE, None),
        ("*/{camera}/%Y%m%d%H%M%S", None),
        ("%Y%m%d%H%M%S", None),
    ],
)
def test_the_keys_of_a_camera_may_have_a_beginning_of_their_own(
    pattern: str, expected: str | None
) -> None:
    """Unless times or other characters come first."""
    assert camera_prefix(parse_pattern(pattern), "pier") == expected


CAMCLIP, DASHCAM = "{camera}/[*.]%Y%m%dT%H%M%S[%f]", "*/%Y%m%d_%H%M%S_?{camera}"
PLACES = {
    "literal text precedes the time": (MEDIAMTX, "pier/2020-01-01_00-00-00-000000.mp4", None),
    "before the window": (
        CAMCLIP,
        "pier/pier.stream.20200101T000000.mp4",
        "pier/pier.stream.20260501T115010",
    ),
    "within it": (CAMCLIP, "pier/pier.stream.20260501T120000.mp4", None),
    "after it: what follows any digit": (
        CAMCLIP,
        "pier/pier.20260501T130031.mp4",
        "pier/pier.:",
    ),
    "nothing precedes the time": (CAMCLIP, "pier/20200101T000000.mp4", "pier/20260501T115010"),
    "folders of any name": (DASHCAM, "x/20200101_000000_NR.mp4", "x/20260501_115010_"),
    "another camera's, after it": (DASHCAM, "x/20260601_000000_NR.mp4", "x/:"),
    "no recording of the layout": (CAMCLIP, "pier/notes.txt", None),
    "in another folder": (CAMCLIP, "pier/more/20200101T000000.mp4", None),
}
"""By name: a pattern, the key that a listing has come to, and after which it goes on, if not it."""


@pytest.mark.parametrize(("pattern", "key", "expected"), PLACES.values(), ids=PLACES)
def test_a_listing_leaps_over_other_times(pattern: str, key: str, expected: str | None) -> None:
    """Which lie between keys that begin alike."""
    parsed = parse_pattern(pattern)
    starts = start_range(parsed, WINDOW, TEN_MINUTES_MS, UTC)
    assert next_place(parsed, starts, key) == (expected or key)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Y": "2026", "m": "05", "d": "01", "H": "12"}, True),
        ({"Y": "2026", "m": "05", "d": "01", "H": "10"}, False),
        ({"Y": "2026", "m": "05", "d": "01", "H": "14"}, False),
        ({"Y": "2026", "m": "04"}, False),
        ({"Y": "2026"}, True),
        ({"H": "03"}, True),
        ({}, True),
        ({"s": "1777636800"}, True),
        ({"s": "1777600000"}, False),
    ],
    ids=str,
)
def test_a_folder_is_visited_if_it_may_hold_the_window(
    fields: dict[str, str], *, expected: bool
) -> None:
    """By the fields that its path has so far."""
    starts = start_range(parse_pattern(FRIGATE), WINDOW, TEN_MINUTES_MS, UTC)
    assert starts.may_hold(fields) is expected


@pytest.mark.parametrize("zone", [UTC, MADRID, LORD_HOWE], ids=str)
@given(data=st.data())
def test_no_file_that_may_overlap_a_window_is_pruned(zone: tzinfo, data: st.DataObject) -> None:
    """In any zone, at any time of the year, clock changes included."""
    start_ms = data.draw(st.integers(1_767_225_600_000, 1_798_761_600_000))
    file_ms = start_ms - data.draw(st.integers(0, TEN_MINUTES_MS))
    window = TimeWindow(start_ms, start_ms + 20_000)
    local = local_time(file_ms, zone)
    for text in (FRIGATE, MEDIAMTX, "{camera}/%Y/%m/%d/%H%M%S", "{camera}_%Y%m%dT%H%M%S"):
        pattern = parse_pattern(text)
        path = f"{local:{text.replace('{camera}', 'pier')}}"
        starts = start_range(pattern, window, TEN_MINUTES_MS, zone)
        ranges = key_ranges(pattern, "pier", starts)
        assert [path in keys and path.startswith(keys.prefix) for keys in ranges].count(True) == 1
        *folders, name = path.split("/")
        fields: dict[str, str] | None = {}
        components = pattern.of_camera("pier").components
        for component, part in zip(components, (*folders, name), strict=True):
            assert part in name_range(component, starts)
            fields = component.match(part, fields or {})
            assert fields is not None
            assert starts.may_hold(fields)


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        (MADRID, datetime(2026, 10, 25, 1, tzinfo=UTC)),
        (NEW_YORK, datetime(2026, 11, 1, 6, tzinfo=UTC)),
        (LORD_HOWE, datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ],
    ids=str,
)
def test_no_file_of_a_repeated_hour_is_pruned(zone: tzinfo, change: datetime) -> None:
    """Its local time may be before that of a file that starts earlier."""
    pattern = parse_pattern(MEDIAMTX)
    for minutes in range(-90, 91, 5):
        file_ms = (change - EPOCH) // timedelta(milliseconds=1) + 60_000 * minutes
        path = f"{local_time(file_ms, zone):{MEDIAMTX.replace('{camera}', 'pier')}}"
        for late_ms in range(0, TEN_MINUTES_MS, 60_000):
            window = TimeWindow(file_ms + late_ms, file_ms + late_ms + 1000)
            starts = start_range(pattern, window, TEN_MINUTES_MS, zone)
            [keys] = key_ranges(pattern, "pier", starts)
            assert path in keys


def test_a_long_window_may_begin_at_one_change_of_the_clock_and_end_after_another() -> None:
    """Its ends then have the same offset."""
    pattern = parse_pattern(MEDIAMTX)
    begin_ms, end_ms = (
        int(datetime.fromisoformat(text).timestamp() * 1000)
        for text in ("2026-10-25T01:05Z", "2027-06-01T00:00Z")
    )
    starts = start_range(pattern, TimeWindow(begin_ms, end_ms), TEN_MINUTES_MS, MADRID)
    [keys] = key_ranges(pattern, "pier", starts)
    assert "pier/2026-10-25_02-00-00-000000.mp4" in keys


def test_offsets_in_the_path_widen_the_range() -> None:
    """A recorder may be in any zone."""
    pattern = parse_pattern("%Y%m%d%H%M%S%z")
    starts = start_range(pattern, WINDOW, 0, UTC)
    instant = EPOCH + timedelta(milliseconds=NOON_MS)
    for hours in (-12, 14):
        local = (instant + timedelta(hours=hours)).replace(tzinfo=None)
        assert starts.first <= local <= starts.last


def test_windows_beyond_all_dates_do_not_overflow() -> None:
    """They are those of all time."""
    starts = start_range(parse_pattern(FRIGATE), TimeWindow(0, 10**15), DAY_MS, MADRID)
    assert starts.first <= datetime(1970, 1, 1, 1) < datetime(9997, 1, 1) <= starts.last  # noqa: DTZ001 - local
