"""Copied ranges are named, not read; encoded frames look like them; nothing else is copied."""

from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from attrs import evolve

from application.ports import RecordingPiece, Rendition
from devtools.footage import Recording, psnr_db
from devtools.footage.assertions import assert_clean, assert_frames
from domain.options import ClipOptions
from domain.window import TimeWindow
from infrastructure.ffmpeg.excerpt import index_file
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.mp4.avc import nal_units
from infrastructure.mp4.hevc import ids_of, nal_type, parse_hvcc
from infrastructure.mp4.hevc_sets import PARAMETER_SETS, NalType
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.integration.exactness.camera import Camera, check_clip
from tests.integration.exactness.cases import recording
from tests.integration.exactness.layouts import Patched
from tests.unit.mp4.media import ffmpeg

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


@pytest.mark.parametrize(
    "kind",
    [{}, {"codec": "hevc"}, {"codec": "hevc", "pix_fmt": "yuv420p10le"}],
    ids=["H.264", "HEVC", "HEVC with 10 bits"],
)
def test_encoded_frames_look_like_the_recordings(camera: Camera, kind: dict[str, Any]) -> None:
    """No step is seen at a splice: the worst frame is 44 dB or better."""
    clip = camera.cut(two_rich(3, size=(640, 360), **kind), 456, 5_432)
    assert clip.rendition.media.copied_frames > 0
    first = clip.reading.numbers[0] - 1000
    assert psnr_db(clip.path, clip.sources[0], first) >= 44


class Choosing(FfmpegTranscoder):
    """Renders as a request with that option."""

    option: ClassVar[Literal["splice", "h264"] | None] = None

    def render(self, *args: Any) -> Rendition:  # noqa: ANN401 - the port's
        render: Any = super().render
        rendition: Rendition = render(*args[:5], ClipOptions(hevc=self.option), *args[6:])
        return rendition


@pytest.mark.parametrize(
    ("setting", "option", "codec"),
    [
        ("splice", None, "hevc"),
        ("h264", None, "h264"),
        ("splice", "h264", "h264"),
        ("h264", "splice", "hevc"),
    ],
)
def test_a_request_chooses_what_becomes_of_hevc(
    camera: Camera, setting: str, option: Literal["splice", "h264"] | None, codec: str
) -> None:
    """Its option comes before the setting."""
    kind = type("Chosen", (Choosing,), {"option": option})
    transcoder = kind(find_ffmpeg({}), hevc=setting, min_copied_range_bytes=4096)
    clip = evolve(camera, transcoder=transcoder).cut(two_rich(3, codec="hevc"), 456, 5_432)
    check_clip(clip)
    assert clip.rendition.media.codec == clip.reading.video_codec == codec
    assert (clip.rendition.media.copied_frames > 0) is (codec == "hevc")


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("layout", ["faststart", "moov_last", "fragmented"])
def test_nothing_from_outside_the_window_is_in_the_clip(
    camera: Camera, layout: Layout, codec: str
) -> None:
    """No picture and no audio from before or after the cuts occurs anywhere in its bytes."""
    recordings = two_rich(8, layout=layout, codec=codec)
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


def test_the_sample_entry_of_hevc_holds_the_sets_of_copied_and_encoded_frames(
    camera: Camera,
) -> None:
    """One hvc1 entry, complete: two of each set with distinct ids, none among our samples."""
    film = recording(codec="hevc", extra_args=("-tag:v", "hev1"))
    clip = camera.cut([film], 1234, 3456)
    (video,) = [track for track in [index_file(clip.path).video] if track]
    assert video.codec == "hvc1"
    config = parse_hvcc(video.config)
    assert ids_of(config) == ([0, 1], [0, 1], [0, 1])
    arrays = {video.config[at] for at in array_places(video.config)}
    assert arrays >= {0x80 | kind for kind in PARAMETER_SETS}
    data = clip.path.read_bytes()
    kinds = {
        nal_type(nal)
        for at, size in zip(video.offsets[:20], video.sizes[:20], strict=True)
        for _, nal in nal_units(data[at : at + size], config.nal_length_size)
    }
    assert kinds <= {NalType.IDR_W_RADL, NalType.IDR_N_LP, 0, 1}


def array_places(hvcc: bytes) -> list[int]:
    """Return where each array of an hvcC begins."""
    places, at = [], 23
    for _ in range(hvcc[22]):
        places.append(at)
        count, at = int.from_bytes(hvcc[at + 1 : at + 3]), at + 3
        for _ in range(count):
            at += 2 + int.from_bytes(hvcc[at : at + 2])
    return places


@pytest.mark.parametrize("keyframes_before", [1, 3, 6])
def test_frames_are_copied_until_the_parameter_sets_change(
    camera: Camera, tmp_path: Path, keyframes_before: int
) -> None:
    """A file as hev1 may hold others from some keyframe on: what follows is encoded."""
    before = recording(keyframes_before, first_number=1000, **HEVC_IN_BAND)
    rest = 10 - keyframes_before
    after = recording(rest, first_number=1000 + before.frames, **{**HEVC_IN_BAND, **OTHER_SETS})
    whole = recording(10, first_number=1000, **HEVC_IN_BAND)
    listing = tmp_path / "list.txt"
    parts = [camera.path(part) for part in (before, after)]
    listing.write_text("".join(f"file '{path}'\n" for path in parts))
    joined = ["-f", "concat", "-safe", "0", "-i", str(listing), "-c", "copy", "-tag:v", "hev1"]
    ffmpeg(*joined, str(tmp_path / "joined.mp4"))
    data = (tmp_path / "joined.mp4").read_bytes()
    clip = evolve(camera, buckets=Patched(lambda _: data)).cut([whole], 234, 9_876)
    assert_frames(clip.reading, clip.wanted.numbers)
    assert_clean(clip.reading)
    assert clip.reading.video_codec == ("hevc" if keyframes_before > 1 else "h264")
    assert clip.rendition.media.copied_frames == 30 * (keyframes_before - 1)


HEVC_IN_BAND: dict[str, Any] = {
    "codec": "hevc",
    "gop_frames": 30,
    "bframes": 0,
    "audio": None,
    "codec_params": "repeat-headers=1",
    "extra_args": ("-tag:v", "hev1"),
}
OTHER_SETS = {"codec_params": "repeat-headers=1:ctu=16"}


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
