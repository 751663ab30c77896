"""Times as people type them: pure functions of the text, the present, and a zone.

| text | meaning |
|---|---|
| `14:05`, `14:05:12.5` | the most recent such moment; for an end, the first after the start |
| `yesterday 23:10`, `today 8:00`, `2026-05-01 14:05` | that moment |
| `now`, `now-10m`, `now+1m30s` | the present, and a duration before or after it |
| `2026-05-01T12:00:10.250Z`, `20260501T1400+0200` | ISO 8601 |
| `1777636810`, `1777636810.25`, `1777636810250` | s or ms since the epoch: ten digits are s |

A zone may follow a time of day: `Z`, an offset such as `+02:00`, or an IANA name.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from fractions import Fraction

from attrs import frozen

from domain.window import TimeWindow
from entrypoints.cli.console import UsageError
from entrypoints.cli.times import EPOCH, iso_offset
from infrastructure.zones import zone_named

MAX_DIGITS = 15
"""Digits of an instant in the service's messages."""
DIGITS_OF_S = 10
"""As many digits count seconds: from 2001 to 2286."""
MS = timedelta(milliseconds=1)
DAY = timedelta(days=1)

DURATION = re.compile(
    r"(?:(?P<h>\d{1,6})h)? ?(?:(?P<m>\d{1,6})m)? ?(?:(?P<s>\d{1,9}(?:\.\d{1,9})?)s)? ?"
    r"(?:(?P<ms>\d{1,12})ms)?",
    re.ASCII,
)
CLOCK_DURATION = re.compile(
    r"(?:(?P<h>\d{1,6}):(?=[0-5]\d:))?(?:(?P<m>\d{1,6}):(?=[0-5]\d(?!\d)))?"
    r"(?P<s>\d{1,9}(?:\.\d{1,9})?)",
    re.ASCII,
)
UNIT_MS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}

NOW = re.compile(r"now(?: ?(?P<sign>[+-]) ?(?P<duration>.+))?", re.ASCII)
CLOCK = re.compile(
    r"(?:(?P<day>today|yesterday|\d{4}-\d\d-\d\d)[ T])?"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d(?:[.,]\d{1,9})?))?"
    r" ?(?P<zone>[Zz]|[+-]\d\d:?\d\d|(?<= )[A-Za-z][\w/+-]*)?",
    re.ASCII,
)


@frozen
class TypedTime:
    """An instant, in ms since the epoch, and the zone that it was typed in."""

    instant_ms: int
    zone: tzinfo


@frozen
class _Clock:
    """A time of day in a zone, of a day or of any."""

    text: str
    day: date | None
    time: time
    zone: tzinfo

    def first(self, days: Iterator[date], is_meant: Callable[[int], bool]) -> TypedTime:
        """Return the moment on the first of `days` that has one that is meant.

        UsageError if the zone's clock skips it, or shows it twice.
        """
        for day in days:
            local = datetime.combine(day, self.time, self.zone)
            before, after = _offsets(local)
            moments = [local] if before <= after else [local, local.replace(fold=1)]
            meant = [moment for moment in moments if is_meant(_ms(moment))]
            if meant and before < after:
                raise UsageError(_skipped(local, before, after))
            if len(meant) > 1:
                raise UsageError(_repeated(local, before, after))
            if meant:
                return TypedTime(_ms(meant[0]), self.zone)
        raise UsageError(_not_a_time(self.text))


def parse_time(text: str, now_ms: int, zone: tzinfo) -> TypedTime:
    """Return the time that `text` means at `now_ms`, in `zone` unless it names another.

    UsageError says how to write it, also if the zone's clock skips or repeats it.
    """
    found = _instant(text, now_ms)
    if found is not None:
        return TypedTime(found, zone)
    clock = _clock(text, now_ms, zone)
    if clock.day:
        return clock.first(iter((clock.day,)), lambda _: True)
    today = _day(now_ms, clock.zone)
    return clock.first(iter((today, today - DAY)), lambda ms: ms <= now_ms)


def parse_end(text: str, start: TypedTime, now_ms: int) -> int:
    """Return the end of a window, in ms since the epoch, in the zone of its start by default.

    A time of day is the first one after the start.
    """
    found = _instant(text, now_ms)
    if found is not None:
        return found
    clock = _clock(text, now_ms, start.zone)
    if clock.day:
        return clock.first(iter((clock.day,)), lambda _: True).instant_ms
    day = _day(start.instant_ms, clock.zone)
    return clock.first(iter((day, day + DAY)), lambda ms: ms > start.instant_ms).instant_ms


def parse_window(
    start: TypedTime, end: str | None, duration: str | None, now_ms: int
) -> TimeWindow:
    """Return the window from `start`, to a time or for a duration; UsageError unless it has one."""
    match end, duration:
        case str(), None:
            end_ms = parse_end(end, start, now_ms)
        case None, str():
            end_ms = start.instant_ms + parse_duration_ms(duration)
        case _:
            raise UsageError("Pass the clip's end as --to, or its duration as --for.")
    if start.instant_ms >= end_ms:
        raise UsageError("--from must be before --to.")
    return TimeWindow(start.instant_ms, end_ms)


def parse_duration_ms(text: str) -> int:
    """Return a duration in ms: `90` (seconds), `30s`, `1m30s`, `1:30`, `1:00:00`, `250ms`."""
    found = DURATION.fullmatch(text.strip()) or CLOCK_DURATION.fullmatch(text.strip())
    parts = found.groupdict() if found else {}
    duration_ms = int(sum(Fraction(parts[unit] or 0) * UNIT_MS[unit] for unit in parts))
    if duration_ms <= 0:
        raise UsageError(f"{text} is no duration: write 30s, 1m30s, 1:30 or 90.")
    return duration_ms


def _instant(text: str, now_ms: int) -> int | None:
    """Read a number, or a time relative to the present; None if it is neither."""
    if re.fullmatch(rf"\d{{1,{MAX_DIGITS}}}", text, re.ASCII):
        return int(text) * (1000 if len(text) == DIGITS_OF_S else 1)
    if re.fullmatch(rf"\d{{{DIGITS_OF_S}}}\.\d{{1,9}}", text, re.ASCII):
        return int(Fraction(text) * 1000)
    found = NOW.fullmatch(text.strip())
    if found is None:
        return None
    if found["sign"] is None:
        return now_ms
    duration_ms = parse_duration_ms(found["duration"])
    return now_ms + (duration_ms if found["sign"] == "+" else -duration_ms)


def _clock(text: str, now_ms: int, zone: tzinfo) -> _Clock:
    found = CLOCK.fullmatch(" ".join(text.split()))
    try:
        if found is None:
            moment = datetime.fromisoformat(text)
            return _Clock(text, moment.date(), moment.time(), moment.tzinfo or zone)
        zone = _zone(found["zone"]) if found["zone"] else zone
        second = Fraction((found["second"] or "0").replace(",", "."))
        whole_s, us = int(second), int(second % 1 * 1_000_000)
        clock = time(int(found["hour"]), int(found["minute"]), whole_s, us)
        return _Clock(text, _named_day(found["day"], now_ms, zone), clock, zone)
    except ValueError as error:
        raise UsageError(_not_a_time(text)) from error


def _named_day(name: str | None, now_ms: int, zone: tzinfo) -> date | None:
    match name:
        case None:
            return None
        case "today":
            return _day(now_ms, zone)
        case "yesterday":
            return _day(now_ms, zone) - DAY
        case _:
            return date.fromisoformat(name)


def _zone(name: str) -> tzinfo:
    if name[0] in "+-":
        sign = -1 if name[0] == "-" else 1
        return timezone(sign * timedelta(hours=int(name[1:3]), minutes=int(name[-2:])))
    try:
        return zone_named(name)
    except ValueError as error:
        raise UsageError(
            f"{name} is no time zone of this machine's tzdata: write an IANA name such as"
            " Europe/Madrid, or an offset such as +02:00."
        ) from error


def _day(instant_ms: int, zone: tzinfo) -> date:
    try:
        return (EPOCH + instant_ms * MS).astimezone(zone).date()
    except OverflowError as error:
        raise UsageError(
            f"{instant_ms} is beyond the calendar: write a time before 9999."
        ) from error


def _ms(moment: datetime) -> int:
    return (moment.replace(tzinfo=UTC) - EPOCH - _offset(moment)) // MS


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()


def _offsets(local: datetime) -> tuple[timedelta, timedelta]:
    """Return the offsets before and after a clock change that skips or repeats `local`.

    They are equal at any other time; the first is smaller if it is skipped (PEP 495).
    """
    return _offset(local), _offset(local.replace(fold=1))


def _skipped(local: datetime, before: timedelta, after: timedelta) -> str:
    later = local + (after - before)
    return (
        f"{_shown(local)} does not exist in {local.tzinfo}: the clock is put forward by"
        f" {_minutes(after - before)} min. Write {_shown(later)},"
        f" or an offset: {_shown(local)}{iso_offset(before)}."
    )


def _repeated(local: datetime, before: timedelta, after: timedelta) -> str:
    return (
        f"{_shown(local)} exists twice in {local.tzinfo}: the clock is put back by"
        f" {_minutes(before - after)} min. Write {_shown(local)}{iso_offset(before)} for the first,"
        f" {_shown(local)}{iso_offset(after)} for the second."
    )


def _minutes(difference: timedelta) -> int:
    return difference // timedelta(minutes=1)


def _shown(local: datetime) -> str:
    """Format a local time as briefly as it was typed."""
    naive = local.replace(tzinfo=None)
    text = naive.isoformat(" ", "minutes" if naive.second == naive.microsecond == 0 else "auto")
    return text.rstrip("0") if naive.microsecond else text


def _not_a_time(text: str) -> str:
    return (
        f"{text} is no time: write 14:05, yesterday 23:10, now-10m,"
        " 2026-05-01T12:00:10.250Z or 1777636810250."
    )
