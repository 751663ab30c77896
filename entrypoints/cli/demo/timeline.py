"""The timeline of a clip, drawn by `timeline.svg.jinja`: recordings, requested window, clip."""

from collections.abc import Iterator, Sequence

from attrs import frozen

from domain.coverage import Coverage
from domain.pace import paces_of
from domain.planning import ClipPlan
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.times import clock

MAX_CHARACTER_WIDTH = 7.7
"""At the drawing's font size of 12."""
MIN_LABEL_CHARACTERS = 9
MAX_TICKS = 7
STEPS_MS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000),
    *(120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000),
)
TICKS_WITH_MS = 10_000
"""Below this duration of an axis, its ticks are closer than whole seconds."""

MIN_SHOWN_AROUND_MS = 60_000
"""Recordings are drawn that lie this close to the window, or as close as its duration."""


@frozen
class Scale:
    """The horizontal axis."""

    window: TimeWindow
    left: float = 96.0
    right: float = 988.0

    def x(self, instant_ms: float) -> float:
        """Return an instant's coordinate, within the drawing's margins."""
        share = (instant_ms - self.window.start_ms) / self.window.duration_ms
        return self.left + (self.right - self.left) * min(max(share, 0), 1)

    def ticks(self) -> Iterator[int]:
        """Return the round instants at which to label the axis."""
        step = next((s for s in STEPS_MS if self.window.duration_ms <= s * MAX_TICKS), STEPS_MS[-1])
        yield from range(-(-self.window.start_ms // step) * step, self.window.end_ms, step)


@frozen
class Timeline:
    """What the template draws: recordings around the window above, the plan enlarged below."""

    plan: ClipPlan
    shown: Sequence[RecordingSegment]
    rows: Sequence[int]
    """Each shown recording's row, from 0."""
    top: Scale
    clip: Scale
    clip_ticks: Sequence[tuple[int, int]]
    """The times of the clip to label, and the wall clock at each, in ms."""

    coverage: Coverage

    @classmethod
    def of(
        cls, plan: ClipPlan, recordings: Sequence[RecordingSegment], coverage: Coverage
    ) -> "Timeline":
        """Return the timeline of a clip out of these recordings."""
        around = _around(plan.window, recordings)
        shown = [s for s in sorted(recordings) if s.window.overlaps(around)]
        ticks = list(_clip_ticks(plan))
        return cls(plan, shown, _rows(shown), Scale(around), Scale(plan.window), ticks, coverage)


def _around(window: TimeWindow, recordings: Sequence[RecordingSegment]) -> TimeWindow:
    """Return the window of the recordings that overlap `window`, or are just before or after."""
    reach_ms = max(window.duration_ms, MIN_SHOWN_AROUND_MS)
    near = TimeWindow(window.start_ms - reach_ms, window.end_ms + reach_ms)
    windows = [window, *(s.window for s in recordings if s.window.overlaps(near))]
    return TimeWindow(min(w.start_ms for w in windows), max(w.end_ms for w in windows))


def _rows(shown: Sequence[RecordingSegment]) -> list[int]:
    """Return each recording's row: the first one in which it overlaps no other."""
    ends: list[int] = []
    rows = []
    for segment in shown:
        free = (n for n, end_ms in enumerate(ends) if end_ms <= segment.window.start_ms)
        row = next(free, len(ends))
        ends[row : row + 1] = [segment.window.end_ms]
        rows.append(row)
    return rows


def _clip_ticks(plan: ClipPlan) -> Iterator[tuple[int, int]]:
    if plan.duration_ms:
        for at_ms in Scale(TimeWindow(0, plan.duration_ms)).ticks():
            yield at_ms, _wall_ms(plan, at_ms)


def _wall_ms(plan: ClipPlan, clip_ms: int) -> int:
    """Return the wall clock of a time in the clip."""
    pace = next(pace for pace in reversed(paces_of(plan)) if pace.clip_ms <= clip_ms)
    return round(pace.seen_ms + (clip_ms - pace.clip_ms) / pace.rate)


def fitting(text: str, width: float) -> str:
    """Return as much of a text's end as fits into a bar of this width."""
    characters = int((width - 12) / MAX_CHARACTER_WIDTH)
    if characters >= len(text):
        return text
    return f"…{text[1 - characters :]}" if characters >= MIN_LABEL_CHARACTERS else ""


def tick_label(instant_ms: int, window: TimeWindow) -> str:
    """Return the label of a tick of the axis of `window`."""
    text = clock(instant_ms)
    return text if window.duration_ms < TICKS_WITH_MS else text.partition(".")[0]
