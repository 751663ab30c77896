"""Write the header of an ordinary MP4 file, to stand in front of a payload.

The file is ``ftyp | moov | mdat header`` (``write_header``) followed by the payload. Samples may
lie anywhere in the payload, in any order, with unnamed bytes between them.
"""

import struct
from collections.abc import Iterator, Sequence
from itertools import chain, compress, count, pairwise
from math import lcm
from operator import add

from attrs import frozen

from infrastructure.mp4.boxes import box, full_box
from infrastructure.mp4.movie_info import MovieInfo

IDENTITY = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
MAX_CHUNK_SAMPLES = 100
MAX_MOVIE_TIMESCALE = 10_000_000
UND = 0x55C4  # the language "und", three letters of 5 bits (8.4.2.3)
U32 = 1 << 32


@frozen
class _Kind:
    """The constants of a kind of track."""

    group: int  # tracks of one group are alternatives (8.3.2); the numbers are ffmpeg's
    volume: int
    title: bytes  # of the handler
    header: bytes  # of the media


KINDS = {
    "vide": _Kind(0, 0, b"VideoHandler", full_box(b"vmhd", 0, 1, bytes(8))),
    "soun": _Kind(1, 0x100, b"SoundHandler", full_box(b"smhd", 0, 0, bytes(4))),
    "sbtl": _Kind(3, 0, b"SubtitleHandler", full_box(b"nmhd", 0, 0)),
}


@frozen(eq=False)
class TrackToWrite:
    """One track to write: its samples in decode order.

    *media_time* is where the presentation begins in the track's own times. Above 0, or with a
    *duration* that ends before the media does, or with a *delay*, an edit list is written.
    """

    kind: str  # "vide", "soun" or "sbtl"
    sample_entry: bytes  # written into stsd as it is
    timescale: int  # ticks per second
    offsets: Sequence[int]  # bytes from the first byte after the mdat header
    sizes: Sequence[int]  # bytes
    dts: Sequence[int]  # ticks, ascending from 0
    pts: Sequence[int]  # ticks, none before its dts
    sync: Sequence[int]  # 1 at a sync sample
    duration: int  # ticks presented, from media_time on
    last_duration: int  # ticks: stts gives it to the last sample
    media_time: int = 0  # ticks
    delay: int = 0  # ticks of nothing before the media (an empty edit)
    width: int = 0  # pixels, 0 for sound and text
    height: int = 0
    matrix: tuple[int, ...] = IDENTITY


def write_header(
    tracks: Sequence[TrackToWrite], payload_bytes: int, info: MovieInfo | None = None
) -> bytes:
    """Return everything that stands before a payload of *payload_bytes*; *info* is written, too.

    The movie's timescale, in which edit lists count, is the least common multiple of the
    tracks': every edit is then exact. Where that is beyond 10 MHz it is the first track's, and the
    others' edits are up to one of its ticks longer. Consecutive samples that lie back to back form
    chunks of at most 100. ValueError on times that no table can hold.
    """
    common = lcm(*(track.timescale for track in tracks))
    timescale = common if common <= MAX_MOVIE_TIMESCALE else tracks[0].timescale
    mdat = (
        struct.pack(">I4s", payload_bytes + 8, b"mdat")
        if payload_bytes + 8 < U32
        else struct.pack(">I4sQ", 1, b"mdat", payload_bytes + 16)
    )
    brands = b"isomiso2" + (b"avc1" if tracks[0].sample_entry[4:8] == b"avc1" else b"") + b"mp41"
    ftyp = box(b"ftyp", b"isom", struct.pack(">I", 0x200), brands)
    created = info.creation_time if info else 0
    traks = [_Trak(number, track, timescale, created) for number, track in enumerate(tracks, 1)]
    ends = [trak.presented for trak in traks]
    mvhd = _timed(b"mvhd", created, timescale, max(ends, default=0)) + struct.pack(
        ">IHH8x9i24xI", 0x10000, 0x100, 0, *IDENTITY, len(tracks) + 1
    )
    mvhd = struct.pack(">I", len(mvhd) + 4) + mvhd
    user_data = info.user_data if info else b""

    def header_at(base: int, *, is_empty: bool = False) -> bytes:
        boxes = (trak.at(base, is_empty=is_empty) for trak in traks)
        return ftyp + box(b"moov", mvhd, *boxes, user_data) + mdat

    # The chunks lie behind the moov, whose length depends on how wide their offsets must be. Wider
    # offsets only move them further, so this settles.
    base, without_offsets = 0, len(header_at(0, is_empty=True))
    while (size := without_offsets + sum(trak.offset_bytes(base) for trak in traks)) != base:
        base = size
    return header_at(base)


def _timed(kind: bytes, created: int, timescale: int, duration: int) -> bytes:
    """Begin an mvhd or mdhd, without its size: version 1 where 32 bits don't hold its numbers."""
    if max(created, duration) < U32:
        return struct.pack(">4s5I", kind, 0, created, created, timescale, duration)
    return struct.pack(">4sIQQIQ", kind, 1 << 24, created, created, timescale, duration)


class _Trak:
    """A trak, all but the place of its chunks."""

    def __init__(
        self, number: int, track: TrackToWrite, movie_timescale: int, created: int
    ) -> None:
        deltas, later = _deltas(track), _composition_offsets(track)
        _check(track, deltas, later)
        kind = KINDS[track.kind]

        def movie(ticks: int) -> int:
            return -(-ticks * movie_timescale // track.timescale)

        delay, duration = movie(track.delay), movie(track.duration)
        self.presented = delay + duration
        wide = max(created, self.presented) >= U32
        ids = (created, created, number, 0, self.presented)
        self._before = full_box(
            b"tkhd",
            wide,
            3,
            struct.pack(">QQIIQ" if wide else ">5I", *ids),
            struct.pack(">8xHHHH9i", 0, kind.group, kind.volume, 0, *track.matrix),
            struct.pack(">II", track.width << 16, track.height << 16),
        )
        if track.media_time or track.delay or track.duration < _end(track, deltas):
            edits = [(delay, -1)] if delay else []
            self._before += _edit_list([*edits, (duration, track.media_time)])
        media_duration = sum(deltas)
        mdhd = _timed(b"mdhd", created, track.timescale, media_duration) + struct.pack(
            ">HH", UND, 0
        )
        handler = track.kind.encode()
        self._mdia = (
            struct.pack(">I", len(mdhd) + 4) + mdhd,
            full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), kind.title, b"\0"),
        )
        self._minf = (
            kind.header,
            box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))),
        )
        self._chunks, counts = _chunks(track)
        self._last_chunk = max(self._chunks)
        self._stbl = b"".join(_tables(track, deltas, later, counts))

    def offset_bytes(self, base: int) -> int:
        """Return how many bytes the places of the chunks take in ``at``."""
        return len(self._chunks) * (8 if self._last_chunk + base >= U32 else 4)

    def at(self, base: int, *, is_empty: bool = False) -> bytes:
        """Return the box for a payload that begins *base* bytes into the file.

        If *is_empty*, all but the places of the chunks.
        """
        places = [] if is_empty else [base + chunk for chunk in self._chunks]
        wide = self._last_chunk + base >= U32
        numbers = struct.pack(f">I{len(places)}{'Q' if wide else 'I'}", len(places), *places)
        stbl = box(b"stbl", self._stbl, full_box(b"co64" if wide else b"stco", 0, 0, numbers))
        return box(
            b"trak", self._before, box(b"mdia", *self._mdia, box(b"minf", *self._minf, stbl))
        )


def _check(track: TrackToWrite, deltas: Sequence[int], later: Sequence[int]) -> None:
    samples = len(track.sizes)
    columns = (track.offsets, track.dts, track.pts, track.sync)
    if not samples or any(len(column) != samples for column in columns):
        raise ValueError("a track needs samples, and each of them every number")
    if track.dts[0] != 0 or min(deltas) < 0 or max(deltas) >= U32:
        raise ValueError("decode times must ascend from 0, in steps of less than 2^32 ticks")
    if min(later, default=0) < 0 or max(later, default=0) >= U32:
        raise ValueError("a sample is shown before it is decoded, or 2^32 ticks later")
    if track.media_time < 0 or track.delay < 0 or track.duration < 0:
        raise ValueError("an edit list counts forwards")


def _deltas(track: TrackToWrite) -> list[int]:
    """Return each sample's duration, between decode times, in ticks."""
    deltas = [then - time for time, then in pairwise(track.dts)]
    return [*deltas, track.last_duration]


def _composition_offsets(track: TrackToWrite) -> list[int]:
    """Return how long after decoding each sample is shown, in ticks; nothing if all are at once."""
    if track.pts is track.dts:
        return []
    return [shown - decoded for shown, decoded in zip(track.pts, track.dts, strict=False)]


def _end(track: TrackToWrite, deltas: Sequence[int]) -> int:
    """Return when the sample shown last ends, counted from where the presentation begins."""
    ends = [shown + delta for shown, delta in zip(track.pts, deltas, strict=True)]
    return max(ends) - track.media_time


def _edit_list(edits: list[tuple[int, int]]) -> bytes:
    """Write (movie ticks, media time) pairs; 64 bits wide where one needs it (8.6.6)."""
    wide = any(max(edit) >= 1 << 31 for edit in edits)
    form = ">QqI" if wide else ">IiI"
    entries = b"".join(struct.pack(form, *edit, 0x10000) for edit in edits)
    return box(b"edts", full_box(b"elst", wide, 0, struct.pack(">I", len(edits)), entries))


def _chunks(track: TrackToWrite) -> tuple[list[int], list[int]]:
    """Return each chunk's place in the payload and its number of samples."""
    offsets = list(track.offsets)
    ends = map(add, offsets, track.sizes)
    apart = zip(ends, offsets[1:], strict=False)
    firsts = [0, *[i for i, (end, at) in enumerate(apart, 1) if end != at]]
    counts = _lengths(firsts, len(track.sizes))
    if max(counts) > MAX_CHUNK_SAMPLES:
        firsts = [
            first
            for begin, length in zip(firsts, counts, strict=True)
            for first in range(begin, begin + length, MAX_CHUNK_SAMPLES)
        ]
        counts = _lengths(firsts, len(track.sizes))
    return [offsets[i] for i in firsts], counts


def _lengths(firsts: list[int], end: int) -> list[int]:
    """Return how far each is from the next one, and the last one from `end`."""
    return [then - first for first, then in pairwise([*firsts, end])]


def _tables(
    track: TrackToWrite, deltas: list[int], later: list[int], counts: list[int]
) -> Iterator[bytes]:
    yield full_box(b"stsd", 0, 0, struct.pack(">I", 1), track.sample_entry)
    yield _run_lengths(b"stts", deltas)
    if any(later):
        yield _run_lengths(b"ctts", later)
    if not all(track.sync):
        marked = [*compress(count(1), track.sync)]
        yield full_box(b"stss", 0, 0, struct.pack(f">I{len(marked)}I", len(marked), *marked))
    sizes = struct.pack(f">II{len(track.sizes)}I", 0, len(track.sizes), *track.sizes)
    yield full_box(b"stsz", 0, 0, sizes)
    starts = _run_starts(counts)
    runs = [number for first in starts for number in (first + 1, counts[first], 1)]
    yield full_box(b"stsc", 0, 0, struct.pack(f">I{len(runs)}I", len(starts), *runs))


def _run_lengths(kind: bytes, values: Sequence[int]) -> bytes:
    starts = _run_starts(values)
    lengths = _lengths(starts, len(values))
    pairs = chain.from_iterable(zip(lengths, [values[i] for i in starts], strict=True))
    numbers = struct.pack(f">I{2 * len(starts)}I", len(starts), *pairs)
    return full_box(kind, 0, 0, numbers)


def _run_starts(values: Sequence[int]) -> list[int]:
    """Return where a value differs from the one before it, 0 included."""
    return [0, *[i for i, (before, value) in enumerate(pairwise(values), 1) if before != value]]


def video_times(pts: Sequence[int]) -> tuple[list[int], list[int], int]:
    """Return (dts, pts, media_time) for frames in decode order, in the ticks of *pts*.

    dts are the sorted pts minus the smallest lead that keeps every pts >= dts, shifted so that
    dts[0] == 0. media_time is how far 0 of the caller's clock was shifted: an edit list that starts
    there undoes it. It is 0 if the first frame shown is later than the lead: its ctts alone then
    holds the difference.
    """
    if not pts:
        return [], [], 0
    order = sorted(pts)
    lead = max(decoded - shown for decoded, shown in zip(order, pts, strict=True))
    shift = max(0, lead - order[0])
    return [time - order[0] for time in order], [time + shift for time in pts], shift
