"""Samples and where they are stored, in columns: a clip of half an hour has 140,000 of them."""

from array import array
from collections.abc import Sequence
from itertools import chain
from typing import overload

from attrs import evolve, field, frozen

from application.ports import FilePiece, Piece, Recording, RecordingPiece


@frozen(eq=False)
class StoredSamples(Sequence[Piece]):
    """Consecutive samples of a track, all of which one recording or one local file stores.

    An item is where a sample's bytes are; a slice is some of the samples.
    """

    source: Recording | FilePiece
    """Whose start the offsets count from; of a piece, that is the start of its file."""
    offsets: "array[int]" = field(repr=False)
    """Where each sample begins, in bytes from the start of the source."""
    sizes: "array[int]" = field(repr=False)
    """In bytes."""

    @property
    def ends(self) -> list[int]:
        """Where each sample ends, in bytes from the start of the source."""
        return [at + size for at, size in zip(self.offsets, self.sizes, strict=True)]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.sizes)

    @overload
    def __getitem__(self, number: int) -> Piece: ...
    @overload
    def __getitem__(self, number: slice) -> "StoredSamples": ...
    def __getitem__(self, number: int | slice) -> "Piece | StoredSamples":
        """Return a sample's bytes, or some of the samples."""
        if isinstance(number, slice):
            return evolve(self, offsets=self.offsets[number], sizes=self.sizes[number])
        offset, size = self.offsets[number], self.sizes[number]
        if isinstance(self.source, FilePiece):
            return FilePiece(self.source.path, offset, size)
        return RecordingPiece(self.source, offset, size)


def all_sizes(runs: Sequence[StoredSamples]) -> "array[int]":
    """Return the sizes of the samples of all runs, in bytes."""
    return array("Q", chain.from_iterable(run.sizes for run in runs))
