"""Where each sample of the clip is stored, and which ranges of recordings it contains unchanged.

The payload is a sequence of our own bytes and of copied ranges: long ranges of a recording that
hold no sample presented outside the cut. They may hold bytes that the clip does without
(`Layout.unused_bytes`). A copied range is never read here; the store may have it copied. Isolated
samples, e.g. at a cut's edges, become our own bytes, so no sample from outside of the window ends
up in the clip.

::

    clip.mp4   ftyp moov mdat | own | (hole: a copied range) | (hole) | own
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain, compress, groupby, pairwise
from operator import itemgetter

from attrs import evolve, field, frozen

from application.ports import Piece, RecordingPiece
from infrastructure.mp4.movie_info import MovieInfo
from infrastructure.mp4.timed_text import SUBTITLES
from infrastructure.mp4.writer import write_header
from infrastructure.splicing.copied_ranges import CopiedRange, Samples
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.stored_samples import StoredSamples
from infrastructure.splicing.tracks import ClipTrack

INTERLEAVE_MS = 500
"""Audio and video alternate in our own bytes after so much of the clip, so that a player need not
seek."""
BEFORE_ALL = -1 << 31
"""An interval before that of any sample; audio may begin a little before the clip does."""
MAX_SEAM_BYTES = 256 << 10
"""Our own samples between two copied ranges, usually a few packets of audio, are placed before the
ranges if they are no more: S3 accepts no part of less than 5 MiB between others, so it would cost a
download and an upload of as much of the next range. A player that streams reads them early."""
MIN_COPIED_RANGE_BYTES = 256 << 10
"""Below this, reading the bytes along with their neighbours is cheaper than a request.

S3's minimum of 5 MiB for a copied part is met elsewhere, when the store plans the upload's parts.
"""


Unit = int | CopiedRange
"""What is placed as a whole: a sample, by its number, or a range."""


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
    info: MovieInfo | None = None,
) -> Layout:
    """Place every sample of the tracks, which are made from `sources`; the header has the `info`.

    A range of a recording of less than `min_copied_range_bytes` becomes our own bytes.
    """
    samples = Samples.of([run for track in tracks for run in track.samples])
    counts = [len(track.tables.sizes) for track in tracks]
    firsts = [*accumulate(counts, initial=0)]
    ranges = [
        found
        for found in samples.copied_ranges(sources)
        if found.piece.length >= min_copied_range_bytes
    ]
    is_own = bytearray(b"\1") * len(samples)
    for found in ranges:
        for number in found.samples:
            is_own[number] = 0
    own = {number: samples.piece(number) for number in compress(range(len(samples)), is_own)}

    def order(number: int) -> tuple[int, int]:
        """Return the sort key of our own samples."""
        track = bisect_right(firsts, number) - 1
        return _interleave_interval(tracks[track], number - firsts[track]), number

    units: list[tuple[tuple[int, int], Unit]] = [
        *((order(number), number) for number in own),
        *((min(map(order, _first_of_tracks(found, firsts))), found) for found in ranges),
    ]
    units.sort(key=itemgetter(0))
    copied: list[tuple[int, RecordingPiece]] = []
    places = array("q", bytes(8 * len(samples)))
    stored = array("q", chain.from_iterable(run.offsets for run in samples.runs))
    at = 0
    for unit in _seams_first([unit for _, unit in units], own):
        if isinstance(unit, CopiedRange):
            copied.append((at, unit.piece))
            moved = at - unit.piece.offset
            for number in unit.samples:
                places[number] = stored[number] + moved
            at += unit.piece.length
        else:
            places[unit] = at
            at += own[unit].length
    header = write_header(
        [
            evolve(track.tables, offsets=places[first : first + count])
            for track, first, count in zip(tracks, firsts, counts, strict=False)
        ],
        at,
        info,
    )
    base = len(header)
    return Layout(
        header,
        base + at,
        tuple((base + begin, piece) for begin, piece in copied),
        tuple((base + places[number], piece) for number, piece in own.items()),
        at - sum(sum(run.sizes) for run in samples.runs),
    )


def _first_of_tracks(found: CopiedRange, firsts: Sequence[int]) -> Iterator[int]:
    """Yield the first sample of each track in a range; `firsts` are those of whole tracks."""
    numbers = found.samples
    for first, stop in pairwise(firsts):
        at = bisect_left(numbers, first)
        if at < len(numbers) and numbers[at] < stop:
            yield numbers[at]


def _seams_first(units: Sequence[Unit], own: Mapping[int, Piece]) -> Iterator[Unit]:
    """Yield the units, short runs of `own` samples between copied ranges before all ranges."""
    runs = [list(run) for _, run in groupby(units, key=lambda unit: isinstance(unit, CopiedRange))]
    lengths = [
        sum(own[unit].length for unit in run if not isinstance(unit, CopiedRange)) for run in runs
    ]
    first = 1 if lengths[:1] and lengths[0] else 0
    seams = {n for n in range(first, len(runs) - 1) if 0 < lengths[n] <= MAX_SEAM_BYTES}
    order = sorted(range(len(runs)), key=lambda n: (n >= first, n not in seams, n))
    for number in order:
        yield from runs[number]


def loose_samples(
    runs: Sequence[StoredSamples],
    sources: Sequence[CutSource],
    min_copied_range_bytes: int = MIN_COPIED_RANGE_BYTES,
) -> tuple[list[RecordingPiece], list[RecordingPiece]]:
    """Return which of the recordings' samples become our own bytes, and the copied ranges."""
    samples = Samples.of(runs)
    loose: list[RecordingPiece] = []
    ranges: list[RecordingPiece] = []
    for found in samples.copied_ranges(sources):
        if found.piece.length >= min_copied_range_bytes:
            ranges.append(found.piece)
        else:
            pieces = map(samples.piece, found.samples)
            loose += (piece for piece in pieces if isinstance(piece, RecordingPiece))
    return loose, ranges


def _interleave_interval(track: ClipTrack, number: int) -> int:
    """Return in which INTERLEAVE_MS of the clip a sample is decoded: the 0th, the 1st, ...

    Text is before all else: there is little of it, and between copied ranges it would be a part of
    the upload.
    """
    tables = track.tables
    if tables.kind == SUBTITLES:
        return BEFORE_ALL
    time = tables.dts[number] - tables.media_time + tables.delay
    return time * 1000 // (INTERLEAVE_MS * tables.timescale)
