"""HEVC's parameter sets and slice headers, read from what x265 wrote, and written again."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.mp4 import hevc, hevc_sets
from infrastructure.mp4.avc import nal_units
from infrastructure.mp4.bit_reader import BitReader
from infrastructure.mp4.bits import Bits, with_emulation_prevention
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.hevc_ids import MAX_SET_ID, renumbered
from infrastructure.mp4.hevc_sets import NalType
from tests.unit.mp4.media import ffmpeg, index_of


class Encoded(NamedTuple):
    """What x265 wrote."""

    payload: bytes
    """Of the hvcC."""
    config: hevc.HevcConfig
    samples: list[bytes]

    @property
    def sps(self) -> hevc_sets.Sps:
        """Its only sequence parameter set."""
        return hevc_sets.parse_sps(self.config.sets(NalType.SPS)[0])


def encoded(
    folder: Path, params: str, pix_fmt: str = "yuv420p", size: str = "162x90", *options: str
) -> Encoded:
    """Encode 12 frames with x265."""
    path = folder / "x.mp4"
    source = f"testsrc2=size={size}:rate=30:duration=0.4"
    x265 = ["-c:v", "libx265", "-preset", "superfast", "-x265-params", f"log-level=none:{params}"]
    coding = ["-pix_fmt", pix_fmt, *x265, "-tag:v", "hvc1", *options]
    ffmpeg("-f", "lavfi", "-i", source, *coding, str(path))
    data = path.read_bytes()
    video = index_of(data).video
    assert video is not None
    samples = [data[at : at + n] for at, n in zip(video.offsets, video.sizes, strict=True)]
    return Encoded(video.config, hevc.parse_hvcc(video.config), samples)


def decoded(config: hevc.HevcConfig, samples: Iterable[bytes]) -> list[str]:
    """Decode a stream; return each picture's hash. The decoder must not say anything."""
    nals = [*config.nals, *(nal for sample in samples for _, nal in nal_units(sample, 4))]
    argv = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-f",
        "hevc",
        "-i",
        "pipe:0",
        "-f",
        "framemd5",
        "-",
    ]
    stream = b"".join(b"\0\0\0\1" + nal for nal in nals)
    run = subprocess.run(argv, input=stream, capture_output=True, check=True, timeout=60, env={})
    assert run.stderr == b""
    lines = run.stdout.decode().splitlines()
    return [line.rsplit(",", 1)[1] for line in lines if line[0] != "#"]


@pytest.mark.parametrize(
    ("params", "pix_fmt", "size"),
    [
        ("bframes=0", "yuv420p", "162x90"),
        ("bframes=4:b-adapt=0", "yuv420p", "162x90"),
        ("bframes=0", "yuv420p10le", "162x90"),
        ("slices=3:ctu=16:sao=1", "yuv420p", "320x192"),
        ("wpp=0:deblock=0", "yuv420p", "162x90"),
        ("no-deblock=1:sao=0:ref=4", "yuv420p", "162x90"),
        ("cbqpoffs=3:aq-mode=3:temporal-layers=3", "yuv420p", "162x90"),
        ("scaling-list=default:tskip=1:no-temporal-mvp=1", "yuv420p", "162x90"),
    ],
)
def test_renumbered_frames_decode_as_before(
    params: str, pix_fmt: str, size: str, tmp_path: Path
) -> None:
    """Alone, and after frames of the sets that have the old id, which stay in effect."""
    old = encoded(tmp_path, f"weightp=0:weightb=0:info=0:{params}", pix_fmt, size)
    other = encoded(tmp_path, "keyint=6:open-gop=0", pix_fmt, size)
    pictures = decoded(old.config, old.samples)
    assert len(pictures) == 12
    for number in (1, 2, 6, MAX_SET_ID):
        new = renumbered(old.config, number)
        assert hevc.ids_of(new.config) == ([number], [number], [number])
        samples = [new.sample(sample) for sample in old.samples]
        assert decoded(new.config, samples) == pictures
        both = hevc.merge_hvcc([other.config, new.config])
        mixed = [*other.samples, *samples, *other.samples]
        others = decoded(other.config, other.samples)
        assert decoded(both, mixed) == [*others, *pictures, *others]


@pytest.mark.parametrize("params", ["weightp=1", "repeat-headers=1", "intra-refresh=1:hrd=1"])
def test_frames_that_could_be_renumbered_wrongly_are_not(params: str, tmp_path: Path) -> None:
    """Weights are not read; parameter sets among the samples are not renumbered."""
    vbv = ":vbv-maxrate=500:vbv-bufsize=500" if "hrd" in params else ""
    old = encoded(tmp_path, f"bframes=0:{params}{vbv}:info=0")
    try:
        new = renumbered(old.config, 3)
        samples = [new.sample(sample) for sample in old.samples]
    except InvalidMp4:
        return
    assert decoded(new.config, samples) == decoded(old.config, old.samples)


def test_parameter_sets_of_a_sample_are_not_renumbered(tmp_path: Path) -> None:
    """Nor is a sample that is cut off."""
    old = encoded(tmp_path, "bframes=0:weightp=0")
    new = renumbered(old.config, 1)
    sps = old.config.sets(NalType.SPS)[0]
    for odd in (len(sps).to_bytes(4) + sps, old.samples[0][:-1]):
        with pytest.raises(InvalidMp4, match="cut off, or has parameter sets"):
            new.sample(odd)


@pytest.mark.parametrize(
    ("params", "options", "expected"),
    [
        ("bframes=0", [], {"profile": 1, "bit_depth_luma": 8, "chroma_format_idc": 1}),
        ("bframes=0", ["-pix_fmt", "yuv420p10le"], {"profile": 2, "bit_depth_chroma": 10}),
        ("bframes=0", ["-pix_fmt", "yuv422p"], {"chroma_format_idc": 2}),
        ("range=full", [], {"full_range": True}),
        (
            "range=full:colorprim=bt709:transfer=bt709:colormatrix=bt709:sar=2:chromaloc=2",
            [],
            {"full_range": True, "is_interlaced": False, "width": 162, "height": 90},
        ),
        ("interlace=tff", [], {"is_interlaced": True}),
        (
            "temporal-layers=3:scaling-list=default:sao=1",
            [],
            {"full_range": False, "has_sao": True},
        ),
        ("ctu=16", [], {"ctbs": 11 * 6}),
    ],
)
def test_an_sps_has_the_fields_that_x265_was_given(
    params: str, options: list[str], expected: dict[str, object], tmp_path: Path
) -> None:
    """Depth, chroma, range of values, interlace; whatever else precedes them in the set."""
    sps = encoded(tmp_path, params, "yuv420p", "162x90", *options).sps
    assert {name: getattr(sps, name) for name in expected} == expected


ONE, ZERO = Bits(1, 1), Bits(0, 1)


def numbers(*values: int) -> Bits:
    """Return Exp-Golomb numbers, one after the other."""
    return put(*map(Bits.ue, values))


def put(*runs: Bits) -> Bits:
    """Return runs of bits as one."""
    return sum(runs, start=Bits(0, 0))


def sps_with(short_term: Bits, rest: Bits) -> bytes:
    """Return an SPS of 320 x 192 pixels as a camera may write it."""
    profile = put(Bits(0, 7), ONE, Bits(1, 8), Bits(0x60 << 24, 32), Bits(0, 48), Bits(93, 8))
    sizes = put(numbers(0, 1, 320, 192), ZERO, numbers(0, 0, 4), ZERO)
    coding = put(numbers(1, 0, 0), numbers(0, 3, 0, 3, 0, 0), ZERO, ONE, ONE, ZERO)
    return b"\x42\1" + put(profile, sizes, coding, short_term, rest).payload()


OWN_SET = put(numbers(2, 1), *[numbers(0), ONE] * 3)
PREDICTED_SET = put(ONE, ZERO, numbers(0), ONE, ZERO, ONE, ZERO, ZERO, ONE)
LAST_SET = put(ZERO, numbers(1, 0), numbers(0), ONE)
LONG_TERM = put(ONE, numbers(2), Bits(0, 9), Bits(1, 9), ONE, ZERO)
FULL_RANGE_FIELDS = put(ONE, ZERO, ZERO, ONE, Bits(5, 3), ONE, ZERO, ZERO, ZERO, ONE, Bits(0, 20))


def test_an_sps_of_a_camera_is_read_to_its_vui() -> None:
    """With reference picture sets of its own and predicted ones, and long-term pictures."""
    sets = put(numbers(3), OWN_SET, PREDICTED_SET, LAST_SET)
    sps = hevc_sets.parse_sps(sps_with(sets, put(LONG_TERM, FULL_RANGE_FIELDS)))
    assert (sps.width, sps.height, sps.short_term_sets) == (320, 192, 3)
    assert (sps.full_range, sps.is_interlaced, sps.has_long_term) == (True, True, True)


@pytest.mark.parametrize(
    "short_term",
    [numbers(65), numbers(1, 9, 8), numbers(1, (1 << 31) - 1, 0)],
    ids=["65 sets", "17 pictures in a set", "two thousand million pictures in a set"],
)
def test_an_sps_beyond_the_limits_is_not_read(short_term: Bits) -> None:
    """However long the loop would be that a number asks for."""
    with pytest.raises(InvalidMp4, match="absurd number"):
        hevc_sets.parse_sps(sps_with(short_term, Bits(0, 4000)))


def test_an_hvcc_survives_being_taken_apart(tmp_path: Path) -> None:
    """Built again it is the same, with the NAL units that are no parameter sets."""
    plain = encoded(tmp_path, "info=1")
    assert hevc.build_hvcc(plain.config) == plain.payload
    assert plain.config.nal_length_size == 4
    assert any(hevc.nal_type(nal) == 39 for nal in plain.config.nals)


def test_merged_configurations_hold_what_holds_for_all(tmp_path: Path) -> None:
    """The highest level, all sets, equal ones once; unlike sets of one id do not fit."""
    one, two = encoded(tmp_path, "").config, encoded(tmp_path, "level-idc=62").config
    moved = renumbered(encoded(tmp_path, "level-idc=62:weightp=0").config, 1).config
    merged = hevc.merge_hvcc([one, moved, one])
    again = hevc.parse_hvcc(hevc.build_hvcc(merged))
    assert (again.record, sorted(again.nals)) == (merged.record, sorted(merged.nals))
    assert [len(merged.sets(kind)) for kind in hevc_sets.PARAMETER_SETS] == [2, 2, 2]
    assert merged.record[12] == 186 > one.record[12]
    with pytest.raises(ValueError, match="one id"):
        hevc.merge_hvcc([one, two])
    shorter = bytearray(one.record)
    shorter[21] &= 0xFC
    with pytest.raises(ValueError, match="length sizes differ"):
        hevc.merge_hvcc([one, evolve(one, record=bytes(shorter))])


@given(st.binary(max_size=40).map(lambda data: data.replace(b"\x80", b"\0")))
def test_emulation_prevention_hides_start_codes_and_is_undone(raw: bytes) -> None:
    """As the reader takes it out (7.4.2)."""
    coded = with_emulation_prevention(raw + b"\x80")
    assert not any(code in coded for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
    assert Bits.of_payload(coded) == Bits(int.from_bytes(raw + b"\x80"), 8 * len(raw) + 8)


@given(st.integers(0, 1 << 20))
def test_numbers_are_read_as_they_are_written(number: int) -> None:
    """In Exp-Golomb code."""
    assert BitReader(Bits.ue(number).payload()).ue() == number


@given(st.binary(max_size=80))
def test_garbage_is_bad_mp4(garbage: bytes) -> None:
    """Random bytes parse or raise InvalidMp4, nothing else."""
    for parse, head in (
        (hevc.parse_hvcc, b"\1" + bytes(20) + b"\3\1\x21\0\1"),
        (hevc_sets.parse_sps, b"\x42\1"),
        (hevc_sets.picture_size, b"\x42\1"),
        (hevc_sets.parse_pps, b"\x44\1"),
        (hevc_sets.read_vps_id, b"\x40\1"),
        (hevc_sets.read_pps_id, b""),
    ):
        try:
            parse(head + garbage)
        except InvalidMp4 as error:
            assert str(error)  # noqa: PT017


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Encoded:
    """Return frames as the transcoder encodes them."""
    return encoded(tmp_path_factory.mktemp("plain"), "bframes=0:weightp=0:info=0")


def test_the_header_of_a_slice_is_written_again_with_emulation_prevention(plain: Encoded) -> None:
    """The coded data after it stays as it is, whatever it contains."""
    new, data = renumbered(plain.config, 5), b"\0\0\3\1\x80\0\0\3"
    entry_points = put(numbers(2, 31), Bits(1, 32), Bits(515, 32))
    rest = put(numbers(2, 0), ONE, entry_points)  # an I slice
    old_header, new_header = (put(ONE, ZERO, numbers(i), rest).payload() for i in (0, 5))
    assert old_header.count(b"\0\0\3") == new_header.count(b"\0\0\3") > 0
    old_nal, new_nal = b"\x26\1" + old_header + data, b"\x26\1" + new_header + data
    sample = new.sample(len(old_nal).to_bytes(4) + old_nal)
    assert sample == len(new_nal).to_bytes(4) + new_nal


@given(number=st.integers(0, 11), garbage=st.binary(min_size=1, max_size=40), at=st.integers(2, 60))
def test_garbage_in_a_slice_is_bad_mp4(
    plain: Encoded, number: int, garbage: bytes, at: int
) -> None:
    """Or it is renumbered as if it were none: the decoder has the last word."""
    sample = bytearray(plain.samples[number])
    sample[4 + at : 4 + at + len(garbage)] = garbage
    try:
        renumbered(plain.config, 1).sample(bytes(sample[: len(plain.samples[number])]))
    except InvalidMp4 as error:
        assert str(error)  # noqa: PT017
