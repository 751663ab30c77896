"""The oracle: the frames that a clip of some recordings must hold, and their times."""

from collections.abc import Iterable
from fractions import Fraction

from attrs import evolve, frozen

from devtools.footage.recording import Recording

SEAM_TOLERANCE_MS = 1000


@frozen(kw_only=True)
class Stretch:
    """Wall clock [start_ms, end_ms) delivered from one recording, from `clip_ms` of the clip on."""

    start_ms: Fraction
    end_ms: Fraction
    clip_ms: Fraction
    has_audio: bool


@frozen(kw_only=True)
class Wanted:
    """The expected clip: frame numbers, their times in the clip, delivered and skipped time.

    A time in the clip is the wall time less the clip's start less the gaps skipped before it.
    """

    numbers: list[int]
    times_ms: list[Fraction]
    stretches: list[Stretch]
    gaps_ms: list[tuple[Fraction, Fraction]]


def wanted(
    recordings: Iterable[Recording],
    start_ms: int,
    end_ms: int,
    *,
    seam_tolerance_ms: int = SEAM_TOLERANCE_MS,
) -> Wanted:
    """Return what the clip of `recordings` for [start_ms, end_ms) must hold.

    A recording that starts earlier plays to its end; of the next one only what is later is shown.
    But where the next one starts after the last frame, within its duration, it starts right there.
    A hole between recordings of at most `seam_tolerance_ms` is a seam: the last frame is held over
    it. Every other hole of the window is a gap: skipped.
    """
    numbers: list[int] = []
    times_ms: list[Fraction] = []
    stretches: list[Stretch] = []
    gaps_ms: list[tuple[Fraction, Fraction]] = []
    covered_ms, skipped_ms = Fraction(start_ms), Fraction(0)
    last_frame_ms = Fraction(2**63)
    for recording in sorted(recordings, key=lambda r: (r.start_ms, -r.duration_ms)):
        recording_end_ms = recording.start_ms + recording.duration_ms
        if recording_end_ms <= covered_ms or recording.start_ms >= end_ms:
            continue
        begins_ms = max(covered_ms, Fraction(recording.start_ms))
        if last_frame_ms < recording.start_ms < begins_ms:
            begins_ms = covered_ms = Fraction(recording.start_ms)
            stretches[-1] = evolve(stretches[-1], end_ms=begins_ms)
        ends_ms = min(recording_end_ms, Fraction(end_ms))
        hole_ms = begins_ms - covered_ms
        if hole_ms and not (stretches and hole_ms <= seam_tolerance_ms):
            gaps_ms.append((covered_ms, begins_ms))
            skipped_ms += hole_ms
        before_ms = start_ms + skipped_ms
        stretches.append(
            Stretch(
                start_ms=begins_ms,
                end_ms=ends_ms,
                clip_ms=begins_ms - before_ms,
                has_audio=recording.audio is not None,
            )
        )
        for number, time_ms in zip(recording.numbers, recording.times_ms, strict=True):
            if begins_ms <= recording.start_ms + time_ms < ends_ms:
                numbers.append(number)
                times_ms.append(recording.start_ms + time_ms - before_ms)
        covered_ms = ends_ms
        last_frame_ms = recording.start_ms + max(recording.times_ms)
    if covered_ms < end_ms:
        gaps_ms.append((covered_ms, Fraction(end_ms)))
    return Wanted(numbers=numbers, times_ms=times_ms, stretches=stretches, gaps_ms=gaps_ms)
