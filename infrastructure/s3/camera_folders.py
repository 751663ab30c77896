"""Which cameras have folders in a bucket."""

import re

from domain.clip import IDENTIFIER
from infrastructure.layouts.layout import Layout
from infrastructure.layouts.pattern import CAMERA, Component, Kind, Pattern
from infrastructure.s3.listing import BucketFolder

MAX_TIME_FOLDERS = 2
"""Where folders of times hold those of cameras, so many are looked into, the last ones."""


def has_camera_folders(layout: Layout) -> bool:
    """Return whether the layout has folders of cameras: else no list of folders names them."""
    return any(_folders_to_camera(pattern) for pattern in layout.patterns)


def cameras_with_folders(there: BucketFolder, layout: Layout, deadline_s: float) -> list[str]:
    """Return the ids of the cameras that have folders, in order.

    Names that are no ids are left out. Where folders of times hold those of cameras, these are the
    cameras of the last times.
    """
    found: set[str | None] = set()
    for pattern in layout.patterns:
        found.update(_cameras(there, pattern, deadline_s))
    parts = (part for pattern in layout.patterns for part in pattern.components)
    found -= {part.literal for part in parts}  # `recordings` of `recordings/{camera}/...`
    return sorted(camera for camera in found if camera and re.fullmatch(IDENTIFIER, camera))


def _cameras(there: BucketFolder, pattern: Pattern, deadline_s: float) -> list[str]:
    within, cameras = [""], list[str]()
    for component in _folders_to_camera(pattern):
        deeper: list[str] = []
        for folder in within:
            for name, fields in _matching(there, component, folder, deadline_s):
                deeper.append(f"{folder}{name}/")
                cameras += [fields[CAMERA]] if CAMERA in fields else []
        within = deeper[-MAX_TIME_FOLDERS:]
    return cameras


def _matching(
    there: BucketFolder, component: Component, folder: str, deadline_s: float
) -> list[tuple[str, dict[str, str]]]:
    """Return the folders within one that fit, in order, and the fields of their names."""
    literal = component.literal
    names = there.folders(folder, deadline_s) if literal is None else [literal]
    return [(name, f) for name in names if (f := component.match(name, {})) is not None]


def _folders_to_camera(pattern: Pattern) -> list[Component]:
    """Return the folders of a pattern up to that which names the camera; none if none does."""
    folders = pattern.components[:-1]
    named = [any(token.kind is Kind.CAMERA for token in part.tokens) for part in folders]
    return list(folders[: named.index(True) + 1]) if any(named) else []
