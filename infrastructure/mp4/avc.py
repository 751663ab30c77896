"""H.264 inside MP4: the decoder configuration, parameter sets and NAL units.

Sources: ITU-T H.264 sections 7.3 and Annex E (parameter sets, slices, VUI), ISO/IEC 14496-15
section 5.3.3 (avcC: ``AVCDecoderConfigurationRecord``).
"""

# ruff: noqa: PLR2004 - the numbers are the standards' own

import struct
from collections.abc import Iterator, Sequence

from attrs import field, frozen

from infrastructure.mp4.boxes import box, children
from infrastructure.mp4.errors import InvalidMp4

NON_IDR, IDR, SEI, SPS, PPS, DELIMITER = 1, 5, 6, 7, 8, 9
WITH_CHROMA = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}
"""Profiles whose SPS says chroma format and bit depth; all others are 4:2:0 with 8 bits."""
MAX_PARAMETERS_BYTES = 4096
MAX_NALS = 4096
"""Of a sample: a picture of 8192 x 8192 in a slice per row has 512."""
SLICE_TYPES = "PBIpi"
"""slice_type modulo 5: P, B, I, and the switching p and i."""


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
class Colour:
    """What the VUI says of the colours (Annex E.2.1); 2 is "unspecified"."""

    full_range: bool = False
    primaries: int = 2
    transfer: int = 2
    matrix: int = 2


@frozen
class Sps:
    """A sequence parameter set (H.264 7.3.2.1.1), as far as a splice must know it."""

    sps_id: int
    profile_idc: int
    constraints: int  # constraint_set0_flag is the highest of the eight bits
    level_idc: int
    chroma_format_idc: int  # 1: 4:2:0
    bit_depth_luma: int
    bit_depth_chroma: int
    num_ref_frames: int
    frame_mbs_only: bool  # False: the stream may be interlaced
    width: int  # pixels, cropped
    height: int
    max_num_reorder_frames: int | None  # None where the VUI does not say
    colour: Colour | None  # None where the VUI does not say


@frozen
class Pps:
    """A picture parameter set's ids (H.264 7.3.2.2)."""

    pps_id: int
    sps_id: int


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
    for ids in ([parse_sps(nal).sps_id for nal in sps], [parse_pps(nal).pps_id for nal in pps]):
        if len(set(ids)) != len(ids):
            raise ValueError("two unlike parameter sets carry one id")
    return AvcConfig(
        first.profile,
        first.compatibility,
        max(config.level for config in configs),
        first.nal_length_size,
        sps,
        pps,
        first.extension,
    )


def avc1_entry(template: bytes | tuple[int, int], avcc: bytes) -> bytes:
    """Build an avc1 sample entry around the payload *avcc* (ISO/IEC 14496-12, 12.1.3).

    *template* is a sample entry whose fields and other boxes (colr, pasp, btrt) are kept, or the
    (width, height) in pixels.
    """
    if isinstance(template, tuple):
        fields = struct.pack(">6xH16xHHIIIH32xHh", 1, *template, 0x480000, 0x480000, 0, 1, 0x18, -1)
        return box(b"avc1", fields, box(b"avcC", avcc))
    boxes = children(memoryview(template)[86:])
    kept = [box(kind, bytes(inner)) for kind, inner in boxes if kind not in {b"avcC", b"hvcC"}]
    return box(b"avc1", template[8:86], box(b"avcC", avcc), *kept)


class _Bits:
    """Reads a NAL unit's payload bit by bit, emulation prevention bytes taken out (7.4.1)."""

    def __init__(self, nal: bytes) -> None:
        raw = nal[:MAX_PARAMETERS_BYTES].replace(b"\0\0\3", b"\0\0")
        self._number = int.from_bytes(raw)
        self._left = 8 * len(raw)

    def u(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise InvalidMp4("a parameter set or slice header is cut off")
        return self._number >> self._left & (1 << count) - 1

    def ue(self) -> int:
        """Read an unsigned Exp-Golomb number (9.1)."""
        zeros = 0
        while self.u(1) == 0:
            zeros += 1
            if zeros > 32:
                raise InvalidMp4("a parameter set or slice header holds an absurd number")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """Read a signed Exp-Golomb number (9.1.1)."""
        number = self.ue()
        return (number + 1) // 2 if number & 1 else -(number // 2)


def parse_sps(nal: bytes) -> Sps:
    """Read a sequence parameter set NAL unit; InvalidMp4 if it is none or cut off."""
    if not nal or nal[0] & 31 != SPS:
        raise InvalidMp4("this NAL unit is no sequence parameter set")
    bits = _Bits(nal[1:])
    profile, constraints, level, sps_id = bits.u(8), bits.u(8), bits.u(8), bits.ue()
    chroma, luma_bits, chroma_bits, separate = 1, 8, 8, 0
    if profile in WITH_CHROMA:
        chroma = bits.ue()
        separate = bits.u(1) if chroma == 3 else 0
        luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
        bits.u(1)  # qpprime_y_zero_transform_bypass_flag
        if bits.u(1):
            for number in range(8 if chroma != 3 else 12):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if number < 6 else 64)
    bits.ue()  # log2_max_frame_num_minus4
    _skip_picture_order(bits)
    references = bits.ue()
    bits.u(1)  # gaps_in_frame_num_value_allowed_flag
    wide, high, frames_only = bits.ue() + 1, bits.ue() + 1, bits.u(1)
    if not frames_only:
        bits.u(1)  # mb_adaptive_frame_field_flag
    bits.u(1)  # direct_8x8_inference_flag
    left, right, top, bottom = (bits.ue() for _ in range(4)) if bits.u(1) else (0, 0, 0, 0)
    # Cropping counts in chroma samples, and in pairs of lines where fields are allowed (7.4.2.1.1).
    across = 2 if chroma in {1, 2} and not separate else 1
    down = (2 if chroma == 1 and not separate else 1) * (2 - frames_only)
    width = 16 * wide - across * (left + right)
    height = 16 * (2 - frames_only) * high - down * (top + bottom)
    if chroma > 3 or width <= 0 or height <= 0:
        raise InvalidMp4("the sequence parameter set describes no picture")
    reorder, colour = _vui(bits) if bits.u(1) else (None, None)
    return Sps(
        sps_id=sps_id,
        profile_idc=profile,
        constraints=constraints,
        level_idc=level,
        chroma_format_idc=chroma,
        bit_depth_luma=luma_bits,
        bit_depth_chroma=chroma_bits,
        num_ref_frames=references,
        frame_mbs_only=bool(frames_only),
        width=width,
        height=height,
        max_num_reorder_frames=reorder,
        colour=colour,
    )


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _skip_picture_order(bits: _Bits) -> None:
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


def _vui(bits: _Bits) -> tuple[int | None, Colour | None]:
    """Read the VUI (E.1.1): how many frames are reordered, and the colours."""
    if bits.u(1) and bits.u(8) == 255:  # aspect ratio; 255: an extended one follows
        bits.u(32)
    if bits.u(1):  # overscan
        bits.u(1)
    colour = None
    if bits.u(1):  # video signal type
        bits.u(3)
        full = bool(bits.u(1))
        described = (bits.u(8), bits.u(8), bits.u(8)) if bits.u(1) else (2, 2, 2)
        colour = Colour(full, *described)
    if bits.u(1):  # chroma sample location
        bits.ue(), bits.ue()
    if bits.u(1):  # timing
        bits.u(65)
    if any([_skipped_hrd(bits), _skipped_hrd(bits)]):
        bits.u(1)  # low_delay_hrd_flag
    bits.u(1)  # pic_struct_present_flag
    if not bits.u(1):  # bitstream restriction
        return None, colour
    bits.u(1)
    for _ in range(4):
        bits.ue()
    return bits.ue(), colour


def _skipped_hrd(bits: _Bits) -> bool:
    """Skip the parameters of a hypothetical decoder (E.1.2), if there are any."""
    if not bits.u(1):
        return False
    count = bits.ue() + 1
    if count > 32:
        raise InvalidMp4("the sequence parameter set holds an absurd number")
    bits.u(8)
    for _ in range(count):
        bits.ue(), bits.ue(), bits.u(1)
    bits.u(20)
    return True


def parse_pps(nal: bytes) -> Pps:
    """Read a picture parameter set NAL unit's ids; InvalidMp4 if it is none or cut off."""
    if not nal or nal[0] & 31 != PPS:
        raise InvalidMp4("this NAL unit is no picture parameter set")
    bits = _Bits(nal[1:])
    return Pps(bits.ue(), bits.ue())


def nal_units(sample: bytes, nal_length_size: int) -> Iterator[bytes]:
    """Yield a sample's NAL units.

    InvalidMp4 if a length leads out of the sample, or if there are more than MAX_NALS.
    """
    at = 0
    for _ in range(MAX_NALS):
        if at >= len(sample):
            return
        begin = at + nal_length_size
        at = begin + int.from_bytes(sample[at:begin])
        if at > len(sample) or begin > len(sample):
            raise InvalidMp4("a NAL unit is longer than its sample")
        yield sample[begin:at]
    raise InvalidMp4(f"a sample has more than {MAX_NALS} NAL units")


def nal_types(prefix: bytes, nal_length_size: int) -> Iterator[int]:
    """Yield the types of the first NAL units of *prefix*, the first bytes of a sample."""
    at = 0
    for _ in range(MAX_NALS):
        if at + nal_length_size >= len(prefix):
            return
        begin = at + nal_length_size
        yield prefix[begin] & 31
        at = begin + int.from_bytes(prefix[at:begin])


def first_slice_type(prefix: bytes, nal_length_size: int) -> str | None:
    """Return "I", "P" or "B" (or "p", "i") of the first slice that begins in *prefix*.

    None where no slice begins there: read more of the sample.
    """
    at = 0
    while at + nal_length_size < len(prefix):
        begin = at + nal_length_size
        if prefix[begin] & 31 in {NON_IDR, IDR, 2}:
            bits = _Bits(prefix[begin + 1 : begin + 17])
            bits.ue()  # first_mb_in_slice
            return SLICE_TYPES[bits.ue() % 5]
        at = begin + int.from_bytes(prefix[at:begin])
    return None


def is_idr(prefix: bytes, nal_length_size: int) -> bool | None:
    """Return whether a sample is an IDR picture, from its first bytes.

    None if no slice begins within *prefix*: read more of the sample.
    """
    for kind in nal_types(prefix, nal_length_size):
        if kind == IDR:
            return True
        if NON_IDR <= kind < IDR:
            return False
    return None
