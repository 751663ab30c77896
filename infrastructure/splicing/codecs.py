"""What a splice must know of a codec. Nothing else depends on which one it is, but the encoder.

Copied and encoded frames share one sample entry, so it must hold for both: those that we encode are
progressive, 4:2:0, with their parameter sets in the entry.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import ClassVar

from infrastructure.mp4 import avc, hevc, hevc_ids
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.hevc_sets import IDR, PARAMETER_SETS, NalType, parse_sps
from infrastructure.mp4.index import Track
from infrastructure.mp4.sample_entry import avc1_entry, hvc1_entry

HEVC_PROFILES = {1, 2}
"""general_profile_idc of Main and Main 10."""


class AccessPoint(Enum):
    """Where decoders begin a new sequence of pictures at a sample, if they do."""

    NONE = "nowhere"
    ANYWHERE = "anywhere"
    """An IDR picture."""
    AFTER_END = "after an end of sequence"
    """There, or as a track's first sample: a CRA picture (ITU-T H.265, 8.1.3)."""


ACCESS = {True: AccessPoint.ANYWHERE, False: AccessPoint.NONE}


class Codec(ABC):
    """A codec of which frames can be copied. Configurations are the payloads of avcC or hvcC.

    Everything raises InvalidMp4 on a configuration that cannot be read.
    """

    name: ClassVar[str]
    """As it is reported."""
    title: ClassVar[str]
    """As people call it."""
    max_ids: ClassVar[int]
    """Parameter-set ids are below this."""
    has_leading_pictures: ClassVar[bool]
    """Whether pictures that are decoded after an access point may be shown before it."""

    @abstractmethod
    def obstacle(self, config: bytes) -> str | None:
        """Return why frames with this configuration are not copied, as a clause, else None."""

    @abstractmethod
    def sample_format(self, config: bytes) -> tuple[bool, int]:
        """Return whether the samples of a copyable frame have full range, and their bits."""

    @abstractmethod
    def sets(self, config: bytes) -> Sequence[bytes]:
        """Return the parameter sets."""

    @abstractmethod
    def ids(self, config: bytes) -> Sequence[int]:
        """Return the parameter sets' ids."""

    @abstractmethod
    def access_point(self, prefix: bytes, config: bytes) -> AccessPoint | None:
        """Return which access point a sample is; None if `prefix` ends too early."""

    @abstractmethod
    def has_known_sets(self, prefix: bytes, config: bytes) -> bool:
        """Return whether a sample that begins with `prefix` has no parameter sets but these."""

    @abstractmethod
    def sample_entry(self, template: bytes, configs: Sequence[bytes]) -> bytes:
        """Build the sample entry that holds for frames of all `configs`; ValueError if none does.

        The first configuration is that of the sample entry `template`.
        """


class Avc(Codec):
    """H.264."""

    name, title = "h264", "H.264"
    max_ids = 31
    """As many SPS as an avcC can hold (ISO/IEC 14496-15, 5.3.3.1)."""
    has_leading_pictures = False

    def obstacle(self, config: bytes) -> str | None:
        """Return what x264 does not write, or not next to the frames."""
        parsed = avc.parse_avcc(config)
        sets = [avc.parse_sps(nal) for nal in parsed.sps]
        picture_ids = [avc.read_pps_id(nal) for nal in parsed.pps]
        if found := _obstacle_in_numbers(len(sets), len(picture_ids)):
            return found
        sps = sets[0]
        if parsed.profile == avc.HIGH_444_PREDICTIVE:
            return (
                "its profile is High 4:4:4 Predictive, which decoders read by the encoder's version"
            )
        if sps.chroma_format_idc != 1:
            return "its colours are not 4:2:0"
        if (sps.bit_depth_luma, sps.bit_depth_chroma) != (8, 8):
            return "its samples have more than 8 bits"
        return None if sps.frame_mbs_only else "it may be interlaced"

    def sample_format(self, config: bytes) -> tuple[bool, int]:
        """Read the SPS."""
        return avc.parse_sps(avc.parse_avcc(config).sps[0]).full_range, 8

    def sets(self, config: bytes) -> Sequence[bytes]:
        """Return SPS and PPS."""
        parsed = avc.parse_avcc(config)
        return *parsed.sps, *parsed.pps

    def ids(self, config: bytes) -> Sequence[int]:
        """Return those of SPS and PPS."""
        parsed = avc.parse_avcc(config)
        ids = [avc.parse_sps(nal).sps_id for nal in parsed.sps]
        return *ids, *map(avc.read_pps_id, parsed.pps)

    def access_point(self, prefix: bytes, config: bytes) -> AccessPoint | None:
        """Return whether it is an IDR picture."""
        is_idr = avc.is_idr_with_known_sets(prefix, avc.parse_avcc(config))
        return None if is_idr is None else ACCESS[is_idr]

    def has_known_sets(self, prefix: bytes, config: bytes) -> bool:
        """Compare SPS and PPS."""
        return avc.has_known_sets(prefix, avc.parse_avcc(config))

    def sample_entry(self, template: bytes, configs: Sequence[bytes]) -> bytes:
        """Build an avc1 sample entry."""
        merged = avc.merge_avcc([*map(avc.parse_avcc, configs)])
        return avc1_entry(template, avc.build_avcc(merged))


class Hevc(Codec):
    """HEVC, Main and Main 10."""

    name, title = "hevc", "HEVC"
    max_ids = hevc_ids.MAX_SET_ID + 1
    has_leading_pictures = True

    def obstacle(self, config: bytes) -> str | None:
        """Return what x265 does not write next to the frames."""
        parsed = hevc.parse_hvcc(config)
        hevc.ids_of(parsed)
        vps, sequences, pictures = map(parsed.sets, PARAMETER_SETS)
        if found := _obstacle_in_numbers(len(sequences), len(pictures)):
            return found
        if not vps:
            return "it has no video parameter set"
        sps = parse_sps(sequences[0])
        if sps.profile not in HEVC_PROFILES:
            return "its profile is neither Main nor Main 10"
        if sps.chroma_format_idc != 1:
            return "its colours are not 4:2:0"
        if sps.bit_depth_luma != sps.bit_depth_chroma or sps.bit_depth_luma not in {8, 10}:
            return "its samples have neither 8 nor 10 bits"
        return "it is interlaced" if sps.is_interlaced else None

    def sample_format(self, config: bytes) -> tuple[bool, int]:
        """Read the SPS."""
        sps = parse_sps(hevc.parse_hvcc(config).sets(NalType.SPS)[0])
        return sps.full_range, sps.bit_depth_luma

    def sets(self, config: bytes) -> Sequence[bytes]:
        """Return VPS, SPS and PPS."""
        return hevc.parse_hvcc(config).parameter_sets

    def ids(self, config: bytes) -> Sequence[int]:
        """Return those of VPS, SPS and PPS."""
        return [i for ids in hevc.ids_of(hevc.parse_hvcc(config)) for i in ids]

    def access_point(self, prefix: bytes, config: bytes) -> AccessPoint | None:
        """Return whether it is an IDR or a CRA picture."""
        kind = hevc.picture_type(prefix, hevc.parse_hvcc(config))
        if kind == NalType.CRA:
            return AccessPoint.AFTER_END
        return None if kind is None else ACCESS[kind in IDR]

    def has_known_sets(self, prefix: bytes, config: bytes) -> bool:
        """Compare VPS, SPS and PPS."""
        return hevc.has_known_sets(prefix, hevc.parse_hvcc(config))

    def sample_entry(self, template: bytes, configs: Sequence[bytes]) -> bytes:
        """Build an hvc1 sample entry."""
        merged = hevc.merge_hvcc([*map(hevc.parse_hvcc, configs)])
        return hvc1_entry(template, hevc.build_hvcc(merged))


def _obstacle_in_numbers(sequence_sets: int, picture_sets: int) -> str | None:
    if sequence_sets != 1:
        return f"it has {sequence_sets} sequence parameter sets"
    return None if picture_sets else "it has no picture parameter set"


AVC, HEVC = Avc(), Hevc()
ALL_CODECS: frozenset[Codec] = frozenset((AVC, HEVC))
CODECS: Mapping[str, Codec] = {"avc1": AVC, "hvc1": HEVC, "hev1": HEVC}
"""The codecs of which frames can be copied, by the code of the sample entry."""
IN_BAND = {"hev1"}
"""Sample entries whose parameter sets may be among the samples, too (ISO/IEC 14496-15, 8.4.1)."""


def codec_of(video: Track) -> Codec:
    """Return the codec of a track with a known sample entry; InvalidMp4 otherwise."""
    try:
        return CODECS[video.codec]
    except KeyError:
        raise InvalidMp4(f"frames of {video.codec} cannot be spliced") from None
