"""Time zones, by name."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from domain.errors import Rejected
from domain.options import ClipOptions

UTC_NAMES = {"UTC", "Z"}
"""Names that need no time zone database."""


def zone_named(name: str) -> tzinfo:
    """Return the IANA zone `name`; ValueError if this machine's database has none of that name."""
    if name.upper() in UTC_NAMES:
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:  # the last for a folder of the database
        raise ValueError(
            "must be a time zone of this machine's tzdata, such as Europe/Madrid"
        ) from error


def wall_clock_zone(options: ClipOptions) -> tzinfo | None:
    """Return the zone that a request chooses for the wall clock; Rejected if it is unknown."""
    if options.wall_clock is None:
        return None
    try:
        return zone_named(options.wall_clock)
    except ValueError as error:
        raise Rejected(f"options.wallClock {error}.") from error
