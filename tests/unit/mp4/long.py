"""Long fragmented recordings of which only the index exists: what lies in an mdat is made up.

The moov is ffmpeg's, the fragments are built here: so ten minutes take no time to make, and every
layout and every bit rate can be had.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from struct import pack
from typing import NamedTuple

from attrs import field, frozen

from infrastructure.mp4.boxes import box, children, full_box

VIDEO_SCALE, AUDIO_TIMESCALE, PACKET = 15360, 48000, 1024
SYNC_FLAGS, OTHER_FLAGS = 0x0200_0000, 0x0101_0000


@frozen
class Layout:
    """How a long recording is stored."""

    seconds: int = 600
    fragment_s: float = 2.0
    gop_fragments: int = 1  # a keyframe begins every so many fragments
    fps: int = 30
    kbit: int = 2000
    busy: Callable[[float], float] = field(default=lambda _: 1.0)
    """How many bits a moment takes, in relation to others."""
    bframes: bool = True
    negative_offsets: bool = False
    audio: bool = True
    audio_start_s: float = 0.0
    audio_end_s: float = math.inf  # 0: the track is declared, but never has a sample
    audio_late_ms: int = 0  # how far the sound of a fragment lags behind its pictures
    separate: bool = False  # a moof for each track
    index: str = ""  # "sidx", "mfra" or, of each fragment alone, "dash"
    start_s: float = 0.0
    cut_off_bytes: int = 0
    lookalikes: bytes = b""  # what the mdat is full of


class Long:
    """A file whose bytes are partly real, partly made up on reading."""

    def __init__(self, pieces: list[bytes | int], filling: bytes = b"", less: int = 0) -> None:
        self.pieces = pieces
        self.places = list(accumulate(map(_length, pieces), initial=0))
        self.size_bytes = self.places.pop() - less
        self.filling = filling or bytes(1)
        self.asked: list[tuple[int, int]] = []

    def read(self, offset: int, length: int) -> bytes:
        """Return a range, which must lie inside, and note that it was asked for."""
        assert 0 <= offset < offset + length <= self.size_bytes
        self.asked.append((offset, length))
        number = bisect_right(self.places, offset) - 1
        parts, left = [], length
        while left:
            piece, begin = self.pieces[number], max(0, offset - self.places[number])
            if isinstance(piece, int):
                size = min(left, piece - begin)
                parts.append((self.filling * (size // len(self.filling) + 1))[:size])
            else:
                parts.append(piece[begin : begin + left])
            left -= len(parts[-1])
            number += 1
        return b"".join(parts)

    @property
    def cost(self) -> tuple[int, int]:
        """Requests and bytes so far."""
        return len(self.asked), sum(length for _, length in self.asked)


def _length(piece: bytes | int) -> int:
    return piece if isinstance(piece, int) else len(piece)


class Sample(NamedTuple):
    size: int
    flags: int
    offset: int


def long_recording(real: bytes, layout: Layout, seed: int = 1) -> Long:
    """Build a recording whose moov is that of the fragmented file *real*."""
    front = _front(real, layout)
    parts: list[tuple[bytes, int, int]] = []  # moof, mdat's bytes, and when it begins (ticks)
    for video, audio, dts, audio_dts in _fragments(layout, random.Random(seed)):
        tracks = [(1, dts, 512 * 30 // layout.fps, video)]
        if audio:
            tracks.append((2, audio_dts, PACKET, audio))
        for group in [[track] for track in tracks] if layout.separate else [tracks]:
            sizes = sum(sample.size for track in group for sample in track[3])
            parts.append((_moof(len(parts) + 1, group), sizes, group[0][1]))
    pieces: list[bytes | int] = [front]
    if layout.index == "sidx":
        pieces.append(_sidx(parts, layout))
    at, entries = sum(map(_length, pieces)), []
    for number, (moof, size, dts) in enumerate(parts):
        if layout.index == "dash":
            pieces += [full_box(b"styp", 0, 0, b"msdh" + bytes(4)), _sidx([parts[number]], layout)]
            pieces.append(full_box(b"emsg", 0, 0, b"\0\0" + bytes(16)))
            at += sum(map(_length, pieces[-3:]))
        entries.append((dts, at))
        pieces += [moof, pack(">I4s", 8 + size, b"mdat"), size]
        at += len(moof) + 8 + size
    if layout.index == "mfra":
        table = b"".join(pack(">QQ3x", *entry) for entry in entries)
        tfra = full_box(b"tfra", 1, 0, pack(">III", 1, 0, len(entries)), table)
        pieces.append(box(b"mfra", tfra, full_box(b"mfro", 0, 0, pack(">I", len(tfra) + 24))))
    return Long(pieces, layout.lookalikes, layout.cut_off_bytes)


def _front(real: bytes, layout: Layout) -> bytes:
    moov = real.index(b"moov") - 4
    end = real.index(b"moof") - 4
    if layout.audio:
        return real[:end]
    seen: set[bytes] = set()
    kept = []
    for kind, payload in children(memoryview(real)[moov + 8 : end]):
        if kind != b"trak" or kind not in seen:
            kept.append(box(kind, bytes(payload)))
        seen.add(kind)
    return real[:moov] + box(b"moov", *kept)


def _fragments(
    layout: Layout, chance: random.Random
) -> Iterator[tuple[list[Sample], list[Sample], int, int]]:
    tick = VIDEO_SCALE // layout.fps
    frames = round(layout.fragment_s * layout.fps)
    total = layout.seconds * layout.fps
    begin = round(layout.start_s * VIDEO_SCALE)
    packets = int(layout.audio_start_s * AUDIO_TIMESCALE / PACKET)
    for number, first in enumerate(range(0, total, frames)):
        count = min(frames, total - first)
        bits = layout.kbit * 1000 / layout.fps * layout.busy(first / layout.fps)
        bits *= chance.uniform(0.7, 1.3)
        video = []
        for i in range(count):
            key = i == 0 and number % layout.gop_fragments == 0
            size = int(bits / 8 * (count / 6 if key else 5 / 6) * chance.uniform(0.8, 1.2)) + 1
            video.append(Sample(size, SYNC_FLAGS if key else OTHER_FLAGS, 0))
        shown = _order(count, layout.bframes, whole=not layout.negative_offsets)
        video = [sample._replace(offset=(shown[i] - i) * tick) for i, sample in enumerate(video)]
        late = layout.audio_late_ms / 1000
        until = (first + count) / layout.fps + (late if first + count < total else 0)
        until = min(until, layout.audio_end_s)
        end = int(until * AUDIO_TIMESCALE / PACKET) if layout.audio else 0
        audio = [Sample(chance.randrange(150, 190), SYNC_FLAGS, 0) for _ in range(packets, end)]
        audio_dts = packets * PACKET + round(layout.start_s * AUDIO_TIMESCALE)
        yield video, audio, begin + first * tick, audio_dts
        packets = max(packets, end)


def _order(count: int, bframes: bool, whole: bool) -> list[int]:
    """Return at which place each frame of a fragment is shown: I P B B, or in decode order."""
    if not bframes:
        return list(range(count))
    shown = [0]
    while len(shown) < count:
        group = min(3, count - len(shown))
        first = len(shown)
        shown += [first + group - 1, *range(first, first + group - 1)]
    return [place + 1 for place in shown] if whole else shown


def _moof(number: int, tracks: list[tuple[int, int, int, list[Sample]]]) -> bytes:
    def build(places: list[int]) -> bytes:
        trafs = [_traf(*track, place) for track, place in zip(tracks, places, strict=True)]
        return box(b"moof", full_box(b"mfhd", 0, 0, pack(">I", number)), *trafs)

    sizes = [sum(sample.size for sample in track[3]) for track in tracks]
    before = list(accumulate(sizes, initial=8))[:-1]
    return build([len(build(before)) + place for place in before])


def _traf(track_id: int, dts: int, tick: int, samples: list[Sample], place: int) -> bytes:
    video = track_id == 1
    tfhd = full_box(b"tfhd", 0, 0x20008, pack(">II", track_id, tick))
    tfdt = full_box(b"tfdt", 1, 0, pack(">Q", dts))
    form = ">IIi" if video else ">I"
    entries = b"".join(pack(form, *(sample if video else sample[:1])) for sample in samples)
    head = pack(">Ii", len(samples), place)
    return box(b"traf", tfhd, tfdt, full_box(b"trun", 1, 0xE01 if video else 0x201, head, entries))


def _sidx(parts: list[tuple[bytes, int, int]], layout: Layout) -> bytes:
    # Separate moofs of one moment count as one subsegment.
    step = 2 if layout.separate and len(parts) > 1 else 1
    groups = [parts[i : i + step] for i in range(0, len(parts), step)]
    entries = b""
    for group in groups:
        size = sum(len(moof) + 8 + size for moof, size, _ in group)
        entries += pack(">III", size, round(layout.fragment_s * VIDEO_SCALE), 0x9000_0000)
    head = pack(">IIQQHH", 1, VIDEO_SCALE, parts[0][2], 0, 0, len(groups))
    return full_box(b"sidx", 1, 0, head, entries)
