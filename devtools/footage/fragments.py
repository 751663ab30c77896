"""Fragmented files that do not start at 0, which ffmpeg's muxer cannot write in step.

Measured on ffmpeg 9: `empty_moov` drops `-output_ts_offset`; with `frag_discont` it keeps it but
delays the picture by the reorder depth and not the sound. So the times are written afterwards.
Boxes after ISO/IEC 14496-12: 8.4.2 (mdhd), 8.8.7 (tfhd), 8.8.12 (tfdt), 8.8.10 (tfra).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from struct import pack_into, unpack_from


def start_later(path: Path, later_s: float) -> None:
    """Move every fragment of the file `path`, as ffmpeg wrote it, `later_s` later."""
    data = bytearray(path.read_bytes())
    later: dict[int, int] = {}
    for kind, start, stop in _top_boxes(data):
        if kind == b"moov":
            later = _ticks(data, start, stop, later_s)
        elif kind == b"moof":
            _move(data, start, stop, later)
        elif kind == b"mfra":
            for at in _all(b"tfra\1", data, start, stop):
                track, lengths, entries = unpack_from(">III", data, at + 8)
                assert lengths == 0
                for entry in range(entries):
                    _add(data, at + 20 + entry * 19, later[track])
    path.write_bytes(data)


def move_fragments(path: Path, later_s: float, which: range) -> None:
    """Move the decode times of some fragments of `path`, by number, and not the index's."""
    data = bytearray(path.read_bytes())
    later: dict[int, int] = {}
    number = 0
    for kind, start, stop in _top_boxes(data):
        if kind == b"moov":
            later = _ticks(data, start, stop, later_s)
        elif kind == b"moof":
            if number in which:
                _move(data, start, stop, later)
            number += 1
    path.write_bytes(data)


def _ticks(data: bytearray, start: int, stop: int, seconds: float) -> dict[int, int]:
    """Return seconds in the ticks of each track of the moov at `start`."""
    scales = (unpack_from(">I", data, at + 16)[0] for at in _all(b"mdhd", data, start, stop))
    return {track: round(seconds * scale) for track, scale in enumerate(scales, 1)}


def _move(data: bytearray, start: int, stop: int, later: dict[int, int]) -> None:
    for at in _all(b"tfhd", data, start, stop):
        decode_time = data.index(b"tfdt\1", at, stop) + 8
        _add(data, decode_time, later[unpack_from(">I", data, at + 8)[0]])


def _top_boxes(data: bytearray) -> Iterator[tuple[bytes, int, int]]:
    start = 0
    while start < len(data):
        size, kind = unpack_from(">I4s", data, start)
        yield kind, start, start + size
        start += size


def _all(box: bytes, data: bytearray, start: int, stop: int) -> list[int]:
    return [match.start() for match in re.compile(re.escape(box)).finditer(data, start, stop)]


def _add(data: bytearray, at: int, ticks: int) -> None:
    pack_into(">Q", data, at, unpack_from(">Q", data, at)[0] + ticks)
