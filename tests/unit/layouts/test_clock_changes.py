"""Local times around changes of the clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from infrastructure.layouts.clock_changes import dated, near_repeated_times
from infrastructure.layouts.wall_clock import EPOCH, Stamp

MINUTE_MS = 60_000


def stamp(text: str) -> Stamp:
    return Stamp(datetime.fromisoformat(text))


def ms(text: str) -> int:
    """Return an instant in UTC."""
    return int((datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH).total_seconds() * 1000)


# zone, a repeated time, its first and its second instant in UTC
REPEATED = [
    ("Europe/Madrid", "2026-10-25 02:30:00", "2026-10-25 00:30:00", "2026-10-25 01:30:00"),
    ("America/New_York", "2026-11-01 01:30:00", "2026-11-01 05:30:00", "2026-11-01 06:30:00"),
    ("Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04 14:45:00", "2026-04-04 15:15:00"),
]
SKIPPED = [
    ("Europe/Madrid", "2026-03-29 02:30:00", "2026-03-29 01:30:00"),
    ("America/New_York", "2026-03-08 02:30:00", "2026-03-08 07:30:00"),
    ("Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03 15:45:00"),
]


@pytest.mark.parametrize(("zone", "local", "first", "second"), REPEATED)
@pytest.mark.parametrize("which", [0, 1], ids=["first time", "second time"])
def test_a_repeated_time_is_resolved_by_the_modification_time(
    zone: str, local: str, first: str, second: str, which: int
) -> None:
    """It was last written ten minutes after its start; the note names file, time and zone."""
    instant_ms = ms((first, second)[which])
    stamps = {"a.mp4": stamp(local)}
    [file] = dated(stamps, {"a.mp4": instant_ms + 10 * MINUTE_MS}, ZoneInfo(zone))
    assert file.start_ms == instant_ms
    ordinal = ("first", "second")[which]
    assert f"a.mp4 starts at {local}, which a change of the clock repeats in {zone}" in file.note
    assert f"taken for the {ordinal} time" in file.note


@pytest.mark.parametrize(("zone", "local", "first", "second"), REPEATED)
def test_copies_are_resolved_by_the_order_of_their_times(
    zone: str, local: str, first: str, second: str
) -> None:
    """Days later, but one after the other: the second hour begins where the time steps back."""
    earlier = f"{local[:-5]}{int(local[-5:-3]) - 5:02}:00"
    stamps = {"1.mp4": stamp(earlier), "2.mp4": stamp(local), "3.mp4": stamp(earlier)}
    copied_ms = ms(second) + 10**9
    written_ms = {name: copied_ms + place for place, name in enumerate(stamps)}
    starts = {file.name: file.start_ms for file in dated(stamps, written_ms, ZoneInfo(zone))}
    assert starts["2.mp4"] == ms(first)
    assert starts["3.mp4"] == ms(second) - 5 * MINUTE_MS


@pytest.mark.parametrize(
    ("written", "reason"),
    [((5, 5, 5), "all at once"), ((9, 1, 5), "in any order"), ((1, 2, 3), "in order of names")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_nothing_decides_is_taken_for_the_first_time(
    written: tuple[int, int, int], reason: str
) -> None:
    """And the note says that it may be wrong."""
    zone, local, first, second = REPEATED[0]
    stamps = {f"{hour}.mp4": stamp(local.replace("02:30", hour)) for hour in ("01:00", "02:30")}
    stamps["03:40.mp4"] = stamp(local.replace("02:30", "03:40"))
    written_ms = {n: ms(second) + 10**9 + w for n, w in zip(stamps, written, strict=True)}
    [file] = [f for f in dated(stamps, written_ms, ZoneInfo(zone)) if f.name == "02:30.mp4"]
    assert file.start_ms == ms(first), reason
    assert "may be wrong" in file.note


@pytest.mark.parametrize(("zone", "local", "instant"), SKIPPED)
def test_a_skipped_time_goes_on_without_the_change(zone: str, local: str, instant: str) -> None:
    """No clock of the zone ever showed it: the note doubts the zone."""
    [file] = dated({"a.mp4": stamp(local)}, {}, ZoneInfo(zone))
    assert file.start_ms == ms(instant)
    assert f"a change of the clock skips in {zone}: check the zone" in file.note


@pytest.mark.parametrize(("zone", "local", "first", "second"), REPEATED)
def test_times_around_a_change_are_certain(zone: str, local: str, first: str, second: str) -> None:
    """Two hours before and after there is one instant each, and no note."""
    before = datetime.fromisoformat(local).replace(hour=0, minute=0)
    after = datetime.fromisoformat(local).replace(hour=5)
    files = dated({"1": Stamp(before), "2": Stamp(after)}, {}, ZoneInfo(zone))
    assert [file.note for file in files] == ["", ""]
    assert files[0].start_ms < ms(first) < ms(second) < files[1].start_ms
    assert files[1].start_ms - files[0].start_ms != (after - before).total_seconds() * 1000


def test_modification_times_are_needed_near_repeated_times_only() -> None:
    """The others are not read: there may be thousands of files."""
    zone, local, *_ = REPEATED[0]
    stamps = {"near": stamp("2026-10-25 04:00:00"), "far": stamp("2026-10-25 12:00:00")}
    assert near_repeated_times(stamps, ZoneInfo(zone)) == set()
    assert near_repeated_times({**stamps, "at": stamp(local)}, ZoneInfo(zone)) == {"near", "at"}
