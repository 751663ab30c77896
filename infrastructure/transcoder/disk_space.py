"""Whether the scratch folder has room for a clip, before anything is written to it.

Copied frames need no scratch space. Encoded ones exist up to four times: source, encoded, muxed,
and while being verified. Encoded, they are about as large as they were (1080p of 3.1 Mbit/s: 0.95
times). An estimate that is too low only costs time, because a full disk is detected, so this does
not assume the worst.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from domain.errors import Unavailable
from infrastructure.ffmpeg.encode_audio import BYTES_A_SAMPLE, ENCODED_RATE_HZ, STEREO
from infrastructure.splicing.audio import audio_in_cut, is_audio_copyable
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.spans import EncodedSpan, Span

ENCODED_COPIES = 3
OVERHEAD_BYTES = 8 << 20
"""Thumbnails, headers, audio packets."""


def require_disk_space(
    folder: Path,
    sources: Sequence[CutSource],
    spans: Sequence[Span],
    duration_ms: int,
    *,
    is_filled: bool,
) -> None:
    """Unavailable unless the disk has room for the work, and for the whole clip if `is_filled`."""
    needed_bytes = OVERHEAD_BYTES
    for span in spans:
        sizes = span.source.video.sizes
        frames_bytes = sum(sizes[i] for i in span.frames)
        if isinstance(span, EncodedSpan):
            needed_bytes += sum(sizes[span.decode_start : max(span.frames) + 1])
            needed_bytes += ENCODED_COPIES * frames_bytes
        elif is_filled:
            needed_bytes += frames_bytes
    if any(map(audio_in_cut, sources)) and not is_audio_copyable(sources):
        # Decoded audio, of each cut and at its place in the clip.
        needed_bytes += 2 * duration_ms * ENCODED_RATE_HZ // 1000 * STEREO * BYTES_A_SAMPLE
    disk = os.statvfs(folder)
    free_bytes = disk.f_bavail * disk.f_frsize
    if free_bytes < needed_bytes:
        raise Unavailable(
            f"The scratch folder has {free_bytes / 1e6:.1f} MB free;"
            f" the clip needs {needed_bytes / 1e6:.1f} MB."
        )
