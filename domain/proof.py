"""What each byte of a clip is: our own, with its hash, or a recording's; and what its frames are.

It is stored with the clip, before anyone can have changed it. docs/decisions/0028-proof.md explains
what it proves, and what it does not.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, groupby

from attrs import evolve, field, frozen

COPIED, ENCODED, FILLER = "copied", "encoded", "filler"
"""What frames may be. A newer version may have another word."""


@frozen
class ByteRange:
    """A range of bytes of a recording, or of a clip."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The offset of the first byte after it."""
        return self.offset + self.length

    def overlaps(self, other: "ByteRange") -> bool:
        """Return whether they have a byte in common."""
        return self.offset < other.end and other.offset < self.end


@frozen
class OwnPart:
    """Bytes of a clip that were written for it."""

    offset: int
    """In the clip."""
    length: int
    sha256: str
    """64 hexadecimal digits."""

    @property
    def range(self) -> ByteRange:
        """Where it is in the clip."""
        return ByteRange(self.offset, self.length)


@frozen
class CopiedPart:
    """Bytes of a clip that are a recording's, unchanged."""

    offset: int
    """In the clip."""
    length: int
    source: str
    """The recording's name."""
    source_offset: int
    """In the recording."""

    @property
    def range(self) -> ByteRange:
        """Where it is in the clip."""
        return ByteRange(self.offset, self.length)


@frozen
class FrameRun:
    """Consecutive frames of a clip, of one recording, all copied, all encoded, or all filler."""

    source: str
    """The recording's name; of filler, that of the recording next to the gap."""
    origin: str
    """COPIED, ENCODED or FILLER."""
    frames: int
    first_timestamp_ms: int
    """When the first of them was seen, since the epoch, rounded down; of filler, when it would have
    been."""
    last_timestamp_ms: int


@frozen
class Tool:
    """A program that a clip was made with."""

    name: str
    version: str


@frozen
class ThumbnailHash:
    """A thumbnail as it was stored."""

    width: int
    """Pixels."""
    sha256: str


@frozen
class SidecarHash:
    """A file next to a clip as it was stored."""

    name: str
    """The end of its name: one of domain/sidecars.py, or of a newer version."""
    sha256: str


@frozen
class Proof:
    """All bytes and frames of a clip, in order."""

    own: tuple[OwnPart, ...] = ()
    copied: tuple[CopiedPart, ...] = ()
    frames: tuple[FrameRun, ...] = ()
    tools: tuple[Tool, ...] = ()
    thumbnails: tuple[ThumbnailHash, ...] = ()
    sidecars: tuple[SidecarHash, ...] = ()

    @property
    def size_bytes(self) -> int:
        """The size of the clip: where its last part ends."""
        return max([0, *(part.end for part in self.ranges)])

    @property
    def ranges(self) -> list[ByteRange]:
        """Where each part is in the clip, in order."""
        own, copied = (part.range for part in self.own), (part.range for part in self.copied)
        return sorted((*own, *copied), key=lambda part: part.offset)

    @property
    def frame_count(self) -> int:
        """How many frames the clip has."""
        return sum(run.frames for run in self.frames)

    @property
    def filler(self) -> tuple[range, ...]:
        """The numbers of the frames that are filler, in the order in which they are shown."""
        firsts = accumulate((run.frames for run in self.frames), initial=0)
        return tuple(
            range(first, first + run.frames)
            for first, run in zip(firsts, self.frames, strict=False)
            if run.origin == FILLER
        )

    def ranges_of(self, source: str) -> tuple[ByteRange, ...]:
        """Return the ranges of a recording that the clip contains unchanged."""
        return tuple(
            ByteRange(part.source_offset, part.length)
            for part in self.copied
            if part.source == source
        )


def unproven_ranges(proof: Proof) -> list[ByteRange]:
    """Return the bytes of a clip before its last part's end that are in no part, or in several."""
    found, end = list[ByteRange](), 0
    for part in proof.ranges:
        if part.offset > end:
            found.append(ByteRange(end, part.offset - end))
        elif overlap := min(end, part.end) - part.offset:
            found.append(ByteRange(part.offset, overlap))
        end = max(end, part.end)
    return found


def disjoint_parts(proof: Proof) -> Proof:
    """Return the proof without the parts that have bytes before others' ends, or negative sizes.

    A proof may be hostile; the parts that remain are at most the clip, however often it names it.
    """
    parts: list[OwnPart | CopiedPart] = [*proof.own, *proof.copied]
    end, kept = 0, set[OwnPart | CopiedPart]()
    for part in sorted(parts, key=lambda part: part.offset):
        if part.offset >= end and part.length >= 0:
            end = part.range.end
            kept.add(part)
    own, copied = filter(kept.__contains__, proof.own), filter(kept.__contains__, proof.copied)
    return evolve(proof, own=tuple(dict.fromkeys(own)), copied=tuple(dict.fromkeys(copied)))


@frozen
class ShownFrame:
    """A frame of a clip, by the clip's own tables."""

    bytes: ByteRange
    time: int
    """When it is shown, on the clip's clock."""


@frozen
class SeenFrames:
    """Frames of a clip in sequence, and when the first and the last of them were seen."""

    count: int
    first_ms: int
    """Since the epoch."""
    last_ms: int


@frozen
class ProvenFrames:
    """The frames of a clip, in the order in which they are shown, by the bytes that they have."""

    shown: Sequence[ShownFrame] = field(repr=False)
    timing: "RunTimes"
    _numbers: Sequence[int] = field(repr=False)
    """Of the frames, by their offsets."""
    _offsets: Sequence[int] = field(repr=False)
    _ends: Sequence[int] = field(repr=False)
    """The furthest end of a frame so far."""

    @classmethod
    def of(cls, shown: Sequence[ShownFrame], proof: Proof) -> "ProvenFrames":
        """Return the frames of a clip whose own tables are `shown`.

        None if they are not as many as the proof has, or it makes no sense.
        """
        if len(shown) != proof.frame_count or any(run.frames < 1 for run in proof.frames):
            shown = ()
        numbers = sorted(range(len(shown)), key=lambda number: shown[number].bytes.offset)
        offsets = [shown[number].bytes.offset for number in numbers]
        ends = list(accumulate((shown[number].bytes.end for number in numbers), max))
        timing = RunTimes.of([frame.time for frame in shown], proof.frames)
        return cls(shown, timing, numbers, offsets, ends)

    def within(self, changed: ByteRange) -> tuple[SeenFrames, ...]:
        """Return the frames that have bytes in a range of the clip: those in sequence as one."""
        first = bisect_right(self._ends, changed.offset)
        last = bisect_left(self._offsets, changed.end)
        numbers = sorted(
            number
            for number in self._numbers[first:last]
            if self.shown[number].bytes.overlaps(changed)
        )
        found = []
        for _, rows in groupby(enumerate(numbers), key=lambda row: row[1] - row[0]):
            run = [number for _, number in rows]
            bounds_ms = map(self.timing.seen_ms, (run[0], run[-1]))
            found.append(SeenFrames(len(run), *bounds_ms))
        return tuple(found)


@frozen
class RunTimes:
    """When the frames of a clip were seen, by the runs of its proof."""

    times: Sequence[int] = field(repr=False)
    """Of all frames on the clip's clock, ascending; as many as the runs have."""
    runs: Sequence[FrameRun]
    _firsts: Sequence[int] = field(repr=False)
    """The number of each run's first frame, and of all frames."""

    @classmethod
    def of(cls, times: Sequence[int], runs: Sequence[FrameRun]) -> "RunTimes":
        """Return those of frames that are shown at `times`."""
        return cls(times, runs, [*accumulate((run.frames for run in runs), initial=0)])

    def seen_ms(self, number: int) -> int:
        """Return when a frame was seen: between the ends of its run, as the clip shows it."""
        at = bisect_right(self._firsts, number) - 1
        run, first = self.runs[at], self.times[self._firsts[at]]
        last = self.times[self._firsts[at + 1] - 1]
        duration_ms = run.last_timestamp_ms - run.first_timestamp_ms
        passed = self.times[number] - first
        return run.first_timestamp_ms + duration_ms * passed // max(last - first, 1)


def differing_range(one: bytes, other: bytes) -> ByteRange | None:
    """Return the range from the first to the last byte in which two texts differ; else None.

    The shorter one differs where it lacks bytes.
    """
    if one == other:
        return None
    length, common = max(len(one), len(other)), min(len(one), len(other))
    first = next((i for i in range(common) if one[i] != other[i]), common)
    if len(one) != len(other):
        return ByteRange(first, length - first)
    last = next(i for i in range(length - 1, -1, -1) if one[i] != other[i])
    return ByteRange(first, last + 1 - first)
