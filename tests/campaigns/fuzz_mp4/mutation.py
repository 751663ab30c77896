"""Change a recording in the ways that hurt a reader: lies about sizes, kinds, counts and places."""

import struct
from collections.abc import Callable, Sequence
from random import Random

from attrs import frozen

from infrastructure.mp4.boxes import box, full_box
from tests.campaigns.fuzz_mp4.files import File

CONTAINERS = {
    **dict.fromkeys((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta"), 0),
    **dict.fromkeys((b"mvex", b"moof", b"traf", b"mfra"), 0),
    b"stsd": 8,
    b"avc1": 78,
    b"hev1": 78,
    b"hvc1": 78,
    b"mp4a": 28,
}
"""How many bytes of their own they have before the boxes in them."""
TABLES = {
    **dict.fromkeys((b"stts", b"ctts", b"stss", b"stsc", b"stco", b"co64", b"elst"), 4),
    b"stsd": 4,
    b"stsz": 8,
    b"trun": 4,
    b"tfra": 12,
    b"dref": 4,
}
"""Where the 32-bit count of their entries stands."""
ENTRY_BYTES = {b"stts": 8, b"ctts": 8, b"stss": 4, b"stsc": 12, b"stco": 4, b"co64": 8, b"elst": 12}
KINDS = [
    *CONTAINERS, *TABLES, b"ftyp", b"mdat", b"free", b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"trex",
    b"tfhd", b"tfdt", b"sidx", b"mfro", b"avcC", b"hvcC", b"esds", b"wave", b"uuid", b"\0\0\0\0",
]  # fmt: skip
LARGEST_BYTES = 1 << 20
PLENTY = (1000, 20_000, 100_000, 250_000, 1_000_000)

Change = Callable[[bytes, Random], bytes]


@frozen
class Box:
    """Where a box lies, and which lie around it, the outermost first."""

    kind: bytes
    at: int
    inside: int
    end: int
    around: "tuple[Box, ...]" = ()


def boxes_of(data: bytes) -> list[Box]:
    """Find the boxes that can be recognised; skip the others."""
    found: list[Box] = []

    def walk(at: int, end: int, around: tuple[Box, ...]) -> None:
        while end - at >= 8:
            size, kind = struct.unpack_from(">I4s", data, at)
            header = 8
            if size == 1 and end - at >= 16:
                size, header = int.from_bytes(data[at + 8 : at + 16]), 16
            if not header <= size <= end - at:
                return
            one = Box(kind, at, at + header, at + size, around)
            found.append(one)
            if kind in CONTAINERS and len(around) < 12:
                walk(one.inside + CONTAINERS[kind], one.end, (*around, one))
            at += size

    walk(0, len(data), ())
    return found


def mutate(file: File, others: Sequence[File], chance: Random) -> File:
    """Change the file once, or a few times."""
    pieces = list(file.pieces)
    for _ in range(chance.choices((1, 2, 3, 5), (6, 3, 2, 1))[0]):
        real = [number for number, piece in enumerate(pieces) if isinstance(piece, bytes)]
        if not real or (len(pieces) > 1 and chance.random() < 0.25):
            _rearrange(pieces, chance)
            continue
        # The first piece has the moov.
        number = real[0] if chance.random() < 0.3 else chance.choice(real)
        data = pieces[number]
        assert isinstance(data, bytes)
        if chance.random() < 0.06:
            changed = _crossed(data, chance.choice(others), chance)
        else:
            changed = chance.choices(*OPERATIONS)[0](data, chance)
        pieces[number] = changed[:LARGEST_BYTES]
    if chance.random() < 0.03:
        pieces.append(LARGEST_BYTES)  # bytes that a table may claim
    return File(tuple(pieces))


def _rearrange(pieces: list[bytes | int], chance: Random) -> None:
    one, other = chance.randrange(len(pieces)), chance.randrange(len(pieces))
    match chance.randrange(5):
        case 0:
            pieces[one], pieces[other] = pieces[other], pieces[one]
        case 1:
            del pieces[one : one + chance.randint(1, 3)]
        case 2:
            pieces[other:other] = pieces[one : one + chance.randint(1, 3)]
        case 3:
            del pieces[max(1, one) :]
        case _:
            piece = pieces[one]
            if isinstance(piece, int):
                pieces[one] = chance.choice(
                    (1, 7, piece - 1, piece + 1, 2 * piece, piece // 2, 9 << 20)
                )
    if not pieces:
        pieces.append(8)


def _crossed(data: bytes, other: File, chance: Random) -> bytes:
    """Splice two files: one's beginning and the other's end, or a box of one in the other."""
    theirs = next(piece for piece in other.pieces if isinstance(piece, bytes))
    if chance.random() < 0.3:
        return data[: chance.randrange(len(data) + 1)] + theirs[chance.randrange(len(theirs)) :]
    mine, foreign = boxes_of(data), boxes_of(theirs)
    if not mine or not foreign:
        return data + theirs
    spot = chance.choice(mine)
    alike = [one for one in foreign if one.kind == spot.kind]
    new = chance.choice(alike if alike and chance.random() < 0.7 else foreign)
    return _put(data, spot, theirs[new.at : new.end])


def _put(data: bytes, spot: Box, new: bytes) -> bytes:
    """Put other bytes in a box's place; the sizes around it are put right."""
    grown = len(new) - (spot.end - spot.at)
    changed = bytearray(data)
    for one in spot.around:
        size = one.end - one.at + grown
        if one.inside - one.at == 16:
            struct.pack_into(">Q", changed, one.at + 8, size)
        else:
            struct.pack_into(">I", changed, one.at, size & 0xFFFF_FFFF)
    changed[spot.at : spot.end] = new
    return bytes(changed)


def _leaf(data: bytes, chance: Random) -> tuple[int, int]:
    """Choose the inside of a box; seldom that of an mdat."""
    leaves = [one for one in boxes_of(data) if one.kind not in CONTAINERS]
    tables = [one for one in leaves if one.kind != b"mdat"]
    chosen = tables if tables and chance.random() < 0.93 else leaves
    if not chosen:
        return 0, len(data)
    one = chance.choice(chosen)
    return one.inside, one.end


def _number(old: int, width: int, size: int, chance: Random) -> int:
    """Return a number of *width* bytes that readers stumble over."""
    bits = 8 * width
    return chance.choice(
        (
            *(0, 1, 2, 3, 7, 8, 16, 255, 256, 1000, 65535, 65536, 1_000_000, 1_999_999, 2_000_001),
            *((1 << bits) - 1, 1 << bits - 1, (1 << bits - 1) - 1, 1 << bits - 2, 1 << bits - 8),
            *(old + 1, old - 1, old * 2, old // 2, -old, old ^ 1 << bits - 1),
            *(size, size - 1, size + 1, size // 2, chance.getrandbits(bits)),
        )
    ) % (1 << bits)


def flipped(data: bytes, chance: Random) -> bytes:
    first, end = _leaf(data, chance)
    if first >= end:
        return data
    at = chance.randrange(first, end)
    return data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :]


def overwritten(data: bytes, chance: Random) -> bytes:
    first, end = _leaf(data, chance)
    width = chance.choice((1, 2, 4, 4, 4, 8))
    if end - first < width:
        return data
    at = first + chance.randrange((end - first) // width) * width
    old = int.from_bytes(data[at : at + width])
    new = _number(old, width, len(data), chance)
    return data[:at] + new.to_bytes(width) + data[at + width :]


def miscounted(data: bytes, chance: Random) -> bytes:
    tables = [one for one in boxes_of(data) if one.kind in TABLES]
    if not tables:
        return data
    one = chance.choice(tables)
    at = one.inside + TABLES[one.kind]
    if at + 4 > one.end:
        return data
    new = _number(int.from_bytes(data[at : at + 4]), 4, len(data), chance)
    return data[:at] + new.to_bytes(4) + data[at + 4 :]


def missized(data: bytes, chance: Random) -> bytes:
    found = boxes_of(data)
    if not found:
        return data
    one = chance.choice(found)
    size = one.end - one.at
    new = chance.choice((0, 1, 7, 8, 9, size - 1, size + 1, size + 8, size - 8, 2 * size, 1 << 31))
    if chance.random() < 0.2:
        wide = chance.choice((0, 8, 15, 16, size, size + 8, 1 << 32, 1 << 63, (1 << 64) - 1))
        return data[: one.at] + struct.pack(">I4sQ", 1, one.kind, wide) + data[one.inside :]
    return data[: one.at] + struct.pack(">I", new % (1 << 32)) + data[one.at + 4 :]


def mistyped(data: bytes, chance: Random) -> bytes:
    found = boxes_of(data)
    if not found:
        return data
    at = chance.choice(found).at + 4
    kind = chance.choice(KINDS) if chance.random() < 0.9 else chance.randbytes(4)
    return data[:at] + kind + data[at + 4 :]


def restructured(data: bytes, chance: Random) -> bytes:
    """Delete, double, multiply, move, swap or wrap a box."""
    found = boxes_of(data)
    if not found:
        return data
    one, other = chance.choice(found), chance.choice(found)
    own = data[one.at : one.end]
    match chance.randrange(7):
        case 0:
            return _put(data, one, b"")
        case 1:
            return _put(data, one, own * 2)
        case 2:
            times = min(chance.choice((3, 20, 300)), 1 + LARGEST_BYTES // len(own))
            return _put(data, one, own * times)
        case 3:
            return _put(data, other, own + data[other.at : other.end])
        case 4:
            return _put(data, other, own)
        case 5:
            for _ in range(chance.choice((1, 2, 50, 2000))):
                own = box(one.kind, own)
            return _put(data, one, own)
        case _:
            return _put(data, one, box(chance.choice(KINDS), own))


def truncated(data: bytes, chance: Random) -> bytes:
    found = boxes_of(data)
    ends = [place for one in found for place in (one.at, one.inside, one.end)]
    near = chance.choice(ends) + chance.randint(-9, 9) if ends else 0
    at = near if chance.random() < 0.5 else chance.randrange(len(data) + 1)
    return data[: max(at, 0)]


def extended(data: bytes, chance: Random) -> bytes:
    tail = chance.choice((b"\0", b"\xff", b"\0\0\0\x08free", b"\0\0\0\x08moof"))
    return data + tail * chance.choice((1, 3, 100, 20_000))


def multiplied(data: bytes, chance: Random) -> bytes:
    """Multiply a table's entries, its count included."""
    tables = [one for one in boxes_of(data) if one.kind in ENTRY_BYTES]
    if not tables:
        return data
    one = chance.choice(tables)
    payload = data[one.inside : one.end]
    times = chance.choice((2, 30, 1000, 8000))
    entries = (payload[8:] * min(times, LARGEST_BYTES // (len(payload) + 1)))[: LARGEST_BYTES // 2]
    count = len(entries) // ENTRY_BYTES[one.kind]
    return _put(data, one, box(one.kind, payload[:4], struct.pack(">I", count), entries))


def crowded(data: bytes, chance: Random) -> bytes:
    """Make a track claim very many samples of a byte or two, consistently in all its tables."""
    tables = [one for one in boxes_of(data) if one.kind == b"stbl"]
    if not tables:
        return data
    one = chance.choice(tables)
    count, size = chance.choice(PLENTY), chance.choice((1, 1, 2, 16))
    duration = chance.choice((0, 1, 1024, (1 << 32) - 1))
    stsd = next((b for b in boxes_of(data) if b.kind == b"stsd" and one in b.around), None)
    entry = data[stsd.at : stsd.end] if stsd else b""
    chunks = chance.choice((1, 1, count))
    wide = [0] * min(chunks, 200_000)
    count = count if chunks == 1 else len(wide)
    spread = [one.inside + step for step in range(len(wide))]
    return _put(
        data,
        one,
        box(
            b"stbl",
            entry,
            full_box(b"stts", 0, 0, struct.pack(">III", 1, count, duration)),
            full_box(b"stsz", 0, 0, struct.pack(">II", size, count)),
            full_box(b"stsc", 0, 0, struct.pack(">4I", 1, 1, count // len(wide), 1)),
            full_box(b"stco", 0, 0, struct.pack(f">{1 + len(wide)}I", len(wide), *spread)),
        ),
    )


def overrun(data: bytes, chance: Random) -> bytes:
    """Make the runs of a fragment claim very many samples of a byte, repeatedly."""
    runs = [one for one in boxes_of(data) if one.kind == b"trun"]
    if not runs:
        return data
    one = chance.choice(runs)
    count = chance.choice((len(data), len(data) // 8, *PLENTY))
    run = full_box(b"trun", 0, 1, struct.pack(">Ii", count, chance.choice((0, 8, -8))))
    tfhd = next((b for b in boxes_of(data) if b.kind == b"tfhd"), one)
    track = data[tfhd.inside + 4 : tfhd.inside + 8]
    defaults = full_box(b"tfhd", 0, 0x20018, track, struct.pack(">II", chance.choice((0, 1)), 1))
    runs_of = run * chance.choice((1, 2, 8, 1000))
    around = one.around[-1] if one.around else one
    return _put(data, around, box(b"traf", defaults, runs_of))


OPERATIONS: tuple[tuple[Change, ...], tuple[int, ...]] = (
    (flipped, overwritten, miscounted, missized, mistyped, restructured, truncated, extended,
     multiplied, crowded, overrun),
    (14, 30, 10, 8, 6, 12, 5, 2, 3, 2, 2),
)  # fmt: skip
