"""The sample tables of one ``trak``, turned into flat arrays (ISO/IEC 14496-12, 8.3 to 8.7).

Nothing is allocated or looped by a count the bytes present cannot hold: tables are sliced out of
their box first, and what a few bytes may claim (runs, constant sizes) is held against the number of
samples, which the file's size and MAX_SAMPLES bound.
"""

# ruff: noqa: PLR2004 - the numbers are the standard's own

import struct
import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate, chain, islice, pairwise, repeat
from operator import add, mul, sub
from typing import TypeAlias

from attrs import define, evolve, field, frozen

from infrastructure.mp4.boxes import child, require, version
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.sample_entry import SampleEntry, read_sample_entry

MAX_SAMPLES = 2_000_000
"""Per track: 18 hours of 30 fps; the arrays then take about 80 MB."""
BYTES_PER_SAMPLE = {"vide": 16, "soun": 2, "sbtl": 2}
"""A file has at least so many for each, or else few samples: an H.264 picture that only repeats the
last one takes about ten, and four to be listed. To believe a small file that claims more would take
much memory."""
FEW_SAMPLES = 10_000
PACKETS_A_SECOND = 50
"""What samples of PCM are put together to."""
LONG_PACKETS_A_SECOND = 500
"""No codec's packets are shorter: Opus has some of 2.5 ms."""
COLUMNS = ("offsets", "sizes", "dts", "pts", "durations", "sync")
"""The fields of a track that have a number for each sample."""
MAX_TIME = 1 << 53
"""No time or edit in a sane file reaches it; every sum stays inside 64 bits."""

Times: TypeAlias = "array[int] | range"
"""The time of each sample, in ticks; a range if all are equally far apart. Files of ten minutes
have 28,000 packets of audio: a range is checked and moved at once, not packet by packet."""


class TooManySamples(InvalidMp4):
    """A track claims more samples than a file of this size has, if the file is whole."""


@frozen
class Edit:
    """An edit list (8.6.6): nothing for a while, then the media from a moment on."""

    empty: int  # ticks of the movie
    media_time: int  # ticks of the track
    duration: int  # ticks of the movie; 0: to the end


@define(eq=False)
class StoredTrack:
    """One track as stored: media times, no edit applied."""

    track_id: int
    kind: str
    timescale: int
    matrix: tuple[int, ...]
    edit: Edit | None
    entry: SampleEntry
    offsets: "array[int]"
    sizes: "array[int]"
    dts: Times
    pts: Times
    durations: "array[int]"
    sync: bytearray

    def copied(self, *, is_emptied: bool = False) -> "StoredTrack":
        """Return the track with columns of its own, to append to, or without samples."""
        kept = slice(0) if is_emptied else slice(None)
        columns = {name: getattr(self, name)[kept] for name in COLUMNS}
        return evolve(
            self, **columns | {name: array("q", columns[name]) for name in ("dts", "pts")}
        )


def uint32s(payload: memoryview, signed: bool = False) -> "array[int]":  # noqa: FBT001, FBT002
    """Return *payload* (a multiple of 4 bytes) as 32-bit big-endian numbers."""
    numbers = array("i" if signed else "I", bytes(payload))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def table(payload: memoryview, what: str, entry_bytes: int, at: int = 4) -> memoryview:
    """Return the entries that the 32-bit count at *at* announces; InvalidMp4 if they don't fit."""
    count: int = struct.unpack_from(">I", payload, at)[0]
    entries = payload[at + 4 : at + 4 + count * entry_bytes]
    if len(entries) < count * entry_bytes:
        raise InvalidMp4(f"{what} announces {count} entries, more than its bytes hold")
    return entries


def max_samples(kind: str, size_bytes: int) -> int:
    """Return how many samples a track of a file of *size_bytes* may have."""
    return min(MAX_SAMPLES, max(FEW_SAMPLES, size_bytes // BYTES_PER_SAMPLE[kind]))


def read_trak(trak: memoryview, kind: str, size_bytes: int) -> StoredTrack:
    """Read one track of a file of *size_bytes*; InvalidMp4 on a table that lies."""
    tkhd, mdhd = require(trak, b"tkhd"), require(trak, b"mdia", b"mdhd")
    wide = version(tkhd) == 1
    (track_id,) = struct.unpack_from(">I", tkhd, 20 if wide else 12)
    *matrix, width, height = struct.unpack_from(">9iII", tkhd, 52 if wide else 40)
    timescale = read_timescale(mdhd, kind)
    stbl = require(trak, b"mdia", b"minf", b"stbl")
    elst = child(trak, b"edts", b"elst")
    entry = read_sample_entry(require(stbl, b"stsd"), kind)
    if kind == "vide" and not (entry.width and entry.height):
        entry = evolve(entry, width=width >> 16, height=height >> 16)
    listed = SizeTable.read(stbl, entry.frame_bytes, size_bytes)
    columns = _raw_audio(stbl, listed, timescale, size_bytes) if kind == "soun" else None
    offsets, sizes, durations = columns or read_columns(stbl, listed, kind, size_bytes)
    dts = _decode_times(durations)
    ctts = child(stbl, b"ctts") if sizes else None
    # These columns are never appended to: StoredTrack.copied is for that.
    pts = dts if ctts is None else array("q", map(add, dts, _runs(ctts, "ctts", len(sizes))))
    return StoredTrack(
        track_id=track_id,
        kind=kind,
        timescale=timescale,
        matrix=tuple(matrix),
        edit=None if elst is None else _edit(elst),
        entry=entry,
        offsets=offsets,
        sizes=sizes,
        dts=dts,
        pts=pts,
        durations=durations,
        sync=_sync(None if columns or not sizes else child(stbl, b"stss"), len(sizes)),
    )


def read_timescale(payload: memoryview, what: str) -> int:
    """Read the ticks per second of an mvhd (8.2.2) or mdhd (8.4.2)."""
    timescale: int
    (timescale,) = struct.unpack_from(">I", payload, 20 if version(payload) == 1 else 12)
    if timescale == 0:
        raise InvalidMp4(f"the timescale ({what}) is 0")
    return timescale


def _edit(elst: memoryview) -> Edit | None:
    wide = version(elst) == 1
    form = ">QqhH" if wide else ">IihH"
    edits = list(struct.iter_unpack(form, table(elst, "elst", struct.calcsize(form))))
    if not edits:
        return None
    *empty, (duration, media_time, rate, fraction) = edits
    if (
        any(entry[1] != -1 for entry in empty)
        or media_time < 0
        or (rate, fraction) != (1, 0)
        or max(media_time, duration, empty_ticks := sum(entry[0] for entry in empty)) > MAX_TIME
    ):
        raise InvalidMp4("unsupported edit list: more than a delay and one stretch at normal speed")
    return Edit(empty_ticks, media_time, duration)


def read_columns(
    stbl: memoryview, listed: "SizeTable", kind: str, size_bytes: int
) -> "tuple[array[int], array[int], array[int]]":
    """Read where each sample lies, how large it is, and how long it lasts."""
    count = listed.count
    if not count:
        # What the other tables hold then is of no use, nor always consistent.
        return array("q"), array("I"), array("q")
    if count > (most := max_samples(kind, size_bytes)):
        raise TooManySamples(
            f"stsz announces {count} samples; in this file, at most {most} are believed"
        )
    sizes = listed.sizes()
    durations = _runs(require(stbl, b"stts"), "stts", len(sizes))
    return _offsets(stbl, sizes), sizes, durations


@frozen
class SizeTable:
    """The sizes of samples as stored (8.7.3)."""

    count: int
    constant: int  # bytes, the size of each; 0: they differ
    entries: memoryview = field(repr=False)
    entry_bits: int = 32

    @classmethod
    def read(cls, stbl: memoryview, frame_bytes: int, size_bytes: int) -> "SizeTable":
        """Read stsz, or else stz2, of a file of *size_bytes*.

        QuickTime's PCM has samples of one size, *frame_bytes* if not 0: stsz itself may have 1.
        """
        constant: int
        count: int
        stsz = child(stbl, b"stsz")
        if stsz is None:
            stz2 = child(stbl, b"stz2")
            return cls._compact(stz2 if stz2 is not None else require(stbl, b"stsz"))
        constant, count = struct.unpack_from(">II", stsz, 4)
        if constant and frame_bytes:
            constant = frame_bytes
        if constant * count > size_bytes:
            raise TooManySamples(
                f"stsz announces {count} samples of {constant} bytes, more than the file has"
            )
        return cls(count, constant, stsz[:0] if constant else table(stsz, "stsz", 4, at=8))

    @classmethod
    def _compact(cls, stz2: memoryview) -> "SizeTable":
        bits, count = struct.unpack_from(">BI", stz2, 7)
        if bits not in {4, 8, 16}:
            raise InvalidMp4(f"stz2 has sizes of {bits} bits")
        entries = stz2[12 : 12 + (count * bits + 7) // 8]
        if len(entries) * 8 < count * bits:
            raise InvalidMp4(f"stz2 announces {count} entries, more than its bytes hold")
        return cls(count, 0, entries, bits)

    def sizes(self) -> "array[int]":
        """Return the size of each sample, in bytes."""
        if self.constant:
            return array("I", [self.constant]) * self.count
        if self.entry_bits == 32:
            return uint32s(self.entries)
        if self.entry_bits == 16:
            return array("I", (size for (size,) in struct.iter_unpack(">H", self.entries)))
        if self.entry_bits == 8:
            return array("I", self.entries)
        halves = chain.from_iterable((pair >> 4, pair & 15) for pair in self.entries)
        return array("I", islice(halves, self.count))


def _raw_audio(
    stbl: memoryview, listed: SizeTable, timescale: int, size_bytes: int
) -> "tuple[array[int], array[int], array[int]] | None":
    """Read a track of PCM: thousands of samples a second, of a byte or two, none alone of use.

    What a chunk holds is taken together, up to 20 ms. None if the track is not such a one.
    """
    constant, count = listed.constant, listed.count
    if not count or not constant:
        return None
    runs = table(require(stbl, b"stts"), "stts", 8)
    if len(runs) != 8 or child(stbl, b"ctts") is not None:
        return None
    covered, ticks = struct.unpack(">II", runs)
    if covered != count or ticks * LONG_PACKETS_A_SECOND >= timescale:
        return None
    most = max(1, timescale // (PACKETS_A_SECOND * max(ticks, 1)))
    chunks, each, spans = _chunks_of(stbl, count)
    if len(chunks) + count // most > max_samples("soun", size_bytes):
        raise TooManySamples(f"the file has {len(chunks)} chunks of sound, more than are believed")
    offsets, sizes, durations = array("q"), array("I"), array("q")
    counts = chain.from_iterable(map(repeat, each, spans))
    for chunk, held in zip(chunks, counts, strict=True):
        for first in range(0, held, most):
            length = min(most, held - first)
            offsets.append(chunk + first * constant)
            sizes.append(length * constant)
            durations.append(length * ticks)
    return offsets, sizes, durations


def _runs(payload: memoryview, what: str, samples: int) -> "array[int]":
    """Unroll stts or ctts: pairs of how many samples, and their number (8.6.1.2, 8.6.1.3).

    ctts of version 0 is unsigned by the standard, but QuickTime and ffmpeg write negative offsets
    there too; no honest offset reaches 2^31.
    """
    entries = table(payload, what, 8)
    counts = uint32s(entries)[0::2]
    values = uint32s(entries, signed=what == "ctts")[1::2]
    if sum(counts) != samples:
        raise InvalidMp4(f"{what} covers {sum(counts)} samples, but stsz lists {samples}")
    if len(counts) == 1:
        return array("q", values) * samples
    return array("q", chain.from_iterable(map(repeat, values, counts)))


def _decode_times(durations: "array[int]") -> Times:
    """Return when each sample is decoded, from 0 on."""
    if durations and durations[0] > 0 and durations == durations[:1] * len(durations):
        return range(0, durations[0] * len(durations), durations[0])
    dts = array("q", accumulate(durations, initial=0))
    dts.pop()
    return dts


def steps(times: Times) -> Sequence[int]:
    """Return by how much each time exceeds the one before it, in ticks; for a range, that once."""
    if isinstance(times, range):
        return [times.step] if len(times) > 1 else []
    return [after - before for before, after in pairwise(times)]


def moved(times: Times, ticks: int) -> Times:
    """Return the times, each so many ticks later."""
    if isinstance(times, range):
        return range(times.start + ticks, times.stop + ticks, times.step)
    return array("q", [time + ticks for time in times]) if ticks else times


def _offsets(stbl: memoryview, sizes: "array[int]") -> "array[int]":
    """Place every sample."""
    chunks, each, spans = _chunks_of(stbl, len(sizes))
    held = chain.from_iterable(map(repeat, each, spans))
    # Lists and plain loops: iterators of the samples of each chunk take two to three times as long.
    offsets, size_of, sample = [0] * len(sizes), sizes.tolist(), 0
    for chunk, left in zip(chunks, held, strict=True):
        offsets[sample] = at = chunk
        while left > 1:
            at += size_of[sample]
            sample += 1
            offsets[sample] = at
            left -= 1  # noqa: PLW2901
        sample += 1
    return array("q", offsets)


def _chunks_of(stbl: memoryview, samples: int) -> "tuple[Sequence[int], array[int], list[int]]":
    """Return where chunks lie, and stsc: how many samples a chunk holds, in how many chunks."""
    chunks = _chunks(stbl)
    entries = uint32s(table(require(stbl, b"stsc"), "stsc", 12))
    firsts, each = [*entries[0::3], len(chunks) + 1], entries[1::3]
    spans = list(map(sub, firsts[1:], firsts))
    if firsts[0] != 1 or min(spans, default=1) < 1:
        raise InvalidMp4("stsc and the chunk offsets contradict each other")
    if any(map((1).__ne__, entries[2::3])):
        raise InvalidMp4("several sample entries in one track are not supported")
    held = sum(map(mul, each, spans))
    if held != samples or 0 in each:
        raise InvalidMp4(f"the chunks hold {held} samples, but stsz lists {samples}")
    return chunks, each, spans


def _chunks(stbl: memoryview) -> Sequence[int]:
    stco = child(stbl, b"stco")
    if stco is not None:
        return uint32s(table(stco, "stco", 4))
    co64 = require(stbl, b"co64")
    chunks = [at for (at,) in struct.iter_unpack(">Q", table(co64, "co64", 8))]
    if max(chunks, default=0) >= 1 << 62:
        raise InvalidMp4("co64 names a place no file reaches")
    return chunks


def _sync(stss: memoryview | None, samples: int) -> bytearray:
    if stss is None:
        return bytearray(b"\1") * samples
    sync = bytearray(samples)
    for number in uint32s(table(stss, "stss", 4)):
        if not 1 <= number <= samples:
            raise InvalidMp4(f"stss names sample {number} of {samples}")
        sync[number - 1] = 1
    return sync
