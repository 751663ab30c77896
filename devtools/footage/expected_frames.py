"""The oracle: the frames that a clip of some recordings must hold, and their times.

It is written from the rules alone and imports nothing of the product.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median_low

from attrs import evolve, frozen

from devtools.footage.recording import Recording

SEAM_TOLERANCE_MS = 1000
SLOW_MS = 500
"""The frame interval from which on a camera is slow."""
MAX_FOOTAGE_INTERVALS = Fraction(3, 2)
MAX_HELD_INTERVALS = 3
AGREEING_FILES = 3
RATES = Fraction(3, 4), Fraction(4, 3)
RATE_WITHIN = Fraction(1, 100)

Interval = tuple[Fraction, Fraction]


@frozen(kw_only=True)
class Stretch:
    """[start_ms, end_ms) delivered from one recording, from `clip_ms` of the clip on.

    The times are the recording's own: its start plus the time in its media.
    """

    start_ms: Fraction
    end_ms: Fraction
    clip_ms: Fraction
    has_audio: bool


@frozen(kw_only=True)
class Wanted:
    """The expected clip.

    numbers, times_ms: of its frames, on the clip's clock.
    held_frames: how many of them, 0 or 1, were seen before the window.
    stretches: what its audio is from: no recording whose pictures are not shown.
    gaps_ms, held_ms: of the window; skipped, or shown as one picture for long.
    unused: the first number of a recording of which [start, end) is left out.
    duration_ms: on the clip's clock.
    """

    numbers: list[int]
    times_ms: list[Fraction]
    stretches: list[Stretch]
    gaps_ms: list[Interval]
    held_frames: int = 0
    held_ms: list[Interval]
    unused: list[tuple[int, Fraction, Fraction]]
    duration_ms: Fraction


@frozen(kw_only=True)
class _Film:
    """A recording on the wall clock."""

    recording: Recording
    rate: Fraction
    """Seconds of media in a second of the wall clock."""
    interval_ms: Fraction
    """The usual one between two frames."""
    tolerance_ms: Fraction
    """The longest hole over which its picture is held."""

    def wall_ms(self, media_ms: Fraction) -> Fraction:
        return self.recording.start_ms + media_ms / self.rate

    def own_ms(self, wall_ms: Fraction) -> Fraction:
        """Return the recording's own time of an instant: as long after its start as its media."""
        return self.recording.start_ms + (wall_ms - self.recording.start_ms) * self.rate

    @property
    def frames(self) -> list[tuple[Fraction, int]]:
        """When each frame was seen, and its number."""
        recording = self.recording
        return [
            (self.wall_ms(media_ms), number)
            for media_ms, number in zip(recording.times_ms, recording.numbers, strict=True)
        ]

    @property
    def end_ms(self) -> Fraction:
        """When its last frame ends."""
        return self.wall_ms(self.recording.duration_ms)

    @property
    def listed_end_ms(self) -> Fraction:
        """When the camera says that it ends, if that is not much later than it does, else 0."""
        listed_ms = Fraction(self.recording.start_ms + _listed_ms(self.recording))
        is_believed = self.rate == 1 and listed_ms <= self.end_ms + self.tolerance_ms
        return listed_ms if is_believed else Fraction(0)

    def holes(self) -> tuple[list[Interval], list[Interval]]:
        """Return where its own pictures are held, and its gaps."""
        held: list[Interval] = []
        gaps: list[Interval] = []
        for before_ms, after_ms in pairwise(
            [*(wall_ms for wall_ms, _ in self.frames), self.end_ms]
        ):
            if after_ms - before_ms > self.tolerance_ms:
                gaps.append((before_ms + self.interval_ms, after_ms))
            elif after_ms - before_ms > self.interval_ms * MAX_FOOTAGE_INTERVALS:
                held.append((before_ms + self.interval_ms, after_ms))
        return held, gaps


@frozen(kw_only=True)
class _Piece:
    """A part of a film without a gap, or as much of it as plays."""

    film: _Film
    start_ms: Fraction
    end_ms: Fraction
    begins_film: bool
    ends_film: bool

    @property
    def order(self) -> tuple[Fraction, int]:
        """What begins first plays, then what is listed first."""
        return self.start_ms, self.film.recording.first_number

    @property
    def last_frame_ms(self) -> Fraction:
        return max(wall_ms for wall_ms, _ in self.film.frames if wall_ms < self.end_ms)

    @property
    def held_until_ms(self) -> Fraction:
        """How long its last picture may stand, whatever follows."""
        return max(self.end_ms, self.film.listed_end_ms if self.ends_film else Fraction(0))


def wanted(
    recordings: Iterable[Recording],
    start_ms: int,
    end_ms: int,
    *,
    seam_tolerance_ms: int = SEAM_TOLERANCE_MS,
) -> Wanted:
    """Return what the clip of `recordings` for [start_ms, end_ms) must hold.

    What plays goes on to its end; of what begins before that only the rest is shown, but the
    duration of a last frame yields, and that a date within the tolerance before that end is
    rounded: then both play whole. A hole of up to the tolerance is held, by the picture before it
    or, at the head, after it. Every other hole of the window is a gap: skipped.
    """
    playing, left_out = _line_up(_films(recordings, seam_tolerance_ms), seam_tolerance_ms)
    window = Fraction(start_ms), Fraction(end_ms)
    cuts = [evolve(p, start_ms=s, end_ms=e) for p in playing for s, e in _inside(p, window)]
    gaps, held = _holes(playing, cuts, window)
    held += [part for cut in cuts for hole in cut.film.holes()[0] for part in _inside_of(hole, cut)]
    numbers: list[int] = []
    times_ms: list[Fraction] = []
    stretches: list[Stretch] = []
    ended_ms = later_ms = Fraction(0)
    for cut in cuts:
        skipped_ms = sum(
            (min(e, cut.start_ms) - s for s, e in gaps if s < cut.start_ms), Fraction(0)
        )
        clip_ms = max(ended_ms, cut.start_ms - start_ms - skipped_ms + later_ms)
        own_ms, own_end_ms = cut.film.own_ms(cut.start_ms), cut.film.own_ms(cut.end_ms)
        for wall_ms, number in cut.film.frames:
            if cut.start_ms <= wall_ms < cut.end_ms:
                numbers.append(number)
                times_ms.append(clip_ms + cut.film.own_ms(wall_ms) - own_ms)
        shows_frame = any(cut.start_ms <= wall_ms < cut.end_ms for wall_ms, _ in cut.film.frames)
        stretches.append(
            Stretch(
                start_ms=own_ms,
                end_ms=own_end_ms,
                clip_ms=clip_ms,
                has_audio=shows_frame and cut.film.recording.audio is not None,
            )
        )
        ended_ms = clip_ms + own_end_ms - own_ms
        later_ms += (own_end_ms - own_ms) - (cut.end_ms - cut.start_ms)
    on_screen = _on_screen(playing, window)
    first_ms = times_ms[0] if times_ms else None
    is_held = on_screen is not None and (
        first_ms is None or (first_ms > 0 and on_screen.film.interval_ms >= SLOW_MS)
    )
    if on_screen and is_held:
        seen_ms = min(window[0], on_screen.end_ms)
        numbers.insert(0, max(f for f in on_screen.film.frames if f[0] < seen_ms)[1])
        times_ms.insert(0, Fraction(0))
        if stretches and cuts[0].film is on_screen.film and cuts[0].start_ms == start_ms:
            has_audio = on_screen.film.recording.audio is not None
            stretches[0] = evolve(stretches[0], has_audio=has_audio)
    if times_ms:
        times_ms[0] = Fraction(0)
    delivered_ms = end_ms - start_ms - sum((e - s for s, e in gaps), Fraction(0))
    return Wanted(
        numbers=numbers,
        times_ms=times_ms,
        stretches=stretches,
        gaps_ms=gaps,
        held_frames=int(is_held),
        held_ms=sorted(held),
        unused=[
            (p.film.recording.first_number, s, e) for p in left_out for s, e in _inside(p, window)
        ],
        duration_ms=max(ended_ms, delivered_ms + later_ms),
    )


def _listed_ms(recording: Recording) -> Fraction:
    return Fraction(recording.listed_ms or recording.duration_ms)


def _films(recordings: Iterable[Recording], seam_tolerance_ms: int) -> list[_Film]:
    ordered = sorted(recordings, key=lambda r: (r.start_ms, r.first_number))
    rates = _rates(ordered, seam_tolerance_ms)
    films = []
    for recording, rate in zip(ordered, rates, strict=True):
        intervals = [after - before for before, after in pairwise(recording.times_ms)]
        interval_ms = median_low(intervals or [recording.duration_ms]) / rate
        tolerance_ms = max(Fraction(seam_tolerance_ms), MAX_HELD_INTERVALS * interval_ms)
        films.append(
            _Film(
                recording=recording, rate=rate, interval_ms=interval_ms, tolerance_ms=tolerance_ms
            )
        )
    return films


def _rates(ordered: Sequence[Recording], seam_tolerance_ms: int) -> list[Fraction]:
    """Return the rate that is believed of each: that of three in a row which agree and abut."""
    rates = [r.duration_ms / _listed_ms(r) for r in ordered]
    drifts = [
        abs(r.duration_ms - _listed_ms(r)) > seam_tolerance_ms and RATES[0] <= rate <= RATES[1]
        for r, rate in zip(ordered, rates, strict=True)
    ]
    believed = [Fraction(1)] * len(ordered)
    for at in range(len(ordered) - AGREEING_FILES + 1):
        run = range(at, at + AGREEING_FILES)
        agree = all(
            abs(rates[after] / rates[before] - 1) <= RATE_WITHIN
            and abs(
                ordered[before].start_ms + _listed_ms(ordered[before]) - ordered[after].start_ms
            )
            <= seam_tolerance_ms
            for before, after in pairwise(run)
        )
        if agree and all(drifts[n] for n in run):
            for n in run:
                believed[n] = rates[n]
    return believed


def _line_up(films: Iterable[_Film], seam_tolerance_ms: int) -> tuple[list[_Piece], list[_Piece]]:
    """Return what plays, and what is left out because something else does."""
    playing: list[_Piece] = []
    left_out: list[_Piece] = []
    for piece in sorted((p for film in films for p in _pieces(film)), key=lambda p: p.order):
        last = playing[-1] if playing else None
        rest = piece
        if last and piece.start_ms < last.end_ms:
            is_rounded = (
                last.ends_film
                and piece.begins_film
                and last.start_ms < piece.start_ms
                and last.end_ms - piece.start_ms <= seam_tolerance_ms
            )
            if last.last_frame_ms < piece.start_ms:
                playing[-1] = evolve(last, end_ms=piece.start_ms)
            elif not is_rounded:
                left_out.append(evolve(piece, end_ms=min(piece.end_ms, last.end_ms)))
                rest = evolve(piece, start_ms=last.end_ms, begins_film=False)
        if rest.start_ms < rest.end_ms:
            playing.append(rest)
    return playing, left_out


def _pieces(film: _Film) -> list[_Piece]:
    gaps = film.holes()[1]
    starts = [Fraction(film.recording.start_ms), *(end for _, end in gaps)]
    ends = [*(start for start, _ in gaps), film.end_ms]
    return [
        _Piece(
            film=film,
            start_ms=start,
            end_ms=end,
            begins_film=start == starts[0],
            ends_film=end == ends[-1],
        )
        for start, end in zip(starts, ends, strict=True)
        if start < end
    ]


def _inside(piece: _Piece, window: Interval) -> list[Interval]:
    start_ms, end_ms = max(piece.start_ms, window[0]), min(piece.end_ms, window[1])
    return [(start_ms, end_ms)] if start_ms < end_ms else []


def _inside_of(hole: Interval, cut: _Piece) -> list[Interval]:
    return _inside(cut, hole)


def _holes(
    playing: Sequence[_Piece], cuts: Sequence[_Piece], window: Interval
) -> tuple[list[Interval], list[Interval]]:
    """Return the gaps of the window, and the holes between what plays that are held."""
    gaps: list[Interval] = []
    held: list[Interval] = []
    reached_ms = window[0]
    for cut in [*cuts, None]:
        hole = reached_ms, cut.start_ms if cut else window[1]
        if hole[0] < hole[1]:
            before = max(
                (p for p in playing if p.end_ms <= hole[0]), key=lambda p: p.end_ms, default=None
            )
            holder = next((film for film in _holders(playing, before, hole, cut)), None)
            if holder is None:
                gaps.append(hole)
            elif hole[1] - hole[0] > holder.interval_ms / 2:
                held.append(hole)
        if cut:
            reached_ms = max(reached_ms, cut.end_ms)
    return gaps, held


def _holders(
    playing: Sequence[_Piece], before: _Piece | None, hole: Interval, cut: _Piece | None
) -> Iterable[_Film]:
    """Yield the films whose picture may be held over a hole."""
    if before:
        follows_ms = min(
            (p.start_ms for p in playing if p.start_ms >= hole[1]), default=Fraction(2**63)
        )
        if follows_ms - before.end_ms <= before.film.tolerance_ms:
            yield before.film
        if before.held_until_ms >= hole[1]:
            yield before.film
    is_head = before is None or before.end_ms < hole[0]
    if cut and is_head and hole[1] - hole[0] <= cut.film.tolerance_ms:
        yield cut.film


def _on_screen(playing: Sequence[_Piece], window: Interval) -> _Piece | None:
    """Return what has a picture on screen when the window starts, from before it."""
    for piece in playing:
        is_seen = any(wall_ms < window[0] for wall_ms, _ in piece.film.frames)
        if is_seen and piece.start_ms <= window[0] < piece.end_ms:
            return piece
    started = [p for p in playing if p.end_ms <= window[0]]
    if not started:
        return None
    follows_ms = min((p.start_ms for p in playing if p.start_ms >= window[0]), default=window[1])
    hole = started[-1].end_ms, min(follows_ms, window[1])
    is_held = any(_holders(playing, started[-1], hole, None)) and window[0] < hole[1]
    return started[-1] if is_held else None
