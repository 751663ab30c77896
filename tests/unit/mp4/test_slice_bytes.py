"""Bytes that no coded picture consists of, in samples that x264 and x265 wrote."""

from pathlib import Path

import pytest

from infrastructure.mp4.index import Track
from infrastructure.mp4.slice_bytes import has_impossible_slice
from tests.unit.mp4.media import ffmpeg, index_of


@pytest.fixture(params=["libx264", "libx265"])
def film(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[bytes, Track]:
    """Encode thirty frames of noise."""
    path = tmp_path / "x.mp4"
    source = "testsrc2=size=128x96:rate=30:duration=1"
    params = ["-x265-params", "log-level=none"] if request.param == "libx265" else []
    noise = ["-vf", "noise=alls=40:allf=t", "-crf", "5", "-c:v", request.param, *params]
    ffmpeg("-f", "lavfi", "-i", source, *noise, str(path))
    data = path.read_bytes()
    video = index_of(data).video
    assert video is not None
    return data, video


def is_impossible(data: bytes, track: Track) -> bool:
    """Return whether any sample is."""
    return has_impossible_slice(track, lambda offset, length: data[offset : offset + length])


def test_what_encoders_write_is_possible(film: tuple[bytes, Track]) -> None:
    """Whatever the pictures are."""
    assert not is_impossible(*film)


@pytest.mark.parametrize("written", [bytes(3), b"\0\0\1", b"\0\0\2"])
def test_overwritten_slices_are_impossible(film: tuple[bytes, Track], written: bytes) -> None:
    """Three bytes suffice."""
    data, track = film
    at = track.offsets[7] + track.sizes[7] // 2
    assert is_impossible(data[:at] + written + data[at + 3 :], track)


def test_a_slice_may_end_with_a_few_zeros(film: tuple[bytes, Track]) -> None:
    """They are padding; more are what is left of a slice."""
    data, track = film
    end = track.offsets[7] + track.sizes[7]
    assert not is_impossible(data[: end - 8] + bytes(8) + data[end:], track)
    assert is_impossible(data[: end - 100] + bytes(100) + data[end:], track)


def test_other_codecs_are_not_looked_at(tmp_path: Path) -> None:
    """MPEG-4 part 2 has start codes among its bytes."""
    path = tmp_path / "x.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=duration=0.2", "-c:v", "mpeg4", str(path))
    video = index_of(path.read_bytes()).video
    assert video is not None
    assert not is_impossible(path.read_bytes(), video)
