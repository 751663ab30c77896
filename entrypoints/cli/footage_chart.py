"""Footage as a text timeline: a row for each minute, hour or day, a cell for a part of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import groupby

from attrs import frozen

from domain.window import TimeWindow
from entrypoints.cli.times import EPOCH

FULL, PARTLY, NONE, OUTSIDE = "█", "▒", "·", " "
MAX_ROWS = 48
MAX_EMPTY_ROWS = 3
"""Longer runs of rows without footage are summed up."""


@frozen
class Scale:
    """How long a row and a cell are, in ms."""

    row_ms: int
    cell_ms: int
    unit: str


SCALES = (
    Scale(60_000, 1_000, "min"),
    Scale(3_600_000, 60_000, "h"),
    Scale(86_400_000, 1_800_000, "days"),
)


def chart(within: TimeWindow, footage: Sequence[TimeWindow], zone: tzinfo) -> Iterator[str]:
    """Yield the lines of a timeline of `within`; rows begin at full hours or days of `zone`.

    `footage` is in order. Days of a clock change have rows of 24 hours, too.
    """
    scale = next((s for s in SCALES if within.duration_ms <= MAX_ROWS * s.row_ms), SCALES[-1])
    first_ms = _row_start_ms(within.start_ms, scale, zone)
    rows = [
        (start_ms, _cells(TimeWindow(start_ms, start_ms + scale.row_ms), scale, within, footage))
        for start_ms in range(first_ms, within.end_ms, scale.row_ms)
    ]
    yield f"{'':16}  {FULL} = {_cell_name(scale)}, {PARTLY} = a part of it, {NONE} = no footage"
    for is_empty, run in groupby(rows, lambda row: not {FULL, PARTLY} & set(row[1])):
        lines = list(run)
        if is_empty and len(lines) > MAX_EMPTY_ROWS:
            yield f"{'…':>16}  {len(lines)} {scale.unit} without footage"
            continue
        for start_ms, cells in lines:
            yield f"{_local(start_ms, zone):%Y-%m-%d %H:%M}  {cells}".rstrip()


def _cells(row: TimeWindow, scale: Scale, within: TimeWindow, footage: Sequence[TimeWindow]) -> str:
    near = [window for window in footage if window.overlaps(row)]
    starts = range(row.start_ms, row.end_ms, scale.cell_ms)
    return "".join(_cell(TimeWindow(ms, ms + scale.cell_ms), within, near) for ms in starts)


def _cell(cell: TimeWindow, within: TimeWindow, footage: Sequence[TimeWindow]) -> str:
    asked = cell.intersection(within)
    if asked is None:
        return OUTSIDE
    missing_ms = sum(part.duration_ms for part in asked.without(footage))
    if missing_ms == 0:
        return FULL
    return PARTLY if missing_ms < asked.duration_ms else NONE


def _row_start_ms(instant_ms: int, scale: Scale, zone: tzinfo) -> int:
    """Return the last full minute, hour or day of the zone up to an instant."""
    offset = _local(instant_ms, zone).utcoffset() or timedelta()
    offset_ms = offset // timedelta(milliseconds=1)
    return (instant_ms + offset_ms) // scale.row_ms * scale.row_ms - offset_ms


def _cell_name(scale: Scale) -> str:
    return {1_000: "a second", 60_000: "a minute", 1_800_000: "half an hour"}[scale.cell_ms]


def _local(instant_ms: int, zone: tzinfo) -> datetime:
    return (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(zone)
