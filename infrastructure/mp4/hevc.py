"""HEVC inside MP4: the decoder configuration, and what a sample begins with.

Sources: ITU-T H.265 sections 7.3.1.2 and 7.3.6.1 (NAL unit and slice header), ISO/IEC 14496-15
section 8.3.3.1 (hvcC: ``HEVCDecoderConfigurationRecord``).
"""

# ruff: noqa: PLR2004 - the numbers are the standards' own

import struct
from collections.abc import Iterable, Sequence

from attrs import evolve, field, frozen

from infrastructure.mp4 import hevc_sets
from infrastructure.mp4.avc import nal_units
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.hevc_sets import PARAMETER_SETS, NalType, nal_type, parse_sps

__all__ = ["nal_type"]

RANDOM_ACCESS = range(NalType.BLA_W_LP, NalType.LAST_RANDOM_ACCESS + 1)
"""NAL unit types of pictures that decoding may begin at."""
PICTURES = range(NalType.LAST_SLICE + 1)
"""NAL unit types of slices."""
UNFIT = -1
"""In place of the type of a picture that cannot stand next to others."""
NO_OUTPUT_OF_PRIOR_PICS = 0x40
"""The flag in the first byte of a random access picture's slice header."""
RECORD_BYTES = 23
"""Of an hvcC before its arrays of NAL units."""
COMPLETE = 0x80
"""array_completeness: all sets of the type are in the sample entry, as hvc1 demands (8.4.1.1)."""


@frozen
class HevcConfig:
    """An hvcC's payload in parts."""

    record: bytes = field(repr=False)
    """The fields before the number of arrays."""
    nals: tuple[bytes, ...] = field(repr=False)
    """The NAL units of all arrays: parameter sets, and SEI that hold for the whole stream."""

    @property
    def nal_length_size(self) -> int:
        """How many bytes precede each NAL unit of a sample."""
        return (self.record[21] & 3) + 1

    @property
    def parameter_sets(self) -> tuple[bytes, ...]:
        """The VPS, SPS and PPS."""
        return tuple(nal for nal in self.nals if nal_type(nal) in PARAMETER_SETS)

    def sets(self, kind: int) -> tuple[bytes, ...]:
        """Return the NAL units of a type."""
        return tuple(nal for nal in self.nals if nal_type(nal) == kind)


def nal_length_size(hvcc: bytes) -> int:
    """Return how many bytes precede each NAL unit; InvalidMp4 if the hvcC is cut off."""
    if len(hvcc) < RECORD_BYTES:
        raise InvalidMp4("the hvcC is cut off")
    return (hvcc[21] & 3) + 1


def parse_hvcc(payload: bytes) -> HevcConfig:
    """Take an hvcC's payload apart; InvalidMp4 if it is cut off or of another version."""
    if len(payload) < RECORD_BYTES or payload[0] != 1:
        raise InvalidMp4("the hvcC is cut off or of an unknown version")
    if payload[21] & 3 == 2:
        raise InvalidMp4("the hvcC asks for NAL lengths of 3 bytes")
    nals: list[bytes] = []
    at = RECORD_BYTES
    for _ in range(payload[22]):
        count, at = int.from_bytes(payload[at + 1 : at + 3]), at + 3
        for _ in range(count):
            end = at + 2 + int.from_bytes(payload[at : at + 2])
            if len(payload) < end or end < at + 2 + hevc_sets.HEADER_BYTES:
                raise InvalidMp4("the hvcC is cut off inside a parameter set")
            nals.append(payload[at + 2 : end])
            at = end
    return HevcConfig(payload[: RECORD_BYTES - 1], tuple(nals))


def build_hvcc(config: HevcConfig) -> bytes:
    """Build an hvcC's payload, with a complete array for each type. ValueError on too many sets."""
    kinds = list(dict.fromkeys([*PARAMETER_SETS, *map(nal_type, config.nals)]))
    arrays = [(kind, config.sets(kind)) for kind in kinds]
    return b"".join(
        (
            config.record,
            bytes((len(arrays),)),
            *(_array(kind, nals) for kind, nals in arrays),
        )
    )


def _array(kind: int, nals: Sequence[bytes]) -> bytes:
    complete = COMPLETE if kind in PARAMETER_SETS else 0
    head = struct.pack(">BH", complete | kind, len(nals))
    return head + b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)


def merge_hvcc(configs: Sequence[HevcConfig]) -> HevcConfig:
    """Put all parameter sets under the first configuration, with what holds for all of them.

    That is the highest tier and level, and the flags that all have. Equal sets are kept once, and
    nothing but sets: Apple's devices were reported to reject an hvcC with SEI.
    ValueError where two unlike sets carry one id, or lengths differ.
    """
    first = configs[0]
    if any(config.nal_length_size != first.nal_length_size for config in configs):
        raise ValueError("the NAL length sizes differ")
    nals = _distinct(config.parameter_sets for config in configs)
    merged = evolve(first, nals=nals)
    if any(len(set(ids)) != len(ids) for ids in ids_of(merged)):
        raise ValueError("two unlike parameter sets carry one id")
    return evolve(merged, record=_common_record([config.record for config in configs]))


def _distinct(rows: Iterable[Iterable[bytes]]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(nal for row in rows for nal in row))


def ids_of(config: HevcConfig) -> tuple[list[int], list[int], list[int]]:
    """Return the ids of a configuration's VPS, SPS and PPS; InvalidMp4 if one cannot be read."""
    vps, sps, pps = map(config.sets, PARAMETER_SETS)
    return (
        [hevc_sets.read_vps_id(nal) for nal in vps],
        [parse_sps(nal).sps_id for nal in sps],
        [hevc_sets.read_pps_id(nal) for nal in pps],
    )


def _common_record(records: Sequence[bytes]) -> bytes:
    first = records[0]
    common = bytearray(first)
    common[1] |= max(record[1] & 0x20 for record in records)  # general_tier_flag
    for at in range(2, 12):  # compatibility and constraint flags
        for record in records:
            common[at] &= record[at]
    common[12] = max(record[12] for record in records)  # general_level_idc
    if any(record[13:16] != first[13:16] for record in records):
        # min_spatial_segmentation_idc, parallelismType: unknown
        common[13:16] = b"\xf0\0\xfc"
    if any(record[19:22] != first[19:22] for record in records):
        # avgFrameRate, constantFrameRate, numTemporalLayers: unknown; temporalIdNested if in all
        nested = min(record[21] & 4 for record in records)
        common[19:22] = bytes((0, 0, nested | first[21] & 3))
    return bytes(common)


def has_known_sets(prefix: bytes, config: HevcConfig) -> bool:
    """Return whether a sample that begins with `prefix` has no parameter sets but those known.

    Repeated known sets do no harm. A set that `prefix` cuts off decides nothing.
    """
    return not any(
        len(nal) == length and nal_type(nal) in PARAMETER_SETS and nal not in config.nals
        for length, nal in nal_units(prefix, config.nal_length_size)
    )


def picture_type(prefix: bytes, config: HevcConfig) -> int | None:
    """Return the NAL unit type of the picture that a sample begins.

    UNFIT if the sample has parameter sets unknown to `config` or a second layer, or if a random
    access picture makes decoders forget pictures that are not shown yet
    (no_output_of_prior_pics_flag). None if `prefix` ends before the picture begins.
    """
    if not has_known_sets(prefix, config):
        return UNFIT
    for _, nal in nal_units(prefix, config.nal_length_size):
        if len(nal) <= hevc_sets.HEADER_BYTES:
            continue
        if nal[0] & 1 or nal[1] >> 3:  # nuh_layer_id
            return UNFIT
        if (kind := nal_type(nal)) in PICTURES:
            is_forgetful = kind in RANDOM_ACCESS and nal[2] & NO_OUTPUT_OF_PRIOR_PICS
            return UNFIT if is_forgetful else kind
    return None


def picture_size(hvcc: bytes) -> tuple[int, int] | None:
    """Return the cropped width and height in pixels of the first SPS of an hvcC, None without SPS.

    InvalidMp4 if it is cut off.
    """
    sps = next(iter(parse_hvcc(hvcc).sets(NalType.SPS)), None)
    return hevc_sets.picture_size(sps) if sps else None
