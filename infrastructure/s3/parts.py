"""Which parts of a clip S3 copies, and which are uploaded: a pure plan.

The rules (S3 User Guide, "Multipart upload limits"; API reference, UploadPartCopy): at most 10,000
parts, each of 5 MiB to 5 GiB, only the last may be smaller; a range can be copied only out of an
object of more than 5 MiB.
"""

from collections.abc import Sequence

from attrs import evolve, frozen

from application.ports import Piece, RecordingPiece
from infrastructure.s3.recordings import S3Recording

MIN_PART_BYTES = 5 << 20
MAX_PARTS = 10_000
MAX_COPY_PART_BYTES = 32 << 20
"""The largest copied part of a usual clip: eight at once copy 300 s of 1080p in one wave."""


@frozen
class BytesPiece:
    """Bytes that are in no file."""

    data: bytes
    offset: int
    length: int


AnyPiece = Piece | BytesPiece


@frozen
class CopyPart:
    """A range of a recording that S3 copies (UploadPartCopy)."""

    recording: S3Recording
    offset: int
    length: int


@frozen
class UploadPart:
    """Bytes to upload (UploadPart); those of recordings are downloaded for it."""

    pieces: tuple[AnyPiece, ...]

    @property
    def length(self) -> int:
        """The part's size in bytes."""
        return _length(self.pieces)


Part = CopyPart | UploadPart


def plan_parts(
    pieces: Sequence[AnyPiece], *, copy: bool = True, min_part_bytes: int = MIN_PART_BYTES
) -> list[Part]:
    """Cut the pieces into parts, in order; without `copy` all of them are uploaded.

    An uploaded part before a copied range is filled up to `min_part_bytes` with the range's first
    bytes. A clip of less than two such parts is one part.

    An uploaded part is at most 10 MiB, a copied one 32 MiB. Beyond 50 GB both grow to keep the
    number of parts within the limit: each but the last has at least a 10,000th of the whole.
    """
    pieces = [piece for piece in pieces if piece.length]
    total = _length(pieces)
    if total < 2 * min_part_bytes:
        return [UploadPart(tuple(pieces))]
    min_bytes = max(min_part_bytes, -(-total // MAX_PARTS))
    parts: list[Part] = []
    pending: list[AnyPiece] = []
    pending_bytes = 0
    for piece in pieces:
        missing_bytes = max(0, min_bytes - pending_bytes) if pending else 0
        if (
            not copy
            or not _can_be_copied(piece, min_part_bytes)
            or piece.length - missing_bytes < min_bytes
        ):
            pending.append(piece)
            pending_bytes += piece.length
            continue
        filling, copied = _split(piece, missing_bytes)
        parts += _uploaded([*pending, filling], min_bytes)
        parts += _copied(copied, min_bytes)
        pending, pending_bytes = [], 0
    return parts + _uploaded(pending, min_bytes)


def _can_be_copied(piece: AnyPiece, min_part_bytes: int) -> bool:
    if not isinstance(piece, RecordingPiece) or not isinstance(piece.recording, S3Recording):
        return False
    return piece.recording.size_bytes > min_part_bytes


def _uploaded(pieces: Sequence[AnyPiece], min_bytes: int) -> list[Part]:
    return [UploadPart(tuple(part)) for part in _equal_parts(pieces, 2 * min_bytes)]


def _copied(piece: AnyPiece, min_bytes: int) -> list[Part]:
    parts: list[Part] = []
    for (part,) in _equal_parts([piece], max(MAX_COPY_PART_BYTES, 2 * min_bytes)):
        assert isinstance(part, RecordingPiece)  # noqa: S101 - it can be copied
        assert isinstance(part.recording, S3Recording)  # noqa: S101
        parts.append(CopyPart(part.recording, part.offset, part.length))
    return parts


def _equal_parts(pieces: Sequence[AnyPiece], max_bytes: int) -> list[list[AnyPiece]]:
    """Cut into as few parts of equal size as `max_bytes` allows; the last one may be smaller.

    Each is more than half of `max_bytes`, but the last, which lacks up to a byte per part. (R2
    rejects parts of unlike size but for the last: Cloudflare R2, "Multipart upload limitations".)
    """
    total = _length(pieces)
    if not total:
        return []
    count = -(-total // max_bytes)
    part_bytes = -(-total // count)
    ends = [min(total, part_bytes * number) for number in range(1, count + 1)]
    parts: list[list[AnyPiece]] = [[] for _ in ends]
    at = number = 0
    for piece in pieces:
        rest = piece
        while rest.length:
            first, rest = _split(rest, ends[number] - at)
            parts[number].append(first)
            at += first.length
            number += at == ends[number]
    return parts


def _split(piece: AnyPiece, length: int) -> tuple[AnyPiece, AnyPiece]:
    first = min(length, piece.length)
    rest = evolve(piece, offset=piece.offset + first, length=piece.length - first)
    return evolve(piece, length=first), rest


def _length(pieces: Sequence[AnyPiece]) -> int:
    return sum(piece.length for piece in pieces)
