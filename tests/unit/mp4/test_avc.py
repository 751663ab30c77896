"""Parameter sets and NAL units, read from what x264 wrote."""

import struct
import time
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.mp4 import avc
from infrastructure.mp4.avc import is_idr_with_known_sets
from infrastructure.mp4.bit_reader import BitReader
from infrastructure.mp4.boxes import box
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import Track
from infrastructure.mp4.sample_entry import avc1_entry
from infrastructure.splicing.picture_format import PictureFormat
from infrastructure.splicing.spans import copy_obstacle
from tests.unit.mp4.media import ffmpeg, index_of

FULL_RANGE = [
    *("-vf", "scale=out_range=pc", "-color_range", "pc", "-pix_fmt", "yuv420p"),
    *("-x264-params", "colorprim=bt709:transfer=bt709:colormatrix=bt709:overscan=show"),
]


def encoded(folder: Path, size: str, *options: str) -> tuple[bytes, Track]:
    """Encode ten frames with x264; return the file and its video track."""
    path = folder / "x.mp4"
    source = f"testsrc2=size={size}:rate=30:duration=0.34"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", *options, str(path))
    data = path.read_bytes()
    video = index_of(data).video
    assert video is not None
    return data, video


def test_an_avcc_survives_being_taken_apart(tmp_path: Path) -> None:
    """Built again it is the same, bytes after the PPS included; so is the sample entry."""
    _, video = encoded(tmp_path, "160x96", "-pix_fmt", "yuv420p")
    config = avc.parse_avcc(video.config)
    assert (config.profile, config.nal_length_size) == (100, 4)
    assert config.extension == b"\xfd\xf8\xf8\x00"
    assert avc.build_avcc(config) == video.config
    assert avc1_entry(video.sample_entry, video.config) == video.sample_entry


@pytest.mark.parametrize(
    ("size", "options", "expected"),
    [
        ("160x96", ["-pix_fmt", "yuv420p"], {"frame_mbs_only": True, "full_range": False}),
        ("160x96", ["-pix_fmt", "yuv444p"], {"chroma_format_idc": 3}),
        ("160x96", ["-pix_fmt", "yuv422p"], {"chroma_format_idc": 2}),
        ("160x96", ["-pix_fmt", "yuv420p10le"], {"bit_depth_luma": 10, "bit_depth_chroma": 10}),
        ("160x96", ["-pix_fmt", "yuv420p", "-x264-params", "sps-id=7"], {"sps_id": 7}),
        ("160x92", ["-pix_fmt", "yuv420p", "-flags", "+ildct+ilme"], {"frame_mbs_only": False}),
        (
            "160x96",
            ["-pix_fmt", "yuv420p", "-profile:v", "baseline"],
            {"chroma_format_idc": 1, "bit_depth_luma": 8, "bit_depth_chroma": 8},
        ),
        ("160x96", FULL_RANGE, {"full_range": True}),
        ("162x90", [*FULL_RANGE, "-bf", "0"], {"full_range": True}),
        (
            "160x92",
            [*FULL_RANGE, "-flags", "+ildct+ilme", "-aspect", "7:5"],
            {"full_range": True, "frame_mbs_only": False},
        ),
    ],
)
def test_an_sps_has_the_fields_that_x264_was_given(
    size: str, options: list[str], expected: dict[str, object], tmp_path: Path
) -> None:
    """Chroma, depth, interlace, range of values; whatever else precedes them in the set."""
    _, video = encoded(tmp_path, size, *options)
    config = avc.parse_avcc(video.config)
    sps = avc.parse_sps(config.sps[0])
    assert {name: getattr(sps, name) for name in expected} == expected
    assert avc.read_pps_id(config.pps[0]) == sps.sps_id  # x264 gives both the same


def test_emulation_prevention_bytes_are_no_part_of_the_numbers() -> None:
    """00 00 03 in a NAL unit stands for 00 00."""
    plain = BitReader(b"\0\0\3\1\0\0\3\0")
    assert [plain.u(8) for _ in range(6)] == [0, 0, 1, 0, 0, 0]


def test_slice_types_are_distinguished(tmp_path: Path) -> None:
    """One IDR picture first, then P and B; a prefix that shows no slice says None."""
    data, video = encoded(tmp_path, "160x96", "-pix_fmt", "yuv420p", "-bf", "3")
    whole = [data[at : at + n] for at, n in zip(video.offsets, video.sizes, strict=True)]
    config = avc.parse_avcc(video.config)
    clean = [is_idr_with_known_sets(sample, config) for sample in whole]
    assert clean == [True] + [False] * (len(whole) - 1)
    kinds = [avc.first_slice_type(sample, 4) for sample in whole]
    assert kinds[0] == "I"
    assert set(kinds[1:]) == {"P", "B"}
    # x264's long SEI comes first.
    assert is_idr_with_known_sets(whole[0][:40], config) is None
    assert avc.first_slice_type(whole[0][:40], 4) is None


def test_the_last_nal_unit_of_a_prefix_may_be_cut_off() -> None:
    """Its length is the stated one; empty ones are left out."""
    sample = b"\0\0\0\2\x67\1" + bytes(4) + b"\0\0\0\3\x65\2\3"
    whole = [(2, b"\x67\1"), (3, b"\x65\2\3")]
    assert list(avc.nal_units(sample, 4)) == whole
    assert list(avc.nal_units(sample[:-1], 4)) == [whole[0], (3, b"\x65\2")]
    assert list(avc.nal_units(sample[:-3], 4)) == whole[:1]


def test_a_picture_with_a_set_of_its_own_is_no_access_point() -> None:
    """Known sets may be repeated; a set that is cut off decides nothing."""
    config = avc.AvcConfig(100, 0, 30, 4, (b"\x67\1\2",), (b"\x68\1",))

    def sample(*nals: bytes) -> bytes:
        return b"".join(len(nal).to_bytes(4) + nal for nal in nals)

    known = sample(b"\x67\1\2", b"\x68\1", b"\x65\x88")
    assert is_idr_with_known_sets(known, config) is True
    assert is_idr_with_known_sets(known[:6], config) is None
    assert is_idr_with_known_sets(sample(b"\x68\2", b"\x65\x88"), config) is False
    assert is_idr_with_known_sets(sample(b"\x65\x88", b"\x68\2"), config) is False


def test_parameter_sets_of_two_encodes_stand_side_by_side(tmp_path: Path) -> None:
    """Unlike ids merge; unlike sets under one id are refused; equal ones are kept once."""
    plain = ["-pix_fmt", "yuv420p"]
    one = avc.parse_avcc(encoded(tmp_path, "160x96", *plain)[1].config)
    two = avc.parse_avcc(encoded(tmp_path, "160x96", *plain, "-x264-params", "sps-id=1")[1].config)
    both = avc.merge_avcc([one, two, one])
    assert (both.sps, both.pps) == (one.sps + two.sps, one.pps + two.pps)
    assert avc.parse_avcc(avc.build_avcc(both)) == both
    with pytest.raises(ValueError, match="one id"):
        avc.merge_avcc([one, evolve(one, sps=(one.sps[0] + b"\x80",))])


def test_a_megabyte_of_empty_nal_units_is_not_walked_through() -> None:
    """A damaged sample is usually zeros, which read as NAL units without a byte each."""
    zeros = bytes(4 << 20)
    began_s = time.process_time()
    assert avc.first_slice_type(zeros, 4) is None
    many = b"\0\0\0\1\x06" * (1 << 18)
    assert len(list(avc.nal_units(many, 4))) == avc.MAX_NALS
    assert time.process_time() - began_s < 0.2


def test_a_sample_entry_keeps_a_box_of_a_long_size() -> None:
    """With 64 bits, which no box in a sample entry needs."""
    wide = struct.pack(">I4sQ", 1, b"pasp", 24) + struct.pack(">II", 4, 3)
    entry = box(b"avc1", bytes(78), wide, box(b"avcC", b"old"))
    made = avc1_entry(entry, b"new")
    pasp = box(b"pasp", struct.pack(">II", 4, 3))
    assert made == box(b"avc1", bytes(78), box(b"avcC", b"new"), pasp)


def test_parameter_sets_that_are_none_are_no_ground_to_copy_on(tmp_path: Path) -> None:
    """An unreadable one cannot be distinguished from ours."""
    _, video = encoded(tmp_path, "160x96", "-pix_fmt", "yuv420p")
    assert copy_obstacle(video, PictureFormat(None)) is None
    config = avc.parse_avcc(video.config)
    for pps, why in (((b"\x67\1",), "cannot be read"), ((), "no picture parameter set")):
        odd = evolve(video, config=avc.build_avcc(evolve(config, pps=pps)))
        assert why in str(copy_obstacle(odd, PictureFormat(None)))


@given(st.binary(max_size=60))
def test_garbage_is_bad_mp4(garbage: bytes) -> None:
    """Random bytes parse or raise InvalidMp4, nothing else."""
    for parse, head in (
        (avc.parse_avcc, b"\1\x64"),
        (avc.parse_sps, b"\x67\x64"),
        (avc.read_pps_id, b"\x68"),
    ):
        try:
            parse(head + garbage)
        except InvalidMp4 as error:
            assert str(error)  # noqa: PT017


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize(
    ("size", "options"),
    [
        ("160x96", ["-pix_fmt", "yuv420p"]),
        ("162x90", ["-pix_fmt", "yuv420p"]),
        ("1920x1080", ["-pix_fmt", "yuv420p"]),
        ("162x91", ["-pix_fmt", "yuv422p"]),
        ("163x91", ["-pix_fmt", "yuv444p"]),
        ("163x91", ["-pix_fmt", "gray"]),
        ("162x90", ["-pix_fmt", "yuv420p10le"]),
        ("162x92", ["-pix_fmt", "yuv420p", "-flags", "+ildct+ilme"]),
        ("162x90", ["-pix_fmt", "yuv420p", "-x265-params", "temporal-layers=3:log-level=error"]),
    ],
)
def test_the_parameter_sets_state_the_cropped_size(
    codec: str, size: str, options: list[str], tmp_path: Path
) -> None:
    """Of H.264 and HEVC, whatever the sample entry states: that is as stored where they do not."""
    path = tmp_path / "x.mp4"
    source = f"testsrc2=size=320x240:rate=30:duration=0.1,scale={size.replace('x', ':')}"
    quiet = ["-x265-params", "log-level=error"] if codec == "libx265" else []
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", codec, *quiet, *options, str(path))
    data = path.read_bytes()
    expected = tuple(map(int, size.split("x")))
    entry = data.index(b"avc1" if codec == "libx264" else b"hev1", data.index(b"stsd")) + 28
    for stated in (expected, (0, 0), (4096, 16)):
        changed = data[:entry] + struct.pack(">HH", *stated) + data[entry + 4 :]
        video = index_of(changed).video
        assert video is not None
        assert (video.width, video.height) == expected
        assert struct.unpack_from(">HH", video.sample_entry, 32) == expected


@pytest.mark.parametrize("kind", [b"avcC", b"hvcC"])
def test_parameter_sets_that_cannot_be_read_leave_the_stated_size(
    kind: bytes, tmp_path: Path
) -> None:
    """The decoder has the last word; without a size, that of the track header is taken."""
    codec = "libx264" if kind == b"avcC" else "libx265"
    path = tmp_path / "x.mp4"
    source = "testsrc2=size=160x96:rate=30:duration=0.1"
    quiet = ["-x265-params", "log-level=error"] if codec == "libx265" else []
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", codec, *quiet, str(path))
    data = path.read_bytes()
    config, entry = data.index(kind) + 4, data.index(b"stsd") + 4 + 8 + 32
    lies = [bytes([value]) * 30 for value in (0, 1, 3, 255)]
    for lie in lies:
        changed = data[:config] + lie + data[config + 30 :]
        video = index_of(changed).video
        assert video is not None
        assert (video.width, video.height) == (160, 96)
        video = index_of(changed[:entry] + bytes(4) + changed[entry + 4 :]).video
        assert video is not None
        assert (video.width, video.height) == (160, 96)
