"""Draw a cut from its seed."""

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Literal

from attrs import evolve, frozen

from devtools.footage import Recording, Wanted, wanted
from domain.options import FILLERS, Filler
from tests.campaigns.fuzz_cuts.kinds import KINDS, Kind, listed_ms, place
from tests.integration.exactness.camera import START_MS, TOLERANCE_MS

NAMES = tuple(KINDS)
Previews = tuple[Literal["sheet", "sprite"], ...]
PREVIEWS: tuple[Previews, ...] = ((), (), ("sheet",), ("sprite",), ("sheet", "sprite"))
GAPS: tuple[Literal["skip"] | Filler, ...] = ("skip", *FILLERS)
ZONES = (None, "UTC", "Europe/Madrid", "Asia/Kolkata")


@frozen
class RandomCut:
    """The clip of `recordings` from `from_ms` to `to_ms` after START_MS."""

    seed: int
    kind: str
    recordings: tuple[Recording, ...]
    from_ms: int
    to_ms: int
    zone: str | None = None
    """Of the wall clock inside the clip."""
    previews: Previews = ()
    gaps: Literal["skip"] | Filler = "skip"

    def wanted(self) -> Wanted:
        """Return what the clip must hold.

        Nothing if its one picture is of a recording that ended longer ago than the camera is asked.
        """
        start_ms, end_ms = START_MS + self.from_ms, START_MS + self.to_ms
        clip = wanted(self.recordings, start_ms, end_ms)
        if len(clip.numbers) == clip.held_frames == 1:
            source = next(r for r in self.recordings if clip.numbers[0] in r.numbers)
            if source.start_ms + listed_ms(source) + TOLERANCE_MS <= start_ms:
                return evolve(clip, numbers=[], times_ms=[], held_frames=0)
        return clip

    def whole_gop_frames(self) -> int:
        """Count the frames of those GOPs that lie whole within the clip's window."""
        wanted = self.wanted()
        numbers = set(wanted.numbers[wanted.held_frames :])
        return sum(
            len(gop)
            for recording in self.recordings
            for gop in _gops(recording)
            if numbers.issuperset(gop)
        )

    def __str__(self) -> str:
        footage = ", ".join(
            f"{r.start_ms - START_MS}..{_end_ms(r)}"
            + (f" listed to {r.start_ms - START_MS + r.listed_ms}" if r.listed_ms else "")
            for r in self.recordings
        )
        return (
            f"cut {self.seed}: {self.from_ms}..{self.to_ms} ms of {self.kind} ({footage})"
            f", wall clock: {self.zone}, previews: {', '.join(self.previews) or 'none'}"
            f", gaps: {self.gaps}"
        )


def draw_cut(seed: int) -> RandomCut:
    """Draw the cut of a seed; consecutive seeds have different kinds."""
    rng = random.Random(seed)
    name = NAMES[seed % len(NAMES)]
    recordings = _placed(rng, KINDS[name])
    draw = rng.choice(
        (_anywhere, _across, _across, _across, _one_frame, _short, _within_a_picture, _to_a_hole)
    )
    from_ms, to_ms = sorted(draw(rng, recordings))
    end_ms, zone = max(to_ms, from_ms + 1), rng.choice(ZONES)
    previews, gaps = rng.choice(PREVIEWS), rng.choice(GAPS)
    return RandomCut(seed, name, recordings, from_ms, end_ms, zone, previews, gaps)


def _placed(rng: random.Random, kind: Kind) -> tuple[Recording, ...]:
    """Place one to three of the recordings, in their own order or another."""
    if kind.is_whole:
        return kind.recordings
    order = list(kind.recordings)
    if rng.random() < 0.4:
        rng.shuffle(order)
    count = rng.randint(1, len(order))
    first = rng.randint(0, len(order) - count)
    placed: list[Recording] = []
    for recording in order[first : first + count]:
        after_ms = placed[-1].start_ms + listed_ms(placed[-1]) if placed else recording.start_ms
        placed.append(place(recording, after_ms))
    return tuple(placed)


def _anywhere(rng: random.Random, recordings: Sequence[Recording]) -> tuple[int, int]:
    """Return any two milliseconds from half a second before the footage to as long after it."""
    first_ms, end_ms = recordings[0].start_ms - START_MS - 500, _end_ms(recordings[-1]) + 500
    return rng.randint(first_ms, end_ms), rng.randint(first_ms, end_ms)


def _across(rng: random.Random, recordings: Sequence[Recording]) -> tuple[int, int]:
    """Return an instant of the first recording and one of the last."""
    return _instant(rng, recordings[0]), _instant(rng, recordings[-1])


def _one_frame(rng: random.Random, recordings: Sequence[Recording]) -> tuple[int, int]:
    """Return the times of a frame and the next within 1 ms, or a cut of 1 ms."""
    recording = rng.choice(recordings)
    n = rng.choice((0, rng.randrange(recording.frames), recording.frames - 1))
    times_ms = [*recording.times_ms, recording.duration_ms]
    begins_ms = recording.start_ms - START_MS
    from_ms = begins_ms + int(times_ms[n]) + rng.randint(-1, 1)
    return from_ms, rng.choice((from_ms + 1, begins_ms + int(times_ms[n + 1]) + rng.randint(-1, 1)))


def _within_a_picture(rng: random.Random, recordings: Sequence[Recording]) -> tuple[int, int]:
    """Return two instants while one picture is shown, its own not included."""
    recording = rng.choice(recordings)
    begins_ms = recording.start_ms - START_MS
    times_ms = [begins_ms + ceil(t) for t in (*recording.times_ms, recording.duration_ms)]
    n = rng.randrange(recording.frames)
    from_ms = rng.randint(times_ms[n] + 1, max(times_ms[n + 1] - 1, times_ms[n] + 1))
    return from_ms, rng.randint(from_ms + 1, max(times_ms[n + 1], from_ms + 1))


def _to_a_hole(rng: random.Random, recordings: Sequence[Recording]) -> tuple[int, int]:
    """Return an instant, and another while a picture is held or none is there."""
    recording = rng.choice(recordings)
    begins_ms = recording.start_ms - START_MS
    holes_ms = [
        (int(before), int(after))
        for before, after in pairwise(recording.times_ms)
        if after - before > min(recording.times_ms[1], Fraction(100))
    ]
    end_ms = int(recording.duration_ms)
    at_ms, until_ms = rng.choice([*holes_ms, (end_ms, end_ms + 4000)])
    to_ms = begins_ms + rng.randint(at_ms + 1, until_ms)
    return _instant(rng, rng.choice(recordings)), to_ms


def _short(rng: random.Random, recordings: Sequence[Recording]) -> tuple[int, int]:
    """Return 1 ms to 2 s around an instant of a recording, logarithmically distributed."""
    from_ms = _instant(rng, rng.choice(recordings))
    duration_ms = round(2000 ** rng.random())
    return from_ms - rng.choice((0, duration_ms // 2, duration_ms)), from_ms + duration_ms


def _instant(rng: random.Random, recording: Recording) -> int:
    """Return any instant of the recording, or one within 1 ms of a frame, a keyframe or an end."""
    begins_ms, times_ms = recording.start_ms - START_MS, recording.times_ms
    end_ms = _end_ms(recording)
    exact = rng.choice(
        (
            rng.randint(begins_ms, end_ms),
            begins_ms + int(rng.choice(times_ms)),
            begins_ms + int(times_ms[rng.choice(_gops(recording)).start - recording.first_number]),
            rng.choice((begins_ms, end_ms, begins_ms + int(times_ms[-1]))),
        )
    )
    return exact + rng.randint(-1, 1)


def _gops(recording: Recording) -> list[range]:
    """Return the frame numbers of each GOP."""
    length = 1 if recording.all_intra else recording.gop_frames
    numbers = range(recording.first_number, recording.first_number + recording.frames)
    return [numbers[at : at + length] for at in range(0, len(numbers), length)]


def _end_ms(recording: Recording) -> int:
    return recording.start_ms - START_MS + int(recording.duration_ms)
