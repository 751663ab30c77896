"""Which ranges of recordings hold samples of the clip, and nothing from outside of its cuts."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain, compress, pairwise
from operator import add, ne

from attrs import field, frozen

from application.ports import Piece, Recording, RecordingPiece
from infrastructure.mp4.excerpt_writer import MAX_HOLE_READ_BYTES
from infrastructure.splicing.audio import audio_in_cut
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.stored_samples import StoredSamples


@frozen
class CopiedRange:
    """Consecutive bytes of a recording, and the numbers of the samples in them, ascending."""

    piece: RecordingPiece
    samples: Sequence[int] = field(repr=False)


@frozen(eq=False)
class Samples:
    """The samples of all tracks, numbered through: in the order of the tracks, and within them."""

    runs: Sequence[StoredSamples]
    firsts: Sequence[int] = field(repr=False)
    """The number of each run's first sample; in the end, how many samples there are."""

    @classmethod
    def of(cls, runs: Sequence[StoredSamples]) -> "Samples":
        """Return the samples of some runs."""
        return cls(runs, [*accumulate(map(len, runs), initial=0)])

    def __len__(self) -> int:
        """Return the number of samples."""
        return self.firsts[-1]

    def piece(self, number: int) -> Piece:
        """Return a sample's bytes."""
        run = bisect_right(self.firsts, number) - 1
        return self.runs[run][number - self.firsts[run]]

    def copied_ranges(self, sources: Sequence[CutSource]) -> Iterator[CopiedRange]:
        """Find runs of samples with nothing foreign between them in a recording.

        Those of a progressive file are adjacent; between those of a fragmented one there may be up
        to MAX_HOLE_READ_BYTES.
        """
        runs_of: defaultdict[int, list[int]] = defaultdict(list)
        for number, run in enumerate(self.runs):
            if isinstance(run.source, Recording) and len(run):
                runs_of[id(run.source)].append(number)
        for numbers in runs_of.values():
            yield from self._ranges_in(numbers, sources)

    def _ranges_in(
        self, numbers: Sequence[int], sources: Sequence[CutSource]
    ) -> Iterator[CopiedRange]:
        """Find the ranges of one recording, of which these runs are."""
        recording = self.runs[numbers[0]].source
        assert isinstance(recording, Recording)  # noqa: S101 - the caller has seen to it
        samples = [i for n in numbers for i in range(self.firsts[n], self.firsts[n + 1])]
        places = [*chain.from_iterable(self.runs[n].offsets for n in numbers)]
        ends = [*map(add, places, chain.from_iterable(self.runs[n].sizes for n in numbers))]
        order = sorted(range(len(places)), key=places.__getitem__)
        begins, ends = [places[i] for i in order], [ends[i] for i in order]
        its_cuts = [source for source in sources if source.recording is recording]
        is_foreign_between = _foreign_sample_between(its_cuts, begins[0], begins[-1])
        apart = compress(range(1, len(begins)), map(ne, begins[1:], ends))
        breaks = [
            i
            for i in apart
            if not ends[i - 1] <= begins[i] <= ends[i - 1] + MAX_HOLE_READ_BYTES
            or is_foreign_between(ends[i - 1], begins[i])
        ]
        for first, stop in pairwise((0, *breaks, len(begins))):
            piece = RecordingPiece(recording, begins[first], ends[stop - 1] - begins[first])
            yield CopiedRange(piece, sorted(samples[i] for i in order[first:stop]))


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
