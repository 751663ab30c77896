"""What samples are, seen from their first bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.mp4.avc import parse_avcc
from infrastructure.mp4.random_access import Access, access_of, sei_payloads, user_data
from tests.unit.mp4.media import ffmpeg, index_of

PREFIX_BYTES = 2048
KINDS = {
    "closed GOPs": (["libx264"], {Access.WHOLE, Access.NONE}),
    "open GOPs": (["libx264", "-x264-params", "open-gop=1"], {Access.WHOLE, Access.NONE}),
    "intra refresh": (
        ["libx264", "-x264-params", "intra-refresh=1"],
        {Access.WHOLE, Access.REFRESH, Access.NONE},
    ),
    "intra pictures only": (["libx264", "-g", "1"], {Access.WHOLE}),
    "HEVC": (["libx265", "-x265-params", "keyint=10"], {Access.WHOLE, Access.NONE}),
    "HEVC, open GOPs": (
        ["libx265", "-x265-params", "keyint=10:open-gop=1"],
        {Access.WHOLE, Access.NONE},
    ),
    "MPEG-4": (["mpeg4"], {Access.WHOLE, Access.NONE}),
    "VP9": (["libvpx-vp9"], {Access.UNKNOWN}),
}


@pytest.mark.parametrize(("options", "expected"), KINDS.values(), ids=KINDS)
def test_a_samples_first_bytes_show_whether_decoding_may_begin(
    options: list[str], expected: set[Access], tmp_path: Path
) -> None:
    """Those that an encoder marks as sync samples are the ones that prove to be some."""
    path = tmp_path / "x.mp4"
    source = "testsrc2=size=160x96:rate=30:duration=2"
    codec, *params = options
    rest = ["-g", "10", "-pix_fmt", "yuv420p", *params]
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", codec, *rest, str(path))
    data = path.read_bytes()
    video = index_of(data).video
    assert video is not None
    found = [
        access_of(video.codec, video.config, data[at : at + min(size, PREFIX_BYTES)])
        for at, size in zip(video.offsets, video.sizes, strict=True)
    ]
    assert set(found) == expected
    if expected != {Access.UNKNOWN}:
        assert [access is not Access.NONE for access in found] == [*map(bool, video.sync)]


def test_the_encoders_version_is_found_in_the_first_sample(tmp_path: Path) -> None:
    """Its NAL unit comes with its length in front; other samples have none."""
    path = tmp_path / "x.mp4"
    source = "testsrc2=size=160x96:rate=30:duration=0.5"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path))
    data = path.read_bytes()
    video = index_of(data).video
    assert video is not None
    length_size = parse_avcc(video.config).nal_length_size
    first, second = (data[video.offsets[i] : video.offsets[i] + video.sizes[i]] for i in (0, 1))
    sei = user_data(first, length_size)
    assert b"x264 - core" in sei
    assert first.startswith(sei)
    assert user_data(second, length_size) == b""
    assert user_data(first[:100], length_size) == b""


@given(st.binary(max_size=64), st.sampled_from(["avc1", "hvc1", "mp4v", "vp09"]), st.binary())
def test_no_bytes_are_too_strange(prefix: bytes, codec: str, config: bytes) -> None:
    """Hostile samples and configurations are of unknown access at worst."""
    assert access_of(codec, config, prefix) in Access
    assert access_of("avc1", b"\1\x64\0\x1f\xff\xe0\0", prefix) in Access
    assert access_of("hvc1", bytes(23), prefix) in Access
    assert all(kind >= 0 for kind in sei_payloads(prefix))
