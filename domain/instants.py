"""When each frame of a stored clip was seen, from what is stored with it."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import floor

from domain.manifest import Manifest
from domain.pace import Pace
from domain.proof import RunTimes


def instants_of(manifest: Manifest, times: Sequence[int], timescale: int) -> Callable[[int], int]:
    """Return what gives the instant of a frame, by its number: ms since the epoch, rounded down.

    `times` are when the clip shows its frames, ascending, in ticks of `timescale` per second. The
    first frame is shown from 0 on, whenever it was seen: the proof says when. The others follow
    from the clip's clock, exact but for a tick; where that is not known, from the ends of their run
    in the proof, exact to 2 ms.
    """
    proof, paces = manifest.proof, manifest.known_paces
    runs = proof.frames if proof and proof.frame_count == len(times) else ()
    run_times = RunTimes.of(times, runs)

    def instant_ms(number: int) -> int:
        if runs and (number == 0 or not manifest.is_clock_known):
            return run_times.seen_ms(number)
        return _paced_ms(paces, Fraction(times[number] * 1000, timescale), timescale)

    return instant_ms


def _paced_ms(paces: Sequence[Pace], clip_ms: Fraction, timescale: int) -> int:
    """Return when what the clip shows at a time was seen; that time may lack half a tick."""
    at_ms = clip_ms + Fraction(500, timescale)
    begun = [pace for pace in paces if pace.clip_ms <= at_ms]
    pace = begun[-1] if begun else paces[0]
    return floor(pace.seen_ms + (at_ms - pace.clip_ms) / Fraction(pace.rate))
