"""Every kind of recording gives exactly the wanted frames, each in time, with sound in step."""

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from devtools.footage import Recording, assert_clip, read_clip
from devtools.footage.picture import UNREADABLE
from devtools.footage.recording import FFMPEG
from tests.integration.exactness.cutting import START_MS, Camera, Clip

SOUND_WITHIN_MS = 15.0


def recording(seconds: float = 4, *, after_ms: int = 0, **kind: Any) -> Recording:  # noqa: ANN401
    """Describe a recording `after_ms` after the first; its numbers go on where time does."""
    fps = kind.get("fps", Fraction(30))
    first = 1000 + round(after_ms * fps / 1000)
    plain = Recording(start_ms=START_MS + after_ms, first_number=first, frames=round(seconds * fps))
    return evolve(plain, **kind)


@frozen
class Case:
    """A clip from `from_ms` to `to_ms` of some recordings."""

    recordings: tuple[Recording, ...]
    from_ms: int
    to_ms: int


def of_one(from_ms: int, to_ms: int, seconds: float = 4, **kind: Any) -> Case:  # noqa: ANN401
    """Cut a clip of one recording of a kind."""
    return Case((recording(seconds, **kind),), from_ms, to_ms)


def of_two(first: dict[str, Any], second: dict[str, Any]) -> Case:
    """Cut a clip across the join of two recordings of 4 s of two kinds."""
    return Case((recording(**first), recording(after_ms=4000, **second)), 2345, 6789)


UNEVEN_MS = tuple(n * 40 + (n * 7919) % 37 for n in range(100))
THREE = tuple(recording(2, after_ms=after_ms) for after_ms in (0, 2000, 4000))

CASES = {
    "one recording, from keyframe to keyframe": of_one(2000, 4000),
    "one recording, from a keyframe on": of_one(2000, 3210),
    "one recording, from between keyframes": of_one(1234, 3456),
    "one recording, from between two frames": of_one(1001, 1999),
    "the first frame alone": of_one(0, 33),
    "a frame in the middle alone": of_one(1500, 1520),
    "the last frame alone": of_one(3960, 4000),
    "a recording of one frame": Case((recording(1, frames=1),), 0, 1000),
    "a whole recording": of_one(0, 4000),
    "footage neither before nor after the recording": of_one(-500, 4500),
    "two recordings": of_two({}, {}),
    "three recordings": Case(THREE, 1111, 5555),
    "two recordings, from the last frame of one to the first of the next": Case(
        (recording(), recording(after_ms=4000)), 3960, 4010
    ),
    "15 frames a second": of_one(1234, 3456, fps=Fraction(15)),
    "25 frames a second": of_one(1234, 3456, fps=Fraction(25)),
    "29.97 frames a second": of_one(1234, 3456, fps=Fraction(30_000, 1001)),
    "60 frames a second": of_one(1234, 3456, fps=Fraction(60)),
    "59.94 frames a second": of_one(1234, 3456, fps=Fraction(60_000, 1001)),
    "a variable frame rate": of_one(1234, 3456, pts_ms=UNEVEN_MS, frames=100),
    "no B-frames": of_one(1234, 3456, bframes=0),
    "a pyramid of B-frames": of_one(
        1234, 3456, bframes=7, preset="veryfast", extra_args=("-b_strategy", "0")
    ),
    "an open GOP, from the frame before a keyframe": of_one(1967, 3456, open_gop=True),
    "an open GOP, from a keyframe on": of_one(2000, 3456, open_gop=True),
    "an open GOP, to a keyframe": of_one(1000, 2000, open_gop=True),
    "keyframes only": of_one(1234, 3456, all_intra=True),
    "a keyframe every 10 s": of_one(9876, 11_234, 12, gop_frames=300, bframes=3),
    "intra refresh": of_one(4321, 5678, 6, intra_refresh=True),
    "HEVC": of_one(1234, 3456, codec="hevc"),
    "HEVC with an open GOP": of_one(1967, 3456, codec="hevc", open_gop=True),
    "MPEG-4 part 2": of_one(1234, 3456, codec="mpeg4", bframes=0),
    "10 bits a sample": of_one(1234, 3456, pix_fmt="yuv420p10le"),
    "4:4:4": of_one(1234, 3456, pix_fmt="yuv444p"),
    "full range": of_one(1234, 3456, pix_fmt="yuvj420p"),
    "baseline profile": of_one(1234, 3456, bframes=0, extra_args=("-profile:v", "baseline")),
    "interlaced": of_one(1234, 3456, interlaced=True, size=(320, 192), preset="veryfast"),
    "the index at the end": of_one(1234, 3456, layout="moov_last"),
    "fragments": of_one(1234, 3456, layout="fragmented"),
    "fragments without an index": of_one(1234, 3456, layout="fragmented_no_index"),
    "a start time of 2.5 s": of_one(1234, 3456, start_time_s=2.5),
    "fragments with a start time of 2.5 s": of_one(
        1234, 3456, layout="fragmented", start_time_s=2.5
    ),
    "128 x 96": of_one(1234, 3456, size=(128, 96)),
    "odd sides": of_one(1234, 3456, size=(321, 181), codec="mpeg4", bframes=0),
    "a quarter turn": of_one(1234, 3456, rotation=90),
    "half a turn": of_one(1234, 3456, rotation=180),
    "no sound": of_one(1234, 3456, audio=None),
    "stereo at 44.1 kHz": of_one(1234, 3456, audio_rate_hz=44_100, channels=2),
    "MP3 sound": of_one(1234, 3456, audio="mp3"),
    "audio in the first of two": of_two({}, {"audio": None}),
    "audio in the second of two": of_two({"audio": None}, {}),
    "audio in none of two": of_two({"audio": None}, {"audio": None}),
    "AAC, then MP3": of_two({}, {"audio": "mp3"}),
    "48 kHz, then 44.1 kHz": of_two({}, {"audio_rate_hz": 44_100}),
    "mono, then stereo": of_two({}, {"channels": 2}),
    "30, then 25 frames a second": of_two({}, {"fps": Fraction(25)}),
    "H.264, then HEVC": of_two({}, {"codec": "hevc"}),
    "a small picture, then a large one for longer": of_two({"size": (160, 90)}, {}),
    "a large picture, then a small one for longer": of_two({}, {"size": (160, 90)}),
    "an overlap": Case((recording(), recording(after_ms=3500)), 1234, 6789),
    "a recording within another": Case(
        (recording(6), recording(2, after_ms=2000, audio=None)), 1234, 5678
    ),
    "a seam": Case((recording(), recording(after_ms=4700)), 1234, 6789),
    "a seam between MP3 sounds": Case(
        (recording(audio="mp3"), recording(after_ms=4700, audio="mp3")), 1234, 6789
    ),
    "a gap": Case((recording(), recording(after_ms=7000)), 1234, 9876),
    "a gap of odd milliseconds, then a seam": Case(
        (recording(2), recording(2, after_ms=4567), recording(2, after_ms=6900)), 1234, 8888
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_clip_is_exact(case: Case, camera: Camera) -> None:
    """Numbers, times, sound, cleanness, and the figures the service reports."""
    check_clip(camera.cut(case.recordings, case.from_ms, case.to_ms))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_clip_is_as_exact_where_nothing_is_copied(case: Case, encoder: Camera) -> None:
    """The fall back for what cannot be spliced does not depend on what it is."""
    clip = encoder.cut(case.recordings, case.from_ms, case.to_ms)
    assert clip.rendition.media.copied_frames == 0
    check_clip(clip)


def check_clip(clip: Clip) -> None:
    """Hold a clip and what is reported of it against the plan."""
    assert_clip(clip.reading, clip.wanted, audio_within_ms=SOUND_WITHIN_MS)
    footage = clip.rendition.media
    assert footage.frames == len(clip.wanted.numbers)
    assert footage.first_ms == pytest.approx(float(clip.wanted.times_ms[0]), abs=1)
    assert footage.last_ms == pytest.approx(float(clip.wanted.times_ms[-1]), abs=1)
    assert footage.duration_ms == pytest.approx(clip.plan.delivered_ms, abs=1)
    assert (footage.width, footage.height) == clip.reading.size
    assert clip.reading.video_codec == footage.codec == "h264"
    with_sound = any(stretch.has_audio for stretch in clip.wanted.stretches)
    assert (clip.reading.audio_start_ms is not None) == with_sound
    # Without sound from 0 on, ffmpeg counts from the first frame.
    silent_ms = 0 if with_sound else footage.first_ms
    assert clip.reading.duration_ms == pytest.approx(clip.plan.delivered_ms - silent_ms, abs=11)


def test_an_upright_picture_is_fitted_between_wide_ones(camera: Camera, tmp_path: Path) -> None:
    """Pictures of the lesser shape are turned upright, keep their sides' ratio, and get margins."""
    upright = recording(2, after_ms=4000, rotation=90)
    clip = camera.cut([recording(4), upright], 2000, 5678)
    assert clip.reading.size == (320, 180)
    turned = read_clip(cropped(clip.path, "101:180", tmp_path))
    of_upright = [number for number in clip.wanted.numbers if number in upright.numbers]
    assert turned.numbers[-len(of_upright) :] == of_upright
    assert turned.turned == 90
    margins = read_clip(cropped(clip.path, "100:180:0:0", tmp_path))
    assert set(margins.numbers) == {UNREADABLE}


def test_the_larger_picture_wins_where_it_plays_longer(camera: Camera) -> None:
    """The clip is as large as what plays for most of its time."""
    small, large = recording(size=(160, 90)), recording(after_ms=4000)
    assert camera.cut([small, large], 3000, 6000).reading.size == (320, 180)


def test_a_clip_that_is_mostly_upright_is_upright(camera: Camera) -> None:
    """As a player turns it, not as it is stored."""
    clip = camera.cut([recording(), recording(after_ms=4000, rotation=90)], 3500, 6000)
    assert clip.reading.size == (180, 320)


def cropped(path: Path, area: str, folder: Path) -> Path:
    """Cut the same area out of every picture of a clip."""
    target = folder / f"{area.replace(':', '-')}.mp4"
    argv = [FFMPEG, "-v", "error", "-y", "-i", str(path), "-vf", f"crop={area}", "-an"]
    argv += ["-fps_mode", "passthrough", "-c:v", "libx264", "-pix_fmt", "yuv444p", str(target)]
    subprocess.run(argv, check=True, env={}, timeout=60)
    return target


def test_no_sound_from_outside_the_window_is_in_the_clip(camera: Camera) -> None:
    """Whatever packet of a recording occurs in the clip's bytes sounds within its cut."""
    recordings = [recording(), recording(after_ms=4000)]
    clip = camera.cut(recordings, 1234, 5678)
    data = clip.path.read_bytes()
    taken = 0
    for cut, source in zip(clip.plan.cuts, recordings, strict=True):
        opened = camera.open(source)
        audio = opened.index.audio
        assert audio is not None
        for pts, lasts, at, size in zip(
            audio.pts, audio.durations, audio.offsets, audio.sizes, strict=True
        ):
            # Packets of silence are all alike, so only those that tell something count.
            if size > 40 and opened.read(at, size) in data:
                begins_ms = source.start_ms + pts * 1000 / audio.timescale
                assert begins_ms < cut.window.end_ms
                assert begins_ms + lasts * 1000 / audio.timescale > cut.window.start_ms
                taken += 1
    assert taken > 10
