"""Boxes: a size, a four-character kind, a payload (ISO/IEC 14496-12, 4.2).

Walked in memory over a ``memoryview`` (nothing is copied), built as plain ``bytes``.
"""

# ruff: noqa: PLR2004 - the numbers are the standard's own

import struct
from collections.abc import Callable, Iterator

from attrs import frozen

from infrastructure.mp4.errors import InvalidMp4

MAX_BOXES = 200_000
"""Of a file, one after another: two days of fragments of two seconds."""
Read = Callable[[int, int], bytes]
"""(offset, length) -> exactly that many bytes of the file."""


@frozen
class BoxHeader:
    """A box header: its kind, its own length and the whole box's size, all in bytes."""

    kind: bytes
    header_bytes: int
    size_bytes: int


def read_header(data: bytes | memoryview, at: int, room: int) -> BoxHeader | None:
    """Read the box header at *at*; *room* bytes remain from there to the end of its container.

    None where the header itself is cut off. A size of 0 means "to the end". The size may exceed
    *room*, which the caller must check. InvalidMp4 on a size smaller than its own header.
    """
    if room < 8 or len(data) < at + 8:
        return None
    size, kind = struct.unpack_from(">I4s", data, at)
    header = 8
    if size == 1:
        if room < 16 or len(data) < at + 16:
            return None
        (size,) = struct.unpack_from(">Q", data, at + 8)
        header = 16
    elif size == 0:
        size = room
    if size < header:
        raise InvalidMp4(f"the box {fourcc(kind)} claims {size} bytes, less than its own header")
    return BoxHeader(kind, header, size)


def fourcc(kind: bytes) -> str:
    """Return *kind* as printable text, whatever its bytes."""
    return kind.decode("latin-1").encode("unicode_escape").decode()


def children(payload: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield kind and payload of each box in *payload*; InvalidMp4 if one exceeds its parent.

    Fewer than 8 bytes at the end are padding: QuickTime ends some lists with a 32-bit zero.
    """
    at, end = 0, len(payload)
    while end - at >= 8:
        found = read_header(payload, at, end - at)
        if found is None or found.size_bytes > end - at:
            kind = bytes(payload[at + 4 : at + 8])
            raise InvalidMp4(f"the box {fourcc(kind)} is larger than the box around it")
        yield found.kind, payload[at + found.header_bytes : at + found.size_bytes]
        at += found.size_bytes


def child(payload: memoryview, *path: bytes) -> memoryview | None:
    """Return the payload of the first box at *path* below *payload*, or None."""
    for step in path:
        for kind, inner in children(payload):
            if kind == step:
                payload = inner
                break
        else:
            return None
    return payload


def require(payload: memoryview, *path: bytes) -> memoryview:
    """Return the payload of the first box at *path*; InvalidMp4 if there is none."""
    found = child(payload, *path)
    if found is None:
        raise InvalidMp4(f"there is no box {'/'.join(map(fourcc, path))}")
    return found


def version(payload: memoryview) -> int:
    """Return the version a full box begins with (4.2)."""
    number: int = struct.unpack_from(">B", payload)[0]
    return number


def box(kind: bytes, *payload: bytes) -> bytes:
    """Build a box of less than 4 GiB."""
    return struct.pack(">I4s", 8 + sum(map(len, payload)), kind) + b"".join(payload)


def full_box(kind: bytes, version: int, flags: int, *payload: bytes) -> bytes:
    """Build a box whose payload begins with a version and 24 flags (4.2)."""
    return box(kind, struct.pack(">I", version << 24 | flags), *payload)
