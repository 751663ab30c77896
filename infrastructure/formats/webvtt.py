"""Cues as WebVTT (W3C, "WebVTT: The Web Video Text Tracks Format", 4)."""

from collections.abc import Iterable

from domain.wall_clock import Cue

ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def webvtt(cues: Iterable[Cue]) -> str:
    """Return a file of the cues."""
    blocks = (
        f"{cue_times(cue.start_ms, cue.end_ms)}\n{cue.text.translate(ESCAPES)}\n" for cue in cues
    )
    return "\n".join(("WEBVTT\n", *blocks))


def cue_times(start_ms: int, end_ms: int) -> str:
    """Return the line that says when a cue begins and ends."""
    return f"{_clock(start_ms)} --> {_clock(end_ms)}"


def _clock(ms: int) -> str:
    """Return a time of at least two digits of hours, which has thousandths of a second."""
    seconds, thousandths = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}"
