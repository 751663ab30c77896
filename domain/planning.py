"""Which parts of which recordings make up a clip, and what is missing."""

from collections.abc import Iterable
from enum import Enum

from attrs import frozen

from domain.recording import RecordingSegment
from domain.window import TimeWindow


class Coverage(Enum):
    """How much of the wanted window there is footage for."""

    FULL = "full"
    TAIL_MISSING = "tail missing"
    """Footage from the start up to some moment, and none later: it may not be stored yet."""
    HOLE = "hole"
    """The head is missing, or a gap has footage after it: the missing part will not come."""
    NONE = "none"


@frozen
class Cut:
    """The part of one segment that a clip needs."""

    segment: RecordingSegment
    window: TimeWindow


@frozen
class ClipPlan:
    """A clip as ordered cuts. Cuts, seams and gaps together tile `window`, each in time order."""

    window: TimeWindow
    cuts: tuple[Cut, ...] = ()
    seams: tuple[TimeWindow, ...] = ()
    """Short holes after a cut: its last frame is held while the clip's clock goes on."""
    gaps: tuple[TimeWindow, ...] = ()
    """Missing windows: the clip's clock skips them."""

    @property
    def coverage(self) -> Coverage:
        """How much of the window the plan delivers."""
        if not self.cuts:
            return Coverage.NONE
        if not self.gaps:
            return Coverage.FULL
        only_the_tail = len(self.gaps) == 1 and self.gaps[0].end_ms == self.window.end_ms
        return Coverage.TAIL_MISSING if only_the_tail else Coverage.HOLE

    @property
    def delivered_ms(self) -> int:
        """The clip's duration in milliseconds: the window without its gaps."""
        return self.window.duration_ms - sum(gap.duration_ms for gap in self.gaps)

    def clip_time_ms(self, instant_ms: int) -> int:
        """Return the clip time, in ms, at which the instant `instant_ms` (since the epoch) is seen.

        The clip's clock is the wall clock less the gaps skipped before the instant.
        """
        skipped_ms = sum(
            min(gap.end_ms, instant_ms) - gap.start_ms
            for gap in self.gaps
            if gap.start_ms < instant_ms
        )
        return instant_ms - self.window.start_ms - skipped_ms


def plan_clip(
    window: TimeWindow, segments: Iterable[RecordingSegment], seam_tolerance_ms: int
) -> ClipPlan:
    """Cover `window` with as few cuts as the segments allow, each instant once.

    Where segments overlap, the one that plays goes on to its end, then the one that reaches
    furthest follows; only the duration of the last frame yields to the next segment's first frame.
    A hole between two cuts is a seam up to `seam_tolerance_ms` and a gap beyond. A hole at the
    window's head is a gap, and so is one at its tail, unless the last segment's frame is held over
    it. Order and duplicates in `segments` do not matter.
    """
    usable = sorted({s for s in segments if s.window.overlaps(window)})
    cuts: list[Cut] = []
    seams: list[TimeWindow] = []
    gaps: list[TimeWindow] = []
    reached_ms = window.start_ms
    while reached_ms < window.end_ms:
        following = [s for s in usable if s.window.end_ms > reached_ms]
        if not following:
            held = bool(cuts) and cuts[-1].segment.hold_last_frame_until_ms >= window.end_ms
            (seams if held else gaps).append(TimeWindow(reached_ms, window.end_ms))
            break
        starts_ms = max(reached_ms, following[0].window.start_ms)
        if starts_ms > reached_ms:
            hole = TimeWindow(reached_ms, starts_ms)
            held = bool(cuts) and hole.duration_ms <= seam_tolerance_ms
            (seams if held else gaps).append(hole)
        furthest = max(
            (s for s in following if s.window.start_ms <= starts_ms),
            key=lambda s: (s.window.end_ms, s.window.start_ms),
        )
        reached_ms = min(_hands_over_at(furthest, starts_ms, usable), window.end_ms)
        cuts.append(Cut(furthest, TimeWindow(starts_ms, reached_ms)))
    return ClipPlan(window, tuple(cuts), tuple(seams), tuple(gaps))


def _hands_over_at(
    segment: RecordingSegment, from_ms: int, others: Iterable[RecordingSegment]
) -> int:
    """Return when the segment playing at `from_ms` hands over: its end, or within its last frame.

    The last frame's duration is the recorder's guess. Another segment often starts within it,
    because dates are rounded; an overlap would then cost that segment its first frame.
    """
    last_frame_ms = segment.window.end_ms - segment.last_frame_duration_ms
    starts_within = (
        other.window.start_ms
        for other in others
        if max(last_frame_ms, from_ms) < other.window.start_ms < segment.window.end_ms
    )
    return min(starts_within, default=segment.window.end_ms)
