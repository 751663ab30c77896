"""Times as paths hold them: fields of a wall clock, with or without its offset from UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import takewhile

from attrs import frozen

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAIVE_EPOCH = EPOCH.replace(tzinfo=None)
MS = timedelta(milliseconds=1)
UNITS = "YmdHMS"
"""The fields of a date and time, from the largest to the smallest."""
SORTABLE = "%Y%m%d%H%M%S"
FIRST_MS = 0
LAST_MS = (datetime(9998, 1, 1, tzinfo=UTC) - EPOCH) // MS
"""Instants outside these, in ms since the epoch, are taken for the nearer one."""


@frozen
class Stamp:
    """A start as a path holds it."""

    local: datetime
    """By the recorder's wall clock, without a zone."""
    offset: timedelta | None = None
    """How far that clock is ahead of UTC, if the path says so."""

    def instants_ms(self, zone: tzinfo) -> tuple[int, ...]:
        """Return the instants, in ms since the epoch, at which a clock in `zone` shows it.

        Two, the earlier first, if a change of the clock repeats the time. One if it skips the time:
        as the clock would go on without the change.
        """
        if self.offset is not None:
            return ((self.local - self.offset - NAIVE_EPOCH) // MS,)
        if zone is UTC:
            return ((self.local - NAIVE_EPOCH) // MS,)
        both = [self.local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
        first_ms, second_ms = ((instant.astimezone(UTC) - EPOCH) // MS for instant in both)
        return (first_ms, second_ms) if first_ms < second_ms else (first_ms,)

    def is_skipped(self, zone: tzinfo) -> bool:
        """Return whether no clock in `zone` ever shows it, because a change skips the time."""
        if self.offset is not None or zone is UTC:
            return False
        there = self.local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
        return there.replace(tzinfo=None) != self.local


def read_stamp(fields: Mapping[str, str]) -> Stamp | None:
    """Return the start that the fields of a path hold; None if there is no such time."""
    microsecond = int(f"{fields['f']:0<6.6}") if "f" in fields else 0
    if "s" in fields:
        since_epoch = timedelta(seconds=int(fields["s"]), microseconds=microsecond)
        return Stamp(NAIVE_EPOCH + since_epoch, timedelta(0))
    year, month, day, hour, minute, second = [int(fields.get(unit, "0")) for unit in UNITS]
    try:
        local = datetime(year, month, day, hour, minute, second, microsecond)  # noqa: DTZ001 - its zone is not in the path
    except ValueError:
        return None
    zone = fields.get("z")
    return Stamp(local, _offset(zone) if zone else None)


def sortable(fields: Mapping[str, str]) -> str:
    """Return the fields as digits whose order is that of the times, as far as they are known.

    Fields below a missing larger one do not count.
    """
    if "s" in fields:
        return f"{EPOCH + timedelta(seconds=int(fields['s'])):{SORTABLE}}"
    known = takewhile(fields.__contains__, UNITS)
    return "".join(map(fields.__getitem__, known))


def local_time(instant_ms: int, zone: tzinfo) -> datetime:
    """Return what a clock in `zone` shows at an instant, without the zone."""
    instant = EPOCH + min(max(instant_ms, FIRST_MS), LAST_MS) * MS
    return instant.astimezone(zone).replace(tzinfo=None)


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta(0)
    digits = text.replace(":", "")
    ahead = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return -ahead if digits[0] == "-" else ahead
