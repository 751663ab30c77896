"""Disposable samples: pictures to which no other refers, so that decoders need them only to show.

ISO/IEC 14496-12 names them so (8.6.4, sample_is_depended_on = 2), but few recorders write that
down. What the NAL units say is exact: nal_ref_idc of H.264 (7.4.1), and the types of HEVC's
sub-layer non-reference pictures (7.4.2.2, table 7-1), which may be left out if no higher sub-layer
can be there.
"""

from collections.abc import Callable

from infrastructure.mp4 import avc, hevc
from infrastructure.mp4.avc import nal_units
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.hevc_sets import NalType, highest_temporal_id
from infrastructure.mp4.index import Track

AVC_WITH_SLICES = {1, 2, 3, 4}
"""nal_unit_type of slices, and of partitions of slices, that are not of an IDR picture."""
AVC_WITHOUT = {6, 9, 12}
"""SEI, access unit delimiter, filler data: nothing that holds for later pictures."""
HEVC_WITH_SLICES = {0, 2, 4, 6, 8}
"""TRAIL_N, TSA_N, STSA_N, RADL_N, RASL_N."""
HEVC_WITHOUT = {35, 38, 39, 40}
"""Access unit delimiter, filler data, SEI before and after slices."""


def disposable_samples(track: Track) -> Callable[[bytes], bool]:
    """Return a function that returns whether a sample of the track is disposable.

    It is not if that is not certain, as of other codecs than H.264 and HEVC.
    """
    try:
        if track.codec == "avc1":
            return _avc(avc.parse_avcc(track.config).nal_length_size)
        if track.codec in {"hvc1", "hev1"}:
            config = hevc.parse_hvcc(track.config)
            highest = {highest_temporal_id(sps) for sps in config.sets(NalType.SPS)}
            if len(highest) == 1:
                return _hevc(config.nal_length_size, highest.pop())
    except InvalidMp4:
        pass
    return lambda _sample: False


def _avc(length_size: int) -> Callable[[bytes], bool]:
    def is_disposable(nal: bytes) -> bool | None:
        kind, is_reference = nal[0] & 31, nal[0] >> 5 & 3
        if kind in AVC_WITH_SLICES:
            return not is_reference
        return None if kind in AVC_WITHOUT else False

    return lambda sample: _consists_of(sample, length_size, is_disposable)


def _hevc(length_size: int, highest: int) -> Callable[[bytes], bool]:
    def is_disposable(nal: bytes) -> bool | None:
        kind = hevc.nal_type(nal)
        if kind in HEVC_WITH_SLICES:
            return (nal[1:2] or b"\0")[0] & 7 == highest + 1  # nuh_temporal_id_plus1
        return None if kind in HEVC_WITHOUT else False

    return lambda sample: _consists_of(sample, length_size, is_disposable)


def _consists_of(
    sample: bytes, length_size: int, is_disposable: Callable[[bytes], bool | None]
) -> bool:
    """Return whether a whole sample has a picture, and only NAL units that are not needed."""
    found, size_bytes = set[bool | None](), 0
    for length, nal in nal_units(sample, length_size):
        found.add(is_disposable(nal))
        size_bytes += length_size + length
    return size_bytes == len(sample) and True in found and False not in found
