"""Cues as WebVTT."""

import subprocess
from pathlib import Path

from devtools.footage.recording import FFMPEG
from domain.wall_clock import Cue
from infrastructure.formats.webvtt import webvtt

CUES = [
    Cue(0, 750, "2026-05-01 14:05:12 +02:00"),
    Cue(750, 1750, "a < b --> c & d"),
    Cue(3_599_999, 360_000_000, "100 hours"),
]


def test_cues_are_blocks() -> None:
    """With hours, and without characters that have a meaning."""
    assert webvtt(CUES) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:00.750\n2026-05-01 14:05:12 +02:00\n\n"
        "00:00:00.750 --> 00:00:01.750\na &lt; b --&gt; c &amp; d\n\n"
        "00:59:59.999 --> 100:00:00.000\n100 hours\n"
    )


def test_ffmpeg_reads_it(tmp_path: Path) -> None:
    """And writes the same times and texts in another format."""
    path = tmp_path / "cues.vtt"
    path.write_text(webvtt(CUES))
    argv = [FFMPEG, "-nostdin", "-v", "error", "-i", str(path), "-f", "srt", "-"]
    ran = subprocess.run(argv, check=True, env={}, timeout=60, capture_output=True, text=True)
    blocks = [block.split("\n", 2)[1:] for block in ran.stdout.strip().split("\n\n")]
    assert blocks == [
        ["00:00:00,000 --> 00:00:00,750", CUES[0].text],
        ["00:00:00,750 --> 00:00:01,750", CUES[1].text],
        ["00:59:59,999 --> 100:00:00,000", CUES[2].text],
    ]
