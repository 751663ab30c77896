"""The camera API's answers -> domain."""

from datetime import datetime

from domain.errors import Unavailable
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.camera_api.names import SegmentNaming, recording_name, since_epoch_ms
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


def read_segments(payload: object, naming: SegmentNaming) -> list[RecordingSegment]:
    """Return the listed recordings; Unavailable if any row is invalid."""
    if not isinstance(payload, list):
        raise Unavailable("The camera API's answer is not a list of recordings.")
    return [_segment(row, naming) for row in payload]


def _segment(row: object, naming: SegmentNaming) -> RecordingSegment:
    if not isinstance(row, dict):
        raise Unavailable("The camera API listed a recording that is not an object.")
    name = recording_name(row.get("recordingUrl"))
    start_ms = _instant_ms(row.get("startDate"))
    if start_ms is None:
        start_ms = naming.start_ms(name)
    if start_ms is None:
        raise Unavailable(f"The camera API lists {name} without a start date.")
    end_ms = _instant_ms(row.get("endDate"))
    try:
        window = TimeWindow(start_ms, start_ms + DEFAULT_DURATION_MS if end_ms is None else end_ms)
    except ValueError as error:
        raise Unavailable(f"The camera API lists {name} with an end before its start.") from error
    return RecordingSegment(window, name, 0 if end_ms is None else window.duration_ms)


def _instant_ms(value: object) -> int | None:
    """Return ISO 8601 with a zone, or milliseconds, as ms since the epoch; else None."""
    if not isinstance(value, str):
        return whole_ms(value)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return since_epoch_ms(instant) if instant.tzinfo else None
