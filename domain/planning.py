"""Which parts of which recordings make up a clip, and what is missing."""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from attrs import evolve, frozen

from domain.coverage import Clock, Unused, disjoint
from domain.recording import RecordingSegment
from domain.window import TimeWindow


class Availability(Enum):
    """How much of the requested window there is footage for."""

    FULL = "full"
    TAIL_MISSING = "tail missing"
    """None at the end of the window: it may not be stored yet."""
    HOLE = "hole"
    """There is a gap, and footage after each: the missing part will not come."""
    NONE = "none"


@frozen
class Cut:
    """The part of one segment that a clip needs."""

    segment: RecordingSegment
    window: TimeWindow
    clip_ms: int = 0
    """When the clip shows what was seen at the start of `window`."""
    held_from_ms: int | None = None
    """In a hole at the clip's start: the end of the stretch whose last picture alone is shown."""

    @property
    def shown(self) -> tuple[int, int]:
        """From when and until when frames are shown that were seen at these instants."""
        if self.held_from_ms is None:
            return self.window.start_ms, self.window.end_ms
        return self.held_from_ms, self.held_from_ms

    @property
    def media_end_ms(self) -> int:
        """When its media ends, on the clip's clock."""
        return self.clip_ms + round(self.window.duration_ms * self.segment.rate)


@frozen
class FilledGap:
    """A gap, and from when and until when the clip shows filler for it."""

    window: TimeWindow
    start_ms: int
    """On the clip's clock."""
    end_ms: int
    """On the clip's clock: later than `start_ms`."""


@frozen
class ClipPlan:
    """A clip as ordered cuts. Cuts, holes with a held picture, and gaps cover `window`.

    Two cuts have instants in common only where one recording is listed to begin a little before the
    end of the one before: dates are rounded, so both play whole.
    """

    window: TimeWindow
    cuts: tuple[Cut, ...] = ()
    seams: tuple[TimeWindow, ...] = ()
    """Short holes between cuts: a neighbouring picture is held while the clip's clock goes on."""
    gaps: tuple[TimeWindow, ...] = ()
    """Missing windows: the clip's clock skips them, unless they are filled."""
    held: tuple[TimeWindow, ...] = ()
    """Where a picture is shown for noticeably longer than usual, in cuts and between them."""
    unused: tuple[Unused, ...] = ()
    """Footage within the window that is not shown, because another recording plays."""
    duration_ms: int = 0
    """How long the clip lasts on its own clock."""
    fills_gaps: bool = False
    """Whether the clip shows filler in its gaps, so that its clock goes on."""

    @property
    def availability(self) -> Availability:
        """How much of the window the plan delivers."""
        if not self.cuts:
            return Availability.NONE
        if not self.gaps:
            return Availability.FULL
        is_tail = self.gaps[-1].end_ms == self.window.end_ms
        return Availability.TAIL_MISSING if is_tail else Availability.HOLE

    @property
    def delivered_ms(self) -> int:
        """How many milliseconds of the window the clip has footage of: all but its gaps."""
        return self.window.duration_ms - sum(gap.duration_ms for gap in self.gaps)

    @property
    def shown_ms(self) -> int:
        """How many milliseconds of the window the clip shows, with footage or filler."""
        return self.window.duration_ms if self.fills_gaps else self.delivered_ms

    @property
    def filled(self) -> tuple[FilledGap, ...]:
        """The gaps that the clip shows filler for, in order."""
        return tuple(self._filled()) if self.fills_gaps and self.cuts else ()

    def _filled(self) -> Iterator[FilledGap]:
        for gap in self.gaps:
            before = [cut for cut in self.cuts if cut.window.end_ms <= gap.start_ms]
            after = self.cuts[len(before) :]
            start_ms = before[-1].media_end_ms if before else 0
            end_ms = after[0].clip_ms if after else self.duration_ms
            # Recordings that overlapped before may have used up all of it.
            if start_ms < end_ms:
                yield FilledGap(gap, start_ms, end_ms)

    @property
    def clock(self) -> Clock | None:
        """How far the clip's clock departs from the wall clock, None if it does not."""
        rates = [cut.segment.rate for cut in self.cuts]
        rate = max(rates, key=lambda rate: abs(rate - 1), default=1)
        difference_ms = self.duration_ms - self.shown_ms
        return Clock(round(float(rate), 6), difference_ms) if rate != 1 or difference_ms else None

    def delivered_before_ms(self, instant_ms: int) -> int:
        """Return of how many milliseconds of the window before `instant_ms` there is footage."""
        skipped_ms = sum(
            min(gap.end_ms, instant_ms) - gap.start_ms
            for gap in self.gaps
            if gap.start_ms < instant_ms
        )
        return instant_ms - self.window.start_ms - skipped_ms


def plan_clip(
    window: TimeWindow,
    segments: Iterable[RecordingSegment],
    seam_tolerance_ms: int,
    *,
    fills_gaps: bool = False,
) -> ClipPlan:
    """Cover `window` with cuts of the segments.

    Which recording plays at an instant depends on the recordings alone, never on the window: so two
    adjacent windows share no frame and lack none. Order and duplicates in `segments` do not matter.

    A hole between two cuts, or at the window's head, is a seam up to the tolerance of the recording
    whose picture is held, and a gap beyond. A hole at the tail is a gap, unless the last segment's
    frame is held over it, or another segment begins within the tolerance.
    """
    segments = set(segments)
    margin_ms = max((s.tolerance_ms(seam_tolerance_ms) for s in segments), default=0)
    found = {s for s in segments if s.window.overlaps(window.widened(margin_ms))}
    playing, left_out = _line_up(found, seam_tolerance_ms)
    on_screen = _on_screen(playing, window, seam_tolerance_ms)
    cuts = [
        *filter(None, [on_screen]),
        *(Cut(s, part) for s, plays in playing if (part := plays.intersection(window))),
    ]
    holes = list(_holes(window, cuts, found, seam_tolerance_ms))
    seams = [hole for hole, holder in holes if holder]
    held = [part for c in cuts for h in c.segment.held if (part := h.intersection(c.window))]
    for seam, holder in holes:
        is_first = on_screen is not None and seam.start_ms == on_screen.window.end_ms
        shown = TimeWindow(window.start_ms, seam.end_ms) if is_first else seam
        if holder and shown.duration_ms > holder.frame_interval_ms / 2:
            held.append(shown)
    gaps, held_only = disjoint(window, (hole for hole, holder in holes if not holder), held)
    unused = (Unused(s.name, part) for s, out in left_out if (part := out.intersection(window)))
    plan = ClipPlan(window, (), tuple(seams), gaps, held_only, tuple(unused))
    return _timed(evolve(plan, fills_gaps=fills_gaps), cuts)


def _holes(
    window: TimeWindow,
    cuts: Iterable[Cut],
    segments: Iterable[RecordingSegment],
    seam_tolerance_ms: int,
) -> Iterator[tuple[TimeWindow, RecordingSegment | None]]:
    """Yield what no cut covers, in order, each with the segment whose picture is held over it.

    None if it is too long for that: a gap.
    """
    reached_ms, furthest = window.start_ms, None
    for cut in cuts:
        if cut.window.start_ms > reached_ms:
            hole, holder = TimeWindow(reached_ms, cut.window.start_ms), furthest or cut.segment
            is_held = hole.duration_ms <= holder.tolerance_ms(seam_tolerance_ms)
            yield hole, holder if is_held else None
        if cut.window.end_ms > reached_ms:
            reached_ms, furthest = cut.window.end_ms, cut.segment
    if reached_ms < window.end_ms:
        tail = TimeWindow(reached_ms, window.end_ms)
        is_held = furthest is not None and _is_tail_held(
            furthest, tail, segments, seam_tolerance_ms
        )
        yield tail, furthest if is_held else None


def _line_up(
    segments: Iterable[RecordingSegment], seam_tolerance_ms: int
) -> tuple[list[tuple[RecordingSegment, TimeWindow]], list[tuple[RecordingSegment, TimeWindow]]]:
    """Return what plays and what is left out, each in order, whatever window is requested.

    The recording that plays goes on to its end; then the one that began first follows. Two
    exceptions: the duration of a last frame is the recorder's guess, so it yields to a recording
    that begins within it; and where a recording begins within the tolerance before the end of the
    one before, its date is rounded, so it plays whole.
    """
    playing: list[tuple[RecordingSegment, TimeWindow]] = []
    unused: list[tuple[RecordingSegment, TimeWindow]] = []
    stretches = sorted(
        ((stretch, segment) for segment in segments for stretch in segment.stretches),
        key=lambda playable: (playable[0].start_ms, playable[1].name, playable[1]),
    )
    for stretch, segment in stretches:
        reached_ms = playing[-1][1].end_ms if playing else stretch.start_ms
        if stretch.start_ms < reached_ms:
            previous, before = playing[-1]
            is_join = before.end_ms == previous.window.end_ms and stretch == segment.stretches[0]
            last_frame_ms = reached_ms - _last_frame_duration_ms(previous, before)
            if max(last_frame_ms, before.start_ms) < stretch.start_ms:
                playing[-1] = previous, TimeWindow(before.start_ms, stretch.start_ms)
                if stretch.end_ms < reached_ms:
                    playing += [
                        (segment, stretch),
                        (previous, TimeWindow(stretch.end_ms, reached_ms)),
                    ]
                    continue
            elif not (
                is_join
                and before.start_ms < stretch.start_ms
                and reached_ms - stretch.start_ms <= seam_tolerance_ms
            ):
                left_out_ms = min(reached_ms, stretch.end_ms)
                unused.append((segment, TimeWindow(stretch.start_ms, left_out_ms)))
                if stretch.end_ms <= reached_ms:
                    continue
                stretch = TimeWindow(reached_ms, stretch.end_ms)  # noqa: PLW2901 - what is left
        playing.append((segment, stretch))
    return playing, unused


def _on_screen(
    playing: Sequence[tuple[RecordingSegment, TimeWindow]],
    window: TimeWindow,
    seam_tolerance_ms: int,
) -> Cut | None:
    """Return what is held when the window begins, if that is in a hole over which it is held."""
    started = [(segment, part) for segment, part in playing if part.start_ms < window.start_ms]
    if not started:
        return None
    segment, part = max(started, key=lambda one: one[1].end_ms)
    if part.end_ms > window.start_ms:
        return None
    follows_ms = [other.start_ms for _, other in playing[len(started) :]]
    until_ms = min([*follows_ms, window.end_ms])
    if until_ms == window.start_ms:
        return None
    is_claimed = part.end_ms == segment.window.end_ms and (
        segment.hold_last_frame_until_ms >= until_ms
    )
    tolerance_ms = segment.tolerance_ms(seam_tolerance_ms)
    if not is_claimed and not (follows_ms and follows_ms[0] - part.end_ms <= tolerance_ms):
        return None
    instant = TimeWindow(window.start_ms, window.start_ms + 1)
    return Cut(segment, instant, held_from_ms=part.end_ms)


def _last_frame_duration_ms(segment: RecordingSegment, stretch: TimeWindow) -> float:
    is_last = stretch.end_ms == segment.window.end_ms
    return segment.last_frame_duration_ms if is_last else segment.frame_interval_ms


def _is_tail_held(
    last: RecordingSegment,
    tail: TimeWindow,
    segments: Iterable[RecordingSegment],
    seam_tolerance_ms: int,
) -> bool:
    if last.hold_last_frame_until_ms >= tail.end_ms:
        return True
    until_ms = tail.start_ms + last.tolerance_ms(seam_tolerance_ms)
    starts_ms = (stretch.start_ms for s in segments for stretch in s.stretches)
    return any(tail.end_ms <= start_ms <= until_ms for start_ms in starts_ms)


def _timed(plan: ClipPlan, cuts: Sequence[Cut]) -> ClipPlan:
    """Return the plan with its cuts, each at its time on the clip's clock.

    That is the wall clock less the gaps that are not filled, and departs from it in two cases: the
    media of a recording at another rate plays at its own pace; and where two recordings overlap,
    the later one waits for the end of the earlier one, until the next hole makes up for it.
    """
    timed: list[Cut] = []
    ended_ms = drift_ms = 0
    for cut in cuts:
        start_ms = cut.window.start_ms
        shown_before_ms = (
            start_ms - plan.window.start_ms
            if plan.fills_gaps
            else plan.delivered_before_ms(start_ms)
        )
        clip_ms = max(ended_ms, shown_before_ms + drift_ms)
        timed.append(evolve(cut, clip_ms=clip_ms))
        media_ms = round(cut.window.duration_ms * cut.segment.rate)
        drift_ms += media_ms - cut.window.duration_ms
        ended_ms = clip_ms + media_ms
    return evolve(plan, cuts=tuple(timed), duration_ms=max(ended_ms, plan.shown_ms + drift_ms))
