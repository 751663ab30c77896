"""Whether the scratch folder has room for a clip, told before anything is written to it.

What is copied takes none. Footage that is encoded lies there up to four times: as it was, encoded,
in the clip, and once more while its joins are decoded. Encoded, it is about as large as it was
(1080p of 3.1 Mbit/s: 0.95 times). An estimate that is too low costs only time, since a full disk is
noticed; so it does not reckon with the worst.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from domain.errors import Unavailable
from infrastructure.ffmpeg.encode_audio import BYTES_A_SAMPLE, ENCODED_RATE_HZ, STEREO
from infrastructure.splicing.audio import can_be_copied, has_audio
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.spans import Span

COPIES = 3
"""Of the encoded frames."""
SMALL_THINGS_BYTES = 8 << 20
"""Stills, headers, sound packets."""


def require_disk_space(
    folder: Path,
    sources: Sequence[CutSource],
    spans: Sequence[Span],
    duration_ms: int,
    *,
    filled: bool,
) -> None:
    """Unavailable unless the disk has room for the work, and for the whole clip if `filled`."""
    needed = SMALL_THINGS_BYTES
    for run in spans:
        sizes = run.source.video.sizes
        frames = sum(sizes[i] for i in run.source.frames)
        if not run.copied:
            needed += sum(sizes[run.source.decoded_from : max(run.source.frames) + 1])
            needed += COPIES * frames
        elif filled:
            needed += frames
    if any(map(has_audio, sources)) and not can_be_copied(sources):
        # Decoded sound, of each cut and laid on the clip's clock.
        needed += 2 * duration_ms * ENCODED_RATE_HZ // 1000 * STEREO * BYTES_A_SAMPLE
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free < needed:
        raise Unavailable(
            f"The scratch folder has {free / 1e6:.1f} MB left; the clip takes {needed / 1e6:.1f}."
        )
