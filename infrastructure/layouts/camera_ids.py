"""Ids of cameras whose names in the paths may hold any characters."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import sha256

from domain.clip import IDENTIFIER

MAX_READABLE = 56
"""Characters of an id that is made of a name, before the suffix of similar ones."""


def camera_ids(names: Iterable[str], configured: Mapping[str, str]) -> dict[str, str]:
    """Return the cameras' names by their ids: configured, else the name itself, else made of it.

    An id that is made of a name does not depend on what other cameras there are, but for those of
    similar names: these get a suffix.
    """
    ids = dict(configured)
    unnamed = sorted(set(names) - set(configured.values()))
    own = [name for name in unnamed if re.fullmatch(IDENTIFIER, name) and name not in ids]
    ids |= {name: name for name in own}
    for name in sorted(set(unnamed) - set(own)):
        camera_id = _readable(name)
        if not camera_id or camera_id in ids:
            suffix = sha256(name.encode()).hexdigest()[:6]
            camera_id = f"{camera_id or 'camera'}-{suffix}"
        ids[camera_id] = name
    return ids


def _readable(name: str) -> str:
    """Return the name with hyphens for what an id does not allow: `cams/Süd 1` is `cams-Sud-1`."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", ascii_name).strip("-")[:MAX_READABLE]
