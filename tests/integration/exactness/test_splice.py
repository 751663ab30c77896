"""What is copied is the recording's own; what is encoded looks like it; nothing else travels."""

from pathlib import Path
from typing import Literal

import pytest
from attrs import evolve

from application.ports import RecordingPiece
from devtools.footage import Recording, frame_hashes, psnr_db
from domain.window import TimeWindow
from infrastructure.ffmpeg.excerpt import index_file
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.integration.exactness.cutting import START_MS, Camera, Clip
from tests.integration.exactness.test_exact_clips import CASES, check_clip, recording

COPIED = {
    "one recording, from keyframe to keyframe": 60,
    "one recording, from a keyframe on": 37,
    "one recording, from between keyframes": 43,
    "one recording, from between two frames": 0,
    "the first frame alone": 1,
    "a frame in the middle alone": 0,
    "the last frame alone": 0,
    "a recording of one frame": 1,
    "a whole recording": 120,
    "footage neither before nor after the recording": 120,
    "two recordings": 82,
    "three recordings": 106,
    "two recordings, from the last frame of one to the first of the next": 1,
    "15 frames a second": 0,
    "25 frames a second": 25,
    "29.97 frames a second": 43,
    "60 frames a second": 88,
    "59.94 frames a second": 88,
    "a variable frame rate": 25,
    "no B-frames": 44,
    "a pyramid of B-frames": 41,
    "an open GOP, from the frame before a keyframe": 0,
    "an open GOP, from a keyframe on": 0,
    "an open GOP, to a keyframe": 0,
    "keyframes only": 66,
    "a keyframe every 10 s": 37,
    "intra refresh": 0,
    "HEVC": 0,
    "HEVC with an open GOP": 0,
    "MPEG-4 part 2": 0,
    "10 bits a sample": 0,
    "4:4:4": 0,
    "full range": 43,
    "baseline profile": 44,
    "interlaced": 0,
    "the index at the end": 43,
    "fragments": 43,
    "fragments without an index": 43,
    "a start time of 2.5 s": 43,
    "fragments with a start time of 2.5 s": 43,
    "128 x 96": 43,
    "odd sides": 0,
    "a quarter turn": 0,
    "half a turn": 0,
    "no sound": 43,
    "stereo at 44.1 kHz": 43,
    "MP3 sound": 43,
    "sound in the first of two": 82,
    "sound in the second of two": 82,
    "sound in none of two": 82,
    "AAC, then MP3": 82,
    "48 kHz, then 44.1 kHz": 82,
    "mono, then stereo": 82,
    "30, then 25 frames a second": 70,
    "H.264, then HEVC": 0,
    "a small picture, then a large one for longer": 82,
    "a large picture, then a small one for longer": 82,
    "an overlap": 97,
    "a recording within another": 109,
    "a seam": 121,
    "a seam between MP3 sounds": 121,
    "a gap": 145,
    "a gap of odd milliseconds, then a seam": 120,
}
Layout = Literal["faststart", "moov_last", "fragmented"]
RICH = recording(12, size=(640, 360), crf=10)
NEXT = evolve(RICH, start_ms=START_MS + 12_000, first_number=1360)


def test_every_kind_of_clip_is_listed() -> None:
    """So that none falls back to encoding unseen."""
    assert set(COPIED) == set(CASES)


@pytest.mark.parametrize("name", [name for name in COPIED if COPIED[name] > 40])
def test_frames_are_copied_where_they_can_be(camera: Camera, name: str) -> None:
    """As many as ever, to the bit; the others look like the recording's."""
    case = CASES[name]
    clip = camera.cut(case.recordings, case.from_ms, case.to_ms)
    assert clip.rendition.media.copied_frames == COPIED[name]
    hashes = dict(zip(clip.reading.numbers, frame_hashes(clip.path), strict=True))
    same = sum(hashes.get(number) == own for number, own in sources(clip, case.recordings))
    assert same >= COPIED[name]


@pytest.mark.parametrize("name", [name for name in COPIED if COPIED[name] <= 40])
def test_as_few_frames_are_copied_as_can_be(camera: Camera, name: str) -> None:
    """Where there is no keyframe to begin at, or what is there cannot stand beside our frames."""
    case = CASES[name]
    clip = camera.cut(case.recordings, case.from_ms, case.to_ms)
    assert clip.rendition.media.copied_frames == COPIED[name]


def sources(clip: Clip, recordings: tuple[Recording, ...]) -> list[tuple[int, str]]:
    """Return number and hash of every frame of the recordings."""
    return [
        pair
        for recorded, path in zip(recordings, clip.sources, strict=True)
        for pair in zip(recorded.numbers, frame_hashes(path), strict=True)
    ]


@pytest.fixture
def rich(camera: Camera) -> Clip:
    """Cut a clip of two recordings whose middles are large enough to stay where they are."""
    usual = evolve(camera, transcoder=FfmpegTranscoder(find_ffmpeg({})))
    return usual.cut([RICH, NEXT], 3_456, 19_876)


def test_a_long_middle_is_named_and_not_read(rich: Clip) -> None:
    """It is a piece of the recording; all else is in the clip's own file."""
    check_clip(rich)
    pieces = [p for p in rich.rendition.pieces if isinstance(p, RecordingPiece)]
    assert [p.recording.segment.name for p in pieces] == [
        cut.segment.name for cut in rich.plan.cuts
    ]
    assert sum(p.length for p in pieces) > 0.7 * rich.rendition.size_bytes


def test_encoded_frames_look_like_the_recordings(rich: Clip) -> None:
    """No step is seen at a join: the worst encoded frame is 44 dB or better."""
    first = rich.reading.numbers[0] - RICH.first_number
    assert psnr_db(rich.path, rich.sources[0], first) >= 44


@pytest.mark.parametrize("layout", ["faststart", "moov_last", "fragmented"])
def test_nothing_from_outside_the_window_travels(camera: Camera, layout: Layout) -> None:
    """No picture and no sound of the neighbourhood occurs anywhere in the clip's bytes."""
    recordings = [evolve(RICH, layout=layout), evolve(NEXT, layout=layout)]
    clip = camera.cut(recordings, 3_456, 19_876)
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


def samples(path: Path, start_ms: int) -> list[tuple[TimeWindow, bytes]]:
    """Return all samples of a recording that tell something, and when they are seen or heard."""
    index, data = index_file(path), path.read_bytes()
    return [
        (TimeWindow(ms, ms + 1 + lasts * 1000 // track.timescale), data[at : at + size])
        for track in (index.video, index.audio)
        if track is not None
        for at, size, pts, lasts in zip(
            track.offsets, track.sizes, track.pts, track.durations, strict=True
        )
        for ms in [start_ms + pts * 1000 // track.timescale]
        if size > 40
    ]
