"""Where each sample of the clip lies, and which bytes are taken from a recording in one piece.

The payload is a row of stretches: our own bytes, and long stretches of a recording that hold
nothing but what the clip wants. A stretch of a recording is never read here; who stores the clip
may have it copied. What lies loose, at a cut's edges for instance, is read and becomes our own, so
that no byte from outside of the wanted window travels with its neighbours.

::

    clip.mp4   ftyp moov mdat | own | (hole: a stretch of a recording) | own | (hole) | own
"""

import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from attrs import define, field, frozen

from application.ports import FilePiece, Piece, RecordingPiece
from infrastructure.ffmpeg.excerpt import FileSample, RecordingSample
from infrastructure.mp4.writer import HOLE_READ_THROUGH_BYTES, write_header
from infrastructure.splicing.audio import samples_in_cut
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.tracks import ClipTrack

TURNS_A_SECOND = 2
"""Sound and pictures take turns in our own bytes, so that a player need not jump."""
MIN_COPIED_RANGE_BYTES = 256 << 10
"""A shorter one is worth no request of its own: it is read with what lies near it."""
MAX_READ_BYTES = 2 << 20
READERS = 4


@define(eq=False)
class PlacedSample:
    """A sample on its way to its place."""

    sample: FileSample | RecordingSample
    track: int
    number: int
    interleave_slot: int
    """When in the clip it is decoded, in half seconds."""
    at: int = 0
    """Its offset in the payload."""

    @property
    def order(self) -> tuple[int, int, int]:
        """What the samples are sorted by, where they are ours to sort."""
        return self.interleave_slot, self.track, self.number


@frozen
class CopiedRange:
    """Consecutive bytes of a recording, and the wanted samples in them."""

    source: CutSource = field(repr=False)
    offset: int
    length: int
    placed: list[PlacedSample] = field(repr=False)


@frozen
class Layout:
    """A clip whose own bytes are in `path`, which has holes for what the recordings have."""

    path: Path
    header_bytes: int
    size_bytes: int
    stretches: tuple[tuple[int, CopiedRange], ...]
    """By where in the clip each begins."""

    @property
    def unused_bytes(self) -> int:
        """How many bytes of the payload belong to no sample: boxes between a fragment's samples."""
        return sum(
            stretch.length - sum(placed.sample.length for placed in stretch.placed)
            for _, stretch in self.stretches
        )

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The clip, piece by piece."""
        pieces: list[Piece] = []
        at = 0
        for begin, stretch in self.stretches:
            if begin > at:
                pieces.append(FilePiece(self.path, at, begin - at))
            recording = stretch.source.recording
            pieces.append(RecordingPiece(recording, stretch.offset, stretch.length))
            at = begin + stretch.length
        if self.size_bytes > at:
            pieces.append(FilePiece(self.path, at, self.size_bytes - at))
        return tuple(pieces)

    def fill(self) -> None:
        """Read what the recordings have into the holes, so that `path` can be played."""
        with self.path.open("r+b") as out:
            for begin, stretch in self.stretches:
                for at in range(0, stretch.length, MAX_READ_BYTES):
                    length = min(MAX_READ_BYTES, stretch.length - at)
                    data = stretch.source.recording.read(stretch.offset + at, length)
                    os.pwrite(out.fileno(), data, begin + at)


def lay_out_clip(
    tracks: Sequence[ClipTrack], path: Path, min_copied_range_bytes: int = MIN_COPIED_RANGE_BYTES
) -> Layout:
    """Give every sample its place, and write the header and our own bytes to `path`.

    A stretch of a recording of less than `min_copied_range_bytes` becomes our own.
    """
    rows = [
        PlacedSample(sample, number, i, _interleave_slot(track, i))
        for number, track in enumerate(tracks)
        for i, sample in enumerate(track.samples)
    ]
    stretches = [s for s in _stretches(rows) if s.length >= min_copied_range_bytes]
    held = {id(placed) for stretch in stretches for placed in stretch.placed}
    own = [placed for placed in rows if id(placed) not in held]
    units: list[tuple[tuple[int, int, int], CopiedRange | PlacedSample]] = [
        *((placed.order, placed) for placed in own),
        *((min(placed.order for placed in stretch.placed), stretch) for stretch in stretches),
    ]
    units.sort(key=lambda unit: unit[0])
    begins: list[tuple[int, CopiedRange]] = []
    at = 0
    for _, unit in units:
        if isinstance(unit, CopiedRange):
            begins.append((at, unit))
            for placed in unit.placed:
                placed.at = at + placed.sample.offset - unit.offset
            at += unit.length
        else:
            unit.at = at
            at += unit.sample.length
    offsets = [[0] * len(track.samples) for track in tracks]
    for placed in rows:
        offsets[placed.track][placed.number] = placed.at
    header = write_header(
        [track.placed(places) for track, places in zip(tracks, offsets, strict=True)], at
    )
    with path.open("wb") as out:
        out.truncate(len(header) + at)
        os.pwrite(out.fileno(), header, 0)
        _write(out.fileno(), own, len(header))
    pts_offset = tuple((len(header) + begin, stretch) for begin, stretch in begins)
    return Layout(path, len(header), len(header) + at, pts_offset)


def _interleave_slot(track: ClipTrack, number: int) -> int:
    time = track.dts[number] - track.media_time + track.delay
    return time * TURNS_A_SECOND // track.timescale


def _stretches(rows: Sequence[PlacedSample]) -> Iterator[CopiedRange]:
    """Find what lies back to back in the recordings, wanted throughout."""
    by_cut: dict[int, list[tuple[int, PlacedSample, RecordingSample]]] = defaultdict(list)
    for placed in rows:
        if isinstance(placed.sample, RecordingSample):
            by_cut[id(placed.sample.source.cut)].append(
                (placed.sample.offset, placed, placed.sample)
            )
    for own in by_cut.values():
        own.sort(key=lambda row: row[0])
        source = own[0][2].source
        barriers = _barriers(source, own[0][0], own[-1][0])
        run: list[PlacedSample] = []
        begin = end = 0
        for offset, placed, sample in own:
            free = end <= offset <= end + HOLE_READ_THROUGH_BYTES and not barriers(end, offset)
            if run and not free:
                yield CopiedRange(source, begin, end - begin, run)
                run = []
            if not run:
                begin = offset
            run.append(placed)
            end = offset + sample.length
        if run:
            yield CopiedRange(source, begin, end - begin, run)


def _barriers(source: CutSource, first: int, last: int) -> Callable[[int, int], bool]:
    """Return what tells whether an unwanted sample of the recording lies between two offsets.

    What is seen or heard within the cut is no barrier, even if the clip does without it.
    """
    if not source.index.is_fragmented:
        # What lies between the samples of a progressive file belongs to tracks that we do not know.
        return lambda end, offset: end != offset
    audio = source.index.audio
    tracks = [(source.index.video, set(source.all_frames))]
    tracks += [(audio, set(samples_in_cut(source, audio)))] if audio else []
    unwanted = sorted(
        offset
        for track, harmless in tracks
        if track is not None
        for i, offset in enumerate(track.offsets)
        if first < offset < last and i not in harmless
    )
    return lambda end, offset: bisect_left(unwanted, end) < bisect_left(unwanted, offset)


def _write(target: int, own: Sequence[PlacedSample], base: int) -> None:
    """Write our own samples to their places, reading from recordings what lies loose there."""
    paths = [(p.sample.path, p.sample, p.at) for p in own if isinstance(p.sample, FileSample)]
    for path, group in groupby(paths, key=lambda row: row[0]):
        with path.open("rb") as file:
            for _, stored, at in group:
                os.pwrite(target, os.pread(file.fileno(), stored.length, stored.offset), base + at)
    loose = [(p.sample, p.at) for p in own if isinstance(p.sample, RecordingSample)]

    def read(run: list[tuple[RecordingSample, int]]) -> None:
        begin = run[0][0].offset
        length = run[-1][0].offset + run[-1][0].length - begin
        data = memoryview(run[0][0].source.recording.read(begin, length))
        for sample, at in run:
            first = sample.offset - begin
            os.pwrite(target, data[first : first + sample.length], base + at)

    with ThreadPoolExecutor(READERS) as readers:
        list(readers.map(read, _near(loose)))


def _near(
    loose: Sequence[tuple[RecordingSample, int]],
) -> Iterator[list[tuple[RecordingSample, int]]]:
    """Join samples that lie near each other, so that one read does for them."""
    rows = sorted(loose, key=lambda row: (id(row[0].source.recording), row[0].offset))
    run: list[tuple[RecordingSample, int]] = []
    for row in rows:
        sample = row[0]
        if run:
            last = run[-1][0]
            near = sample.offset - last.offset - last.length < HOLE_READ_THROUGH_BYTES
            length = sample.offset + sample.length - run[0][0].offset
            same = sample.source.recording is last.source.recording
            if not (same and near and length <= MAX_READ_BYTES):
                yield run
                run = []
        run.append(row)
    if run:
        yield run
