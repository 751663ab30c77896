"""Movie fragments: one ``moof`` adds runs of samples to the tracks (ISO/IEC 14496-12, 8.8)."""

# ruff: noqa: PLR2004 - the numbers are the standard's own

import struct
from array import array
from collections.abc import Iterator, Mapping
from itertools import accumulate, chain
from operator import add

from attrs import frozen

from infrastructure.mp4.boxes import MAX_BOXES, child, children, require, version
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.sample_tables import (
    MAX_TIME,
    StoredTrack,
    TooManySamples,
    max_samples,
    uint32s,
)

FRAGMENT_READ_BYTES = 16 << 10
"""Usually more than a moof and the header of the mdat after it."""
CLOSE_BYTES, CLOSE_READ_BYTES = 64 << 10, 256 << 10
"""Fragments no longer than the first are read several at once: the second at a time."""
MAX_MOOF_BYTES = 64 << 20
DURATION, SIZE, FLAGS, COMPOSITION = 0x100, 0x200, 0x400, 0x800
"""The fields that a trun may have per sample, by their flags (8.8.8.1)."""
NOT_SYNC = 0x0101_0000
"""sample_is_non_sync_sample, and sample_depends_on's bit for "depends on others" (8.8.3.1)."""


@frozen
class Defaults:
    """A sample's values where its run has none (8.8.3)."""

    duration: int = 0  # ticks
    size: int = 0  # bytes
    flags: int = 0


def read_trex(mvex: memoryview) -> dict[int, Defaults]:
    """Read every track's defaults in the moov's mvex."""
    found = {}
    for kind, payload in children(mvex):
        if kind == b"trex":
            track_id, _, duration, size, flags = struct.unpack_from(">5I", payload, 4)
            found[track_id] = Defaults(duration, size, flags)
    return found


class NoDecodeTime(InvalidMp4):
    """A fragment has no decode time: it follows only from those before it."""


@frozen
class Fragment:
    """A fragment's place: its moof, and the end of the box after it, in bytes of the file."""

    at: int
    end: int


def walk(
    file: RangeCache,
    at: int,
    media: Mapping[int, StoredTrack],
    trex: Mapping[int, Defaults],
    *,
    timed: bool = False,
) -> Iterator[Fragment]:
    """Append to *media* fragment after fragment from the box at *at* on, yielding each.

    An incomplete last one is left out: a moof is complete with the box after it, or, at the end, if
    its samples are stored before it. NoDecodeTime if they must be *timed* and one is not. A
    fragment usually takes one read.
    """
    waiting: tuple[int, memoryview] | None = None
    ahead, close = FRAGMENT_READ_BYTES, 0
    for _ in range(MAX_BOXES):
        found = file.header(at, ahead)
        if found is None or at + found.size_bytes > file.size_bytes:
            if waiting is not None and _is_behind_its_data(*waiting, file.size_bytes, trex):
                moof_at, moof = waiting
                add_fragment(moof, moof_at, file.size_bytes, media, trex, timed=timed)
                yield Fragment(moof_at, at)
            return
        end = at + found.size_bytes
        if waiting is not None:
            moof_at, moof = waiting
            add_fragment(moof, moof_at, file.size_bytes, media, trex, timed=timed)
            waiting = None
            # One alone may be the audio of a fragment whose video has a moof of its own.
            close = close + 1 if end - moof_at <= CLOSE_BYTES else 0
            ahead = (
                CLOSE_READ_BYTES
                if close > 1
                else max(FRAGMENT_READ_BYTES, 1024 + 5 * len(moof) // 4)
            )
            yield Fragment(moof_at, end)
        if found.kind == b"moof":
            if found.size_bytes > MAX_MOOF_BYTES:
                raise InvalidMp4(f"a moof is {found.size_bytes} bytes long, too much to read")
            whole = file.read(at, found.size_bytes)
            waiting = at, memoryview(whole)[found.header_bytes :]
        at = end
    raise InvalidMp4(f"the file has more than {MAX_BOXES} boxes")


def _is_behind_its_data(
    moof_at: int, moof: memoryview, size_bytes: int, trex: Mapping[int, Defaults]
) -> bool:
    try:
        end = add_fragment(moof, moof_at, size_bytes, {}, trex, timed=False)
    except (InvalidMp4, struct.error):
        return False
    return end <= moof_at


def add_fragment(  # noqa: PLR0913
    moof: memoryview,
    moof_at: int,
    size_bytes: int,
    media: Mapping[int, StoredTrack],
    trex: Mapping[int, Defaults],
    *,
    timed: bool,
) -> int:
    """Append the samples that *moof* (its payload; the box is at *moof_at*) describes.

    Return where the last of them ends, in bytes.
    """
    data_end, last_end = moof_at, 0
    for kind, traf in children(moof):
        if kind != b"traf":
            continue
        tfhd = require(traf, b"tfhd")
        flags, track_id = struct.unpack_from(">II", tfhd, 0)
        flags &= 0xFFFFFF
        optional = _fields(tfhd, 8, flags, ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4)))
        base, description, duration, size, sample_flags = optional
        if description not in (None, 1):
            raise InvalidMp4("several sample entries in one track are not supported")
        inherited = trex.get(track_id, Defaults())
        defaults = Defaults(
            inherited.duration if duration is None else duration,
            inherited.size if size is None else size,
            inherited.flags if sample_flags is None else sample_flags,
        )
        if base is None:
            base = moof_at if flags & 0x20000 else data_end
        data_end = base
        track = media.get(track_id)
        if track is not None:
            tfdt = child(traf, b"tfdt")
            if tfdt is None and timed:
                raise NoDecodeTime("a fragment has no decode time")
            start = _start(tfdt, track)
        for inner, trun in children(traf):
            if inner != b"trun":
                continue
            run = TrackRun.read(trun, base, data_end, defaults, size_bytes)
            data_end, last_end = run.end, max(last_end, run.end)
            if track is not None:
                start = _append(track, run, start, size_bytes)
    return last_end


@frozen(eq=False)
class TrackRun:
    """One trun (8.8.8): `count` samples, back to back. Its counts are checked before use."""

    count: int
    start: int  # bytes of the file
    end: int
    fields: dict[int, "array[int]"]  # by the flag that announces them, one number a sample
    composition: "array[int] | None"  # ticks of the track
    first_flags: int | None
    defaults: Defaults

    @classmethod
    def read(
        cls, trun: memoryview, base: int, follow: int, defaults: Defaults, size_bytes: int
    ) -> "TrackRun":
        """Read a run; its data is at *base* + its data offset, or else at *follow*."""
        flags, count = struct.unpack_from(">II", trun, 0)
        flags &= 0xFFFFFF
        offset, first_flags = _fields(trun, 8, flags, ((0x1, 4), (0x4, 4)))
        at = 8 + 4 * ((offset is not None) + (first_flags is not None))
        start = follow if offset is None else base + (offset ^ 1 << 31) - (1 << 31)
        each = [bit for bit in (DURATION, SIZE, FLAGS, COMPOSITION) if flags & bit]
        step = len(each)
        entries = trun[at : at + 4 * step * count]
        if len(entries) < 4 * step * count:
            raise InvalidMp4(f"trun announces {count} samples, more than its bytes hold")
        if not flags & SIZE and not 0 < defaults.size * max(count, 1) <= size_bytes:
            raise InvalidMp4(f"trun announces {count} samples of {defaults.size} bytes")
        numbers = uint32s(entries)
        fields = {bit: numbers[place::step] for place, bit in enumerate(each)}
        end = start + (sum(fields[SIZE]) if flags & SIZE else defaults.size * count)
        if start < 0 or end > size_bytes:
            raise InvalidMp4("a fragment's samples are outside of the file")
        composition = None
        if flags & COMPOSITION:
            composition = uint32s(entries, signed=True)[each.index(COMPOSITION) :: step]
        return cls(count, start, end, fields, composition, first_flags, defaults)

    def column(self, bit: int, default: int) -> "array[int]":
        """Return each sample's value of a field, the *default* if the run has none."""
        return self.fields.get(bit) or array("I", [default]) * self.count

    @property
    def flags(self) -> "array[int]":
        """Each sample's flags."""
        flags = self.column(FLAGS, self.defaults.flags)
        if self.first_flags is not None and flags:
            flags[0] = self.first_flags
        return flags


def _fields(
    payload: memoryview, at: int, flags: int, fields: tuple[tuple[int, int], ...]
) -> list[int | None]:
    """Read the optional fields (flag bit, bytes) that follow each other from *at* on."""
    found: list[int | None] = []
    for bit, length in fields:
        if not flags & bit:
            found.append(None)
            continue
        found.append(struct.unpack_from(">Q" if length == 8 else ">I", payload, at)[0])
        at += length
    return found


def _start(tfdt: memoryview | None, track: StoredTrack) -> int:
    """Return the decode time of the fragment's first sample: tfdt's, or the last one's end."""
    if tfdt is None:
        return track.dts[-1] + track.durations[-1] if track.dts else 0
    start: int
    (start,) = struct.unpack_from(">Q" if version(tfdt) == 1 else ">I", tfdt, 4)
    if start > MAX_TIME:
        raise InvalidMp4("a fragment begins at a time that no recording reaches")
    return start


def _append(track: StoredTrack, run: TrackRun, start: int, size_bytes: int) -> int:
    if len(track.sizes) + run.count > (most := max_samples(track.kind, size_bytes)):
        raise TooManySamples(
            f"the fragments announce more samples than the {most} that this file can have"
        )
    assert isinstance(track.dts, array) and isinstance(track.pts, array)  # noqa: S101, PT018 - copied
    sizes = run.column(SIZE, run.defaults.size)
    durations = run.column(DURATION, run.defaults.duration)
    dts = array("q", accumulate(chain((start,), durations)))
    end = dts.pop()
    track.offsets.extend(accumulate(chain((run.start,), sizes[:-1])) if sizes else ())
    track.sizes.extend(sizes)
    track.dts.extend(dts)
    track.pts.extend(dts if run.composition is None else map(add, dts, run.composition))
    track.durations.extend(map(int, durations))
    if track.kind == "vide":
        track.sync.extend(0 if flags & NOT_SYNC else 1 for flags in run.flags)
    else:
        track.sync.extend(b"\1" * run.count)
    return end
