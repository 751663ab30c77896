"""Samples to which no other refers, as x264 and x265 write them, left out of what is decoded."""

import re
from pathlib import Path

import pytest
from attrs import frozen

from infrastructure.mp4.disposable import disposable_samples
from infrastructure.mp4.excerpt_writer import write_excerpt
from infrastructure.mp4.index import SampleIndex, Track
from tests.unit.mp4.media import ffmpeg, index_of, reader

FRAMES, GOP = 75, 25
X264, X265 = "-x264-params", "-x265-params"
SHAPES = {
    "H.264": (X264, "bframes=3"),
    "H.264, B-frames that refer to none": (X264, "bframes=3:b-pyramid=none"),
    "H.264, a strict pyramid": (X264, "bframes=3:b-pyramid=strict"),
    "H.264, many B-frames": (X264, "bframes=16:b-adapt=0:ref=16"),
    "H.264, open GOPs": (X264, "bframes=3:open-gop=1"),
    "H.264, several slices": (X264, "bframes=2:slices=4:aud=1"),
    "HEVC": (X265, "bframes=4"),
    "HEVC, no pyramid": (X265, "bframes=4:b-pyramid=0"),
    "HEVC, many B-frames": (X265, "bframes=16:b-adapt=0"),
    "HEVC, open GOPs": (X265, "bframes=4:open-gop=1"),
    "HEVC, sub-layers": (X265, "bframes=4:temporal-layers=3"),
    "HEVC, several slices": (X265, "bframes=2:slices=3:aud=1:ctu=16"),
}


@frozen
class Film:
    """A recording in memory, and what each frame decodes to, by its time."""

    data: bytes
    index: SampleIndex
    video: Track
    frames: dict[int, str]


def write_film(path: Path, *coding: str) -> None:
    """Encode a picture that moves everywhere."""
    source = f"testsrc2=size=192x128:rate=25:duration={FRAMES / 25}"
    noise = ["-vf", "noise=alls=10:allf=t", "-g", str(GOP), "-keyint_min", str(GOP)]
    ffmpeg("-f", "lavfi", "-i", source, *noise, *coding, str(path))


def decoded_frames(path: Path) -> tuple[dict[int, str], str]:
    """Decode a file: what each frame looks like, by its time in ticks, and ffmpeg's messages."""
    keep = ["-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base", "demux", "-copyts"]
    text, said = ffmpeg("-i", str(path), *keep, "-f", "framemd5", "-", level="warning")
    rows = [line.split(",") for line in text.splitlines() if line[0] != "#"]
    return {int(row[2]): row[-1].strip() for row in rows}, re.sub(r" @ 0x\w+", "", said)


@pytest.fixture(params=SHAPES, scope="module")
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Film:
    option, params = SHAPES[request.param]
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    fixed = "scenecut=0:log-level=none" if option == X265 else "scenecut=0"
    encoder = "libx265" if option == X265 else "libx264"
    write_film(path, "-c:v", encoder, option, f"{params}:{fixed}")
    data = path.read_bytes()
    index = index_of(data)
    assert index.video
    frames, said = decoded_frames(path)
    assert (len(frames), said) == (FRAMES, "")
    return Film(
        data, index, index.video, dict(zip(sorted(index.video.pts), frames.values(), strict=True))
    )


def test_every_frame_looks_the_same_without_them(film: Film, tmp_path: Path) -> None:
    """Each frame of a GOP, decoded from its keyframe; the decoder reports nothing new."""
    video, path = film.video, tmp_path / "excerpt.mp4"
    is_disposable = disposable_samples(video)
    start, end = [i for i, sync in enumerate(video.sync) if sync][1:3]
    left_out: list[int] = []

    def decode_to(shown: int, *, is_whole: bool) -> tuple[dict[int, str], str]:
        def is_left_out(number: int, sample: bytes) -> bool:
            if is_whole or number == shown or not is_disposable(sample):
                return False
            left_out.append(number)
            return True

        read, _ = reader(film.data)
        with path.open("wb") as out:
            write_excerpt(film.index, read, start, shown, out, is_left_out=is_left_out)
        return decoded_frames(path)

    # A leading frame of an open GOP needs the GOP before.
    for shown in (i for i in range(start, end) if video.pts[i] >= video.pts[start]):
        frames, said = decode_to(shown, is_whole=False)
        assert frames[video.pts[shown] - video.pts[start]] == film.frames[video.pts[shown]]
        assert said == "" or said == decode_to(shown, is_whole=True)[1]
    assert len(left_out) > GOP


def test_half_of_the_frames_between_references_are_disposable(film: Film) -> None:
    """And never a keyframe."""
    is_disposable = disposable_samples(film.video)
    samples = [
        film.data[at : at + size]
        for at, size in zip(film.video.offsets, film.video.sizes, strict=True)
    ]
    found = [is_disposable(sample) for sample in samples]
    assert FRAMES // 4 < sum(found) < FRAMES
    assert not any(is_out and sync for is_out, sync in zip(found, film.video.sync, strict=True))


def test_what_is_not_certain_is_kept(film: Film) -> None:
    """Samples with parameter sets, cut-off ones, and empty ones."""
    is_disposable = disposable_samples(film.video)
    sample = next(
        sample
        for at, size in zip(film.video.offsets, film.video.sizes, strict=True)
        if is_disposable(sample := film.data[at : at + size])
    )
    sets = bytes([0, 0, 0, 4, *((34 << 1, 1) if film.video.codec == "hvc1" else (8, 0)), 1, 1])
    for doubtful in (sample + sets, sets + sample, sample[:-1], sample + b"\0", b"", sets):
        assert not is_disposable(doubtful)


@pytest.mark.parametrize("coding", [["-c:v", "mpeg4", "-bf", "2"], ["-c:v", "libx264", "-bf", "0"]])
def test_other_recordings_are_decoded_as_they_are(coding: list[str], tmp_path: Path) -> None:
    """Of other codecs, and those of most cameras, where each frame refers to the one before."""
    write_film(tmp_path / "film.mp4", *coding)
    data = (tmp_path / "film.mp4").read_bytes()
    video = index_of(data).video
    assert video
    is_disposable = disposable_samples(video)
    for at, size in zip(video.offsets[:-1], video.sizes[:-1], strict=True):
        assert not is_disposable(data[at : at + size])
