"""Times as people type them, among them those around clock changes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.window import TimeWindow
from entrypoints.cli.console import UsageError
from entrypoints.cli.typed_times import parse_duration_ms, parse_time, parse_window

MADRID = ZoneInfo("Europe/Madrid")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
"""Its clock changes by half an hour: forward from 02:00 +10:30, back from 02:00 +11:00."""

NOW = "2026-05-01T12:00:00Z"
"""At 14:00 in Madrid, and 22:30 on Lord Howe Island."""


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "zone", "meant"),
    [
        ("13:05", MADRID, "2026-05-01T11:05:00Z"),
        ("14:00", MADRID, "2026-05-01T12:00:00Z"),
        ("14:05", MADRID, "2026-04-30T12:05:00Z"),
        ("11:59:12.5", UTC, "2026-05-01T11:59:12.500Z"),
        ("11:59:12,5", UTC, "2026-05-01T11:59:12.500Z"),
        ("8:05", UTC, "2026-05-01T08:05:00Z"),
        ("14:05Z", MADRID, "2026-04-30T14:05:00Z"),
        ("14:05+03:00", MADRID, "2026-05-01T11:05:00Z"),
        ("08:05 America/New_York", MADRID, "2026-04-30T12:05:00Z"),
        ("today 8:00", LORD_HOWE, "2026-04-30T21:30:00Z"),
        ("today 23:10", MADRID, "2026-05-01T21:10:00Z"),
        ("yesterday 23:10", MADRID, "2026-04-30T21:10:00Z"),
        ("yesterday  23:10 UTC", MADRID, "2026-04-30T23:10:00Z"),
        ("now", MADRID, NOW),
        ("now-10m", MADRID, "2026-05-01T11:50:00Z"),
        ("now - 1h30m", MADRID, "2026-05-01T10:30:00Z"),
        ("now+1.5s", MADRID, "2026-05-01T12:00:01.500Z"),
        ("2026-03-28 14:05", MADRID, "2026-03-28T13:05:00Z"),
        ("2026-03-28 14:05 Europe/Madrid", UTC, "2026-03-28T13:05:00Z"),
        ("2026-03-28T14:05:00.25 Europe/Madrid", UTC, "2026-03-28T13:05:00.250Z"),
        ("2026-05-01T12:00:10.250Z", MADRID, "2026-05-01T12:00:10.250Z"),
        ("2026-05-01 14:00:10.250+02:00", UTC, "2026-05-01T12:00:10.250Z"),
        ("2026-05-01T14:00-0230", UTC, "2026-05-01T16:30:00Z"),
        ("2026-05-01T12:00:10.25", UTC, "2026-05-01T12:00:10.250Z"),
        ("20260501T140010+0200", UTC, "2026-05-01T12:00:10Z"),
        ("2026-05-01", MADRID, "2026-04-30T22:00:00Z"),
        ("1777636810", MADRID, "2026-05-01T12:00:10Z"),
        ("1777636810.25", MADRID, "2026-05-01T12:00:10.250Z"),
        ("1777636810250", MADRID, "2026-05-01T12:00:10.250Z"),
        ("1000", MADRID, "1970-01-01T00:00:01Z"),
    ],
)
def test_a_time_means_one_millisecond(text: str, zone: ZoneInfo, meant: str) -> None:
    """In the zone that it names, or else the given one; without a date, the most recent one."""
    assert parse_time(text, ms(NOW), zone).instant_ms == ms(meant)


@pytest.mark.parametrize(
    "text",
    [
        "noon",
        "",
        "-1",
        "1234567890123456",
        "25:00",
        "14:60",
        "14:05:61",
        "tomorrow 14:05",
        "yesterday",
        "2026-02-30 14:05",
        "14.05",
    ],
)
def test_other_text_is_wrong_usage(text: str) -> None:
    """The message shows how to write a time."""
    with pytest.raises(UsageError, match=r"14:05, yesterday 23:10, now-10m, 2026-05-01T12.*or 17"):
        parse_time(text, ms(NOW), UTC)


@pytest.mark.parametrize("text", ["14:05 CEST", "14:05 Europe/Madird", "14:05 Europe"])
def test_an_unknown_zone_is_named_with_the_remedy(text: str) -> None:
    zone = text.split()[1]
    message = f"{zone} is no time zone .*: write an IANA name .* Europe/Madrid, or an offset"
    with pytest.raises(UsageError, match=message):
        parse_time(text, ms(NOW), UTC)


@pytest.mark.parametrize(
    ("text", "now", "zone", "message"),
    [
        pytest.param(
            "2026-03-29 02:30",
            NOW,
            MADRID,
            "2026-03-29 02:30 does not exist in Europe/Madrid: the clock is put forward by 60 min."
            " Write 2026-03-29 03:30, or an offset: 2026-03-29 02:30+01:00.",
            id="forward, by an hour",
        ),
        pytest.param(
            "2026-10-25T02:59:59.5",
            NOW,
            MADRID,
            "2026-10-25 02:59:59.5 exists twice in Europe/Madrid: the clock is put back by 60 min."
            " Write 2026-10-25 02:59:59.5+02:00 for the first,"
            " 2026-10-25 02:59:59.5+01:00 for the second.",
            id="back, by an hour",
        ),
        pytest.param(
            "2026-10-04 02:15",
            NOW,
            LORD_HOWE,
            "2026-10-04 02:15 does not exist in Australia/Lord_Howe: the clock is put forward by"
            " 30 min. Write 2026-10-04 02:45, or an offset: 2026-10-04 02:15+10:30.",
            id="forward, by half an hour",
        ),
        pytest.param(
            "2026-04-05 01:30",
            NOW,
            LORD_HOWE,
            "2026-04-05 01:30 exists twice in Australia/Lord_Howe: the clock is put back by"
            " 30 min. Write 2026-04-05 01:30+11:00 for the first, 2026-04-05 01:30+10:30 for the"
            " second.",
            id="back, by half an hour",
        ),
        pytest.param(
            "02:30", "2026-03-29T12:00Z", MADRID, "2026-03-29 02:30 does not", id="skipped today"
        ),
        pytest.param(
            "02:30",
            "2026-10-25T12:00Z",
            MADRID,
            "2026-10-25 02:30 exists twice",
            id="repeated today",
        ),
        pytest.param(
            "yesterday 02:15",
            "2026-10-04T20:00Z",
            LORD_HOWE,
            "2026-10-04 02:15 does not",
            id="skipped yesterday",
        ),
        pytest.param(
            "2026-03-29 02:30 Europe/Madrid", NOW, UTC, "does not exist", id="in the zone it names"
        ),
    ],
)
def test_a_time_that_a_clock_change_skips_or_repeats_is_wrong_usage(
    text: str, now: str, zone: ZoneInfo, message: str
) -> None:
    """The message says how to write the moments that may be meant."""
    with pytest.raises(UsageError) as raised:
        parse_time(text, ms(now), zone)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "now", "zone", "meant"),
    [
        ("2026-03-29 01:59:59.999", NOW, MADRID, "2026-03-29T00:59:59.999Z"),
        ("2026-03-29 03:00", NOW, MADRID, "2026-03-29T01:00:00Z"),
        ("2026-03-29 02:30+01:00", NOW, MADRID, "2026-03-29T01:30:00Z"),
        ("2026-10-25 02:00+02:00", NOW, MADRID, "2026-10-25T00:00:00Z"),
        ("2026-10-25 02:00+01:00", NOW, MADRID, "2026-10-25T01:00:00Z"),
        ("2026-10-25 03:00", NOW, MADRID, "2026-10-25T02:00:00Z"),
        ("2026-10-04 01:59", NOW, LORD_HOWE, "2026-10-03T15:29:00Z"),
        ("2026-10-04 02:30", NOW, LORD_HOWE, "2026-10-03T15:30:00Z"),
        ("2026-04-05 01:29", NOW, LORD_HOWE, "2026-04-04T14:29:00Z"),
        ("2026-04-05 02:00", NOW, LORD_HOWE, "2026-04-04T15:30:00Z"),
        ("02:30", "2026-10-25T00:45:00Z", MADRID, "2026-10-25T00:30:00Z"),
        ("02:30", "2026-10-25T00:15:00Z", MADRID, "2026-10-24T00:30:00Z"),
        ("02:30", "2026-03-29T00:15:00Z", MADRID, "2026-03-28T01:30:00Z"),
        ("01:45", "2026-04-04T14:50:00Z", LORD_HOWE, "2026-04-04T14:45:00Z"),
    ],
    ids=[
        "before the clock is put forward",
        "after the clock is put forward",
        "skipped, with an offset",
        "repeated, the first",
        "repeated, the second",
        "after the clock is put back",
        "before it is put forward by half an hour",
        "after it is put forward by half an hour",
        "before it is put back by half an hour",
        "after it is put back by half an hour",
        "repeated today, of which the second is not yet",
        "repeated today, but not yet",
        "skipped today, but not yet",
        "repeated by half an hour, of which the second is not yet",
    ],
)
def test_a_time_around_a_clock_change_means_one_moment_where_it_can(
    text: str, now: str, zone: ZoneInfo, meant: str
) -> None:
    assert parse_time(text, ms(now), zone).instant_ms == ms(meant)


@pytest.mark.parametrize(
    ("start", "end", "duration", "window"),
    [
        ("13:05", None, "30s", ("2026-05-01T11:05:00Z", "2026-05-01T11:05:30Z")),
        ("13:05", "13:06", None, ("2026-05-01T11:05:00Z", "2026-05-01T11:06:00Z")),
        ("13:59", "14:01", None, ("2026-05-01T11:59:00Z", "2026-05-01T12:01:00Z")),
        ("23:50", "00:10", None, ("2026-04-30T21:50:00Z", "2026-04-30T22:10:00Z")),
        ("13:05Z", "13:06", None, ("2026-04-30T13:05:00Z", "2026-04-30T13:06:00Z")),
        ("now-10m", "now-9m", None, ("2026-05-01T11:50:00Z", "2026-05-01T11:51:00Z")),
        (
            "2026-03-28 14:05 UTC",
            "2026-03-28 14:06",
            None,
            ("2026-03-28T14:05:00Z", "2026-03-28T14:06:00Z"),
        ),
        (
            "2026-03-28 14:05 UTC",
            "2026-03-28 15:06 Europe/Madrid",
            None,
            ("2026-03-28T14:05:00Z", "2026-03-28T14:06:00Z"),
        ),
        ("2026-03-29 01:50", "03:10", None, ("2026-03-29T00:50:00Z", "2026-03-29T01:10:00Z")),
        ("2026-10-25 02:50+02:00", None, "20m", ("2026-10-25T00:50:00Z", "2026-10-25T01:10:00Z")),
    ],
    ids=[
        "for a duration",
        "to a time",
        "to a time that is not yet",
        "to a time of the next day",
        "the end is in the start's offset",
        "relative to the present",
        "the end is in the start's zone",
        "the end names its own zone",
        "across the clock put forward",
        "across the clock put back",
    ],
)
def test_a_window_has_a_start_and_an_end_or_a_duration(
    start: str, end: str | None, duration: str | None, window: tuple[str, str]
) -> None:
    """An end without a date is the first such moment after the start."""
    typed = parse_time(start, ms(NOW), MADRID)
    assert parse_window(typed, end, duration, ms(NOW)) == TimeWindow(*map(ms, window))


@pytest.mark.parametrize(
    ("end", "duration", "message"),
    [
        (None, None, "Pass the clip's end as --to, or its duration as --for"),
        ("13:06", "30s", "Pass the clip's end as --to, or its duration as --for"),
        ("2026-05-01 13:05", None, "--from must be before --to"),
        ("now-2h", None, "--from must be before --to"),
        (None, "0s", "0s is no duration: write 30s, 1m30s, 1:30 or 90"),
    ],
)
def test_a_window_without_one_end_is_wrong_usage(
    end: str | None, duration: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        parse_window(parse_time("13:05", ms(NOW), MADRID), end, duration, ms(NOW))


def test_a_time_of_day_after_a_start_beyond_the_calendar_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="beyond the calendar: write a time before 9999"):
        parse_window(parse_time("999999999999999", ms(NOW), MADRID), "14:05", None, ms(NOW))


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [
        ("30s", 30_000),
        ("2m", 120_000),
        ("1m30s", 90_000),
        ("1m 30s", 90_000),
        ("1h", 3_600_000),
        ("1h5s", 3_605_000),
        ("250ms", 250),
        ("12.5s", 12_500),
        ("1:30", 90_000),
        ("1:30.5", 90_500),
        ("1:00:00", 3_600_000),
        ("90", 90_000),
        ("0.5", 500),
    ],
)
def test_a_duration_has_units_or_is_in_seconds(text: str, duration_ms: int) -> None:
    assert parse_duration_ms(text) == duration_ms


@pytest.mark.parametrize("text", ["", "0", "-5s", "30x", "s", "1:75", "1:5", "30s1m", "1e3", "m"])
def test_other_text_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration: write 30s, 1m30s, 1:30 or 90"):
        parse_duration_ms(text)
