"""Whether decoding may begin at a sample: seen from its first bytes, whatever the tables state."""

# ruff: noqa: PLR2004 - the numbers are the standards' own

from enum import Enum

from infrastructure.mp4 import hevc
from infrastructure.mp4.avc import NalType, first_slice_type, nal_units, parse_avcc
from infrastructure.mp4.errors import InvalidMp4

AVC, HEVC = {"avc1", "avc3"}, {"hvc1", "hev1"}
RECOVERY_POINT, USER_DATA = 6, 5
"""payloadType of SEI messages (ITU-T H.264, D.1.1)."""
VOP_START = b"\0\0\1\xb6"
"""What a picture of MPEG-4 Visual begins with (ISO/IEC 14496-2, 6.3.5)."""


class Access(Enum):
    """What may be decoded from a picture on."""

    WHOLE = "whole"
    """Everything: later pictures refer to nothing before it."""
    INTRA = "intra"
    """Itself; later pictures may refer to pictures before it."""
    REFRESH = "refresh"
    """What follows the next refresh: pictures become whole gradually (a recovery point)."""
    NONE = "none"
    UNKNOWN = "unknown"


def is_codec_known(codec: str, config: bytes) -> bool:
    """Return whether anything can be seen in the samples of a track."""
    return codec == "mp4v" or (codec in AVC | HEVC and config != b"")


def access_of(codec: str, config: bytes, prefix: bytes) -> Access:
    """Return what a sample that begins with `prefix` is; UNKNOWN if that cannot be seen."""
    try:
        if codec in AVC:
            return _of_avc(prefix, parse_avcc(config).nal_length_size)
        if codec in HEVC:
            return _of_hevc(prefix, hevc.nal_length_size(config))
    except InvalidMp4:
        # The decoder has the last word.
        return Access.UNKNOWN
    at = prefix.find(VOP_START) + len(VOP_START) if codec == "mp4v" else 0
    if len(VOP_START) <= at < len(prefix):
        return Access.NONE if prefix[at] >> 6 else Access.WHOLE
    return Access.UNKNOWN


def _of_avc(prefix: bytes, length_size: int) -> Access:
    slice_type = first_slice_type(prefix, length_size)
    if slice_type is None:
        return Access.UNKNOWN
    kinds = [nal[0] & 31 for _, nal in nal_units(prefix, length_size)]
    if NalType.IDR_SLICE in kinds:
        return Access.WHOLE
    recovers = any(
        RECOVERY_POINT in sei_payloads(nal)
        for _, nal in nal_units(prefix, length_size)
        if nal[0] & 31 == NalType.SUPPLEMENTAL
    )
    if slice_type in "Ii":
        return Access.WHOLE if recovers else Access.INTRA
    return Access.REFRESH if recovers else Access.NONE


def _of_hevc(prefix: bytes, length_size: int) -> Access:
    for _, nal in nal_units(prefix, length_size):
        if (kind := hevc.nal_type(nal)) in hevc.PICTURES:
            return Access.WHOLE if kind in hevc.RANDOM_ACCESS else Access.NONE
    return Access.UNKNOWN


def sei_payloads(nal: bytes) -> list[int]:
    """Return the types of the messages of an H.264 SEI NAL unit (7.3.2.3.1)."""
    found, at = [], 1
    while at + 1 < len(nal):
        numbers = []
        for _ in range(2):
            number = 0
            while at < len(nal) and nal[at] == 0xFF:
                number += 255
                at += 1
            numbers.append(number + (nal[at] if at < len(nal) else 0))
            at += 1
        found.append(numbers[0])
        at += numbers[1]
    return found


def user_data(prefix: bytes, length_size: int) -> bytes:
    """Return the SEI NAL units with unregistered user data in a sample that begins with `prefix`.

    Each has its length in front. Encoders state themselves and their version there.
    """
    return b"".join(
        length.to_bytes(length_size) + nal
        for length, nal in nal_units(prefix, length_size)
        if nal[0] & 31 == NalType.SUPPLEMENTAL
        and length == len(nal)
        and USER_DATA in sei_payloads(nal)
    )
