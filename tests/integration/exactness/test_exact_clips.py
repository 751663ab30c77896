"""Every kind of recording gives exactly the requested frames, each in time, with audio in step."""

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from devtools.footage import Recording, frame_hashes, read_clip
from devtools.footage.picture import UNREADABLE
from devtools.footage.recording import FFMPEG
from infrastructure.mp4.avc import nal_units
from infrastructure.mp4.hevc_sets import NalType, nal_type
from infrastructure.mp4.index import read_index
from tests.integration.exactness.camera import Camera, Clip, check_clip
from tests.integration.exactness.cases import CASES, Case, recording

ENCODED_TOO = dict([(name, case) for name, case in CASES.items() if case.copied][::3])
"""A third of the cases; the campaign of random cuts encodes a fifth of the cuts of each kind."""


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_clip_is_exact(case: Case, camera: Camera) -> None:
    """Numbers, times, audio, cleanness, and the figures that the service reports.

    As many frames as ever are copied, to the bit; none where no keyframe begins a clean run, or
    where the recording's frames cannot stand next to ours.
    """
    clip = camera.cut(case.recordings, case.from_ms, case.to_ms)
    check(clip, case.codec)
    assert clip.rendition.media.copied_frames == case.copied
    if case.copied:
        hashes = dict(zip(clip.reading.numbers, frame_hashes(clip.path), strict=True))
        recorded = map(hashed_frames, case.recordings, clip.sources)
        unchanged = sum(hashes.get(n) == own for frames in recorded for n, own in frames)
        assert unchanged >= case.copied


@pytest.mark.parametrize("case", ENCODED_TOO.values(), ids=ENCODED_TOO)
def test_a_clip_is_as_exact_without_splicing(case: Case, encoding_camera: Camera) -> None:
    """Encoding every frame, the fallback, does not depend on the kind of recording."""
    clip = encoding_camera.cut(case.recordings, case.from_ms, case.to_ms)
    assert clip.rendition.media.copied_frames == 0
    check(clip, "h264")


OPEN_GOPS = recording(9, codec="hevc", open_gop=True, gop_frames=30)


@pytest.mark.parametrize(
    ("from_ms", "head"),
    [(3000, 0), (3100, 27), (3930, 2), (2966, 1)],
    ids=["no head", "a head", "leading pictures alone", "a head of one frame"],
)
def test_a_sequence_ends_before_a_copied_cra_picture(
    camera: Camera, from_ms: int, head: int
) -> None:
    """Else decoders count its pictures on from the head's (ITU-T H.265, 8.3.1)."""
    clip = camera.cut([OPEN_GOPS], from_ms, 9000)
    check_clip(clip)
    data = clip.path.read_bytes()
    track = read_index(lambda at, length: data[at : at + length], len(data)).video
    assert track
    samples = [data[o : o + size] for o, size in zip(track.offsets, track.sizes, strict=True)]
    types = [[nal_type(nal) for _, nal in nal_units(sample, 4)] for sample in samples]
    ended = [i for i, kinds in enumerate(types) if NalType.END_OF_SEQUENCE in kinds]
    assert NalType.CRA in types[head]
    assert ended == ([head - 1] if head else [])
    assert clip.rendition.media.copied_frames == len(types) - head


def check(clip: Clip, codec: str) -> None:
    """Check the clip and its codec, and that it has audio if any of its footage has some."""
    check_clip(clip)
    assert clip.reading.video_codec == codec
    has_audio = any(stretch.has_audio for stretch in clip.wanted.stretches)
    assert (clip.reading.audio_start_ms is not None) == has_audio


@cache
def hashed_frames(source: Recording, path: Path) -> Sequence[tuple[int, str]]:
    """Return number and hash of every frame of a recording."""
    return list(zip(source.numbers, frame_hashes(path), strict=True))


def test_an_upright_picture_is_fitted_between_wide_ones(camera: Camera, tmp_path: Path) -> None:
    """Pictures of the minority format are turned upright, keep their aspect ratio, get margins."""
    upright = recording(2, after_ms=4000, rotation=90)
    clip = camera.cut([recording(4), upright], 2000, 5678)
    assert clip.reading.size == (320, 180)
    turned = read_clip(cropped(clip.path, "101:180", tmp_path))
    of_upright = [number for number in clip.wanted.numbers if number in upright.numbers]
    assert turned.numbers[-len(of_upright) :] == of_upright
    assert turned.turned == 90
    margins = read_clip(cropped(clip.path, "100:180:0:0", tmp_path))
    assert set(margins.numbers) == {UNREADABLE}


def cropped(path: Path, area: str, folder: Path) -> Path:
    """Cut the same area out of every picture of a clip."""
    target = folder / f"{area.replace(':', '-')}.mp4"
    argv = [FFMPEG, "-v", "error", "-y", "-i", str(path), "-vf", f"crop={area}", "-an"]
    argv += ["-fps_mode", "passthrough", "-c:v", "libx264", "-pix_fmt", "yuv444p", str(target)]
    subprocess.run(argv, check=True, env={}, timeout=60)
    return target


def test_the_larger_picture_wins_if_it_is_shown_for_longer(camera: Camera) -> None:
    """The clip is as large as what is shown for most of its time."""
    small, large = recording(size=(160, 90)), recording(after_ms=4000)
    assert camera.cut([small, large], 3000, 6000).reading.size == (320, 180)


def test_a_clip_that_is_mostly_upright_is_upright(camera: Camera) -> None:
    """As a player turns it, not as it is stored."""
    clip = camera.cut([recording(), recording(after_ms=4000, rotation=90)], 3500, 6000)
    assert clip.reading.size == (180, 320)
