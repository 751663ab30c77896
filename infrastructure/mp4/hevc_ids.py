"""Replace the parameter-set ids of what x265 encoded: all its ids are 0, as a camera's are.

A decoder takes two sets of one id for each other, so frames of two encoders need distinct ids to be
in one track. A slice header names its PPS near its beginning (ITU-T H.265, 7.3.6.1). With another
id it has another length, and so has the padding up to the next byte, where the coded data begins.
So the header is read to its end and written again; the coded data stays as it is, and with it the
entry points into it, which count from there.
"""

from attrs import frozen

from infrastructure.mp4.avc import nal_units
from infrastructure.mp4.bit_reader import MAX_PAYLOAD_BYTES, BitReader
from infrastructure.mp4.bits import Bits
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.hevc import PICTURES, RANDOM_ACCESS, HevcConfig
from infrastructure.mp4.hevc_sets import (
    HEADER_BYTES,
    IDR,
    PARAMETER_SETS,
    NalType,
    Pps,
    Sps,
    nal_type,
    parse_pps,
    parse_sps,
    read_own_references,
    read_vps_id,
    require_whole,
)

MAX_SET_ID = 15
"""Of VPS and SPS (7.4.3.1, 7.4.3.2.1); a PPS may have up to 63."""
NAL_LENGTH_BYTES = 4
VPS_ID_BITS = range(4)
SLICE_TYPES = B, P, I = range(3)  # noqa: E741 - the standard's names


@frozen
class Renumbered:
    """A configuration with one set of each kind, all of which have the same new id."""

    config: HevcConfig
    number: int
    sps: Sps
    pps: Pps
    nal_length_size: int

    def sample(self, sample: bytes) -> bytes:
        """Return a sample with only its slices, which name the new PPS.

        InvalidMp4 if it has parameter sets of its own, or a slice cannot be read.
        """
        slices = []
        for length, nal in nal_units(sample, self.nal_length_size):
            if len(nal) < length or length < HEADER_BYTES or nal_type(nal) in PARAMETER_SETS:
                raise InvalidMp4("an encoded sample is cut off, or has parameter sets of its own")
            if nal_type(nal) in PICTURES:
                slices.append(self._slice(nal))
        return b"".join(len(nal).to_bytes(self.nal_length_size) + nal for nal in slices)

    @property
    def end_of_sequence(self) -> bytes:
        """What ends a sequence, after the slices of its last sample (7.3.2.6): a header alone."""
        nal = bytes((NalType.END_OF_SEQUENCE << 1, 1))
        return len(nal).to_bytes(self.nal_length_size) + nal

    def _slice(self, nal: bytes) -> bytes:
        payload = nal[HEADER_BYTES:]
        id_bits, end = _slice_header(nal_type(nal), BitReader(payload), self.sps, self.pps)
        bits = Bits.of_payload(payload[:MAX_PAYLOAD_BYTES])
        header = bits.part(0, id_bits.start) + Bits.ue(self.number) + bits.part(id_bits.stop, end)
        data_at = _coded_length(payload, end // 8 + 1)
        # The header's last byte holds a 1, so no emulation prevention byte follows from it.
        return nal[:HEADER_BYTES] + header.payload() + payload[data_at:]


def renumbered(config: HevcConfig, number: int) -> Renumbered:
    """Renumber the VPS, SPS and PPS of a configuration; InvalidMp4 if there is not one of each."""
    sets = [config.sets(kind) for kind in PARAMETER_SETS]
    if any(len(nals) != 1 for nals in sets):
        raise InvalidMp4("there is not one parameter set of each kind")
    (vps,), (sps,), (pps,) = sets
    for nal in (vps, sps, pps):
        require_whole(nal)
    old_sps, old_pps = parse_sps(sps), parse_pps(pps)
    if old_pps.sps_id != old_sps.sps_id or old_sps.vps_id != read_vps_id(vps):
        raise InvalidMp4("the parameter sets do not refer to each other")
    new_id, four_bits = Bits.ue(number), Bits(number, 4)
    sps = _replaced(sps, old_sps.id_bits, new_id)
    nals = (
        _replaced(vps, VPS_ID_BITS, four_bits),
        _replaced(sps, VPS_ID_BITS, four_bits),
        _replaced(pps, old_pps.id_bits, new_id + new_id),
    )
    return Renumbered(
        HevcConfig(config.record, nals), number, old_sps, old_pps, config.nal_length_size
    )


def _replaced(nal: bytes, place: range, new: Bits) -> bytes:
    """Return a parameter set with other bits in a place of its payload."""
    bits = Bits.of_payload(nal[HEADER_BYTES:]).without_trailing()
    before, after = bits.part(0, place.start), bits.part(place.stop, bits.length)
    return nal[:HEADER_BYTES] + (before + new + after).payload()


def _coded_length(payload: bytes, length: int) -> int:
    """Return how many bytes of a payload are its first `length` without emulation prevention."""
    end = length
    while end - payload[:end].count(b"\0\0\3") < length:
        end += 1
    return end


def _slice_header(kind: int, bits: BitReader, sps: Sps, pps: Pps) -> tuple[range, int]:
    """Read a slice segment header (7.3.6.1).

    Return the bits of slice_pic_parameter_set_id, and where byte_alignment() is. InvalidMp4 on what
    x265 never writes as it is used here: long-term references, weights, lists in another order.
    """
    _require_known(sps, pps)
    is_first = bits.u(1)
    if kind in RANDOM_ACCESS:
        bits.u(1)  # no_output_of_prior_pics_flag
    id_at = bits.position
    number = bits.ue()
    id_bits = range(id_at, bits.position)
    if number != pps.pps_id:
        raise InvalidMp4("a slice refers to another picture parameter set")
    if not is_first:
        bits.u((sps.ctbs - 1).bit_length())  # slice_segment_address
    bits.u(pps.extra_bits)
    slice_type = bits.ue()
    if slice_type not in SLICE_TYPES:
        raise InvalidMp4("a slice is of an unknown type")
    bits.u(pps.has_output_flag)
    has_mvp = kind not in IDR and _read_reference_pictures(bits, sps)
    has_sao = sps.has_sao and bool(bits.u(1 if sps.chroma_format_idc == 0 else 2))
    if slice_type != I:
        _read_prediction(bits, pps, is_b=slice_type == B, has_mvp=has_mvp)
    _read_filters(bits, pps, has_sao=has_sao)
    if pps.has_wavefronts:
        _read_entry_points(bits)
    end = bits.position
    if not bits.u(1) or bits.u(-bits.position % 8):
        raise InvalidMp4("a slice header does not end where it should")
    return id_bits, end


def _require_known(sps: Sps, pps: Pps) -> None:
    if sps.has_colour_planes or sps.has_long_term or sps.short_term_sets:
        raise InvalidMp4("the sequence parameter set has what x265 does not write")
    if pps.has_dependent_slices or pps.has_list_modification:
        raise InvalidMp4("the picture parameter set has what x265 does not write")
    if pps.has_header_extension or pps.has_extension:
        raise InvalidMp4("the picture parameter set has extensions")


def _read_reference_pictures(bits: BitReader, sps: Sps) -> bool:
    """Read which pictures a slice refers to; return slice_temporal_mvp_enabled_flag."""
    bits.u(sps.poc_bits)
    if bits.u(1):  # short_term_ref_pic_set_sps_flag
        raise InvalidMp4("a slice refers to a reference picture set that is not there")
    read_own_references(bits)
    return sps.has_temporal_mvp and bool(bits.u(1))


def _read_prediction(bits: BitReader, pps: Pps, *, is_b: bool, has_mvp: bool) -> None:
    if pps.is_weighted[is_b]:
        raise InvalidMp4("a slice has weights")
    lists = list(pps.references)
    if bits.u(1):  # num_ref_idx_active_override_flag
        lists[: 1 + is_b] = [bits.ue() + 1 for _ in range(1 + is_b)]
    if is_b:
        bits.u(1)  # mvd_l1_zero_flag
    if pps.has_cabac_init:
        bits.u(1)
    if has_mvp:
        is_in_list_1 = is_b and not bits.u(1)  # collocated_from_l0_flag
        if lists[is_in_list_1] > 1:
            bits.ue()  # collocated_ref_idx
    bits.ue()  # five_minus_max_num_merge_cand


def _read_filters(bits: BitReader, pps: Pps, *, has_sao: bool) -> None:
    bits.se()  # slice_qp_delta
    if pps.has_chroma_offsets:
        bits.se(), bits.se()
    if pps.has_deblocking_override and bits.u(1):
        raise InvalidMp4("a slice has a deblocking filter of its own")
    if pps.has_filter_across_slices and (has_sao or not pps.is_deblocking_disabled):
        bits.u(1)


def _read_entry_points(bits: BitReader) -> None:
    count = bits.ue()
    if count:
        length = bits.ue() + 1
        bits.u(count * length)
