"""What the tests of this folder share: ffmpeg as a maker and as a second opinion."""

import subprocess
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg

from infrastructure.mp4.index import SampleIndex, read_index

PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=160x96:rate=30:duration=4"]
TONE = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=4"]
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-g", "30", "-pix_fmt", "yuv420p"]
COPY = ["-c", "copy", "-movflags"]

SHAPES: dict[str, tuple[list[str] | str, list[str]]] = {
    "moov last, B-frames, sound": (PICTURE + TONE, [*X264, "-bf", "3", "-c:a", "aac"]),
    "moov first": ("moov last, B-frames, sound", [*COPY, "+faststart"]),
    "no B-frames, no sound": (PICTURE, [*X264, "-bf", "0"]),
    "all intra": (PICTURE, [*X264[:-4], "-g", "1", "-pix_fmt", "yuv420p"]),
    "sound 44100 mono": (TONE, ["-ar", "44100", "-ac", "1", "-c:a", "aac"]),
    "fragmented, default-base": (
        "moov last, B-frames, sound",
        [*COPY, "+frag_keyframe+empty_moov+default_base_moof"],
    ),
    "fragmented, base-data-offset": ("moov last, B-frames, sound", [*COPY, "+frag_keyframe"]),
    "fragmented, implicit base, edit list": (
        "moov last, B-frames, sound",
        [*COPY, "+frag_keyframe+empty_moov+delay_moov+omit_tfhd_offset"],
    ),
    "fragmented, sidx": (
        "moov last, B-frames, sound",
        [*COPY, "+frag_keyframe+empty_moov+default_base_moof+global_sidx"],
    ),
    "fragmented, negative offsets": (
        "moov last, B-frames, sound",
        [*COPY, "+frag_keyframe+negative_cts_offsets"],
    ),
    "mov": ("moov last, B-frames, sound", ["-c", "copy"]),
    "open GOP": (PICTURE, [*X264, "-bf", "3", "-x264-params", "open-gop=1:scenecut=0"]),
    "hevc": (
        PICTURE,
        [
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=none:open-gop=0:scenecut=0:min-keyint=30:keyint=30",
        ],
    ),
    "starts late": ("moov last, B-frames, sound", ["-c", "copy", "-output_ts_offset", "2.5"]),
    "cut by an edit list": ("moov last, B-frames, sound", ["-ss", "1.5", "-c", "copy"]),
    "variable rate": (
        PICTURE,
        ["-vf", "select='not(mod(n,3))+gt(n,60)'", "-fps_mode", "vfr", *X264, "-bf", "3"],
    ),
    "no edit list, negative offsets": (
        "moov last, B-frames, sound",
        [*COPY, "+negative_cts_offsets", "-use_editlist", "0"],
    ),
}

LONG = [
    *("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15:duration=24,noise=alls=60:allf=t"),
    *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=24"),
    *("-c:v", "libx264", "-preset", "ultrafast", "-qp", "30", "-g", "12", "-bf", "2"),
    *("-pix_fmt", "yuv420p", "-c:a", "aac", "-aac_coder", "fast"),
]
"""30 GOPs, more than 4 MiB: enough to be searched rather than walked."""
LONG_SHAPES = {
    "mfra": "+frag_keyframe+empty_moov+default_base_moof",
    "no index": "+frag_keyframe+empty_moov+default_base_moof+skip_trailer",
    "sidx": "+frag_keyframe+empty_moov+default_base_moof+global_sidx+skip_trailer",
    "a sidx each": "+frag_keyframe+empty_moov+default_base_moof+dash+skip_trailer",
    "a moof for each track": "+frag_keyframe+empty_moov+default_base_moof+separate_moof"
    "+skip_trailer",
    "negative offsets": "+frag_keyframe+empty_moov+default_base_moof+skip_trailer"
    "+negative_cts_offsets",
    "edit list": "+frag_keyframe+empty_moov+delay_moov+skip_trailer",
    "cmaf": "+frag_keyframe+cmaf+skip_trailer",
    "base-data-offset": "+frag_keyframe+empty_moov+skip_trailer",
    "first samples in the moov": "+frag_keyframe+skip_trailer",
    "a moof for each frame": "+empty_moov+default_base_moof+frag_every_frame+skip_trailer",
    "cut at any frame": "+empty_moov+default_base_moof+skip_trailer",
    "cut at any frame, negative offsets, no sound": "+empty_moov+default_base_moof+skip_trailer"
    "+negative_cts_offsets",
}


def ffmpeg(*arguments: str, level: str = "error") -> tuple[str, str]:
    """Run ffmpeg; return its output and its messages."""
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", level, "-nostdin", "-y", *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={},
        timeout=60,
    )
    return done.stdout, done.stderr


class Row(NamedTuple):
    """A packet or frame as ffmpeg sees it."""

    dts: int
    pts: int
    size: int
    adler: int
    key: bool


def packets(path: Path, *options: str) -> dict[str, list[Row]]:
    """Demux with ffmpeg: its packets of each kind, in decode order."""
    text, _ = ffmpeg("-i", str(path), *options, "-copyts", "-c", "copy", "-f", "framecrc", "-")
    kinds, rows = {}, defaultdict(list)
    for line in text.splitlines():
        if line.startswith("#media_type"):
            number, kind = line.removeprefix("#media_type ").split(": ")
            kinds[number] = {"video": "vide", "audio": "soun"}[kind]
        elif line and line[0] != "#":
            stream, dts, pts, _, size, adler, *more = (part.strip() for part in line.split(","))
            key = (
                not more
                or not more[0].startswith("F=")
                or int(more[0].removeprefix("F="), 0) & 1 == 1
            )
            row = Row(int(dts), int(pts), int(size), int(adler, 16), key)
            rows[kinds[stream]].append(row)
    return rows


def decoded(path: Path) -> tuple[list[int], str]:
    """Decode the video: each frame's pts, and what ffmpeg had to say."""
    text, said = ffmpeg(
        *["-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framecrc", "-"],
        level="warning",
    )
    return [int(line.split(",")[2]) for line in text.splitlines() if line[0] != "#"], said


def index_of(data: bytes) -> SampleIndex:
    """Index a file in memory."""
    return read_index(reader(data)[0], len(data))


def reader(data: bytes):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Return a Read that insists on ranges inside the file, and the list of what it was asked."""
    asked: list[tuple[int, int]] = []

    def read(offset: int, length: int) -> bytes:
        assert offset >= 0
        assert length > 0
        assert offset + length <= len(data)
        asked.append((offset, length))
        return data[offset : offset + length]

    return read, asked
