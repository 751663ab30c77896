"""Which parts of a clip S3 copies, and which are sent."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.ports import FilePiece, Piece, RecordingPiece
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.s3.parts import (
    MAX_COPY_PART_BYTES,
    MAX_PARTS,
    MIN_PART_BYTES,
    AnyPiece,
    BytesPiece,
    CopyPart,
    UploadPart,
    plan_parts,
)
from infrastructure.s3.recordings import S3Recording
from tests.integration.s3.test_s3 import CountingRecording

MIB = 1 << 20
LEAST = 5 * MIB
SEGMENT = RecordingSegment(TimeWindow(0, 600_000), "pier.mp4")
NO_INDEX: Any = None
CLIP = Path("clip.mp4")


def recorded(key: str, size_bytes: int = 1 << 50) -> S3Recording:
    file = RangeCache(lambda _, __: b"", size_bytes)
    return S3Recording(SEGMENT, '"etag"', NO_INDEX, file, "bucket", key)


A, B, C = (recorded(key) for key in "abc")
SMALL = recorded("small", LEAST)
OTHER = CountingRecording()
"""Not in S3."""
NAMES = {A: "A", B: "B", C: "C", SMALL: "small", OTHER: "other"}


def own(length: int, offset: int = 0) -> FilePiece:
    return FilePiece(CLIP, offset, length)


def of(recording: S3Recording | CountingRecording, length: int, offset: int = 0) -> RecordingPiece:
    return RecordingPiece(recording, offset, length)


def shape(pieces: Sequence[Piece], *, copy: bool = True) -> list[str]:
    """Write the parts down: `copy A 5` or `own+A 5`, in bytes less whole MiB."""
    return [
        f"copy {NAMES[part.recording]} {size(part.length)}"
        if isinstance(part, CopyPart)
        else "+".join(
            NAMES[piece.recording] if isinstance(piece, RecordingPiece) else "own"
            for piece in part.pieces
        )
        + f" {size(part.length)}"
        for part in plan_parts(pieces, copy=copy)
    ]


def size(length: int) -> str:
    mib, rest = divmod(length + 1024, MIB)
    return f"{mib}M{rest - 1024:+}" if rest != 1024 else f"{mib}M"


CASES: dict[str, tuple[Sequence[Piece], list[str]]] = {
    "nothing": ([], [" 0M"]),
    "a file": ([own(7 * MIB)], ["own 7M"]),
    "nothing between is nothing": ([own(0), of(A, 20 * MIB), own(0)], ["copy A 20M"]),
    "less than 10 MiB are one part": (
        [own(1), of(A, 10 * MIB - 2)],
        ["own+A 10M-1"],
    ),
    "10 MiB are two": ([own(1), of(A, 10 * MIB - 1)], ["own+A 5M", "copy A 5M"]),
    "the header is filled up to a part": (
        [own(2 * MIB), of(A, 20 * MIB)],
        ["own+A 5M", "copy A 17M"],
    ),
    "a header of a part less one byte takes one byte": (
        [own(LEAST - 1), of(A, 20 * MIB)],
        ["own+A 5M", "copy A 20M-1"],
    ),
    "a header of a whole part takes none": (
        [own(LEAST), of(A, 20 * MIB)],
        ["own 5M", "copy A 20M"],
    ),
    "a header of a part and one byte takes none": (
        [own(LEAST + 1), of(A, 20 * MIB)],
        ["own 5M+1", "copy A 20M"],
    ),
    "what is sent is cut at 10 MiB": (
        [own(10 * MIB), own(1), of(A, 20 * MIB)],
        ["own 5M+1", "own+own 5M", "copy A 20M"],
    ),
    "a clip may begin with a range": ([of(A, 20 * MIB), own(3)], ["copy A 20M", "own 0M+3"]),
    "a first range below a part is sent": (
        [of(A, LEAST - 1), of(B, 20 * MIB)],
        ["A+B 5M", "copy B 20M-1"],
    ),
    "a first range of a part is copied": (
        [of(A, LEAST), of(B, 20 * MIB)],
        ["copy A 5M", "copy B 20M"],
    ),
    "a range that would be left below a part is sent whole": (
        [own(2 * MIB), of(A, 8 * MIB - 1), of(B, 20 * MIB)],
        ["own+A 10M-1", "copy B 20M"],
    ),
    "a range that leaves just a part is copied": (
        [own(2 * MIB), of(A, 8 * MIB), of(B, 20 * MIB)],
        ["own+A 5M", "copy A 5M", "copy B 20M"],
    ),
    "a last range below a part is sent": (
        [own(LEAST), of(A, 20 * MIB), of(B, LEAST - 1)],
        ["own 5M", "copy A 20M", "B 5M-1"],
    ),
    "a last range of a part is copied": (
        [own(LEAST), of(A, 20 * MIB), of(B, LEAST)],
        ["own 5M", "copy A 20M", "copy B 5M"],
    ),
    "a small range in the middle is sent with the next one's first bytes": (
        [own(LEAST), of(A, 20 * MIB), of(B, MIB), of(C, 20 * MIB)],
        ["own 5M", "copy A 20M", "B+C 5M", "copy C 16M"],
    ),
    "loose bytes at a seam are filled up by the next range": (
        [own(MIB), of(A, 20 * MIB), own(9), of(B, 20 * MIB), own(7), of(C, 20 * MIB), own(5)],
        [
            "own+A 5M",
            "copy A 16M",
            "own+B 5M",
            "copy B 15M+9",
            "own+C 5M",
            "copy C 15M+7",
            "own 0M+5",
        ],
    ),
    "three recordings": (
        [own(LEAST), of(A, 20 * MIB), of(B, 6 * MIB), of(C, 33 * MIB), own(1)],
        ["own 5M", "copy A 20M", "copy B 6M", "copy C 16M+524288", "copy C 16M+524288", "own 0M+1"],
    ),
    "the size of a copy has an upper bound": (
        [own(LEAST), of(A, MAX_COPY_PART_BYTES), own(1)],
        ["own 5M", "copy A 32M", "own 0M+1"],
    ),
    "a longer range is cut equally": (
        [own(LEAST), of(A, 96 * MIB + 4)],
        ["own 5M", *["copy A 24M+1"] * 4],
    ),
    "a recording of 5 MiB cannot be copied from": (
        [own(LEAST), of(SMALL, LEAST), own(1)],
        ["own+small 5M+1", "small+own 5M"],
    ),
    "a recording elsewhere cannot be copied": (
        [own(1), of(OTHER, 20 * MIB - 1)],
        ["own+other 10M", "other 10M"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_parts(case: str) -> None:
    """As the case's name says."""
    pieces, parts = CASES[case]
    assert shape(pieces) == parts


def test_without_copies_everything_is_sent() -> None:
    """In parts that fit into memory."""
    assert shape([own(MIB), of(A, 20 * MIB)], copy=False) == ["own+A 7M", "A 7M", "A 7M"]


def test_a_filling_is_the_range_s_own_beginning() -> None:
    """The copy goes on where it ends."""
    first, second = plan_parts([own(MIB, 3), of(A, 20 * MIB, 1000)])
    assert first == UploadPart((own(MIB, 3), of(A, 4 * MIB, 1000)))
    assert second == CopyPart(A, 1000 + 4 * MIB, 16 * MIB)


def test_ten_thousand_parts_are_the_most() -> None:
    """Also where every range is as small as may be: then parts must be larger."""
    assert len(plan_parts([of(A, LEAST)] * 10_000)) == 10_000
    assert len(plan_parts([of(A, LEAST)] * 10_001)) <= MAX_PARTS
    assert len(plan_parts([*[of(A, LEAST)] * 10_000, own(1)])) <= MAX_PARTS
    assert len(plan_parts([of(A, LEAST)] * 30_000)) <= MAX_PARTS
    assert len(plan_parts([piece for _ in range(15_000) for piece in (of(A, LEAST), own(1))])) <= (
        MAX_PARTS
    )
    assert len(plan_parts([of(A, 5 << 40)])) <= MAX_PARTS


def test_the_largest_object_has_parts_that_s3_takes() -> None:
    """Up to 5 GiB, of an object of 5 TiB; copied and sent."""
    for copy in (True, False):
        parts = plan_parts([own(1), of(A, (5 << 40) - 2), own(1)], copy=copy)
        assert max(part.length for part in parts) <= 5 << 30
        assert len(parts) <= MAX_PARTS


LENGTHS = st.one_of(
    st.sampled_from(
        [0, 1, LEAST - 1, LEAST, LEAST + 1, 2 * LEAST - 1, 2 * LEAST, MAX_COPY_PART_BYTES + 1]
    ),
    st.integers(0, 12 * MIB),
    st.integers(0, 10**9),
    st.integers(0, 10**12),
)
OFFSETS = st.integers(0, 100)
SOURCES = st.sampled_from([A, A, B, C, SMALL, OTHER])
PIECES: st.SearchStrategy[list[AnyPiece]] = st.lists(
    st.one_of(
        st.builds(FilePiece, st.just(CLIP), OFFSETS, LENGTHS),
        st.builds(RecordingPiece, SOURCES, OFFSETS, LENGTHS),
        st.builds(BytesPiece, st.just(b"box"), OFFSETS, LENGTHS),
    ),
    max_size=12,
)


def source_of(piece: AnyPiece | CopyPart) -> object:
    if isinstance(piece, BytesPiece):
        return piece.data
    return piece.path if isinstance(piece, FilePiece) else piece.recording


def ranges(pieces: Sequence[AnyPiece | CopyPart]) -> list[tuple[object, int, int]]:
    """List the ranges of bytes in order, those that continue one another as one."""
    found: list[tuple[object, int, int]] = []
    for piece in pieces:
        source = source_of(piece)
        start, end = piece.offset, piece.offset + piece.length
        if found and found[-1][0] is source and found[-1][2] == start:
            start = found.pop()[1]
        if start < end:
            found.append((source, start, end))
    return found


@given(PIECES)
def test_what_is_uploaded_in_parts_has_parts_of_one_size(pieces: list[AnyPiece]) -> None:
    """But for the last: R2 takes no others."""
    parts = plan_parts(pieces, copy=False)
    assert len({part.length for part in parts[:-1]}) <= 1
    assert parts[-1].length <= parts[0].length


@given(PIECES, st.booleans())
def test_the_parts_are_the_pieces(pieces: list[AnyPiece], copy: bool) -> None:
    """Byte for byte, whatever they are."""
    planned: list[AnyPiece | CopyPart] = []
    for part in plan_parts(pieces, copy=copy):
        planned += [part] if isinstance(part, CopyPart) else part.pieces
    assert ranges(planned) == ranges([piece for piece in pieces if piece.length])


@given(PIECES, st.booleans())
def test_the_parts_keep_the_rules(pieces: list[AnyPiece], copy: bool) -> None:
    """S3's, and that what is sent is held in memory."""
    parts = plan_parts(pieces, copy=copy)
    total = sum(piece.length for piece in pieces)
    least = max(MIN_PART_BYTES, -(-total // 10_000))
    assert 1 <= len(parts) <= MAX_PARTS
    assert all(part.length >= least for part in parts[:-1])
    for part in parts:
        if isinstance(part, CopyPart):
            assert copy
            assert part.recording.size_bytes > MIN_PART_BYTES
            assert least <= part.length <= max(MAX_COPY_PART_BYTES, 2 * least)
        else:
            assert part.length <= 2 * least


@given(PIECES)
def test_little_is_sent_that_could_be_copied(pieces: list[AnyPiece]) -> None:
    """Of each range that is long enough, less than two parts' least."""
    total = sum(piece.length for piece in pieces)
    least = max(MIN_PART_BYTES, -(-total // 10_000))
    copied = sum(part.length for part in plan_parts(pieces) if isinstance(part, CopyPart))
    long = [
        piece.length
        for piece in pieces
        if isinstance(piece, RecordingPiece) and piece.recording in (A, B, C)
    ]
    assert copied >= sum(max(0, length - 2 * least) for length in long)
