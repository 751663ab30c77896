"""What a proof must say of a clip, found out without the product's help."""

import hashlib

from application.ports import RecordingPiece, Rendition
from domain.proof import COPIED, Proof


def assert_proven(rendition: Rendition, data: bytes) -> Proof:
    """Hold the proof against the clip's bytes: each is in one part, and is what the part says."""
    proof = rendition.evidence.proof
    assert proof
    parts = [(part.offset, part.length) for part in proof.own]
    parts = sorted([*parts, *((part.offset, part.length) for part in proof.copied)])
    at = 0
    for offset, length in parts:
        assert offset == at, f"bytes {min(offset, at)} to {max(offset, at)} are in no part, or two"
        assert length > 0
        at += length
    assert at == len(data)
    for own in proof.own:
        found = data[own.offset : own.offset + own.length]
        assert own.sha256 == hashlib.sha256(found).hexdigest()
    recordings = {
        piece.recording.segment.name: piece.recording
        for piece in rendition.pieces
        if isinstance(piece, RecordingPiece)
    }
    for copied in proof.copied:
        theirs = recordings[copied.source].read(copied.source_offset, copied.length)
        assert data[copied.offset : copied.offset + copied.length] == theirs
    copied_bytes = sum(p.length for p in rendition.pieces if isinstance(p, RecordingPiece))
    assert sum(part.length for part in proof.copied) == copied_bytes
    media = rendition.media
    assert sum(run.frames for run in proof.frames) == media.frames
    copied_frames = sum(run.frames for run in proof.frames if run.origin == COPIED)
    assert copied_frames == media.copied_frames
    assert all(run.first_timestamp_ms <= run.last_timestamp_ms for run in proof.frames)
    return proof
