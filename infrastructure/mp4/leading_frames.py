"""Whether frames that are shown before the first keyframe, but decoded after it, can be decoded.

At the start of a file they refer to frames that are not there, unless the keyframe is one across
which nothing refers: ITU-T H.264, table 7-1, and H.265, table 7-1.
"""

# ruff: noqa: PLR2004 - the numbers are the standards' own

from typing import TYPE_CHECKING

from infrastructure.mp4.avc import NalType, nal_units, parse_avcc
from infrastructure.mp4.errors import InvalidMp4

if TYPE_CHECKING:
    from infrastructure.mp4.boxes import Read
    from infrastructure.mp4.index import Track

KEYFRAME_PREFIX_BYTES = 4096
"""Enough of a keyframe to see its first slice behind parameter sets and SEI."""
HEVC_SLICES = range(32)
HEVC_CLOSED = range(17, 21)
"""BLA_W_RADL, BLA_N_LP, IDR_W_RADL, IDR_N_LP: pictures before them refer to none before that."""


def are_leading_decodable(read: "Read", video: "Track") -> bool:
    """Return whether all frames can be decoded if decoding starts at the first sample."""
    prefix = read(video.offsets[0], min(video.sizes[0], KEYFRAME_PREFIX_BYTES))
    try:
        if video.codec in {"avc1", "avc3"}:
            size = parse_avcc(video.config).nal_length_size
            kinds = (nal[0] & 31 for _, nal in nal_units(prefix, size) if nal)
            slices = (kind for kind in kinds if NalType.SLICE <= kind <= NalType.IDR_SLICE)
            return next(slices, None) == NalType.IDR_SLICE
        if video.codec in {"hvc1", "hev1"} and len(video.config) > 21:
            size = (video.config[21] & 3) + 1
            kinds = (nal[0] >> 1 & 63 for _, nal in nal_units(prefix, size) if nal)
            return next((kind for kind in kinds if kind in HEVC_SLICES), None) in HEVC_CLOSED
    except InvalidMp4:
        pass
    return False
