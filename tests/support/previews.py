"""Sidecars as a viewer has them: an index's cues, and the numbers of pictures in an image."""

import re
import subprocess
from datetime import datetime
from pathlib import Path

from attrs import frozen

from devtools.footage import picture
from devtools.footage.recording import FFMPEG

CELLS = picture.SCALED_DOWN
CUE = re.compile(
    r"NOTE (?P<seen>\S+)\n\n(?P<start>[\d:.]+) --> (?P<end>[\d:.]+)\n"
    r"(?P<image>[^#\n]+)#xywh=(?P<x>\d+),(?P<y>\d+),(?P<w>\d+),(?P<h>\d+)\n"
)


@frozen
class SpriteCue:
    """A cue of a sprite's index."""

    start_ms: int
    end_ms: int
    seen: datetime
    image: str
    box: tuple[int, int, int, int]
    """Left, top, width and height, in pixels."""

    @property
    def seen_ms(self) -> int:
        """The instant of its picture, in ms since the epoch."""
        return round(self.seen.timestamp() * 1000)


def sprite_cues(text: str) -> list[SpriteCue]:
    """Read an index; ValueError if it has anything that is neither head nor cue."""
    blocks = text.split("\n\n")
    head = "WEBVTT\n\nNOTE Each picture is of the instant in the comment before its cue.\n\n"
    if not text.startswith(head) or len(blocks[2:]) % 2:
        raise ValueError(text[:200])
    found = list(CUE.finditer(text, len(head)))
    if "\n".join(cue[0] for cue in found) != text[len(head) :]:
        raise ValueError(text)
    return [
        SpriteCue(
            _ms(cue["start"]),
            _ms(cue["end"]),
            datetime.fromisoformat(cue["seen"]),
            cue["image"],
            (int(cue["x"]), int(cue["y"]), int(cue["w"]), int(cue["h"])),
        )
        for cue in found
    ]


@frozen
class Gray:
    """An image in gray."""

    width: int
    height: int
    pixels: bytes

    def number_in(self, box: tuple[int, int, int, int], turned: int = 0) -> int:
        """Read the number in a part of the image, as a player has turned it; -1 without one."""
        left, top, width, height = box

        def mean(column: int, row: int) -> int:
            x = left + (2 * column + 1) * width // (2 * CELLS)
            y = top + (2 * row + 1) * height // (2 * CELLS)
            starts = ((y + down) * self.width + x - 1 for down in (-1, 0, 1))
            return sum(sum(self.pixels[start : start + 3]) for start in starts) // 9

        cells = bytes(mean(column, row) for row in range(CELLS) for column in range(CELLS))
        for _ in range((360 - turned) % 360 // 90):
            cells = picture.quarter_turn(cells)
        return picture.read_number(cells)

    def part(self, left: int, top: int, width: int, height: int) -> list[bytes]:
        """Return the rows of a part of the image."""
        starts = ((top + row) * self.width + left for row in range(height))
        return [self.pixels[start : start + width] for start in starts]


def gray(path: Path) -> Gray:
    """Decode a JPEG."""
    data = path.read_bytes()
    at = 2
    while data[at + 1] not in {0xC0, 0xC2}:
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    height, width = int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
    argv = [FFMPEG, "-v", "error", "-i", str(path), "-pix_fmt", "gray", "-f", "rawvideo", "-"]
    run = subprocess.run(argv, capture_output=True, check=True, timeout=60)
    return Gray(width, height, run.stdout)


def _ms(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000)
