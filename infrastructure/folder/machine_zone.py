"""The time zone of this machine."""

import os
from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from infrastructure.layouts.configuration import InvalidConfiguration, read_zone

LOCALTIME = Path("/etc/localtime")
"""A link into, or a copy of, the zone's file (tzset(3))."""


def machine_zone(environ: Mapping[str, str] = os.environ, localtime: Path = LOCALTIME) -> tzinfo:
    """Return the zone that `TZ` names, else that of `localtime`, else UTC."""
    name = environ.get("TZ", "").removeprefix(":")
    if name:
        return read_zone(name)
    linked = str(localtime.resolve()).partition("/zoneinfo/")[2]
    try:
        return read_zone(linked.removeprefix("posix/"))
    except InvalidConfiguration:
        pass
    try:
        with localtime.open("rb") as file:
            return ZoneInfo.from_file(file, key=str(localtime))
    except (OSError, ValueError):
        return UTC
