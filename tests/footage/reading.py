"""What a player sees and hears of a clip: decoded whole by ffmpeg, nothing retimed."""

from __future__ import annotations

import re
import subprocess
import tempfile
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from attrs import frozen

from tests.footage import picture
from tests.footage.recording import DEADLINE_S, FFMPEG
from tests.footage.sound import Beep, hear

_INPUT = ("-f", "mov", "-protocol_whitelist", "file")


@frozen(kw_only=True)
class ClipReading:
    """What a clip holds. Times are presentation times on the clip's one clock, edit lists applied.

    numbers: of every decoded frame in presentation order; -1 where it cannot be read.
    times_ms: when each of these frames is shown.
    turned: by how many degrees clockwise the pictures are shown turned.
    messages: all that ffmpeg says while it decodes picture and sound; "" for a clean clip.
    beeps: the beeps heard. sound_*: first sample's time and, after the last sample, the length;
        None without sound.
    duration_ms: as the container states it, to 10 ms.
    size: width and height of the picture as shown. streams: ffmpeg's line on each stream.
    """

    numbers: list[int]
    times_ms: list[float]
    turned: int
    messages: str
    beeps: list[Beep]
    sound_start_ms: float | None
    sound_duration_ms: float | None
    duration_ms: float
    size: tuple[int, int]
    video_codec: str
    streams: list[str]
