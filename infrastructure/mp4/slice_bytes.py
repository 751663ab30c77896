"""Bytes that no coded picture consists of.

No NAL unit contains 00 00 00, 00 00 01 or 00 00 02: an encoder puts a 03 in between (ITU-T H.264,
7.4.1; H.265, 7.4.2.1). Where a slice does, its bytes were overwritten, usually by zeros; decoders
seldom notice, because zeros are valid symbols. A few zeros after a slice are padding.
"""

from infrastructure.mp4.avc import NalType, nal_units
from infrastructure.mp4.boxes import Read
from infrastructure.mp4.index import Track

IMPOSSIBLE = (b"\0\0\0", b"\0\0\1", b"\0\0\2")
MAX_PADDING_BYTES = 64
LAST_HEVC_SLICE_TYPE = 31
LENGTH_SIZE_AT = {"avc1": 4, "avc3": 4, "hvc1": 21, "hev1": 21}
"""Where avcC and hvcC state how long the length before a NAL unit is (14496-15, 5.3 and 8.3)."""


def has_impossible_slice(track: Track, read: Read) -> bool:
    """Return whether a slice of the track's samples cannot be what an encoder wrote.

    `read` reads the file of the track. False if the codec is neither H.264 nor HEVC.
    """
    at = LENGTH_SIZE_AT.get(track.codec)
    if at is None or len(track.config) <= at:
        return False
    length_size = (track.config[at] & 3) + 1
    is_avc = track.codec.startswith("avc")
    return any(
        _is_slice(nal[0], is_avc=is_avc) and _is_impossible(nal)
        for offset, size in zip(track.offsets, track.sizes, strict=True)
        for _, nal in nal_units(read(offset, size), length_size)
    )


def _is_slice(first_byte: int, *, is_avc: bool) -> bool:
    if is_avc:
        return NalType.SLICE <= first_byte & 31 <= NalType.IDR_SLICE
    return first_byte >> 1 & 63 <= LAST_HEVC_SLICE_TYPE


def _is_impossible(nal: bytes) -> bool:
    coded = nal.rstrip(b"\0")
    if len(nal) - len(coded) > MAX_PADDING_BYTES:
        return True
    return any(sequence in coded for sequence in IMPOSSIBLE)
