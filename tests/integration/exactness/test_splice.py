"""Copied ranges are named, not read; encoded frames look like them; nothing else is copied."""

from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import evolve

from application.ports import RecordingPiece
from devtools.footage import Recording, psnr_db
from domain.window import TimeWindow
from infrastructure.ffmpeg.excerpt import index_file
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.integration.exactness.camera import Camera, check_clip
from tests.integration.exactness.cases import recording

Layout = Literal["faststart", "moov_last", "fragmented"]


def two_rich(seconds: int, **kind: Any) -> list[Recording]:  # noqa: ANN401
    """Return two recordings of high quality, one after the other."""
    first = recording(seconds, crf=10, **kind)
    return [first, recording(seconds, after_ms=1000 * seconds, crf=10, **kind)]


def test_a_long_middle_is_named_and_not_read(camera: Camera) -> None:
    """It is a piece of the recording; all else is in the clip's own file."""
    default = evolve(camera, transcoder=FfmpegTranscoder(find_ffmpeg({})))
    clip = default.cut(two_rich(6), 1_456, 9_876)
    check_clip(clip)
    pieces = [p for p in clip.rendition.pieces if isinstance(p, RecordingPiece)]
    assert [p.recording.segment.name for p in pieces] == [
        cut.segment.name for cut in clip.plan.cuts
    ]
    assert sum(p.length for p in pieces) > 0.7 * clip.rendition.size_bytes


def test_encoded_frames_look_like_the_recordings(camera: Camera) -> None:
    """No step is seen at a splice: the worst frame is 44 dB or better."""
    clip = camera.cut(two_rich(3, size=(640, 360)), 456, 5_432)
    first = clip.reading.numbers[0] - 1000
    assert psnr_db(clip.path, clip.sources[0], first) >= 44


@pytest.mark.parametrize("layout", ["faststart", "moov_last", "fragmented"])
def test_nothing_from_outside_the_window_is_in_the_clip(camera: Camera, layout: Layout) -> None:
    """No picture and no audio from before or after the cuts occurs anywhere in its bytes."""
    recordings = two_rich(8, layout=layout)
    clip = camera.cut(recordings, 3_456, 12_345)
    assert any(isinstance(piece, RecordingPiece) for piece in clip.rendition.pieces)
    inside: set[bytes] = set()
    outside: set[bytes] = set()
    for cut, source, path in zip(clip.plan.cuts, recordings, clip.sources, strict=True):
        for window, sample in samples(path, source.start_ms):
            (inside if window.overlaps(cut.window) else outside).add(sample)
    # The same beep at another second has the same bytes.
    outside -= inside
    assert len(outside) > 200
    data = clip.path.read_bytes()
    assert not [sample for sample in outside if sample in data]
    assert sum(sample in data for sample in inside) > 200


def samples(path: Path, start_ms: int) -> list[tuple[TimeWindow, bytes]]:
    """Return all distinctive samples of a recording, and when they are presented."""
    index, data = index_file(path), path.read_bytes()
    return [
        (TimeWindow(ms, ms + 1 + duration * 1000 // track.timescale), data[at : at + size])
        for track in (index.video, index.audio)
        if track is not None
        for at, size, pts, duration in zip(
            track.offsets, track.sizes, track.pts, track.durations, strict=True
        )
        for ms in [start_ms + pts * 1000 // track.timescale]
        if size > 40
    ]
