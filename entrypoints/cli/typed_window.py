"""The window of a command line, and the zone of the session that follows from it."""

from zoneinfo import ZoneInfo

from domain.window import TimeWindow
from entrypoints.cli.session import Session
from entrypoints.cli.typed_times import parse_time, parse_window


def typed_window(
    session: Session, start: str, end: str | None, duration: str | None, at_ms: int
) -> TimeWindow:
    """Return the window that was typed at `at_ms`; times are shown in the zone of its start."""
    typed = parse_time(start, at_ms, session.zone)
    window = parse_window(typed, end, duration, at_ms)
    if isinstance(typed.zone, ZoneInfo):
        session.show_times_in(typed.zone)
    return window


def typed_instant(session: Session, text: str, at_ms: int) -> int:
    """Return the instant that was typed at `at_ms`, in ms; times are shown in its zone."""
    typed = parse_time(text, at_ms, session.zone)
    if isinstance(typed.zone, ZoneInfo):
        session.show_times_in(typed.zone)
    return typed.instant_ms
