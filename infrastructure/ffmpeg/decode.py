"""Decode a clip to verify it: an exit code is no proof."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from domain.errors import UnusableFootage
from infrastructure.ffmpeg.runner import Ffmpeg, mp4_input


def decode_all_frames(  # noqa: PLR0913
    ffmpeg: Ffmpeg,
    path: Path,
    times: Sequence[int],
    timescale: int,
    deadline_s: float,
    *,
    audio: bool,
) -> None:
    """Decode every frame, and optionally the audio; UnusableFootage unless each is at its time.

    `times` are in ticks of `timescale` per second. Any message of the decoder is a failure.
    """
    decoded: list[Fraction] = []
    base = Fraction(1, timescale)

    def on_line(line: str) -> None:
        nonlocal base
        if line.startswith("#tb 0:"):
            base = Fraction(line.partition(":")[2].strip())
        elif line[:1] == "0":
            decoded.append(int(line.split(",")[2]) * base)

    arguments = ["-xerror", "-copyts", *mp4_input(path), "-map", "0:v:0"]
    arguments += ["-fps_mode", "passthrough", "-enc_time_base", "demux"]
    arguments += ["-c:v", "wrapped_avframe", "-f", "framecrc", "pipe:1"]
    if audio:
        arguments += ["-map", "0:a?", "-f", "null", "-"]
    messages = ffmpeg.run(arguments, deadline_s, on_line=on_line)
    if messages:
        raise UnusableFootage(f"The clip decodes with a message: {messages.splitlines()[0]}")
    if decoded != [Fraction(time, timescale) for time in times]:
        raise UnusableFootage(
            f"The clip decodes to {len(decoded)} frames, not the {len(times)} planned."
        )
