"""The benchmark's recordings: camera-like picture, every frame numbered; usually ten minutes.

The picture pans over a textured scene, something moves through it, and there is a sensor's noise;
the sound is a microphone's noise with a beep at each second. In the picture's upper left corner
stands a small one of `devtools.footage`, whose blocks give the frame's number.

Encoding is what takes time, so of each size the length of one recording is encoded once, as two
pieces (half and half, one on each core). The first recording of a size is the one piece and then
the other, the second is the other piece first: alike as two recordings of one camera are, yet no
frame of one has the number of the frame at the same place of the other. All later ones are these
two again, as hard links.
"""

import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Literal

from attrs import frozen

from devtools.footage.audio import beeping
from devtools.footage.picture import SCALED_DOWN, SCALED_DOWN_BYTES, draw, read_number

VERSION = 1
FPS = 30
GOP_FRAMES = 60
GOP_S = GOP_FRAMES // FPS
PIECE_S = 8
"""Pieces are whole GOPs; of longer recordings, the first is a multiple of this long."""
RATE_HZ = 48_000
START_MS = 1_534_341_616_000
"""When the earlier recording of a size starts: a multiple of 8 s."""

CODING = {
    "h264": (
        *("-c:v", "libx264", "-preset", "superfast", "-profile:v", "high", "-threads", "1"),
        *("-keyint_min", str(GOP_FRAMES), "-sc_threshold", "0"),
    ),
    "hevc": (
        *("-c:v", "libx265", "-preset", "superfast", "-tag:v", "hvc1", "-x265-params"),
        f"min-keyint={GOP_FRAMES}:scenecut=0:open-gop=0:pools=1:frame-threads=1:log-level=error",
    ),
}
"""Each encoder on one core, with closed GOPs."""


@frozen
class Size:
    """A size of picture, its codec, and the bit rate that a camera would give it."""

    width: int
    height: int
    kbit_s: int
    codec: Literal["h264", "hevc"] = "h264"

    @property
    def name(self) -> str:
        """The usual name, such as 1080p; the codec is part of it unless it is H.264."""
        return f"{self.height}p" + ("" if self.codec == "h264" else f"-{self.codec}")

    @property
    def corner(self) -> int:
        """The side of the numbered corner in pixels: 12 cells, whole macroblocks at 1080p."""
        return 12 * max(8, self.height // 67 // 2 * 2)


HD = Size(1920, 1080, 3000)
HD_HEVC = Size(1920, 1080, 2000, "hevc")
SMALL_HD = Size(1280, 720, 1900)
SD = Size(640, 360, 600)


@frozen
class Recorded:
    """A recording: its file, when it starts, and the number of each of its frames."""

    path: Path
    start_ms: int
    numbers: Sequence[int]

    @property
    def end_ms(self) -> int:
        """When it ends; recordings last whole seconds."""
        return self.start_ms + len(self.numbers) * 1000 // FPS

    def shown(self, start_ms: int, end_ms: int) -> Sequence[int]:
        """Return the numbers of the frames seen at start_ms <= time < end_ms."""
        first, end = (-(-(ms - self.start_ms) * FPS // 1000) for ms in (start_ms, end_ms))
        return self.numbers[max(0, first) : max(0, end)]


def recordings(
    ffmpeg: Path, folder: Path, size: Size, length_s: int, count: int = 2
) -> tuple[Recorded, ...]:
    """Return consecutive recordings of `length_s` seconds each, at least two, made once."""
    first_s = length_s // 2 // PIECE_S * PIECE_S or length_s // 2 // GOP_S * GOP_S
    if first_s == 0:
        raise ValueError(f"{length_s} s cannot be split into two pieces")
    pieces = (range(first_s * FPS), range(first_s * FPS, length_s * FPS))
    orders = (pieces, pieces[::-1])
    made = tuple(
        Recorded(
            folder / f"{size.name}-{length_s}s-v{VERSION}.{number}.mp4",
            START_MS + number * length_s * 1000,
            [*order[0], *order[1]],
        )
        for number, order in enumerate(islice(cycle(orders), max(2, count)))
    )
    first_two = made[:2]
    if not all(recorded.path.exists() for recorded in first_two):
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder) as name, ThreadPoolExecutor(2) as both:
            scene = _draw_scene(ffmpeg, Path(name), size)
            paths = list(both.map(lambda piece: _encode(ffmpeg, scene, size, piece), pieces))
            joined = both.map(
                lambda recorded, parts: _join(ffmpeg, parts, recorded, Path(name)),
                first_two,
                (paths, paths[::-1]),
            )
            for path, recorded in zip(list(joined), first_two, strict=True):
                path.replace(recorded.path)
    for recorded, alike in zip(made[2:], made, strict=False):
        if not recorded.path.exists():
            recorded.path.hardlink_to(alike.path)
    return made


def read_numbers(ffmpeg: Path, clip: Path, size: Size) -> tuple[list[int], str]:
    """Decode `clip` and return its frames' numbers, -1 for unreadable, and what ffmpeg said."""
    side = size.corner
    filters = f"crop={side}:{side}:0:0,scale={SCALED_DOWN}:{SCALED_DOWN}:flags=area,format=gray"
    done = subprocess.run(
        [
            *(str(ffmpeg), "-nostdin", "-hide_banner", "-v", "warning"),
            *("-f", "mov", "-protocol_whitelist", "file", "-i", str(clip)),
            *("-map", "0:v:0", "-vf", filters, "-fps_mode", "passthrough"),
            *("-f", "rawvideo", "-"),
        ],
        capture_output=True,
        check=False,
        env={},
    )
    grays = done.stdout
    numbers = [
        read_number(grays[at : at + SCALED_DOWN_BYTES])
        for at in range(0, len(grays), SCALED_DOWN_BYTES)
    ]
    return numbers, done.stderr.decode(errors="replace").strip()


def _draw_scene(ffmpeg: Path, scratch: Path, size: Size) -> Path:
    """Draw the scene, a fifth larger than the picture: three planes of texture."""
    width, height = (side * 6 // 5 // 2 * 2 for side in (size.width, size.height))
    plane = f"perlin=size={width}x{height}:octaves=6:persistence=0.7:xscale=30:yscale=30:rate={FPS}"
    soft = plane.replace("octaves=6", "octaves=2")
    graph = (
        f"{plane}:seed=1[y];{soft}:seed=2,lutyuv=y=107+val/6[u];{soft}:seed=3,lutyuv=y=107+val/6[v];"
        "[y][u][v]mergeplanes=0x001020:yuv444p"
    )
    path = scratch / "scene.nut"
    _run(ffmpeg, "-filter_complex", graph, "-frames:v", "1", "-c:v", "rawvideo", str(path))
    return path


def _encode(ffmpeg: Path, thumbnail: Path, size: Size, piece: range) -> Path:
    """Encode the frames `piece` of the film, without sound."""
    path = thumbnail.with_name(f"piece-{piece.start}.mp4")
    side, time = size.corner, f"(t+{piece.start / FPS})"
    pan = (
        f"crop={size.width}:{size.height}:x='(iw-ow)/2*(1+sin({time}/5))'"
        f":y='(ih-oh)/2*(1+sin({time}/3.1))'"
    )
    thing = f"crop={size.width // 6}:{size.height // 6}:iw/3:ih/5"
    graph = (
        f"[0:v]format=yuv420p,loop=loop=-1:size=1,settb=1/{FPS},setpts=N,split[a][b];"
        f"[a]{pan}[scene];[b]{thing}[thing];"
        f"[scene][thing]overlay=x='mod({time}*W/16,W)':y='H/2*(1+sin({time})/4)':format=yuv420,"
        f"noise=alls=3:allf=t[noisy];[1:v]settb=1/{FPS},setpts=N[corner];[noisy][corner]overlay=0:0:format=yuv420:shortest=1[v]"
    )
    _run(
        ffmpeg,
        *("-i", str(thumbnail), "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{side}x{side}"),
        *("-framerate", str(FPS), "-i", "pipe:0", "-filter_complex", graph, "-map", "[v]"),
        *CODING[size.codec],
        *("-bf", "2", "-g", str(GOP_FRAMES), "-b:v", f"{size.kbit_s}k"),
        *("-maxrate", f"{size.kbit_s * 3 // 2}k", "-bufsize", f"{size.kbit_s * 2}k"),
        *("-pix_fmt", "yuv420p", str(path)),
        pictures=draw((side, side), piece.start, len(piece)),
    )
    return path


def _join(ffmpeg: Path, pieces: Sequence[Path], recorded: Recorded, folder: Path) -> Path:
    """Put pieces one after the other, and the sound to them."""
    path = folder / recorded.path.name
    listed, audio = path.with_suffix(".txt"), path.with_suffix(".pcm")
    listed.write_text("".join(f"file '{piece.absolute()}'\n" for piece in pieces))
    duration_ms = Fraction(recorded.end_ms - recorded.start_ms)
    audio.write_bytes(beeping(recorded.start_ms, duration_ms, RATE_HZ, 1))
    graph = (
        f"anoisesrc=r={RATE_HZ}:a=0.02:c=pink:seed={recorded.start_ms // 1000 % 1000}[hiss];"
        "[1:a][hiss]amix=inputs=2:duration=first:normalize=0[a]"
    )
    _run(
        ffmpeg,
        *("-f", "concat", "-safe", "0", "-i", str(listed)),
        *("-f", "s16le", "-ar", str(RATE_HZ), "-ch_layout", "mono", "-i", str(audio)),
        *("-filter_complex", graph, "-map", "0:v", "-map", "[a]", "-c:v", "copy"),
        *("-c:a", "aac", "-aac_coder", "fast", "-b:a", "96k", "-movflags", "+faststart"),
        *("-video_track_timescale", "15360", str(path)),
    )
    return path


def _run(ffmpeg: Path, *arguments: str, pictures: Iterator[bytes] | None = None) -> None:
    argv = [str(ffmpeg), "-nostdin", "-hide_banner", "-v", "error", "-y", *arguments]
    with TemporaryFile() as said:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=said, env={})
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        # Where ffmpeg leaves early, its own words say why.
        with suppress(BrokenPipeError), process.stdin as stdin:
            stdin.writelines(pictures or ())
        status = process.wait()
        said.seek(0)
        words = said.read().decode(errors="replace")
    if status or words:
        raise RuntimeError(f"ffmpeg left with {status}: {words}")
