"""The camera API's answers -> domain."""

from datetime import datetime

from attrs import frozen

from application.ports import LeftOut, Listing
from domain.errors import Unavailable
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.camera_api.names import (
    SUFFIXES,
    SegmentNaming,
    file_name,
    is_recording_name,
    since_epoch_ms,
)
from infrastructure.formats.json_values import whole_ms

DEFAULT_DURATION_MS = 600_000
"""The assumed duration of a recording without an end date, until it is opened."""


def read_alias(payload: object) -> str:
    """Return a camera's alias; Unavailable if there is none that a URL can hold."""
    alias = payload.get("alias") if isinstance(payload, dict) else None
    usable = isinstance(alias, str) and 1 <= len(alias) <= 200 and alias.isprintable()  # noqa: PLR2004
    if not isinstance(alias, str) or not usable or alias in (".", ".."):
        raise Unavailable("The camera API answered without a usable alias of the camera.")
    return alias


def read_segments(payload: object, naming: SegmentNaming, window: TimeWindow) -> Listing:
    """Return the listed recordings that overlap `window`, and the rows that may but are left out.

    A row that cannot overlap the window is ignored, however malformed it is. An end that is not
    after the start is not believed: the recording is assumed to be of the usual duration.
    Unavailable if the answer is no list, or if malformed rows alone may overlap the window: they
    are not the same as no recording.
    """
    if not isinstance(payload, list):
        raise Unavailable("The camera API's answer is not a list of recordings.")
    read = [_read_row(row, place, naming) for place, row in enumerate(payload, start=1)]
    rows = [row for row in read if row.window is None or row.window.overlaps(window)]
    segments = tuple(
        RecordingSegment(row.window, row.name, row.listed_ms)
        for row in rows
        if row.window and not row.fault
    )
    left_out = [row for row in rows if row.fault]
    malformed = next((row for row in left_out if row.is_malformed), None)
    if malformed and not segments:
        raise Unavailable(f"The camera API listed a malformed recording: {malformed.left_out}")
    return Listing(segments, tuple(row.left_out for row in left_out))


@frozen
class _Row:
    """A row of the list, as far as it can be read."""

    name: str
    """The name of its file, or its place in the list."""
    window: TimeWindow | None = None
    """None if the row does not say when its recording began."""
    fault: str = ""
    """Why the row cannot be used, if it cannot."""
    listed_ms: int = 0
    """The duration between its dates; 0 if there is no end that can be believed."""
    is_malformed: bool = True
    """Whether a row with a fault is malformed, or lists a file of another kind."""

    @property
    def left_out(self) -> LeftOut:
        """The row, for messages."""
        return LeftOut(self.name, self.fault)


def _read_row(row: object, place: int, naming: SegmentNaming) -> _Row:
    unnamed = f"Row {place} of the list"
    if not isinstance(row, dict):
        return _Row(unnamed, fault="it is not an object")
    name = file_name(row.get("recordingUrl"))
    start_ms = _instant_ms(row.get("startDate"))
    if start_ms is None and name:
        start_ms = naming.start_ms(name)
    end_ms = _instant_ms(row.get("endDate"))
    window = None if start_ms is None else _window(start_ms, end_ms)
    if name is None:
        return _Row(unnamed, window, "its recordingUrl does not end with a usable file name")
    if not is_recording_name(name):
        return _Row(name, window, f"its name does not end with {SUFFIXES}", is_malformed=False)
    if window is None:
        return _Row(name, fault="neither its startDate nor its name holds a start time")
    return _Row(name, window, listed_ms=window.duration_ms if window.end_ms == end_ms else 0)


def _window(start_ms: int, end_ms: int | None) -> TimeWindow:
    is_believed = end_ms is not None and end_ms > start_ms
    return TimeWindow(
        start_ms, end_ms if end_ms and is_believed else start_ms + DEFAULT_DURATION_MS
    )


def _instant_ms(value: object) -> int | None:
    """Return ISO 8601 with a zone, or milliseconds, as ms since the epoch; else None."""
    if not isinstance(value, str):
        return whole_ms(value)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return since_epoch_ms(instant) if instant.tzinfo else None
