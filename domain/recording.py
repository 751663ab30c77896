"""Stored files of a camera's recording, and the stretches that their frames cover."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from statistics import median_low

from attrs import Factory, evolve, field, frozen

from domain.window import TimeWindow

MAX_FOOTAGE_INTERVALS = Fraction(3, 2)
"""Up to so many usual frame intervals, the picture after a frame is merely late."""
MAX_HELD_INTERVALS = 3
"""Up to so many, a picture is held, however slow the camera is."""
MAX_FRAME_INTERVAL_MS = 60_000
"""No camera is slower: a picture a minute."""
MIN_AGREEING_FILES = 3
MAX_RATE_DEVIATION = Fraction(1, 100)
RATES = Fraction(3, 4), Fraction(4, 3)
"""Clocks and declared frame rates are not wrong by more."""


@frozen
class FrameTimes:
    """When the frames of a file are presented, in milliseconds of its media.

    Only frames that can be decoded count.
    """

    first_ms: float
    last_ms: float
    end_ms: int
    """When the last frame ends, by its own duration."""
    known_ms: Sequence[float] = field(repr=False)
    """Consecutive frames, ascending: others are assumed to follow without a hole."""
    notes: tuple[str, ...] = ()
    """What is doubtful about the times."""


@frozen(order=True)
class RecordingSegment:
    """One stored file of a recording and the window that it covers.

    The camera API supplies the window. Once the file is open (`opened`), the window is the one from
    its first frame to the end of its last.
    """

    window: TimeWindow
    name: str
    """The file's name in the recording store, such as `pier.20180815T140019.mp4`."""
    listed_ms: int = 0
    """The duration between its listed dates; 0 if it has no listed end."""
    origin_ms: int = field(default=Factory(lambda self: self.window.start_ms, takes_self=True))
    """When the time 0 of its media was seen, since the epoch."""
    stretches: tuple[TimeWindow, ...] = field(
        default=Factory(lambda self: (self.window,), takes_self=True)
    )
    """The parts of the window that frames cover, in order; gaps are between them."""
    held: tuple[TimeWindow, ...] = ()
    """Parts of the stretches in which a picture stands for longer than usual."""
    frame_interval_ms: float = 0
    """The usual time from frame to frame; 0 until the file is open."""
    last_frame_duration_ms: int = 0
    """The duration of the last frame, up to the window's end; 0 until the file is open."""
    hold_last_frame_until_ms: int = 0
    """An instant shortly after the end that the recorder still claims as recorded, else 0."""
    rate: Fraction = Fraction(1)
    """Seconds of media in a second of the wall clock."""
    notes: tuple[str, ...] = ()
    """What is doubtful about its start, and about the times of its frames."""
    is_end_assumed: bool = False
    """Whether only the start of the next recording limits how long it may be."""

    def media_ms(self, instant_ms: int) -> Fraction:
        """Return the time in the media, in ms, of what was seen at `instant_ms`."""
        return (instant_ms - self.origin_ms) * self.rate

    def tolerance_ms(self, seam_tolerance_ms: int) -> int:
        """Return the longest interval between two frames over which the first one is held."""
        return max(seam_tolerance_ms, ceil(MAX_HELD_INTERVALS * self.frame_interval_ms))

    def opened(self, times: FrameTimes, seam_tolerance_ms: int) -> "RecordingSegment":
        """Return the segment with the stretches that its frames cover, from the same start.

        Frames up to 1.5 usual intervals apart follow each other, up to the tolerance the earlier
        one is held, beyond it there is a gap. The last frame lasts as long as its duration says,
        but no longer than that.

        The camera API's start date stands; its end date gives way to the media. Recorders round
        that date: if it exceeds the end of the media by at most the tolerance, nothing more was
        recorded, and the last frame may be held until then.
        """
        intervals = [after - before for before, after in pairwise(times.known_ms) if after > before]
        # The duration of a single picture is believed if the recorder's dates say the same.
        alone_ms = min(times.end_ms - times.last_ms, max(self.listed_ms, seam_tolerance_ms))
        usual_ms = min(median_low(intervals or [alone_ms]), MAX_FRAME_INTERVAL_MS)
        notes = (*self.notes, *times.notes)
        segment = evolve(self, frame_interval_ms=usual_ms, notes=notes)
        tolerance_ms = segment.tolerance_ms(seam_tolerance_ms)
        start_ms, last_ms = floor(times.first_ms), floor(times.last_ms)
        end_ms = times.end_ms
        if end_ms - times.last_ms > (tolerance_ms if intervals else usual_ms):
            end_ms = ceil(times.last_ms + usual_ms)
        end_ms = max(end_ms, last_ms + 1)
        gaps: list[TimeWindow] = []
        held: list[TimeWindow] = []
        footage_ms = float(usual_ms * MAX_FOOTAGE_INTERVALS)
        far_apart = [
            (before_ms, after_ms)
            for before_ms, after_ms in [*pairwise(times.known_ms), (times.last_ms, end_ms)]
            if after_ms - before_ms > footage_ms and ceil(before_ms + usual_ms) < floor(after_ms)
        ]
        for before_ms, after_ms in far_apart:
            missing = TimeWindow(ceil(before_ms + usual_ms), floor(after_ms))
            late = gaps if after_ms - before_ms > tolerance_ms else held
            late.append(missing.shifted(self.origin_ms))
        window = TimeWindow(start_ms, end_ms).shifted(self.origin_ms)
        listed_end_ms = self.window.end_ms
        is_held = window.end_ms < listed_end_ms <= window.end_ms + tolerance_ms
        return evolve(
            segment,
            window=window,
            stretches=tuple(window.without(gaps)),
            held=tuple(held),
            last_frame_duration_ms=end_ms - last_ms,
            hold_last_frame_until_ms=listed_end_ms if is_held else 0,
        )

    def without(self, windows: Iterable[TimeWindow]) -> "RecordingSegment":
        """Return the segment without the parts of its stretches that are in `windows`."""
        left = [part for stretch in self.stretches for part in stretch.without(windows)]
        return evolve(self, stretches=tuple(left))

    def at_rate(self, rate: Fraction) -> "RecordingSegment":
        """Return the opened segment with media that runs at `rate` of the wall clock."""

        def instant_ms(unscaled_ms: int) -> int:
            return self.origin_ms + round((unscaled_ms - self.origin_ms) / rate)

        def scaled(window: TimeWindow) -> TimeWindow:
            # Rounded up, it would be after its first frame.
            start_ms = self.origin_ms + floor((window.start_ms - self.origin_ms) / rate)
            return TimeWindow(start_ms, max(instant_ms(window.end_ms), start_ms + 1))

        window = scaled(self.window)
        return evolve(
            self,
            window=window,
            stretches=tuple(map(scaled, self.stretches)),
            held=tuple(map(scaled, self.held)),
            frame_interval_ms=float(self.frame_interval_ms / rate),
            last_frame_duration_ms=ceil(self.last_frame_duration_ms / rate),
            hold_last_frame_until_ms=0,
            rate=rate,
        )


def may_run_at_another_rate(opened: RecordingSegment, seam_tolerance_ms: int) -> bool:
    """Return whether the duration of the media contradicts the dates as a wrong clock would.

    If no end is listed, shorter media is followed by a gap.
    """
    media_ms = opened.window.end_ms - opened.origin_ms
    is_before_gap = opened.is_end_assumed and media_ms < opened.listed_ms
    return (
        opened.listed_ms > 0
        and not is_before_gap
        and abs(media_ms - opened.listed_ms) > seam_tolerance_ms
        and RATES[0] <= Fraction(media_ms, opened.listed_ms) <= RATES[1]
    )


def believed_rates(
    opened: Iterable[RecordingSegment], seam_tolerance_ms: int
) -> dict[str, Fraction]:
    """Return the rates, by name, of recordings whose media runs faster or slower than the dates.

    One file proves nothing. A rate is believed where three or more consecutive files agree on it
    within a hundredth, and each is listed to begin where the one before it ends.
    """
    files = sorted(s for s in opened if may_run_at_another_rate(s, seam_tolerance_ms))
    rates = {s.name: Fraction(s.window.end_ms - s.origin_ms, s.listed_ms) for s in files}
    runs: list[list[RecordingSegment]] = []
    for file in files:
        last = runs[-1][-1] if runs else None
        # A file that is stored twice neither ends the run nor makes it longer.
        follows = (
            last is not None
            and abs(rates[file.name] / rates[last.name] - 1) <= MAX_RATE_DEVIATION
            and (
                file.origin_ms == last.origin_ms
                or abs(last.origin_ms + last.listed_ms - file.origin_ms) <= seam_tolerance_ms
            )
        )
        if follows:
            runs[-1].append(file)
        else:
            runs.append([file])
    believed = [
        file
        for run in runs
        if len({f.origin_ms for f in run}) >= MIN_AGREEING_FILES
        for file in run
    ]
    return {file.name: rates[file.name] for file in believed}
