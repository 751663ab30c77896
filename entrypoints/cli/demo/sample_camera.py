"""Sample recordings, as a camera writes them."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen

from entrypoints.cli.demo.harbour import harbour
from entrypoints.cli.times import compact
from infrastructure.ffmpeg.runner import Ffmpeg

CAMERA_ID = "pier"
RECORDINGS = 3
ROLLOVER_MS = 133
"""The recorder's loss between two files: a seam, over which the last frame is held."""
AGE_MS = 600_000
"""How long ago the first sample recording starts."""
ENCODING_S = 600


@frozen
class SampleFormat:
    """What sample recordings look like."""

    duration_s: int = 60
    width: int = 960
    height: int = 540
    rate: int = 30
    """Frames per second."""


SAMPLE_FORMAT = SampleFormat()


def make_sample_camera(
    root: Path,
    ffmpeg: Ffmpeg,
    start_ms: int,
    sample: SampleFormat = SAMPLE_FORMAT,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Path]:
    """Make the recordings of the camera "pier", the first one from `start_ms` on (epoch).

    H.264 with B-frames, a keyframe every 2 s, and AAC. The frames show a harbour and the wall
    clock; the audio beeps at each whole second of it. `on_progress` is called with the number of
    frames done, and of all.
    """
    folder = root / "recordings" / CAMERA_ID
    folder.mkdir(parents=True, exist_ok=True)
    done = [0] * RECORDINGS

    def make(number: int) -> Path:
        def on_line(line: str) -> None:
            name, _, value = line.strip().partition("=")
            if name == "frame":
                done[number] = int(value)
                on_progress(sum(done), RECORDINGS * sample.duration_s * sample.rate)

        begin_ms = start_ms + number * (1000 * sample.duration_s + ROLLOVER_MS)
        path = folder / f"{CAMERA_ID}.stream.{compact(begin_ms)}.mp4"
        part = path.with_name(f".{path.name}.part")
        try:
            ffmpeg.run(
                [*_arguments(sample, begin_ms), f"file:{part.absolute()}"],
                time.monotonic() + ENCODING_S,
                feed=_pictures(sample, begin_ms - start_ms, begin_ms),
                on_line=on_line,
            )
            return part.rename(path)
        finally:
            part.unlink(missing_ok=True)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(make, range(RECORDINGS)))


def _pictures(sample: SampleFormat, elapsed_ms: int, begin_ms: int) -> Iterator[bytes]:
    """Draw the pictures of a recording that begins `elapsed_ms` after the first one."""
    camera = harbour(*_drawn_size(sample))
    for number in range(sample.duration_s * sample.rate):
        media_ms = 1000 * number // sample.rate
        yield camera.picture(elapsed_ms + media_ms, begin_ms + media_ms)


def _drawn_size(sample: SampleFormat) -> tuple[int, int]:
    """Return half the size, in even numbers of pixels: ffmpeg doubles it, which smooths edges."""
    return sample.width // 4 * 2, sample.height // 4 * 2


def _arguments(sample: SampleFormat, begin_ms: int) -> list[str]:
    width, height = _drawn_size(sample)
    video = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", f"{width}x{height}"]
    video += ["-framerate", str(sample.rate), "-i", "pipe:0"]
    scaled = f"scale={sample.width}:{sample.height}:flags=bilinear,setsar=1"
    beep = f"0.4*sin(2*PI*880*t)*lt(mod(t+{begin_ms % 1000 / 1000}\\,1)\\,0.08)"
    audio = f"aevalsrc={beep}:s=48000:d={sample.duration_s}"
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "25", "-pix_fmt", "yuv420p"]
    coding += ["-bf", "2", "-g", str(2 * sample.rate), "-threads", "1"]
    coding += ["-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart"]
    return [
        *(*video, "-f", "lavfi", "-i", audio, "-vf", scaled),
        *(*coding, "-progress", "pipe:1", "-y", "-f", "mp4"),
    ]
