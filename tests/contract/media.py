"""What the worlds of all families have in common: recordings, and the format of reports."""

from attrs import frozen

from application.ports import ThumbnailSpec
from infrastructure.formats.reports import ReportFormat

START_MS = 1_534_341_619_000
"""2018-08-15 14:00:19 UTC."""
LENGTH_MS = 2000
"""How long every recording here is."""
FORMAT = ReportFormat("clips", "https://clips.example", ThumbnailSpec((300, 640)))


@frozen
class Media:
    """A recording's bytes, and what is in them for worlds that do not parse it."""

    data: bytes
    duration_ms: int | None = LENGTH_MS
    readable: bool = True
    hole_ms: tuple[int, int] = (0, 0)


@frozen
class Footages:
    """A file in each of the states that a recorder may leave it in."""

    whole: Media
    other: Media
    """Another recording, of the same size in bytes."""
    empty: Media
    unfinished: Media
    text: Media
    with_hole: Media
    """A recording without frames from 400 ms to 1600 ms."""
    contradictory: Media
    """A recording whose sample table says that its first chunk is the second one."""
