"""HEVC inside MP4, as far as cuts must know it: the picture's size, and random access points.

Sources: ITU-T H.265 sections 7.3.1.2, 7.3.2.2 and 7.3.3 (NAL unit header, sequence parameter set,
profile), ISO/IEC 14496-15 section 8.3.3.1 (hvcC: ``HEVCDecoderConfigurationRecord``).
"""

# ruff: noqa: PLR2004 - the numbers are the standards' own

from infrastructure.mp4.avc import crop_unit
from infrastructure.mp4.bit_reader import BitReader
from infrastructure.mp4.errors import InvalidMp4

SEQUENCE_PARAMETERS = 33
"""NAL unit type of an SPS (table 7-1)."""
RANDOM_ACCESS = range(16, 24)
"""NAL unit types of pictures that decoding may begin at."""
PICTURES = range(32)
"""NAL unit types of slices."""


def nal_length_size(hvcc: bytes) -> int:
    """Return how many bytes precede each NAL unit; InvalidMp4 if the hvcC is cut off."""
    if len(hvcc) < 23:
        raise InvalidMp4("the hvcC is cut off")
    return (hvcc[21] & 3) + 1


def nal_type(nal: bytes) -> int:
    """Return what a NAL unit contains (7.3.1.2)."""
    return nal[0] >> 1 & 63


def picture_size(hvcc: bytes) -> tuple[int, int] | None:
    """Return the cropped width and height in pixels of the first SPS of an hvcC, None without SPS.

    InvalidMp4 if it is cut off.
    """
    at = 23
    for _ in range(hvcc[22] if len(hvcc) > 22 else 0):
        kind, count = hvcc[at : at + 1], int.from_bytes(hvcc[at + 1 : at + 3])
        at += 3
        for _ in range(count):
            end = at + 2 + int.from_bytes(hvcc[at : at + 2])
            if not kind or len(hvcc) < end:
                raise InvalidMp4("the hvcC is cut off inside a parameter set")
            if kind[0] & 63 == SEQUENCE_PARAMETERS:
                return _size(BitReader(hvcc[at + 4 : end]))
            at = end
    return None


def _size(bits: BitReader) -> tuple[int, int]:
    bits.u(4)  # sps_video_parameter_set_id
    layers = bits.u(3)  # sps_max_sub_layers_minus1
    bits.u(1)  # sps_temporal_id_nesting_flag
    bits.u(96)  # general profile and level
    present = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    bits.u(2 * (8 - layers) if layers else 0)
    for has_profile, has_level in present:
        bits.u(88 * has_profile + 8 * has_level)
    bits.ue()  # sps_seq_parameter_set_id
    chroma = bits.ue()
    if chroma == 3 and bits.u(1):  # separate_colour_plane_flag
        chroma = 0
    width, height = bits.ue(), bits.ue()
    if bits.u(1):  # conformance_window_flag
        across, down = crop_unit(chroma)
        width -= across * (bits.ue() + bits.ue())
        height -= down * (bits.ue() + bits.ue())
    if width <= 0 or height <= 0:
        raise InvalidMp4("the sequence parameter set crops more than there is")
    return width, height
