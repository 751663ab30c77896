"""Recordings whose stamps are wrong: sample tables, and files of which only the tables are real."""

from collections.abc import Sequence
from itertools import accumulate
from struct import pack, pack_into, unpack_from

from infrastructure.mp4.boxes import box
from infrastructure.mp4.writer import TrackToWrite, write_header
from tests.unit.mp4.long import Long

TICKS, SCALE = 40, 1000
"""25 frames a second."""
ENTRY = box(b"avc1", bytes(6) + b"\0\1" + bytes(70))
AUDIO_ENTRY = box(b"mp4a", bytes(6) + b"\0\1" + bytes(8) + pack(">HHII", 1, 16, 0, 8000 << 16))


def track_of(
    durations: Sequence[int],
    offsets: Sequence[int] | None = None,
    *,
    kind: str = "vide",
    sync: Sequence[int] = (),
    at: int = 0,
) -> TrackToWrite:
    """Return a track of samples of ten bytes that are stored from byte *at* of the mdat on.

    *offsets* say how long after its decode time each is presented.
    """
    dts = list(accumulate(durations, initial=0))[:-1]
    pts = [time + late for time, late in zip(dts, offsets or [0] * len(dts), strict=True)]
    count = len(dts)
    return TrackToWrite(
        kind=kind,
        sample_entry=ENTRY if kind == "vide" else AUDIO_ENTRY,
        timescale=SCALE,
        offsets=[at + 10 * number for number in range(count)],
        sizes=[10] * count,
        dts=dts,
        pts=pts,
        sync=list(sync or [1] * count),
        duration=sum(durations),
        last_duration=durations[-1],
    )


def progressive(*tracks: TrackToWrite) -> bytes:
    """Return a file with an index of its own for each track."""
    size_bytes = sum(sum(track.sizes) for track in tracks)
    return write_header(list(tracks), size_bytes) + bytes(size_bytes)


def moofs(file: Long) -> list[int]:
    """Return the numbers of the pieces that are moofs."""
    return [
        number
        for number, piece in enumerate(file.pieces)
        if isinstance(piece, bytes) and piece[4:8] == b"moof"
    ]


def stamped(file: Long, later_s: dict[int, float], scales: Sequence[int]) -> Long:
    """Return the file with the decode times of some moofs, by number, moved by seconds."""
    pieces = list(file.pieces)
    places = moofs(file)
    for number, seconds in later_s.items():
        piece = pieces[places[number]]
        assert isinstance(piece, bytes)
        data, at = bytearray(piece), 0
        while (at := data.find(b"tfdt\1", at + 1)) > 0:
            track = unpack_from(">I", data, data.rindex(b"tfhd", 0, at) + 8)[0]
            ticks = unpack_from(">Q", data, at + 8)[0] + round(seconds * scales[track - 1])
            pack_into(">Q", data, at + 8, ticks)
        pieces[places[number]] = bytes(data)
    return Long(pieces, file.filling)
