"""HEVC's parameter sets, as far as a splice must know them.

Source: ITU-T H.265, 7.3.2 (VPS, SPS, PPS), 7.3.3 (profile, tier, level), 7.3.4 (scaling lists),
7.3.7 (short-term reference picture sets), E.2.1 (VUI). Only their syntax is read. Numbers that size
a loop are checked against their limits in 7.4, so that no set takes long to read.
"""

# ruff: noqa: PLR2004 - the numbers are the standard's own

from enum import IntEnum

from attrs import frozen

from infrastructure.mp4.avc import crop_unit
from infrastructure.mp4.bit_reader import MAX_PAYLOAD_BYTES, BitReader
from infrastructure.mp4.errors import InvalidMp4

HEADER_BYTES = 2
"""Of a NAL unit (7.3.1.2)."""
MAX_SHORT_TERM_SETS = 64
MAX_LONG_TERM_PICTURES = 32
MAX_REFERENCES = 16
MAX_LOG2_CTB = 6


class NalType(IntEnum):
    """What a NAL unit contains (7.4.2.2, table 7-1)."""

    BLA_W_LP = 16
    IDR_W_RADL = 19
    IDR_N_LP = 20
    CRA = 21
    LAST_RANDOM_ACCESS = 23
    LAST_SLICE = 31
    VPS = 32
    SPS = 33
    PPS = 34
    END_OF_SEQUENCE = 36


IDR = {NalType.IDR_W_RADL, NalType.IDR_N_LP}
PARAMETER_SETS = (NalType.VPS, NalType.SPS, NalType.PPS)


@frozen
class Sps:
    """A sequence parameter set (7.3.2.2.1)."""

    vps_id: int
    sps_id: int
    id_bits: range
    """Where sps_seq_parameter_set_id is, in the payload's bits."""
    width: int
    """In pixels, cropped; so is the height."""
    height: int
    profile: int
    """general_profile_idc: 1 is Main, 2 is Main 10."""
    chroma_format_idc: int
    bit_depth_luma: int
    bit_depth_chroma: int
    is_interlaced: bool
    """Whether its pictures are fields, or of an interlaced source."""
    full_range: bool
    has_colour_planes: bool
    ctbs: int
    """Coding tree blocks in a picture."""
    poc_bits: int
    """Of slice_pic_order_cnt_lsb."""
    short_term_sets: int
    has_long_term: bool
    has_temporal_mvp: bool
    has_sao: bool


@frozen
class Pps:
    """A picture parameter set (7.3.2.3.1), as far as slice headers depend on it."""

    pps_id: int
    sps_id: int
    id_bits: range
    """Where both ids are, in the payload's bits."""
    has_dependent_slices: bool
    has_output_flag: bool
    extra_bits: int
    has_cabac_init: bool
    references: tuple[int, int]
    """num_ref_idx_l0_default_active, and that of list 1."""
    has_chroma_offsets: bool
    is_weighted: tuple[bool, bool]
    """Whether P slices hold weights, and whether B slices do."""
    has_tiles: bool
    has_wavefronts: bool
    """entropy_coding_sync_enabled_flag: a slice header holds entry points."""
    has_filter_across_slices: bool
    has_deblocking_override: bool
    is_deblocking_disabled: bool
    has_list_modification: bool
    has_header_extension: bool
    has_extension: bool


def nal_type(nal: bytes) -> int:
    """Return what a NAL unit contains (7.3.1.2)."""
    return nal[0] >> 1 & 63


def read_vps_id(nal: bytes) -> int:
    """Return the id of a video parameter set (7.3.2.1); InvalidMp4 if it is none."""
    return _payload(nal, NalType.VPS).u(4)


def read_pps_id(nal: bytes) -> int:
    """Return the id of a picture parameter set (7.3.2.3.1); InvalidMp4 if it is none."""
    return _payload(nal, NalType.PPS).ue()


def _payload(nal: bytes, kind: NalType) -> BitReader:
    if len(nal) < HEADER_BYTES or nal_type(nal) != kind:
        raise InvalidMp4(f"this NAL unit is no {kind.name}")
    return BitReader(nal[HEADER_BYTES:])


def require_whole(nal: bytes) -> None:
    """InvalidMp4 if a NAL unit is longer than what is read of it."""
    if len(nal) > MAX_PAYLOAD_BYTES:
        raise InvalidMp4("a parameter set is too long")


def highest_temporal_id(nal: bytes) -> int:
    """Return sps_max_sub_layers_minus1 of an SPS (7.3.2.2.1); InvalidMp4 if it is none."""
    bits = _payload(nal, NalType.SPS)
    bits.u(4)  # sps_video_parameter_set_id
    return bits.u(3)


def picture_size(nal: bytes) -> tuple[int, int]:
    """Return the cropped width and height in pixels that an SPS states; InvalidMp4 if it is none.

    What follows them is not read: it may be odd, or of an extension.
    """
    bits = _payload(nal, NalType.SPS)
    bits.u(4)
    _skip_profile(bits)
    bits.ue()
    return _chroma_and_sizes(bits)[3]


def parse_sps(nal: bytes) -> Sps:
    """Read a sequence parameter set; InvalidMp4 if it is none, cut off or not sensible."""
    bits = _payload(nal, NalType.SPS)
    vps_id = bits.u(4)
    profile, is_interlaced, layers = _skip_profile(bits)
    id_at = bits.position
    sps_id = bits.ue()
    id_bits = range(id_at, bits.position)
    chroma, has_planes, coded, (width, height) = _chroma_and_sizes(bits)
    luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
    poc_bits = 4 + bits.ue()
    for _ in range(layers if bits.u(1) else 1):  # sps_sub_layer_ordering_info_present_flag
        bits.ue(), bits.ue(), bits.ue()
    log2_ctb = 3 + bits.ue() + bits.ue()
    if log2_ctb > MAX_LOG2_CTB or poc_bits > 16:
        raise InvalidMp4("the sequence parameter set holds an absurd number")
    for _ in range(4):
        bits.ue()  # sizes of transform blocks, depths of their trees
    if bits.u(1) and bits.u(1):
        _skip_scaling_lists(bits)
    bits.u(1)  # amp_enabled_flag
    has_sao = bool(bits.u(1))
    if bits.u(1):  # pcm_enabled_flag
        bits.u(8), bits.ue(), bits.ue(), bits.u(1)
    short_term_sets = _skip_short_term_sets(bits)
    has_long_term = bool(bits.u(1))
    if has_long_term:
        for _ in range(_limited(bits.ue(), MAX_LONG_TERM_PICTURES)):
            bits.u(poc_bits + 1)
    has_temporal_mvp = bool(bits.u(1))
    bits.u(1)  # strong_intra_smoothing_enabled_flag
    full_range, is_field_coded = _read_vui(bits) if bits.u(1) else (False, False)
    return Sps(
        vps_id=vps_id,
        sps_id=sps_id,
        id_bits=id_bits,
        width=width,
        height=height,
        profile=profile,
        chroma_format_idc=chroma,
        bit_depth_luma=luma_bits,
        bit_depth_chroma=chroma_bits,
        is_interlaced=is_interlaced or is_field_coded,
        full_range=full_range,
        has_colour_planes=has_planes,
        ctbs=-(-coded[0] >> log2_ctb) * -(-coded[1] >> log2_ctb),
        poc_bits=poc_bits,
        short_term_sets=short_term_sets,
        has_long_term=has_long_term,
        has_temporal_mvp=has_temporal_mvp,
        has_sao=has_sao,
    )


def _skip_profile(bits: BitReader) -> tuple[int, bool, int]:
    """Read sub-layers and profile_tier_level.

    Return general_profile_idc, whether the source is interlaced, and the number of sub-layers.
    """
    layers = bits.u(3)  # sps_max_sub_layers_minus1
    bits.u(1)  # sps_temporal_id_nesting_flag
    bits.u(3)  # general_profile_space, general_tier_flag
    profile = bits.u(5)
    bits.u(32)  # general_profile_compatibility_flag
    is_progressive, is_interlaced = bits.u(1), bits.u(1)
    bits.u(46 + 8)  # constraints, general_level_idc
    present = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    bits.u(2 * (8 - layers) if layers else 0)
    for has_profile, has_level in present:
        bits.u(88 * has_profile + 8 * has_level)
    return profile, bool(is_interlaced and not is_progressive), layers + 1


def _chroma_and_sizes(bits: BitReader) -> tuple[int, bool, tuple[int, int], tuple[int, int]]:
    """Read chroma_format_idc, separate_colour_plane_flag, and the size, coded and cropped."""
    chroma = bits.ue()
    has_planes = chroma == 3 and bool(bits.u(1))
    coded = width, height = bits.ue(), bits.ue()
    if bits.u(1):  # conformance_window_flag
        across, down = crop_unit(0 if has_planes else chroma)
        width -= across * (bits.ue() + bits.ue())
        height -= down * (bits.ue() + bits.ue())
    if width <= 0 or height <= 0:
        raise InvalidMp4("the sequence parameter set crops more than there is")
    return chroma, has_planes, coded, (width, height)


def _limited(number: int, limit: int) -> int:
    if number > limit:
        raise InvalidMp4("a parameter set holds an absurd number")
    return number


def _skip_scaling_lists(bits: BitReader) -> None:
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.u(1):  # scaling_list_pred_mode_flag
                bits.ue()
                continue
            for _ in range(min(64, 16 << 2 * size) + (size > 1)):
                bits.se()


def _skip_short_term_sets(bits: BitReader) -> int:
    """Read the short-term reference picture sets of an SPS; return their number."""
    count = _limited(bits.ue(), MAX_SHORT_TERM_SETS)
    references = 0
    for number in range(count):
        if number and bits.u(1):  # inter_ref_pic_set_prediction_flag
            bits.u(1), bits.ue()  # delta_rps
            # used_by_curr_pic_flag; without it, use_delta_flag
            references = sum(1 if bits.u(1) else bits.u(1) for _ in range(references + 1))
        else:
            references = read_own_references(bits)
        _limited(references, MAX_REFERENCES)
    return count


def read_own_references(bits: BitReader) -> int:
    """Read a short-term set that is not predicted from another; return its number of pictures."""
    references = _limited(bits.ue() + bits.ue(), MAX_REFERENCES)
    for _ in range(references):
        bits.ue(), bits.u(1)
    return references


def _read_vui(bits: BitReader) -> tuple[bool, bool]:
    """Read the VUI as far as field_seq_flag; return it after video_full_range_flag."""
    full_range = False
    if bits.u(1) and bits.u(8) == 255:  # aspect ratio; 255: an extended one follows
        bits.u(32)
    if bits.u(1):  # overscan
        bits.u(1)
    if bits.u(1):  # video signal type
        bits.u(3)
        full_range = bool(bits.u(1))
        bits.u(24 if bits.u(1) else 0)  # colour description
    if bits.u(1):  # chroma sample location
        bits.ue(), bits.ue()
    bits.u(1)  # neutral_chroma_indication_flag
    return full_range, bool(bits.u(1))


def parse_pps(nal: bytes) -> Pps:
    """Read a picture parameter set; InvalidMp4 if it is none or cut off.

    What follows tiles is only read if there are none.
    """
    bits = _payload(nal, NalType.PPS)
    id_at = bits.position
    pps_id, sps_id = bits.ue(), bits.ue()
    id_bits = range(id_at, bits.position)
    has_dependent_slices, has_output_flag = bits.u(1), bits.u(1)
    extra_bits = bits.u(3)
    bits.u(1)  # sign_data_hiding_enabled_flag
    has_cabac_init = bits.u(1)
    references = bits.ue() + 1, bits.ue() + 1
    bits.se()  # init_qp_minus26
    bits.u(2)  # constrained_intra_pred_flag, transform_skip_enabled_flag
    if bits.u(1):  # cu_qp_delta_enabled_flag
        bits.ue()
    bits.se(), bits.se()  # offsets of chroma
    has_chroma_offsets = bits.u(1)
    is_weighted = bool(bits.u(1)), bool(bits.u(1))
    bits.u(1)  # transquant_bypass_enabled_flag
    has_tiles, has_wavefronts = bits.u(1), bits.u(1)
    if has_tiles:
        raise InvalidMp4("the picture parameter set has tiles")
    has_filter_across_slices = bits.u(1)
    has_override = is_disabled = 0
    if bits.u(1):  # deblocking_filter_control_present_flag
        has_override, is_disabled = bits.u(1), bits.u(1)
        if not is_disabled:
            bits.se(), bits.se()
    if bits.u(1):
        _skip_scaling_lists(bits)
    has_list_modification = bits.u(1)
    bits.ue()  # log2_parallel_merge_level_minus2
    return Pps(
        pps_id=pps_id,
        sps_id=sps_id,
        id_bits=id_bits,
        has_dependent_slices=bool(has_dependent_slices),
        has_output_flag=bool(has_output_flag),
        extra_bits=extra_bits,
        has_cabac_init=bool(has_cabac_init),
        references=references,
        has_chroma_offsets=bool(has_chroma_offsets),
        is_weighted=is_weighted,
        has_tiles=bool(has_tiles),
        has_wavefronts=bool(has_wavefronts),
        has_filter_across_slices=bool(has_filter_across_slices),
        has_deblocking_override=bool(has_override),
        is_deblocking_disabled=bool(is_disabled),
        has_list_modification=bool(has_list_modification),
        has_header_extension=bool(bits.u(1)),
        has_extension=bool(bits.u(1)),
    )
