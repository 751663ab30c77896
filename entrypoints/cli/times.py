"""Instants in milliseconds since the epoch, written for people."""

import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_ms() -> int:
    """Return the time by this machine's clock."""
    return time.time_ns() // 1_000_000


def utc(instant_ms: int) -> str:
    """Format an instant as 2026-05-01 12:00:10.250."""
    return _formatted(instant_ms, "%Y-%m-%d %H:%M:%S.")


def in_zones(instant_ms: int, zone: tzinfo) -> str:
    """Format an instant in UTC and, if that is another, in `zone`.

    As 2026-05-01 12:00:10.250 UTC (2026-05-01 14:00:10.250+02:00 Europe/Madrid).
    """
    shown = f"{utc(instant_ms)} UTC"
    if zone is UTC:
        return shown
    try:
        local = (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(zone)
    except OverflowError:
        return shown
    offset = iso_offset(local.utcoffset() or timedelta())
    name = f" {zone}" if isinstance(zone, ZoneInfo) else ""
    return f"{shown} ({local:%Y-%m-%d %H:%M:%S}.{instant_ms % 1000:03d}{offset}{name})"


def iso_offset(offset: timedelta) -> str:
    """Format an offset from UTC as +02:00; with seconds, if a zone had some once."""
    return timezone(offset).tzname(None).removeprefix("UTC") or "+00:00"


def iso_utc(instant_ms: int) -> str:
    """Format an instant as 2026-05-01T12:00:10.250Z."""
    return f"{_formatted(instant_ms, '%Y-%m-%dT%H:%M:%S.')}Z"


def clock(instant_ms: int) -> str:
    """Format an instant's time of day as 12:00:10.250, in UTC."""
    return _formatted(instant_ms, "%H:%M:%S.")


def compact(instant_ms: int) -> str:
    """Format an instant as 20260501T120010250, in UTC, for ids and file names."""
    return _formatted(instant_ms, "%Y%m%dT%H%M%S")


def _formatted(instant_ms: int, pattern: str) -> str:
    """Format an instant to the millisecond; return the number itself beyond the year 9999."""
    try:
        instant = EPOCH + timedelta(milliseconds=instant_ms)
    except OverflowError:
        return f"{instant_ms}ms"
    return f"{instant:{pattern}}{instant_ms % 1000:03d}"
