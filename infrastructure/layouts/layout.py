"""A layout: how a recorder names its folders and files."""

from attrs import evolve, frozen

from domain.window import DAY_MS
from infrastructure.layouts.pattern import Pattern, parse_pattern


@frozen
class Layout:
    """How a recorder names its files."""

    name: str
    patterns: tuple[Pattern, ...]
    zone: str = ""
    """The IANA name of the zone of its times; empty if they are in the recorder's own."""
    max_recording_ms: int = DAY_MS
    """No file of it lasts longer, in ms."""

    def with_patterns(self, patterns: tuple[Pattern, ...]) -> "Layout":
        """Return the layout with some of its patterns."""
        return evolve(self, patterns=patterns)

    def __str__(self) -> str:
        """Return its name and patterns, for people."""
        return f"{self.name} ({' or '.join(pattern.text for pattern in self.patterns)})"


def layout_of(name: str, *patterns: str, zone: str = "", max_recording_ms: int = DAY_MS) -> Layout:
    """Return the layout of patterns as they are written; InvalidPattern if one is none."""
    return Layout(name, tuple(map(parse_pattern, patterns)), zone, max_recording_ms)
