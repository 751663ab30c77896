"""H.264 inside MP4: the decoder configuration, parameter sets and NAL units.

Sources: ITU-T H.264 sections 7.3 and Annex E (parameter sets, slices, VUI), ISO/IEC 14496-15
section 5.3.3 (avcC: ``AVCDecoderConfigurationRecord``).
"""

# ruff: noqa: PLR2004 - the numbers are the standards' own

import struct
from collections.abc import Iterator, Sequence
from enum import IntEnum

from attrs import evolve, field, frozen

from infrastructure.mp4.bit_reader import BitReader
from infrastructure.mp4.errors import InvalidMp4

WITH_CHROMA = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}
"""Profiles whose SPS says chroma format and bit depth; all others are 4:2:0 with 8 bits."""
HIGH_444_PREDICTIVE = 244
"""The profile_idc whose coding depends on the encoder: x264 before build 151 had an error, and
decoders recognise it by the version in the SEI of the stream's first picture."""
MAX_NALS = 4096
"""Of a sample: a picture of 8192 x 8192 in a slice per row has 512."""
SLICE_TYPES = "PBIpi"
"""slice_type modulo 5: P, B, I, and the switching p and i."""


class NalType(IntEnum):
    """What a NAL unit contains (7.4.1, table 7-1): its first byte modulo 32."""

    SLICE = 1
    PARTITION_A = 2
    IDR_SLICE = 5
    SUPPLEMENTAL = 6
    SEQUENCE_PARAMETERS = 7
    PICTURE_PARAMETERS = 8


PARAMETER_SETS = {NalType.SEQUENCE_PARAMETERS, NalType.PICTURE_PARAMETERS}


@frozen
class AvcConfig:
    """An avcC's payload in parts; *extension* is what follows the PPS (chroma, bit depths)."""

    profile: int
    compatibility: int
    level: int
    nal_length_size: int  # bytes in front of each NAL unit: 1, 2 or 4
    sps: tuple[bytes, ...] = field(repr=False)
    pps: tuple[bytes, ...] = field(repr=False)
    extension: bytes = field(default=b"", repr=False)


@frozen
class Sps:
    """A sequence parameter set (H.264 7.3.2.1.1), as far as a splice must know it."""

    sps_id: int
    width: int  # pixels, cropped
    height: int
    chroma_format_idc: int  # 1: 4:2:0
    bit_depth_luma: int
    bit_depth_chroma: int
    frame_mbs_only: bool  # False: the stream may be interlaced
    full_range: bool  # video_full_range_flag (E.2.1): samples use all values


def parse_avcc(payload: bytes) -> AvcConfig:
    """Take an avcC's payload apart; InvalidMp4 if it is cut off or of another version."""
    if len(payload) < 7 or payload[0] != 1:
        raise InvalidMp4("the avcC is cut off or of an unknown version")
    if payload[4] & 3 == 2:
        raise InvalidMp4("the avcC asks for NAL lengths of 3 bytes")
    sps, at = _sets(payload, 6, payload[5] & 31)
    if at >= len(payload):
        raise InvalidMp4("the avcC is cut off before its PPS")
    pps, at = _sets(payload, at + 1, payload[at])
    return AvcConfig(
        payload[1], payload[2], payload[3], (payload[4] & 3) + 1, sps, pps, payload[at:]
    )


def _sets(payload: bytes, at: int, count: int) -> tuple[tuple[bytes, ...], int]:
    found = []
    for _ in range(count):
        end = at + 2 + int.from_bytes(payload[at : at + 2])
        if len(payload) < end or end == at + 2:
            raise InvalidMp4("the avcC is cut off inside a parameter set")
        found.append(payload[at + 2 : end])
        at = end
    return tuple(found), at


def build_avcc(config: AvcConfig) -> bytes:
    """Build an avcC's payload, the reverse of ``parse_avcc``. ValueError on too many sets."""
    if len(config.sps) > 31 or len(config.pps) > 255:
        raise ValueError("an avcC holds at most 31 SPS and 255 PPS")
    head = bytes((1, config.profile, config.compatibility, config.level))
    return b"".join(
        (
            head,
            bytes((0xFC | config.nal_length_size - 1, 0xE0 | len(config.sps))),
            *(struct.pack(">H", len(nal)) + nal for nal in config.sps),
            bytes((len(config.pps),)),
            *(struct.pack(">H", len(nal)) + nal for nal in config.pps),
            config.extension,
        )
    )


def merge_avcc(configs: Sequence[AvcConfig]) -> AvcConfig:
    """Put all parameter sets under the first configuration; the highest level wins.

    Equal sets are kept once. ValueError where two unlike sets carry one id, or lengths differ.
    """
    first = configs[0]
    if any(config.nal_length_size != first.nal_length_size for config in configs):
        raise ValueError("the NAL length sizes differ")
    sps = tuple(dict.fromkeys(nal for config in configs for nal in config.sps))
    pps = tuple(dict.fromkeys(nal for config in configs for nal in config.pps))
    for ids in ([parse_sps(nal).sps_id for nal in sps], [read_pps_id(nal) for nal in pps]):
        if len(set(ids)) != len(ids):
            raise ValueError("two unlike parameter sets carry one id")
    return evolve(first, level=max(config.level for config in configs), sps=sps, pps=pps)


def parse_sps(nal: bytes) -> Sps:
    """Read a sequence parameter set NAL unit; InvalidMp4 if it is none or cut off."""
    if not nal or nal[0] & 31 != NalType.SEQUENCE_PARAMETERS:
        raise InvalidMp4("this NAL unit is no sequence parameter set")
    bits = BitReader(nal[1:])
    profile = bits.u(8)
    bits.u(16)  # constraint flags, level_idc
    sps_id = bits.ue()
    chroma, luma_bits, chroma_bits, has_planes = 1, 8, 8, 0
    if profile in WITH_CHROMA:
        chroma = bits.ue()
        if chroma == 3:
            has_planes = bits.u(1)  # separate_colour_plane_flag
        luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
        bits.u(1)  # qpprime_y_zero_transform_bypass_flag
        if bits.u(1):
            for number in range(8 if chroma != 3 else 12):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if number < 6 else 64)
    bits.ue()  # log2_max_frame_num_minus4
    _skip_picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.u(1)  # gaps_in_frame_num_value_allowed_flag
    columns, rows = bits.ue() + 1, bits.ue() + 1  # of macroblocks, rows of a field if interlaced
    frames_only = bits.u(1)
    if not frames_only:
        bits.u(1)  # mb_adaptive_frame_field_flag
    bits.u(1)  # direct_8x8_inference_flag
    crop = [bits.ue() for _ in range(4)] if bits.u(1) else [0] * 4  # left, right, top, bottom
    fields = 2 - frames_only
    across, down = crop_unit(0 if has_planes else chroma)
    width = 16 * columns - across * (crop[0] + crop[1])
    height = 16 * rows * fields - down * fields * (crop[2] + crop[3])
    if width <= 0 or height <= 0:
        raise InvalidMp4("the sequence parameter set crops more than there is")
    return Sps(
        sps_id=sps_id,
        width=width,
        height=height,
        chroma_format_idc=chroma,
        bit_depth_luma=luma_bits,
        bit_depth_chroma=chroma_bits,
        frame_mbs_only=bool(frames_only),
        full_range=bool(bits.u(1)) and _is_full_range(bits),
    )


def crop_unit(chroma_format_idc: int) -> tuple[int, int]:
    """Return how many pixels a unit of cropping is wide and high (table 6-1: SubWidthC...)."""
    return (2 if chroma_format_idc in {1, 2} else 1), (2 if chroma_format_idc == 1 else 1)


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _skip_picture_order(bits: BitReader) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.u(1), bits.se(), bits.se()
        count = bits.ue()
        if count > 255:
            raise InvalidMp4("the sequence parameter set holds an absurd number")
        for _ in range(count):
            bits.se()


def _is_full_range(bits: BitReader) -> bool:
    """Read the VUI (E.1.1) as far as video_full_range_flag."""
    if bits.u(1) and bits.u(8) == 255:  # aspect ratio; 255: an extended one follows
        bits.u(32)
    if bits.u(1):  # overscan
        bits.u(1)
    if not bits.u(1):  # video signal type
        return False
    bits.u(3)  # video_format
    return bool(bits.u(1))


def read_pps_id(nal: bytes) -> int:
    """Read the id of a picture parameter set (H.264 7.3.2.2); InvalidMp4 if it is none."""
    if not nal or nal[0] & 31 != NalType.PICTURE_PARAMETERS:
        raise InvalidMp4("this NAL unit is no picture parameter set")
    return BitReader(nal[1:]).ue()


def nal_units(prefix: bytes, nal_length_size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the NAL units that begin in *prefix*, the first bytes of a sample; empty ones are not.

    Each has its length in bytes, of which the last may have fewer here. At most MAX_NALS are read.
    """
    at = 0
    for _ in range(MAX_NALS):
        begin = at + nal_length_size
        if begin >= len(prefix):
            return
        length = int.from_bytes(prefix[at:begin])
        at = begin + length
        if length:
            yield length, prefix[begin:at]


def has_known_sets(prefix: bytes, config: AvcConfig) -> bool:
    """Return whether a sample that begins with `prefix` has no parameter sets but those known.

    Repeated known sets do no harm. A set that `prefix` cuts off decides nothing.
    """
    known = {*config.sps, *config.pps}
    return not any(
        nal[0] & 31 in PARAMETER_SETS and len(nal) == length and nal not in known
        for length, nal in nal_units(prefix, config.nal_length_size)
    )


def is_idr_with_known_sets(prefix: bytes, config: AvcConfig) -> bool | None:
    """Return whether a sample begins an IDR picture without parameter sets unknown to `config`.

    None if `prefix` ends before the picture begins.
    """
    if not has_known_sets(prefix, config):
        return False
    kinds = (nal[0] & 31 for _, nal in nal_units(prefix, config.nal_length_size))
    slices = (kind for kind in kinds if NalType.SLICE <= kind <= NalType.IDR_SLICE)
    first = next(slices, None)
    return None if first is None else first == NalType.IDR_SLICE


def first_slice_type(prefix: bytes, nal_length_size: int) -> str | None:
    """Return "I", "P" or "B" (or "p", "i") of the first slice that begins in *prefix*.

    None where no slice begins there: read more of the sample.
    """
    for _, nal in nal_units(prefix, nal_length_size):
        if nal[0] & 31 in {NalType.SLICE, NalType.PARTITION_A, NalType.IDR_SLICE}:
            bits = BitReader(nal[1:17])
            bits.ue()  # first_mb_in_slice
            return SLICE_TYPES[bits.ue() % 5]
    return None
