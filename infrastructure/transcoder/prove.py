"""What proves a rendered clip: each of its bytes and frames, and the tools that made it."""

import hashlib
import platform
from collections.abc import Iterator, Sequence

from application.ports import FilePiece, Piece, RecordingPiece
from domain.proof import COPIED, ENCODED, FILLER, CopiedPart, FrameRun, OwnPart, Proof, Tool
from domain.version import VERSION
from infrastructure.splicing.filler import PICTURE_MS
from infrastructure.splicing.layout import Layout
from infrastructure.splicing.spans import CopiedSpan, EncodedSpan, Span

MIN_OWN_PART_BYTES = 1 << 20
"""A change is found to lie within so many bytes. The header is a part of its own: the sample tables
that name a part's frames can be trusted if it is unchanged."""
MAX_OWN_PARTS = 256
"""Beyond so many MiB, parts are larger."""


def proof_of(
    layout: Layout, pieces: Sequence[Piece], spans: Sequence[Span], ffmpeg_version: str
) -> Proof:
    """Return the proof of a clip whose own bytes have been written."""
    return Proof(
        own_parts(layout, pieces),
        copied_parts(pieces),
        frame_runs(spans),
        tools_of(ffmpeg_version),
    )


def own_parts(layout: Layout, pieces: Sequence[Piece]) -> tuple[OwnPart, ...]:
    """Hash our own bytes: the header, and the rest in parts.

    They have just been written: the system still has them in memory (1.3 MB take 2 ms).
    """
    header_bytes = len(layout.header)
    part_bytes = max(MIN_OWN_PART_BYTES, -(-layout.size_bytes // MAX_OWN_PARTS))
    files = (piece for piece in pieces if isinstance(piece, FilePiece))
    return tuple(part for piece in files for part in _hashed(piece, header_bytes, part_bytes))


def _hashed(piece: FilePiece, header_bytes: int, part_bytes: int) -> Iterator[OwnPart]:
    at, end = piece.offset, piece.offset + piece.length
    with piece.path.open("rb") as file:
        file.seek(at)
        while at < end:
            length = min(part_bytes, end - at)
            if at < header_bytes:
                length = min(header_bytes, end) - at
            yield OwnPart(at, length, hashlib.sha256(file.read(length)).hexdigest())
            at += length


def copied_parts(pieces: Sequence[Piece]) -> tuple[CopiedPart, ...]:
    """Return which of the clip's bytes are which of the recordings'."""
    parts: list[CopiedPart] = []
    at = 0
    for piece in pieces:
        if isinstance(piece, RecordingPiece):
            name = piece.recording.segment.name
            parts.append(CopiedPart(at, piece.length, name, piece.offset))
        at += piece.length
    return tuple(parts)


def frame_runs(spans: Sequence[Span]) -> tuple[FrameRun, ...]:
    """Return when the frames of each span were seen, and whether they are copied."""
    return tuple(map(_frame_run, spans))


def _frame_run(span: Span) -> FrameRun:
    source = span.source
    if isinstance(span, EncodedSpan) and span.fills:
        first_ms = span.fills.start_ms
        last_ms = first_ms + (len(span.times) - 1) * PICTURE_MS
        return FrameRun(source.cut.segment.name, FILLER, len(span.times), first_ms, last_ms)
    shown = dict(zip(span.times, span.frames, strict=True))
    bounds_ms = (source.seen_ms(shown[time]) for time in (min(shown), max(shown)))
    origin = COPIED if isinstance(span, CopiedSpan) else ENCODED
    return FrameRun(source.cut.segment.name, origin, len(span.frames), *bounds_ms)


def tools_of(ffmpeg_version: str) -> tuple[Tool, ...]:
    """Return what made the clip."""
    return (
        Tool("camclip", VERSION),
        Tool("ffmpeg", ffmpeg_version),
        Tool("Python", platform.python_version()),
    )
