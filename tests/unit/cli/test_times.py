"""Instants, written for people."""

from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from entrypoints.cli.times import clock, compact, in_zones, utc

INSTANT_MS = 1_777_636_810_250


def test_instants_are_written_to_the_millisecond() -> None:
    """In UTC; beyond the calendar as a number."""
    assert utc(INSTANT_MS) == "2026-05-01 12:00:10.250"
    assert clock(INSTANT_MS + 1) == "12:00:10.251"
    assert compact(-1) == "19691231T235959999"
    assert compact(10**15 - 1) == "999999999999999ms"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        pytest.param(UTC, "2026-05-01 12:00:10.250 UTC", id="UTC, once"),
        pytest.param(
            ZoneInfo("Europe/Madrid"),
            "2026-05-01 12:00:10.250 UTC (2026-05-01 14:00:10.250+02:00 Europe/Madrid)",
            id="a zone, by name",
        ),
        pytest.param(
            ZoneInfo("America/St_Johns"),
            "2026-05-01 12:00:10.250 UTC (2026-05-01 09:30:10.250-02:30 America/St_Johns)",
            id="a zone west of UTC, by half an hour",
        ),
        pytest.param(
            timezone(-timedelta(minutes=44, seconds=30)),
            "2026-05-01 12:00:10.250 UTC (2026-05-01 11:15:40.250-00:44:30)",
            id="an offset with seconds, as zones had before 1972",
        ),
        pytest.param(
            timezone(timedelta(hours=13)),
            "2026-05-01 12:00:10.250 UTC (2026-05-02 01:00:10.250+13:00)",
            id="an offset, on another day",
        ),
    ],
)
def test_an_answer_shows_utc_and_the_chosen_zone(zone: tzinfo, shown: str) -> None:
    assert in_zones(INSTANT_MS, zone) == shown


def test_an_instant_beyond_the_calendar_is_a_number_in_every_zone() -> None:
    assert in_zones(10**15, ZoneInfo("Europe/Madrid")) == f"{10**15}ms UTC"
