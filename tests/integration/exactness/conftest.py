"""Cameras whose recordings are made once in a run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.integration.exactness.camera import Camera
from tests.integration.exactness.strict_buckets import MIN_PART_BYTES, StrictBuckets, strict_buckets


@pytest.fixture(scope="session")
def buckets() -> Iterator[StrictBuckets]:
    """Serve buckets between which clips are copied."""
    with strict_buckets() as served:
        yield served


@pytest.fixture
def camera(films: Path, tmp_path: Path, buckets: StrictBuckets) -> Camera:
    """Return a camera whose clips are made as in service: frames are copied, inside S3."""
    transcoder = FfmpegTranscoder(find_ffmpeg({}), min_copied_range_bytes=MIN_PART_BYTES)
    return Camera(films, tmp_path, transcoder, buckets)


@pytest.fixture
def encoding_camera(films: Path, tmp_path: Path) -> Camera:
    """Return a camera whose clips are encoded and decoded whole."""
    transcoder = FfmpegTranscoder(find_ffmpeg({}), verify="decode", splice=False)
    return Camera(films, tmp_path, transcoder)
