"""`camclip.toml`, which a user may put into the folder of the recordings.

::

layout = "mediamtx"              # a preset, or a pattern such as "{camera}/%Y/%m/%d/%H%M%S"
tz = "Europe/Madrid"             # the zone of the times in the paths

[cameras]                        # ids, and what the cameras are called in the paths
pier = "cams/pier 1"
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import tzinfo

from attrs import Factory, frozen

from domain.clip import IDENTIFIER
from infrastructure.zones import zone_named

CONFIGURATION = "camclip.toml"
KEYS = ("layout", "tz", "cameras")


class InvalidConfiguration(ValueError):
    """What is wrong with the configuration, and the remedy."""


@frozen
class LayoutConfiguration:
    """What `camclip.toml` says; what it does not say is empty."""

    layout: str = ""
    tz: str = ""
    cameras: Mapping[str, str] = Factory(dict)
    """By a camera's id: its name in the paths."""


def read_configuration(data: bytes) -> LayoutConfiguration:
    """Return what a `camclip.toml` says; InvalidConfiguration names the fault."""
    try:
        members = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidConfiguration(f"{CONFIGURATION} is not TOML: {error}.") from error
    unknown = next((key for key in members if key not in KEYS), None)
    if unknown is not None:
        raise InvalidConfiguration(
            f"{CONFIGURATION} has {unknown}, which is unknown: use {', '.join(KEYS)}."
        )
    cameras = members.get("cameras", {})
    for key in ("layout", "tz"):
        if not isinstance(members.get(key, ""), str):
            raise InvalidConfiguration(f"{CONFIGURATION}: {key} must be a text in quotes.")
    if not isinstance(cameras, dict):
        raise InvalidConfiguration(f'{CONFIGURATION}: cameras must be a table of id = "name".')
    for camera_id, name in cameras.items():
        if not re.fullmatch(IDENTIFIER, camera_id):
            raise InvalidConfiguration(
                f"{CONFIGURATION}: {camera_id} is no id: use 1 to 64 letters, digits, hyphens or"
                " underscores."
            )
        if not isinstance(name, str) or {"", ".", ".."} & set(name.split("/")):
            raise InvalidConfiguration(
                f"{CONFIGURATION}: the name of {camera_id} must be that in the paths."
            )
    return LayoutConfiguration(members.get("layout", ""), members.get("tz", ""), cameras)


def read_zone(name: str) -> tzinfo:
    """Return the zone of an IANA name; InvalidConfiguration if this machine knows none."""
    try:
        return zone_named(name)
    except ValueError as error:
        raise InvalidConfiguration(
            f"{name} is no known time zone: write it like Europe/Madrid; if it is one, install the"
            " package tzdata."
        ) from error
