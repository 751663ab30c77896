"""Which tracks of a file are its video and its audio, where there are several.

Recorders store thumbnails as video tracks of one picture, before or after the video, and audio
tracks without samples while the microphone is off.
"""

import struct

from infrastructure.mp4.boxes import child, children, fourcc, require
from infrastructure.mp4.sample_entry import is_image_codec

HANDLERS = ("vide", "soun")
ENABLED = 1
"""track_enabled, of tkhd's flags (8.3.2.3)."""


def chosen_traks(moov: memoryview, *, is_fragmented: bool) -> dict[str, memoryview]:
    """Return the trak of the video and of the audio, by handler type.

    The first that is enabled, has samples and, if it is video, is no thumbnail; where
    there is none, the one that lacks least. Audio that has no samples, because it has no sample
    entry or the file is progressive, is left out. InvalidMp4 if a box exceeds its parent.
    """
    found: dict[str, tuple[tuple[bool, ...], memoryview]] = {}
    for kind, trak in children(moov):
        if kind != b"trak":
            continue
        handler = fourcc(bytes(require(trak, b"mdia", b"hdlr")[8:12]))
        if handler not in HANDLERS:
            continue
        stbl = require(trak, b"mdia", b"minf", b"stbl")
        count = None if is_fragmented else _samples(stbl)
        stsd = child(stbl, b"stsd")
        if handler == "soun" and (count == 0 or (stsd and not any(children(stsd[8:])))):
            continue
        is_image = handler == "vide" and (count == 1 or bool(stsd and is_image_codec(stsd)))
        lacks = (count == 0, is_image, not _is_enabled(trak))
        if handler not in found or lacks < found[handler][0]:
            found[handler] = lacks, trak
    return {handler: trak for handler, (_, trak) in found.items()}


def _samples(stbl: memoryview) -> int | None:
    """Return how many samples a track states, None if it does not."""
    sizes = child(stbl, b"stsz") or child(stbl, b"stz2")
    if sizes is None:
        return None
    count: int = struct.unpack_from(">I", sizes, 8)[0]
    return count


def _is_enabled(trak: memoryview) -> bool:
    flags: int = struct.unpack_from(">I", require(trak, b"tkhd"), 0)[0]
    return bool(flags & ENABLED)
