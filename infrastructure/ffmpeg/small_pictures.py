"""Small pictures of some frames of a clip, all by one process, and images of RGB."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from domain.errors import UnusableFootage
from infrastructure.ffmpeg.decode import LENIENTLY, PASSED, reading_times
from infrastructure.ffmpeg.runner import Ffmpeg, file_url, mp4_input

JPEG = ("-c:v", "mjpeg", "-q:v", "3", "-threads", "1")


def decode_small(  # noqa: PLR0913, PLR0917
    ffmpeg: Ffmpeg,
    path: Path,
    shown: Mapping[int, int],
    timescale: int,
    size: tuple[int, int],
    deadline_s: float,
) -> dict[int, bytes]:
    """Return pictures of the frames in an MP4, by number, in RGB of that size in pixels.

    `shown` are their times in it, in ticks. A frame that no decoder makes a picture of is left out:
    damage is concealed, as players do.
    """
    pixels, numbers = path.with_suffix(".rgb"), list[int | None]()
    numbered = {Fraction(time, timescale): number for number, time in shown.items()}
    on_line = reading_times(lambda time_s: numbers.append(numbered.get(time_s)))
    wanted = "+".join(f"eq(pts,{time})" for time in shown.values())
    width, height = size
    graph = f"[0:v:0]select='{wanted}',scale={width}:{height}:flags=area:out_range=pc,setsar=1"
    graph += ",format=rgb24,split[pixels][times]"
    arguments = ["-y", "-copyts", *LENIENTLY, *mp4_input(path), "-filter_complex", graph]
    arguments += ["-map", "[times]", *PASSED, "-c:v", "rawvideo", "-f", "framecrc", "pipe:1"]
    arguments += ["-map", "[pixels]", *PASSED, "-c:v", "rawvideo", "-f", "rawvideo"]
    try:
        ffmpeg.run([*arguments, file_url(pixels)], deadline_s, on_line=on_line)
    except UnusableFootage:
        return {}
    length = width * height * 3
    with pixels.open("rb") as file:
        pictures = [(number, file.read(length)) for number in numbers]
    return {number: rgb for number, rgb in pictures if number is not None and len(rgb) == length}


def write_jpeg(
    ffmpeg: Ffmpeg, rgb: bytes, size: tuple[int, int], path: Path, deadline_s: float
) -> None:
    """Write an image of RGB, of that size in pixels, as JPEG; the same for the same image."""
    width, height = size
    raw = ["-y", "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{width}x{height}"]
    colours = "scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p"
    arguments = [*raw, "-i", "pipe:0", "-vf", colours, "-frames:v", "1", *JPEG, "-f", "image2pipe"]
    ffmpeg.run([*arguments, file_url(path)], deadline_s, stdin=rgb)
