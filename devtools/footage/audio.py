"""Audio that encodes the time: a 60 ms beep at each whole second, its pitch the second mod 8."""

import math
from array import array
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from operator import mul

from attrs import frozen

BEEP_MS = 60
DISTINCT_SECONDS = 8
UNKNOWN_SECOND = -1
_AMPLITUDE = 12_000
_LOUD = _AMPLITUDE // 4
_QUIET_BEFORE_BEEP_MS = 20


@frozen
class Beep:
    """A beep: its start on the clip's clock, and the wall-clock second modulo 8 that it names."""

    time_ms: float
    second: int


def beeping(start_ms: int, duration_ms: Fraction, rate_hz: int, channels: int) -> bytes:
    """Make `duration_ms` of s16le audio whose first sample is at wall clock `start_ms`."""
    first_second, phase_ms = divmod(start_ms, 1000)
    first = round(Fraction(phase_ms * rate_hz, 1000))
    stop = first + round(duration_ms * rate_hz / 1000)
    seconds = range(first_second, first_second + -(-stop // rate_hz))
    audio = b"".join(_second(n % DISTINCT_SECONDS, rate_hz, channels) for n in seconds)
    return audio[first * channels * 2 : stop * channels * 2]


def find_beeps(
    samples: Sequence[int], rate_hz: int, pieces: Iterable[tuple[float, int]]
) -> list[Beep]:
    """Find the beeps in mono `samples`, decoded as `pieces` of (presentation time in ms, samples).

    A beep starts at the first sample louder than a quarter of a beep after 20 ms without any.
    """
    block = rate_hz // 1000
    beeps: list[Beep] = []
    done, loud_until_ms = 0, -math.inf
    for piece_ms, count in pieces:
        for start in _loud_blocks(samples, done, done + count, block):
            onset = next(i for i in range(start, start + block) if abs(samples[i]) > _LOUD)
            onset_ms = piece_ms + (onset - done) * 1000 / rate_hz
            if onset_ms > loud_until_ms + _QUIET_BEFORE_BEEP_MS:
                beeps.append(Beep(onset_ms, _second_named(samples, onset, rate_hz)))
            loud_until_ms = onset_ms + 1
        done += count
    return beeps


def _loud_blocks(samples: Sequence[int], start: int, stop: int, block: int) -> Iterable[int]:
    """Yield where the loud blocks of samples[start:stop] begin."""
    if _peak(samples[start:stop]) <= _LOUD:
        return ()
    return (
        at for at in range(start, stop, block) if _peak(samples[at : min(at + block, stop)]) > _LOUD
    )


def _peak(samples: Sequence[int]) -> int:
    return max(map(abs, samples), default=0)


def _second_named(samples: Sequence[int], onset: int, rate_hz: int) -> int:
    """Return the loudest of the eight pitches in 10 ms, in which they are orthogonal."""
    begin = onset + rate_hz // 200
    part = samples[begin : begin + rate_hz // 100]
    powers = []
    for second in range(DISTINCT_SECONDS):
        cosine, sine = _waves(second, rate_hz)
        powers.append(sum(map(mul, part, cosine)) ** 2 + sum(map(mul, part, sine)) ** 2)
    loudest = max(powers)
    clear = loudest > 4 * sorted(powers)[-2]
    return powers.index(loudest) if clear else UNKNOWN_SECOND


def _pitch_hz(second: int) -> int:
    return 600 + 200 * second


@cache
def _waves(second: int, rate_hz: int) -> tuple[list[float], list[float]]:
    turns = [math.tau * _pitch_hz(second) * n / rate_hz for n in range(rate_hz // 100)]
    return [math.cos(turn) for turn in turns], [math.sin(turn) for turn in turns]


@cache
def _second(second: int, rate_hz: int, channels: int) -> bytes:
    beep = array("h")
    for n in range(rate_hz * BEEP_MS // 1000):
        level = round(_AMPLITUDE * math.sin(math.tau * _pitch_hz(second) * n / rate_hz))
        beep.extend([level] * channels)
    return beep.tobytes().ljust(rate_hz * channels * 2, b"\0")
