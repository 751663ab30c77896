"""Recordings in layouts that ffmpeg does not write: its files with other boxes."""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from devtools.footage.recording import FFMPEG
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.mp4.boxes import box, children, full_box
from infrastructure.mp4.recording import Mp4Recording
from tests.integration.exactness.camera import Buckets

Patch = Callable[[bytes], bytes]
CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts"}
IDENTITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
SYNC = 0x0200_0000
"""Flags of a sample that depends on no other."""


@frozen
class Patched(Buckets):
    """Buckets that store every recording, or only those named, with other boxes."""

    patch: Patch
    of: str = ""

    def open(
        self, segment: RecordingSegment, data: bytes, window: TimeWindow | None = None
    ) -> Mp4Recording:
        """Open the patched recording."""
        return super().open(segment, self.patch(data) if self.of in segment.name else data, window)


def places(data: bytes, kind: bytes) -> list[int]:
    """Return where the payloads of all boxes of a kind begin, however deep they are."""
    found: list[int] = []

    def look(begin: int, end: int) -> None:
        at = begin
        while end - at >= 8:
            size, here = struct.unpack_from(">I4s", data, at)
            header = 8
            if size == 1:
                (size,), header = struct.unpack_from(">Q", data, at + 8), 16
            size = size or end - at
            if here == kind:
                found.append(at + header)
            if here in CONTAINERS:
                look(at + header, at + size)
            at += size

    look(0, len(data))
    return found


def put(data: bytes, at: int, form: str, *numbers: int) -> bytes:
    """Overwrite numbers."""
    new = struct.pack(form, *numbers)
    return data[:at] + new + data[at + len(new) :]


def renamed(old: bytes, new: bytes) -> Patch:
    """Rename all boxes of a kind, so that readers skip them."""

    def patch(data: bytes) -> bytes:
        found = places(data, old)
        assert found
        for at in found:
            data = data[: at - 4] + new + data[at:]
        return data

    return patch


def with_entry_size(width: int, height: int) -> Patch:
    """Put other sides into the sample entry and the track header of the video."""

    def patch(data: bytes) -> bytes:
        data = put(data, places(data, b"stsd")[0] + 8 + 32, ">HH", width, height)
        return put(data, places(data, b"tkhd")[0] + 76, ">II", width << 16, height << 16)

    return patch


def with_sync_flags(*, on_all: bool) -> Patch:
    """Mark all samples of fragments as sync, or the first of each."""

    def patch(stored: bytes) -> bytes:
        data, flagged = bytearray(stored), 0
        for at in places(stored, b"tfhd"):
            flags = int.from_bytes(data[at + 1 : at + 4])
            if on_all and flags & 0x20:
                fields = sum(n for bit, n in ((1, 8), (2, 4), (8, 4), (16, 4)) if flags & bit)
                struct.pack_into(">I", data, at + 8 + fields, SYNC)
        for at in places(stored, b"trun"):
            flags, count = struct.unpack_from(">II", data, at)
            first = at + 8 + 4 * (flags & 1)
            if flags & 4:
                struct.pack_into(">I", data, first, SYNC)
                flagged += 1
                first += 4
            each = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
            if flags & 0x400:
                for i in range(count if on_all else 1):
                    place = first + 4 * (i * len(each) + each.index(0x400))
                    struct.pack_into(">I", data, place, SYNC)
                flagged += 1
        assert flagged
        return bytes(data)

    return patch


def with_stsz_of_1(data: bytes) -> bytes:
    """Count the bytes of samples, which are all of one size, as QuickTime's recorders do."""
    constant = [at for at in places(data, b"stsz") if data[at + 4 : at + 8] != bytes(4)]
    assert len(constant) == 1
    return put(data, constant[0] + 4, ">I", 1)


def remuxed(*arguments: str, suffix: str = ".mp4") -> Patch:
    """Run the recording through ffmpeg."""

    def patch(data: bytes) -> bytes:
        with TemporaryDirectory() as folder:
            source, target = Path(folder, "source.mp4"), Path(folder, f"target{suffix}")
            source.write_bytes(data)
            command = [FFMPEG, "-nostdin", "-v", "error", "-i", str(source), *arguments]
            subprocess.run([*command, str(target)], check=True, env={}, timeout=60)
            return target.read_bytes()

    return patch


def both(*patches: Patch) -> Patch:
    """Apply one patch after the other."""

    def patch(data: bytes) -> bytes:
        for each in patches:
            data = each(data)
        return data

    return patch


def track(
    handler: bytes,
    entry: bytes,
    number: int = 9,
    *,
    samples: int = 0,
    stsc_entries: int = 1,
    enabled: bool = True,
    edits: bytes = b"",
) -> bytes:
    """Return a trak with so many samples of a byte, the first bytes of the file."""
    places_of = struct.pack(f">I{samples}I", samples, *range(samples))
    stsc = struct.pack(">III", 1, 1, 1) * stsc_entries
    tables = (
        full_box(b"stsd", 0, 0, struct.pack(">I", bool(entry)), entry),
        full_box(b"stts", 0, 0, struct.pack(">III", 1, samples, 1000) if samples else bytes(4)),
        full_box(b"stsc", 0, 0, struct.pack(">I", stsc_entries), stsc),
        full_box(b"stsz", 0, 0, struct.pack(">II", 0, samples), b"\0\0\0\1" * samples),
        full_box(b"stco", 0, 0, places_of),
    )
    return box(
        b"trak",
        full_box(
            b"tkhd",
            0,
            2 | enabled,
            struct.pack(">5I8xHHHH", 0, 0, number, 0, samples * 1000, 0, 0, 0, 0),
            IDENTITY,
            struct.pack(">II", 160 << 16, 120 << 16),
        ),
        edits,
        box(
            b"mdia",
            full_box(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, 1000, 1000 * samples, 0x55C4, 0)),
            full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"\0"),
            box(b"minf", box(b"stbl", *tables)),
        ),
    )


def with_track(trak: bytes, *, is_first: bool = False) -> Patch:
    """Add a track to a file whose moov is its last box, or which is fragmented without index."""

    def patch(data: bytes) -> bytes:
        at = next(at for at in places(data, b"moov"))
        begin, end = at - 8, at - 8 + int.from_bytes(data[at - 8 : at - 4])
        boxes = [box(kind, bytes(inner)) for kind, inner in children(memoryview(data)[at:end])]
        traks = [i for i, b in enumerate(boxes) if b[4:8] == b"trak"]
        boxes.insert(traks[0] if is_first else traks[-1] + 1, trak)
        return data[:begin] + box(b"moov", *boxes) + data[end:]

    return patch
