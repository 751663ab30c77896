"""The timeline of a clip as an SVG drawing: the recordings, the requested window, the clip."""

from collections.abc import Iterator, Sequence
from html import escape

from attrs import frozen

from domain.planning import ClipPlan
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.times import clock
from entrypoints.cli.units import seconds

LEFT, RIGHT = 96.0, 988.0
MAX_CHARACTER_WIDTH = 7.7
"""At the drawing's font size of 12."""
MIN_LABEL_CHARACTERS = 9
MIN_BAR_WIDTH = 3.0
MAX_TICKS = 7
STEPS_MS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000),
    *(120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000),
)
TICKS_WITH_MS = 10_000
"""Below this duration of an axis, its ticks are closer than whole seconds."""

ROW = 30
HATCH = (
    '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><rect class="gap-ground" width="7" height="7"/>'
    '<rect class="gap-line" width="2.5" height="7"/></pattern></defs>'
)
MIN_SHOWN_AROUND_MS = 60_000
"""Recordings are drawn that lie this close to the window, or as close as its duration."""


@frozen
class Scale:
    """The horizontal axis."""

    window: TimeWindow

    def x(self, instant_ms: float) -> float:
        """Return an instant's coordinate, within the drawing's margins."""
        share = (instant_ms - self.window.start_ms) / self.window.duration_ms
        return LEFT + (RIGHT - LEFT) * min(max(share, 0), 1)

    def ticks(self) -> Iterator[int]:
        """Return the round instants at which to label the axis."""
        step = next((s for s in STEPS_MS if self.window.duration_ms <= s * MAX_TICKS), STEPS_MS[-1])
        yield from range(-(-self.window.start_ms // step) * step, self.window.end_ms, step)


def draw_timeline(plan: ClipPlan, recordings: Sequence[RecordingSegment]) -> str:
    """Return the drawing: recordings around the window above, the clip's plan enlarged below."""
    around = _around(plan.window, recordings)
    shown = [s for s in sorted(recordings) if s.window.overlaps(around)]
    rows = _rows(shown)
    top = Scale(around)
    requested_y = 34 + ROW * (max(rows, default=0) + 1)
    clip_y = requested_y + 76
    height = clip_y + 76
    return "\n".join(
        (
            f'<svg viewBox="0 0 1000 {height}" role="img" aria-labelledby="tl-title tl-desc">',
            '<title id="tl-title">Timeline of the clip</title>',
            f'<desc id="tl-desc">{escape(_description(plan))}</desc>',
            HATCH,
            *_overview(top, shown, rows, plan),
            *_requested(top, plan.window, requested_y, clip_y),
            *_clip(Scale(plan.window), plan, clip_y),
            "</svg>",
        )
    )


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


def _overview(
    scale: Scale, shown: Sequence[RecordingSegment], rows: Sequence[int], plan: ClipPlan
) -> Iterator[str]:
    used = {cut.segment.name for cut in plan.cuts}
    yield _text(0, 49, "Recorded", "lane")
    for at_ms in scale.ticks():
        yield _line(scale.x(at_ms), 18, scale.x(at_ms), 26)
        yield _text(scale.x(at_ms), 12, _tick_label(at_ms, scale.window), "tick", "middle")
    for segment, row in zip(shown, rows, strict=True):
        x, right, y = (
            scale.x(segment.window.start_ms),
            scale.x(segment.window.end_ms),
            30 + ROW * row,
        )
        kind = "recording used" if segment.name in used else "recording"
        yield _bar(kind, (x, y, right - x - 1.5, ROW - 4), segment.name)
        yield from _label(segment.name, x, right, y + 17)


def _requested(scale: Scale, window: TimeWindow, y: float, clip_y: float) -> Iterator[str]:
    x, right = scale.x(window.start_ms), scale.x(window.end_ms)
    right = max(right, x + MIN_BAR_WIDTH)
    yield _text(0, y + 10, "Requested", "lane")
    yield _bar("requested", (x, y, right - x, 10), "The requested window")
    yield (
        f'<polygon class="zoom" points="{x:.1f},{y + 12} {right:.1f},{y + 12}'
        f' {RIGHT},{clip_y - 2} {LEFT},{clip_y - 2}"/>'
    )


def _clip(scale: Scale, plan: ClipPlan, y: float) -> Iterator[str]:
    yield _text(0, y + 27, "The clip", "lane")
    yield _text(LEFT, y - 10, clock(plan.window.start_ms), "end")
    yield _text(RIGHT, y - 10, clock(plan.window.end_ms), "end", "end")
    for number, cut in enumerate(plan.cuts):
        x, right = scale.x(cut.window.start_ms), scale.x(cut.window.end_ms)
        title = f"{cut.segment.name}, {seconds(cut.window.duration_ms)}"
        yield _bar("cut odd" if number % 2 else "cut", (x, y, right - x, 44), title)
        yield from _label(cut.segment.name, x, right, y + 19, "on")
        yield from _label(seconds(cut.window.duration_ms), x, right, y + 36, "on strong")
    for kind, holes in (("seam", plan.seams), ("gap", plan.gaps)):
        for hole in holes:
            x, width = scale.x(hole.start_ms), scale.x(hole.end_ms) - scale.x(hole.start_ms)
            title = f"{kind} {seconds(hole.duration_ms)}"
            middle = min(max(x + width / 2, LEFT + 170), RIGHT - 170)
            yield _bar(kind, (x, y, max(width, MIN_BAR_WIDTH), 44), title)
            yield _line(x + width / 2, y - 5, x + width / 2, y, kind)
            yield _text(middle, y - 10, title, f"hole {kind}", "middle")
    for at_ms in _clip_ticks(plan):
        x = scale.x(_wall_ms(plan, at_ms))
        yield _line(x, y + 47, x, y + 53)
        yield _text(x, y + 67, f"{at_ms / 1000:g} s", "tick", "middle")
    yield (
        f'<line id="playhead" class="playhead" x1="{LEFT}" y1="{y - 4}" x2="{LEFT}" y2="{y + 48}"'
        f' data-left="{LEFT}" data-right="{RIGHT}"/>'
    )
    yield (
        f'<rect id="seek" class="seek" x="{LEFT}" y="{y - 4}" width="{RIGHT - LEFT}" height="52"/>'
    )


def _clip_ticks(plan: ClipPlan) -> Iterator[int]:
    if plan.delivered_ms:
        yield from Scale(TimeWindow(0, plan.delivered_ms)).ticks()


def _wall_ms(plan: ClipPlan, clip_ms: int) -> int:
    """Return the wall clock of a time in the clip: the inverse of the plan's clip_time_ms."""
    wall_ms = plan.window.start_ms + clip_ms
    for gap in plan.gaps:
        if gap.start_ms <= wall_ms:
            wall_ms += gap.duration_ms
    return wall_ms


def _label(text: str, x: float, right: float, y: float, kind: str = "") -> Iterator[str]:
    characters = int((right - x - 12) / MAX_CHARACTER_WIDTH)
    if characters >= len(text):
        yield _text(x + 8, y, text, kind)
    elif characters >= MIN_LABEL_CHARACTERS:
        yield _text(x + 8, y, f"…{text[1 - characters :]}", kind)


def _bar(kind: str, box: tuple[float, float, float, float], title: str) -> str:
    """Return a rectangle of x, y, width and height."""
    x, y, width, height = box
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{max(width, 1):.1f}" height="{height}"'
        f' rx="2"><title>{escape(title)}</title></rect>'
    )


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x: float, y: float, right: float, bottom: float, kind: str = "") -> str:
    return f'<line class="{kind}" x1="{x:.1f}" y1="{y}" x2="{right:.1f}" y2="{bottom}"/>'


def _tick_label(instant_ms: int, window: TimeWindow) -> str:
    text = clock(instant_ms)
    return text if window.duration_ms < TICKS_WITH_MS else text.partition(".")[0]


def _description(plan: ClipPlan) -> str:
    return (
        f"From {clock(plan.window.start_ms)} to {clock(plan.window.end_ms)} UTC:"
        f" {len(plan.cuts)} cuts, {len(plan.seams)} seams, {len(plan.gaps)} gaps;"
        f" {seconds(plan.delivered_ms)} of {seconds(plan.window.duration_ms)} delivered."
    )
