"""The footage of a window, as opening its recordings shows it, or their names alone."""

from collections.abc import Iterable

from attrs import frozen

from application.survey_footage import Survey, survey
from domain.recording import RecordingSegment
from domain.window import TimeWindow

MAX_OPENED = 100
"""With more recordings than that in a window, their names alone are read."""
UNKNOWN_BOUNDS = {"startTimestampInMs": None, "endTimestampInMs": None}


@frozen
class LeftOutFile:
    """A file that cannot be used, and why."""

    name: str
    window: TimeWindow | None
    """When it probably has footage; None if that is not known."""
    reason: str
    is_unfinished: bool = False
    """Whether it is still being written, or was cut off."""

    def members(self) -> dict[str, object]:
        """Return the members of the JSON object."""
        return {
            "name": self.name,
            **(bounds(self.window) if self.window else UNKNOWN_BOUNDS),
            "reason": self.reason,
            "isUnfinished": self.is_unfinished,
        }


@frozen
class FoundFootage:
    """The footage of a window."""

    surveyed: Survey
    is_exact: bool = False
    """Whether the recordings were opened; else their names alone were read."""
    held: tuple[TimeWindow, ...] = ()
    """Where a picture stands for longer than usual."""
    left_out: tuple[LeftOutFile, ...] = ()


def opened_footage(
    window: TimeWindow,
    opened: Iterable[RecordingSegment | LeftOutFile],
    seam_tolerance_ms: int,
) -> FoundFootage:
    """Return what opened recordings have of a window."""
    segments: list[RecordingSegment] = []
    left_out: list[LeftOutFile] = []
    for found in opened:
        if isinstance(found, LeftOutFile):
            left_out.append(found)
        else:
            segments.append(found)
    all_held = (part for each in segments for part in each.held)
    held = tuple(part for each in all_held if (part := each.intersection(window)))
    surveyed = survey(window, segments, seam_tolerance_ms)
    return FoundFootage(surveyed, True, held, tuple(left_out))


def claimed_window(segment: RecordingSegment, written_ms: int | None = None) -> TimeWindow:
    """Return when a file that cannot be opened probably has footage, by its segment's dates.

    That is as long as its listing says; but until it was last written, in ms since the epoch, if
    that is known and makes sense: the file may still grow.
    """
    window = segment.window
    if written_ms is not None and window.start_ms < written_ms <= window.end_ms:
        return TimeWindow(window.start_ms, written_ms)
    listed_ms = segment.listed_ms or window.duration_ms
    return TimeWindow(window.start_ms, window.start_ms + min(listed_ms, window.duration_ms))


def bounds(window: TimeWindow) -> dict[str, int]:
    """Return a window's members."""
    return {"startTimestampInMs": window.start_ms, "endTimestampInMs": window.end_ms}
