"""Where fragments are, according to the file: sidx and mfra (ISO/IEC 14496-12, 8.16.3, 8.8.9).

sidx precedes the fragments it lists, mfra at the end of the file::

    sidx        8.16.3   per fragment: its size, its duration
    mfra        8.8.9
    ├── tfra    8.8.10   per sync sample: its time, the offset of its moof
    └── mfro    8.8.11   the size of mfra: the last 16 bytes

They are entries only: the fragments themselves decide.
"""

# ruff: noqa: PLR2004 - the numbers are the standard's own

import struct
from collections.abc import Mapping
from itertools import accumulate

from attrs import frozen

from infrastructure.mp4.boxes import children, version
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.sample_tables import MAX_TIME, table, uint32s

MFRA_READ_BYTES = 32 << 10
MAX_INDEX_BOX_BYTES = 4 << 20


@frozen(order=True)
class FragmentEntry:
    """A fragment's presumed beginning: its time in ticks, its offset in bytes."""

    time: int
    at: int


def read_sidx(
    box: memoryview, end: int, scales: Mapping[int, int]
) -> tuple[int, list[FragmentEntry], int]:
    """Read a sidx (its payload; the box ends at *end*): the track, its entries, where they end.

    Times are in the track's own timescale, out of *scales*. No entries if the track is not among
    them, or the sidx lists other sidx.
    """
    wide = version(box) == 1
    track_id, scale = struct.unpack_from(">II", box, 4)
    time, first = struct.unpack_from(">QQ" if wide else ">II", box, 12)
    at = 28 if wide else 20
    (count,) = struct.unpack_from(">H", box, at + 2)
    numbers = uint32s(box[at + 4 : at + 4 + 12 * count])
    sizes, lengths = numbers[0::3], numbers[1::3]
    known = scales.get(track_id)
    if known is None or not scale or len(lengths) < count or any(size >> 31 for size in sizes):
        return track_id, [], 0
    times = accumulate(lengths, initial=time)
    places = list(accumulate(sizes, initial=end + first))
    entries = [FragmentEntry(t * known // scale, at) for t, at in zip(times, places, strict=True)]
    return track_id, entries[:-1], places[-1]


def read_mfra(file: RangeCache, track_id: int) -> list[FragmentEntry]:
    """Read a track's entries in the mfra at the file's end; none if there is no mfra."""
    size = file.size_bytes
    if size < MFRA_READ_BYTES:
        return []
    file.read(size - MFRA_READ_BYTES, MFRA_READ_BYTES)
    mfro = file.read(size - 16, 16)
    (length,) = struct.unpack_from(">I", mfro, 12)
    if mfro[:8] != b"\0\0\0\x10mfro" or not 24 <= length <= min(MAX_INDEX_BOX_BYTES, size):
        return []
    mfra = file.read(size - length, length)
    if mfra[:8] != struct.pack(">I4s", length, b"mfra"):
        return []
    try:
        for kind, tfra in children(memoryview(mfra)[8:]):
            if kind == b"tfra" and struct.unpack_from(">I", tfra, 4) == (track_id,):
                return list(_read_tfra(tfra))
    except (InvalidMp4, struct.error):
        pass  # an invalid mfra is ignored
    return []


def _read_tfra(tfra: memoryview) -> "set[FragmentEntry]":
    (lengths,) = struct.unpack_from(">I", tfra, 8)
    numbers = sum((lengths >> bits & 3) + 1 for bits in (0, 2, 4))
    form = f">{'QQ' if version(tfra) == 1 else 'II'}{numbers}x"
    entries = struct.iter_unpack(form, table(tfra, "tfra", struct.calcsize(form), at=12))
    return {FragmentEntry(time, at) for time, at in entries if time <= MAX_TIME}
