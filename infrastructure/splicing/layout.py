"""Where each sample of the clip is stored, and which ranges of recordings it contains unchanged.

The payload is a sequence of our own bytes and of copied ranges: long ranges of a recording that
hold no sample presented outside the cut. They may hold bytes that the clip does without
(`Layout.unused_bytes`). A copied range is never read here; the store may have it copied. Isolated
samples, e.g. at a cut's edges, become our own bytes, so no sample from outside of the window ends
up in the clip.

::

    clip.mp4   ftyp moov mdat | own | (hole: a copied range) | own | (hole) | own
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from attrs import define, evolve, field, frozen

from application.ports import Piece, RecordingPiece
from infrastructure.mp4.excerpt_writer import MAX_HOLE_READ_BYTES
from infrastructure.mp4.writer import write_header
from infrastructure.splicing.audio import audio_in_cut
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.tracks import ClipTrack

INTERLEAVE_MS = 500
"""Audio and video alternate in our own bytes after so much of the clip, so that a player need not
seek."""
MIN_COPIED_RANGE_BYTES = 256 << 10
"""Below this, reading the bytes along with their neighbours is cheaper than a request.

S3's minimum of 5 MiB for a copied part is met elsewhere, when the store plans the upload's parts.
"""


@define(eq=False)
class PlacedSample:
    """A sample on its way to its place in the payload."""

    sample: Piece
    track: int
    number: int
    interval: int
    """In which INTERLEAVE_MS of the clip it is decoded: the 0th, the 1st, ..."""
    at: int = 0
    """Its offset in the payload, in bytes."""

    @property
    def order(self) -> tuple[int, int, int]:
        """The sort key of our own samples."""
        return self.interval, self.track, self.number


@frozen
class CopiedRange:
    """Consecutive bytes of a recording, and the samples in them."""

    piece: RecordingPiece
    samples: list[PlacedSample] = field(repr=False)


@frozen
class Layout:
    """The clip's header, and what is stored at which offset of the clip, in bytes."""

    header: bytes = field(repr=False)
    size_bytes: int
    copied: tuple[tuple[int, RecordingPiece], ...]
    """The copied ranges, by where each begins."""
    own: tuple[tuple[int, Piece], ...] = field(repr=False)
    """The samples that become our own bytes."""
    unused_bytes: int
    """How many payload bytes belong to none of the clip's samples: boxes of a fragmented recording,
    and samples that the clip does without though they are in the cut."""


def lay_out_clip(
    tracks: Sequence[ClipTrack],
    sources: Sequence[CutSource],
    min_copied_range_bytes: int = MIN_COPIED_RANGE_BYTES,
) -> Layout:
    """Place every sample of the tracks, which are made from `sources`.

    A range of a recording of less than `min_copied_range_bytes` becomes our own bytes.
    """
    placed = [
        PlacedSample(sample, number, i, _interleave_interval(track, i))
        for number, track in enumerate(tracks)
        for i, sample in enumerate(track.samples)
    ]
    ranges = [
        found
        for found in _copied_ranges(placed, sources)
        if found.piece.length >= min_copied_range_bytes
    ]
    in_ranges = {id(sample) for found in ranges for sample in found.samples}
    own = [sample for sample in placed if id(sample) not in in_ranges]
    units: list[tuple[tuple[int, int, int], CopiedRange | PlacedSample]] = [
        *((sample.order, sample) for sample in own),
        *((min(sample.order for sample in found.samples), found) for found in ranges),
    ]
    units.sort(key=lambda unit: unit[0])
    copied: list[tuple[int, RecordingPiece]] = []
    at = 0
    for _, unit in units:
        if isinstance(unit, CopiedRange):
            copied.append((at, unit.piece))
            for sample in unit.samples:
                sample.at = at + sample.sample.offset - unit.piece.offset
            at += unit.piece.length
        else:
            unit.at = at
            at += unit.sample.length
    offsets = [[0] * len(track.samples) for track in tracks]
    for sample in placed:
        offsets[sample.track][sample.number] = sample.at
    header = write_header(
        [evolve(track.tables, offsets=o) for track, o in zip(tracks, offsets, strict=True)], at
    )
    base = len(header)
    return Layout(
        header,
        base + at,
        tuple((base + begin, piece) for begin, piece in copied),
        tuple((base + sample.at, sample.sample) for sample in own),
        at - sum(sample.sample.length for sample in placed),
    )


def _interleave_interval(track: ClipTrack, number: int) -> int:
    tables = track.tables
    time = tables.dts[number] - tables.media_time + tables.delay
    return time * 1000 // (INTERLEAVE_MS * tables.timescale)


def _copied_ranges(
    placed: Sequence[PlacedSample], sources: Sequence[CutSource]
) -> Iterator[CopiedRange]:
    """Find runs of samples with nothing foreign between them in a recording.

    Those of a progressive file are adjacent; between those of a fragmented one there may be up to
    MAX_HOLE_READ_BYTES.
    """
    by_recording: dict[int, list[tuple[int, PlacedSample]]] = defaultdict(list)
    for sample in placed:
        if isinstance(sample.sample, RecordingPiece):
            row = sample.sample.offset, sample
            by_recording[id(sample.sample.recording)].append(row)
    for rows in by_recording.values():
        rows.sort(key=lambda row: row[0])
        first = rows[0][1].sample
        assert isinstance(first, RecordingPiece)  # noqa: S101 - seen above
        recording = first.recording
        its_cuts = [source for source in sources if source.recording is recording]
        is_foreign_between = _foreign_sample_between(its_cuts, rows[0][0], rows[-1][0])
        run: list[PlacedSample] = []
        begin = end = 0
        for offset, sample in rows:
            is_near = end <= offset <= end + MAX_HOLE_READ_BYTES
            if run and (not is_near or is_foreign_between(end, offset)):
                yield CopiedRange(RecordingPiece(recording, begin, end - begin), run)
                run = []
            if not run:
                begin = offset
            run.append(sample)
            end = offset + sample.sample.length
        yield CopiedRange(RecordingPiece(recording, begin, end - begin), run)


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
