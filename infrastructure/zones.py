"""Time zones, by name."""

import re
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from domain.errors import Rejected
from domain.options import ClipOptions

UTC_NAMES = {"UTC", "Z", "ETC/UTC"}
"""Names that need no time zone database."""
NOT_OF_IANA = re.compile(r"localtime|posixrules|Factory|(posix|right)/.*", re.DOTALL)
"""Files of a machine's database that are no zones of tzdata: two depend on the machine, and those
in `right/` count leap seconds, as no clock does."""
NO_ZONE = "must be a time zone of this machine's tzdata, such as Europe/Madrid"


def zone_named(name: str) -> tzinfo:
    """Return the IANA zone `name`; ValueError if this machine's database has none of that name."""
    if name.upper() in UTC_NAMES:
        return UTC
    if NOT_OF_IANA.fullmatch(name):
        raise ValueError(NO_ZONE)
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:  # the last for a folder of the database
        raise ValueError(NO_ZONE) from error


def wall_clock_zone(options: ClipOptions) -> tzinfo | None:
    """Return the zone that a request chooses for the wall clock; Rejected if it is unknown."""
    if options.wall_clock is None:
        return None
    try:
        return zone_named(options.wall_clock)
    except ValueError as error:
        raise Rejected(f"options.wallClock {error}.") from error
