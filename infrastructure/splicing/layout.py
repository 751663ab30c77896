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
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from operator import itemgetter

from attrs import evolve, field, frozen

from application.ports import Piece, RecordingPiece
from infrastructure.mp4.movie_info import MovieInfo
from infrastructure.mp4.timed_text import SUBTITLES
from infrastructure.mp4.writer import write_header
from infrastructure.splicing.copied_ranges import CopiedRange, loose_samples
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
    ranges: Sequence[CopiedRange] = (),
    info: MovieInfo | None = None,
) -> Layout:
    """Place every sample of the tracks; those in `ranges` are copied. The header has the `info`."""
    runs = [run for track in tracks for run in track.samples]
    first_of = dict(zip(map(id, runs), accumulate(map(len, runs), initial=0), strict=False))
    counts = [len(track.tables.sizes) for track in tracks]
    firsts = [*accumulate(counts, initial=0)]
    own = {first_of[id(run)] + number: run[number] for run, number in loose_samples(runs, ranges)}

    def order(number: int) -> tuple[int, int]:
        """Return the sort key of our own samples."""
        track = bisect_right(firsts, number) - 1
        return _interleave_interval(tracks[track], number - firsts[track]), number

    units: list[tuple[tuple[int, int], Unit]] = [
        *((order(number), number) for number in own),
        *((min(map(order, _firsts_in(found, first_of))), found) for found in ranges),
    ]
    units.sort(key=itemgetter(0))
    copied: list[tuple[int, RecordingPiece]] = []
    places = array("q")  # in the recordings, and then in the clip
    for run in runs:
        places.extend(run.offsets)
    at = 0
    for unit in _seams_first([unit for _, unit in units], own):
        if isinstance(unit, CopiedRange):
            copied.append((at, unit.piece))
            moved = at - unit.piece.offset
            for run, numbers in unit.samples:
                part = slice(first_of[id(run)] + numbers.start, first_of[id(run)] + numbers.stop)
                places[part] = array("q", [place + moved for place in places[part]])
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
        at - sum(sum(run.sizes) for run in runs),
    )


def _firsts_in(found: CopiedRange, first_of: Mapping[int, int]) -> Iterator[int]:
    """Yield the number in the clip of the first sample of each run in a range."""
    return (first_of[id(run)] + numbers.start for run, numbers in found.samples)


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
