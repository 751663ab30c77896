"""What a player reads of a clip's text and chapters: ffmpeg's words for them."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

from devtools.footage.recording import FFMPEG

Row = tuple[int, int, str]
"""From when and until when, in ms of the clip, and the text."""


def cues_of(path: Path) -> list[Row]:
    """Return the cues of a clip's only track of text."""
    written = _written(path, "-map", "0:s", "-f", "webvtt")
    blocks = [block.splitlines() for block in written.split("\n\n")[1:]]
    return [
        (*map(_ms, times.split(" --> ")), "\n".join(text))  # type: ignore[misc] # two of them
        for times, *text in filter(None, blocks)
    ]


def chapters_of(path: Path) -> list[tuple[int, str]]:
    """Return when each of a clip's chapters begins, in ms, and its title.

    Each ends where the next begins.
    """
    written = _written(path, "-f", "ffmetadata")
    found = [
        (int(start), int(end), 1000 * int(number) / int(per), re.sub(r"\\(.)", r"\1", title))
        for number, per, start, end, title in re.findall(
            r"\[CHAPTER\]\nTIMEBASE=(\d+)/(\d+)\nSTART=(\d+)\nEND=(\d+)\ntitle=(.*)\n", written
        )
    ]
    assert written.count("[CHAPTER]") == len(found)
    assert all(end == start for (_, end, *_), (start, *_) in pairwise(found))
    return [(round(start * per_ms), title) for start, _, per_ms, title in found]


def packets_of(path: Path) -> list[str]:
    """Return every packet of video and audio: its track, times, size and hash."""
    streams = ("-map", "0:v", "-map", "0:a?", "-c", "copy", "-f", "framemd5")
    return [row for row in _written(path, *streams).splitlines() if not row.startswith("#")]


def _written(path: Path, *argv: str) -> str:
    command = [FFMPEG, "-nostdin", "-v", "error", "-i", str(path), *argv, "-"]
    ran = subprocess.run(command, check=True, env={}, timeout=60, capture_output=True, text=True)
    assert ran.stderr == ""
    return ran.stdout


def _ms(clock: str) -> int:
    """Read [HH:]MM:SS.mmm."""
    whole, thousandths = clock.split(".")
    seconds = 0
    for part in whole.split(":"):
        seconds = 60 * seconds + int(part)
    return 1000 * seconds + int(thousandths)
