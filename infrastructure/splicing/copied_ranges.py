"""Which ranges of recordings hold samples of the clip, and nothing from outside of its cuts."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, compress, pairwise

from attrs import field, frozen

from application.ports import Recording, RecordingPiece
from infrastructure.mp4.excerpt_writer import MAX_HOLE_READ_BYTES
from infrastructure.splicing.audio import audio_in_cut
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.stored_samples import StoredSamples

MIN_COPIED_RANGE_BYTES = 256 << 10
"""Below this, reading the bytes along with their neighbours is cheaper than a request.

S3's minimum of 5 MiB for a copied part is met elsewhere, when the store plans the upload's parts.
"""

Samples = tuple[StoredSamples, range]
"""Consecutive samples: their numbers in what is stored together."""


@frozen
class CopiedRange:
    """Consecutive bytes of a recording, and the samples in them."""

    piece: RecordingPiece
    samples: Sequence[Samples] = field(repr=False)
    """In runs: of half an hour's 140,000 samples, no pass over each is needed."""


def copied_ranges(
    runs: Iterable[StoredSamples],
    sources: Sequence[CutSource],
    min_bytes: int = MIN_COPIED_RANGE_BYTES,
) -> list[CopiedRange]:
    """Return where in recordings the samples of the runs lie with nothing foreign between them.

    Those of a progressive file are adjacent; between those of a fragmented one there may be up to
    MAX_HOLE_READ_BYTES. Shorter ranges than `min_bytes` are left out.
    """
    runs_of: defaultdict[int, list[StoredSamples]] = defaultdict(list)
    for run in runs:
        if isinstance(run.source, Recording) and len(run):
            runs_of[id(run.source)].append(run)
    ranges = chain.from_iterable(_ranges_in(group, sources) for group in runs_of.values())
    return [found for found in ranges if found.piece.length >= min_bytes]


def loose_samples(
    runs: Iterable[StoredSamples], ranges: Iterable[CopiedRange]
) -> Iterator[tuple[StoredSamples, int]]:
    """Yield the samples of the runs that are in none of the ranges of these."""
    copied: defaultdict[int, list[range]] = defaultdict(list)
    for found in ranges:
        for run, numbers in found.samples:
            copied[id(run)].append(numbers)
    for run in runs:
        is_loose = bytearray(b"\1") * len(run)
        for numbers in copied[id(run)]:
            is_loose[numbers.start : numbers.stop] = bytes(len(numbers))
        for number in compress(range(len(run)), is_loose):
            yield run, number


def _ranges_in(
    runs: Sequence[StoredSamples], sources: Sequence[CutSource]
) -> Iterator[CopiedRange]:
    """Find the ranges of one recording, which stores all of the runs."""
    recording = runs[0].source
    assert isinstance(recording, Recording)  # noqa: S101 - the caller has seen to it
    begins = sorted(chain.from_iterable(run.offsets for run in runs))
    ends = sorted(chain.from_iterable(run.ends for run in runs))
    its_cuts = [source for source in sources if source.recording is recording]
    bounds = _bounds(begins, ends, _foreign_sample_between(its_cuts, begins[0], begins[-1]))
    pieces = [range(begins[first], ends[stop - 1]) for first, stop in bounds]
    samples: list[list[Samples]] = [[] for _ in pieces]
    for run in runs:
        for number, numbers in _runs_in(pieces, run.offsets):
            samples[number].append((run, numbers))
    if any(begins[first] < ends[first - 1] for first, _ in bounds[1:]):
        # Samples share bytes. A range with such ones is not copied: each has its own place.
        samples = [
            found if _have_bounds(found, begins[first:stop], ends[first:stop]) else []
            for found, (first, stop) in zip(samples, bounds, strict=True)
        ]
    for piece, found in zip(pieces, samples, strict=True):
        if found:
            yield CopiedRange(RecordingPiece(recording, piece.start, len(piece)), found)


def _have_bounds(samples: Sequence[Samples], begins: Sequence[int], ends: Sequence[int]) -> bool:
    """Return whether these are where the samples begin and end, all sorted."""
    stored = [run[numbers.start : numbers.stop] for run, numbers in samples]
    return (
        sorted(chain.from_iterable(run.offsets for run in stored)) == begins
        and sorted(chain.from_iterable(run.ends for run in stored)) == ends
    )


def _bounds(
    begins: Sequence[int], ends: Sequence[int], is_foreign_between: Callable[[int, int], bool]
) -> list[tuple[int, int]]:
    """Return which of the sorted begins, and ends, of samples are those of one range: from, to.

    By the n-th end, n samples have ended, and no more have begun: it need not be the end of the one
    with the n-th begin.
    """
    breaks = [
        i
        for i, (end, begin) in enumerate(zip(ends, begins[1:], strict=False), 1)
        if end != begin
        and (not end < begin <= end + MAX_HOLE_READ_BYTES or is_foreign_between(end, begin))
    ]
    return [*pairwise((0, *breaks, len(begins)))]


def _runs_in(pieces: Sequence[range], offsets: Sequence[int]) -> Iterator[tuple[int, range]]:
    """Yield which samples, stored in their own order, begin in which of the pieces, ascending."""
    begins = [piece.start for piece in pieces]
    steps_back = [i for i, (at, then) in enumerate(pairwise(offsets), 1) if then < at]
    for start, stop in pairwise((0, *steps_back, len(offsets))):
        first = start
        while first < stop:
            number = bisect_right(begins, offsets[first]) - 1
            end = min([pieces[number].stop, *begins[number + 1 : number + 2]])
            after = bisect_left(offsets, end, first + 1, stop)
            yield number, range(first, after)
            first = after


def _foreign_sample_between(
    sources: Sequence[CutSource], first: int, last: int
) -> Callable[[int, int], bool]:
    """Return a predicate: whether a sample from outside of the cut is between two offsets.

    A sample presented within the cut, or within all cuts if the recording has several, is not
    foreign, even if the clip does without it. All offsets are between `first` and `last`.
    """
    if not sources or not all(source.index.is_fragmented for source in sources):
        # The bytes between a progressive file's samples belong to tracks that we do not know.
        return lambda end, offset: end != offset
    foreign: list[int] = []
    for source in sources:
        tracks = [(source.video, set(source.copyable))]
        tracks += [(source.index.audio, {*audio_in_cut(source)})] if source.index.audio else []
        foreign += (
            offset
            for track, in_cut in tracks
            for i, offset in enumerate(track.offsets)
            if first < offset < last and i not in in_cut
        )
    foreign.sort()
    return lambda end, offset: bisect_left(foreign, end) < bisect_left(foreign, offset)
