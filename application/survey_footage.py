"""What a camera has of a time: stretches of footage, and the gaps between them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median_low

from attrs import frozen

from domain.recording import RecordingSegment
from domain.window import TimeWindow

_Part = tuple[TimeWindow, RecordingSegment]
"""A part of a recording that its frames cover without a gap."""


@frozen
class Stretch:
    """Footage without a gap."""

    window: TimeWindow
    files: int = 1
    """How many recordings it is in."""


@frozen
class Survey:
    """The footage of a window, in order."""

    window: TimeWindow
    stretches: tuple[Stretch, ...] = ()
    gaps: tuple[TimeWindow, ...] = ()
    """Where the window has no footage."""

    @property
    def trimmed(self) -> "Survey":
        """The survey from its first footage to its last; the same if it has none."""
        if not self.stretches:
            return self
        first, last = self.stretches[0].window, self.stretches[-1].window
        window = TimeWindow(first.start_ms, last.end_ms)
        return Survey(
            window, self.stretches, tuple(gap for gap in self.gaps if gap.overlaps(window))
        )


@frozen
class Nearest:
    """Where the footage around a window without any is, in ms since the epoch; None if nowhere."""

    before_ms: int | None
    """When the last footage before it ends."""
    after_ms: int | None
    """When the first footage after it begins."""


def survey(
    window: TimeWindow, opened: Iterable[RecordingSegment], seam_tolerance_ms: int
) -> Survey:
    """Return the footage of `window`.

    As in a clip, recordings follow each other over holes up to the tolerance of the earlier one.
    """
    runs: list[list[_Part]] = []
    until_ms = 0
    for part, segment in sorted((part, s) for s in set(opened) for part in s.stretches):
        held_ms = part.end_ms + segment.tolerance_ms(seam_tolerance_ms)
        if runs and part.start_ms <= until_ms:
            runs[-1].append((part, segment))
            until_ms = max(until_ms, held_ms)
        else:
            runs.append([(part, segment)])
            until_ms = held_ms
    found = [stretch for run in runs if (stretch := _stretch(run, window))]
    gaps = window.without(stretch.window for stretch in found)
    return Survey(window, tuple(found), tuple(gaps))


def survey_by_starts(window: TimeWindow, starts_ms: Sequence[int]) -> Survey:
    """Return the footage of `window` as far as the starts of its recordings alone say.

    Each is taken to last until the next one starts, but not longer than the usual interval between
    two starts and half of that; the last for the usual interval.
    """
    starts_ms = sorted(set(starts_ms))
    intervals_ms = [after - before for before, after in pairwise(starts_ms)]
    usual_ms = median_low(intervals_ms) if intervals_ms else 0
    found: list[tuple[int, int, int]] = []
    for start_ms, interval_ms in zip(starts_ms, [*intervals_ms, 0], strict=False):
        is_followed = 0 < interval_ms <= usual_ms * 3 // 2
        end_ms = start_ms + (interval_ms if is_followed else max(usual_ms, 1))
        if found and found[-1][1] == start_ms:
            found[-1] = (found[-1][0], end_ms, found[-1][2] + 1)
        else:
            found.append((start_ms, end_ms, 1))
    stretches = [
        Stretch(shown, files)
        for start_ms, end_ms, files in found
        if (shown := TimeWindow(start_ms, end_ms).intersection(window))
    ]
    return Survey(window, tuple(stretches), tuple(window.without(s.window for s in stretches)))


def coarsened(surveyed: Survey, resolution_ms: int) -> Survey:
    """Return the survey without gaps shorter than the resolution between two stretches."""
    joined: list[Stretch] = []
    for stretch in surveyed.stretches:
        last = joined[-1] if joined else None
        if last and stretch.window.start_ms - last.window.end_ms < resolution_ms:
            whole = TimeWindow(last.window.start_ms, stretch.window.end_ms)
            joined[-1] = Stretch(whole, last.files + stretch.files)
        else:
            joined.append(stretch)
    gaps = surveyed.window.without(stretch.window for stretch in joined)
    return Survey(surveyed.window, tuple(joined), tuple(gaps))


def _stretch(run: list["_Part"], window: TimeWindow) -> Stretch | None:
    whole = TimeWindow(run[0][0].start_ms, max(part.end_ms for part, _ in run))
    shown = whole.intersection(window)
    if shown is None:
        return None
    return Stretch(shown, len({segment.name for part, segment in run if part.overlaps(shown)}))


def nearest(window: TimeWindow, stretches: Iterable[Stretch]) -> Nearest:
    """Return where the footage next to a window without any is."""
    windows = [stretch.window for stretch in stretches]
    return Nearest(
        max((w.end_ms for w in windows if w.end_ms <= window.start_ms), default=None),
        min((w.start_ms for w in windows if w.start_ms >= window.end_ms), default=None),
    )
