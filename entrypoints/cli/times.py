"""Instants in milliseconds since the epoch: read from the command line, and written for people."""

import time
from datetime import UTC, datetime, timedelta

from entrypoints.cli.console import UsageError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_DIGITS = 15
"""Digits of an instant in the service's messages."""


def now_ms() -> int:
    """Return the time by this machine's clock."""
    return time.time_ns() // 1_000_000


def parse_instant(text: str) -> int:
    """Parse an instant: ISO 8601, in UTC if it names no zone, or milliseconds since the epoch."""
    if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS:
        return int(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text} is not an instant: write 2026-05-01T12:00:10.250Z or 1777636810250."
        ) from error
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(milliseconds=1)


def utc(instant_ms: int) -> str:
    """Format an instant as 2026-05-01 12:00:10.250."""
    return _formatted(instant_ms, "%Y-%m-%d %H:%M:%S.")


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
