"""Stills of one moment, all widths by one process."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from application.ports import ThumbnailSpec
from domain.errors import Rejected, UnusableFootage
from infrastructure.ffmpeg.excerpt import Excerpt
from infrastructure.ffmpeg.runner import Ffmpeg, file_url, mp4_input
from infrastructure.splicing.picture_format import PictureFormat

# JPEG and WebP know only the colours of BT.601; JPEG only full range.
FORMATS: Mapping[str, tuple[str, Sequence[str]]] = {
    "jpg": (
        "out_color_matrix=bt601:out_range=pc,format=yuvj420p",
        ("-c:v", "mjpeg", "-q:v", "2"),
    ),
    "png": ("out_range=pc,format=rgb24", ("-c:v", "png")),
    "webp": (
        "out_color_matrix=bt601:out_range=tv,format=yuv420p",
        ("-c:v", "libwebp", "-quality", "90"),
    ),
}


def make_thumbnails(  # noqa: PLR0913, PLR0917
    ffmpeg: Ffmpeg,
    window: Excerpt,
    picture_format: PictureFormat,
    thumbnails: ThumbnailSpec,
    folder: Path,
    deadline_s: float,
) -> dict[int, Path]:
    """Make a picture of the window's first wanted frame for each width.

    UnusableFootage unless each has the width asked for and an even height. Refused for an unknown
    format.
    """
    if thumbnails.format not in FORMATS:
        raise Rejected(f"Stills can be {', '.join(FORMATS)}, not {thumbnails.format}.")
    paths = {width: folder / f"still-{width}.{thumbnails.format}" for width in thumbnails.widths}
    if not paths:
        return {}
    colours, coding = FORMATS[thumbnails.format]
    labels = [f"[s{number}]" for number in range(len(paths))]
    first = window.first_shown
    shown = f"[0:v:0]trim=start_pts={first}:end_pts={first + 1},{picture_format.filters}"
    graph = [f"{shown},scale=iw*sar:ih,setsar=1,split={len(paths)}{''.join(labels)}"]
    outputs: list[str] = []
    for width, label in zip(paths, labels, strict=True):
        out = label.replace("s", "o")
        graph.append(f"{label}scale={width}:-2:flags=lanczos:{colours}{out}")
        outputs += ["-map", out, "-frames:v", "1", *coding, "-f", "image2pipe"]
        outputs.append(file_url(paths[width]))
    source = ["-y", "-copyts", *mp4_input(window.path)]
    ffmpeg.run([*source, "-filter_complex", ";".join(graph), *outputs], deadline_s)
    for width, path in paths.items():
        size = picture_size(path.read_bytes()) if path.exists() else None
        if size is None or size[0] != width or size[1] % 2:
            raise UnusableFootage(f"The still {width} pixels wide came out as {size}.")
    return paths


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG, PNG or WebP (VP8) picture; None if it is none of them."""
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            width, height = struct.unpack_from(">II", data, 16)
            return width, height
        if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        return _jpeg_size(data) if data[:2] == b"\xff\xd8" else None
    except struct.error:
        return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Find the start of frame (ITU-T T.81, B.2.2), marker by marker."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - every marker begins so
        if data[at + 1] in (0xC0, 0xC1, 0xC2):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None
