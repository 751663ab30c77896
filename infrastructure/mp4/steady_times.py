"""Stored times made steady, before anything is derived from them.

Recorders restart their clock inside a file, or stamp a fragment or a frame with a time far off.
Such a stamp costs nothing but itself: every sample appears once, in the order recorded.

The samples of a track are runs in which decode times rise by no more than ``tolerance`` at once.
Runs that are out of step with those around them are strays, which follow the run before them; the
others keep their time. If the clock steps back and stays there, all later samples follow at the
distances that the new clock gives them. A jump ahead that stays is a hole, and is kept, unless
it is longer than a day: that is a clock being set. Afterwards a frame that is presented far from
where it is decoded is presented where one is missing.

The audio of a run is moved with the video on whose clock it is.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from operator import add, sub
from statistics import median_low

from attrs import evolve, field, frozen

from infrastructure.mp4.completeness import MAX_INTERLEAVE_MS, MAX_REORDERED
from infrastructure.mp4.edit_list import rounded
from infrastructure.mp4.sample_tables import MAX_TIME, StoredTrack, steps

MIN_TOLERANCE_S = 1
"""The clocks of real recorders overlap or skip by a few frames where fragments meet; a step that
shows, and that no seam tolerance hides, is longer."""
TOLERATED_INTERVALS = 3
"""Nor do times within so many usual sample durations count, however slow the camera is."""
MAX_HOLE_S = 86_400
MAX_RUNS_COMPARED = 500
"""Of a track of more runs no stray is sought: each step back is taken to stay."""
RESTART_COST_S = 20
"""To explain a step back by strays, they may last so long, unless the next run follows them."""


def is_steady(track: StoredTrack, *, is_leading: bool = True) -> bool:
    """Return whether the times neither step back, nor, in the leading track, jump ahead.

    So it cannot be that the samples belong elsewhere, whatever others there are.
    """
    least, most = _steps(track)
    worst = max(-least, _spread(track), most if is_leading else 0)
    # The usual duration, which takes a sort, decides only about slow cameras.
    return worst <= MIN_TOLERANCE_S * track.timescale or worst <= _tolerance(track, _usual(track))


def made_steady(
    media: Mapping[str, StoredTrack],
) -> tuple[dict[str, StoredTrack], tuple[str, ...]]:
    """Return the tracks, each with samples, with steady times; and what was doubtful of the video.

    All samples of the file must be known.
    """
    steady = dict(media)
    video, audio = media.get("vide"), media.get("soun")
    doubts = _Doubts()
    if video is not None:
        moved = _moves(video, doubts)
        steady["vide"] = _presented(_moved(video, moved), doubts)
        if audio is not None and moved is not None:
            audio = _moved(audio, _moves_alike(audio, video, moved))
    if audio is not None:
        unheeded = _Doubts()
        audio = _presented(_moved(audio, _moves(audio, unheeded)), unheeded)
        steady["soun"] = _with_usual_durations(audio)
    return steady, doubts.sentences()


@frozen
class _Run:
    """Samples *first* <= number < *end*, decoded from *begins* until *ends*, in ticks."""

    first: int
    end: int
    begins: int
    ends: int

    @property
    def ticks(self) -> int:
        return self.ends - self.begins


@frozen
class _Doubts:
    """What was moved, and by how much: in ms, positive if the stamp was too early."""

    strays: "Counter[int]" = field(factory=Counter)
    """How many frames, by their distance."""
    restarts: list[int] = field(factory=list)

    def sentences(self) -> tuple[str, ...]:
        """Return a sentence for each kind."""
        found = []
        if self.strays:
            count = self.strays.total()
            far = max(self.strays, key=abs)
            found.append(f"the times of {_frames(count)} are doubtful: they {_step(far)}.")
        if self.restarts:
            far = max(self.restarts, key=abs)
            times = "" if len(self.restarts) == 1 else f" and {len(self.restarts) - 1} times more"
            found.append(
                f"the times are doubtful: the recorder's clock {_step(far, 's')}{times};"
                " later frames are taken to follow those before them."
            )
        return tuple(found)


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"


def _step(ms: int, verb_ends: str = "") -> str:
    verb, where = ("step", "back") if ms > 0 else ("jump", "ahead")
    return f"{verb}{verb_ends} {where} by {abs(ms) / 1000:.1f}".removesuffix(".0") + " s"


def _ms(track: StoredTrack, ticks: int) -> int:
    return rounded(ticks * 1000, track.timescale)


def _steps(track: StoredTrack) -> tuple[int, int]:
    """Return the least and the largest step of decode time, in ticks."""
    apart = steps(track.dts)
    return min(apart, default=0), max(apart, default=0)


def _spread(track: StoredTrack) -> int:
    """Return how much the time from decoding to presentation varies, in ticks."""
    if track.pts is track.dts:
        return 0
    offsets = [shown - decoded for shown, decoded in zip(track.pts, track.dts, strict=True)]
    return max(offsets, default=0) - min(offsets, default=0)


def _usual(track: StoredTrack) -> int:
    """Return the usual step of decode time, in ticks: at least 1."""
    steps = [step for before, after in pairwise(track.dts) if (step := after - before) > 0]
    durations = [ticks for ticks in track.durations if ticks > 0]
    return min(median_low(numbers) for numbers in (steps, durations, [MAX_TIME]) if numbers)


def _tolerance(track: StoredTrack, usual: int) -> int:
    return max(MIN_TOLERANCE_S * track.timescale, TOLERATED_INTERVALS * usual)


# Decode times.


@frozen
class _Squeezed:
    """Moved samples that last from *begins* for *ticks*, but only have room *until* then."""

    first: int
    end: int
    begins: int
    ticks: int
    until: int

    def place(self, time: int, later: int = 0) -> int:
        """Return the time of a sample; all are *later* than decoded."""
        begins = self.begins + later
        return begins + (time - begins) * max(self.until - self.begins, 0) // self.ticks


@frozen
class _Moves:
    """By how many ticks each sample is moved, and which are moved closer together then."""

    ticks: "array[int]"
    squeezed: list[_Squeezed] = field(factory=list)


def _moves(track: StoredTrack, doubts: _Doubts) -> _Moves | None:
    """Return how samples must be moved; None if none is."""
    least, most = _steps(track)
    if least >= -MIN_TOLERANCE_S * track.timescale and most <= MAX_HOLE_S * track.timescale:
        return None
    usual = _usual(track)
    tolerance = _tolerance(track, usual)
    if least >= -tolerance and most <= MAX_HOLE_S * track.timescale:
        return None
    runs = list(_runs(track, usual, tolerance))
    moves = _Moves(array("q", bytes(8 * len(track.dts))))
    kept = _kept(runs, track.timescale, usual, tolerance)
    cursor, shift, clock = runs[0].ends, 0, runs[0]
    for before, number in pairwise(kept):
        for stray in runs[before + 1 : number]:
            moves.ticks[stray.first : stray.end] = array("q", [cursor - stray.begins]) * (
                stray.end - stray.first
            )
            doubts.strays[_ms(track, cursor - stray.begins - shift)] += stray.end - stray.first
            cursor += stray.ticks
        run = runs[number]
        if not _follows(clock, run, tolerance, track.timescale):
            doubts.restarts.append(_ms(track, cursor - run.begins - shift))
            shift = cursor - run.begins
        moves.ticks[run.first : run.end] = array("q", [shift]) * (run.end - run.first)
        begins, until = clock.ends + shift, run.begins + shift
        if cursor > until:
            first = runs[before + 1].first
            moves.squeezed.append(_Squeezed(first, run.first, begins, cursor - begins, until))
        cursor, clock = run.ends + shift, run
    return moves


def _runs(track: StoredTrack, usual: int, tolerance: int) -> Iterator[_Run]:
    dts, first = track.dts, 0
    for number, (before, after) in enumerate(pairwise(dts), 1):
        if not -tolerance <= after - before <= tolerance:
            yield _Run(first, number, dts[first], before + usual)
            first = number
    yield _Run(first, len(dts), dts[first], dts[-1] + usual)


def _follows(before: _Run, run: _Run, tolerance: int, timescale: int) -> bool:
    return -tolerance <= run.begins - before.ends <= MAX_HOLE_S * timescale


def _kept(runs: list[_Run], timescale: int, usual: int, tolerance: int) -> list[int]:
    """Return the numbers of the runs that keep their time on their clock, the last one included.

    The explanation with the least cost is taken. It costs nothing that a run follows the one kept
    before it, with a hole or without. Strays between them cost their number of samples, but less
    than a restarted clock if the run begins when they have lasted.
    """
    if len(runs) > MAX_RUNS_COMPARED:
        return list(range(len(runs)))
    restart_cost = max(1, RESTART_COST_S * timescale // usual)
    ticks = list(accumulate((run.ticks for run in runs), initial=0))
    costs, before = [0.0], [0]
    for number, run in enumerate(runs[1:], 1):
        last = number - 1
        options = [
            (
                costs[last]
                + (0 if _follows(runs[last], run, tolerance, timescale) else restart_cost),
                last,
            )
        ]
        for kept in range(last):
            late = run.begins - runs[kept].ends - (ticks[number] - ticks[kept + 1])
            if not -tolerance <= late <= MAX_HOLE_S * timescale:
                continue
            count = run.first - runs[kept].end
            most = restart_cost * count / runs[-1].end
            cost = min(count, most) / 2 if late <= tolerance else count
            options.append((costs[kept] + cost, kept))
        cost, kept = min(options)
        costs.append(cost)
        before.append(kept)
    chain_of = [len(runs) - 1]
    while chain_of[-1]:
        chain_of.append(before[chain_of[-1]])
    return chain_of[::-1]


def _moved(track: StoredTrack, moves: _Moves | None) -> StoredTrack:
    if moves is None:
        return track
    dts = array("q", map(add, track.dts, moves.ticks))
    pts = array("q", map(add, track.pts, moves.ticks))
    later = median_low(map(sub, pts, dts))
    for squeezed in moves.squeezed:
        for number in range(squeezed.first, squeezed.end):
            dts[number] = squeezed.place(dts[number])
            pts[number] = squeezed.place(pts[number], later)
    return evolve(track, dts=dts, pts=dts if track.pts is track.dts else pts)


def _moves_alike(audio: StoredTrack, video: StoredTrack, moves: _Moves) -> _Moves:
    """Return how to move the audio: each sample with the video stored next to it.

    Audio that is on another clock than that video is not moved.
    """
    order = sorted(range(len(video.offsets)), key=video.offsets.__getitem__)
    places = [video.offsets[number] for number in order]
    ends = [video.offsets[number] + video.sizes[number] for number in order]
    # The ends of each chunk of video: of a fragment, or of what is stored between two of audio.
    begins = [i for i in range(len(order)) if i == 0 or places[i] != ends[i - 1]]
    apart = MAX_INTERLEAVE_MS * video.timescale // 1000

    def distance(time: int, chunk: int) -> int:
        first, last = chunk_ends(chunk)
        return max(video.dts[first] - time, time - video.dts[last], 0)

    def chunk_ends(chunk: int) -> tuple[int, int]:
        after = begins[chunk + 1] if chunk + 1 < len(begins) else len(order)
        return order[begins[chunk]], order[after - 1]

    found = array("q")
    chunk_places = [places[begin] for begin in begins]
    for offset, dts in zip(audio.offsets, audio.dts, strict=True):
        time = rounded(dts * video.timescale, audio.timescale)
        after = bisect_left(chunk_places, offset)
        chunks = range(max(0, after - 1), min(after + 1, len(begins)))
        chunk = min(chunks, key=lambda chunk: distance(time, chunk))
        nearest = min(chunk_ends(chunk), key=lambda number: abs(video.dts[number] - time))
        is_alike = distance(time, chunk) <= apart
        found.append(rounded(moves.ticks[nearest] * audio.timescale, video.timescale) * is_alike)
    return _Moves(found)


# Presentation times.


def _presented(track: StoredTrack, doubts: _Doubts) -> StoredTrack:
    """Return the track with each sample presented near where it is decoded.

    At most 16 samples are decoded between the two, and the muxer may delay all by as many.
    """
    count = len(track.pts)
    if track.pts is track.dts or _spread(track) <= MIN_TOLERANCE_S * track.timescale:
        return track
    usual, dts = _usual(track), track.dts
    tolerance = _tolerance(track, usual)
    offset = median_low(map(sub, track.pts, dts))
    reach = 2 * MAX_REORDERED
    # A frame among the last ones may be the first after a hole that the decode times do not reach.
    depth = _reorder_depth(track) if track.kind == "vide" else 0
    strays = [
        number
        for number, time in enumerate(track.pts)
        if time - offset < dts[max(0, number - reach)] - tolerance
        or (
            time - offset > dts[min(number + reach, count - 1)] + tolerance
            and count - 1 - number > depth
        )
    ]
    if not strays:
        return track
    is_stray = bytearray(count)
    for number in strays:
        is_stray[number] = 1
    pts = array("q", track.pts)
    for number in strays:
        near = range(max(0, number - reach), min(count, number + reach + 1))
        shown = sorted(pts[i] for i in near if not is_stray[i])
        pts[number] = _vacancy(shown, dts[number] + offset, usual, number, count)
        is_stray[number] = 0
        doubts.strays[_ms(track, pts[number] - track.pts[number])] += 1
    return evolve(track, pts=pts)


def _reorder_depth(track: StoredTrack) -> int:
    """Return by how many places nearly all samples are at most moved for presentation."""
    order = sorted(range(len(track.pts)), key=track.pts.__getitem__)
    places = sorted(abs(number - place) for place, number in enumerate(order))
    return min(MAX_REORDERED, places[len(places) * 9 // 10])


def _vacancy(shown: list[int], due: int, usual: int, number: int, count: int) -> int:
    """Return the time nearest to *due* at which a sample is missing between those *shown*."""
    if shown and number == 0:
        return shown[0] - usual
    reach = MAX_REORDERED * usual
    vacant = [
        time
        for before, after in pairwise(shown)
        if 2 * (after - before) > 3 * usual and abs((time := before + usual) - due) <= reach
    ]
    if not vacant and shown and count - 1 - number <= MAX_REORDERED:
        vacant = [shown[-1] + usual]
    return min(vacant, key=lambda time: abs(time - due), default=due)


def _with_usual_durations(audio: StoredTrack) -> StoredTrack:
    """Return the audio with no packet that claims to sound for long: silence stands for it."""
    if max(audio.durations, default=0) <= MIN_TOLERANCE_S * audio.timescale:
        return audio
    usual = _usual(audio)
    tolerance = _tolerance(audio, usual)
    return evolve(
        audio,
        durations=array("q", (ticks if ticks <= tolerance else usual for ticks in audio.durations)),
    )
