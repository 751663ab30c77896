"""A clip as a player presents it: decoded whole by ffmpeg, nothing retimed."""

import re
import subprocess
import tempfile
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Self

from attrs import frozen

from devtools.footage import picture
from devtools.footage.audio import Beep, find_beeps
from devtools.footage.recording import DEADLINE_S, FFMPEG, KEEP_TIMES

_INPUT = ("-f", "mov", "-protocol_whitelist", "file")
_VIDEO = re.compile(r" Video: (\w+).*?, (\d+)x(\d+)")
_DURATION = re.compile(r"Duration: (\d+):(\d+):([\d.]+)")


@frozen(kw_only=True)
class ClipReading:
    """The contents of a clip. Times are presentation times on one clock, edit lists applied.

    numbers: of every decoded frame in presentation order; -1 where it cannot be read.
    times_ms: when each of these frames is shown.
    turned: the clockwise rotation at presentation, in degrees.
    messages: ffmpeg's messages while it decodes video and audio; "" for a clean clip.
    beeps: the beeps found. audio_*: first sample's time, and duration to the last sample's end;
        None without audio.
    duration_ms: as the container states it, to 10 ms.
    size: width and height of the stored picture, before a player turns it.
    streams: ffmpeg's line on each stream.
    """

    numbers: list[int]
    times_ms: list[float]
    turned: int
    messages: str
    beeps: list[Beep]
    audio_start_ms: float | None
    audio_duration_ms: float | None
    duration_ms: float
    size: tuple[int, int]
    video_codec: str
    streams: list[str]


def read_clip(path: Path) -> ClipReading:
    """Decode the MP4 file `path` whole, once, and return its contents.

    Raises ValueError with ffmpeg's messages if the file has no picture that ffmpeg can read.
    """
    streams, duration_ms = _probe(path)
    video = next((line for line in streams if " Video: " in line), None)
    if video is None:
        raise ValueError(f"{path.name} has no picture: {streams}")
    has_audio = any(" Audio: " in line for line in streams)
    with tempfile.TemporaryDirectory() as folder:
        pictures, frames, pcm = (Path(folder, name) for name in ("pictures", "frames", "pcm"))
        side = picture.SCALED_DOWN
        graph = f"[0:v:0]scale={side}:{side}:flags=area,format=gray,split[pictures][frames]"
        argv = ["-copyts", *_INPUT, "-i", str(path), "-filter_complex", graph]
        argv += ["-map", "[pictures]", *KEEP_TIMES, "-f", "rawvideo", str(pictures)]
        argv += ["-map", "[frames]", *KEEP_TIMES, "-c:v", "rawvideo"]
        if has_audio:
            argv += ["-map", "0:a:0", "-c:a", "pcm_s16le", "-ac", "1"]
        argv += ["-f", "framecrc", str(frames)]
        if has_audio:
            argv += ["-map", "0:a:0", "-c:a", "pcm_s16le", "-ac", "1", "-f", "s16le", str(pcm)]
        messages, _ = _run(argv)
        grays = pictures.read_bytes()
        samples = array("h", pcm.read_bytes() if has_audio else b"")
        table = _FrameTable.parse(frames.read_text())
    numbers, turned = _numbers(grays)
    if len(table.video) != len(numbers):
        raise ValueError(f"{len(numbers)} pictures but {len(table.video)} times: {messages}")
    codec, width, height = _VIDEO.findall(video)[0]
    return ClipReading(
        numbers=numbers,
        times_ms=table.video,
        turned=turned,
        messages=messages,
        beeps=find_beeps(samples, table.rate_hz, table.audio),
        audio_start_ms=table.audio[0][0] if table.audio else None,
        audio_duration_ms=table.audio_duration_ms,
        duration_ms=duration_ms,
        size=(int(width), int(height)),
        video_codec=codec,
        streams=streams,
    )


def frame_hashes(path: Path, first: int = 0, count: int | None = None) -> list[str]:
    """MD5 of the decoded pixels of `count` frames from the `first` shown on (0 is the first)."""
    _, table = _run(
        [*_INPUT, "-i", str(path), "-map", "0:v:0", *KEEP_TIMES, "-f", "framemd5", "-"],
    )
    hashes = [row.split(",")[-1].strip() for row in table.splitlines() if row[:1] == "0"]
    return hashes[first:] if count is None else hashes[first : first + count]


def psnr_db(path: Path, reference: Path, first: int = 0) -> float:
    """Lowest luma PSNR of a frame of `path` against the frames of `reference` from `first` on."""
    graph = (
        f"[1:v:0]trim=start_frame={first},setpts=N/TB/100[wanted];"
        "[0:v:0]setpts=N/TB/100[had];[had][wanted]psnr=stats_file=-:shortest=1"
    )
    argv = [*_INPUT, "-i", str(path), *_INPUT, "-i", str(reference), "-lavfi", graph]
    words, table = _run([*argv, "-fps_mode", "passthrough", "-f", "null", "-"])
    frames = [float(psnr) for psnr in re.findall(r"psnr_y:(\S+)", table)]
    if not frames:
        raise ValueError(f"nothing to compare: {words}")
    return min(frames)


@frozen
class _FrameTable:
    """The output of ffmpeg's framecrc on stream 0 (video) and 1 (audio)."""

    video: list[float]
    audio: list[tuple[float, int]]
    rate_hz: int

    @property
    def audio_duration_ms(self) -> float | None:
        """From the first sample's time to the end of the last sample."""
        if not self.audio:
            return None
        last_ms, samples = self.audio[-1]
        return last_ms + samples * 1000 / self.rate_hz - self.audio[0][0]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ffmpeg's table: times in ms; audio, two bytes a sample, as (time, samples)."""
        bases_ms = {int(n): 1000 * Fraction(tb) for n, tb in re.findall(r"#tb (\d): (\S+)", text)}
        rate = re.search(r"#sample_rate 1: (\d+)", text)
        rows = [row.split(",") for row in text.splitlines() if row[:1] in {"0", "1"}]
        times = [(int(row[0]), float(int(row[2]) * bases_ms[int(row[0])]), row[4]) for row in rows]
        return cls(
            [time_ms for stream, time_ms, _ in times if stream == 0],
            [(time_ms, int(size) // 2) for stream, time_ms, size in times if stream == 1],
            int(rate[1]) if rate else 0,
        )


def _numbers(grays: bytes) -> tuple[list[int], int]:
    """Read all numbers in the orientation in which most can be read; upright if none can."""
    size = picture.SCALED_DOWN_BYTES
    pictures = [grays[at : at + size] for at in range(0, len(grays), size)]
    best: tuple[list[int], int] = ([], 0)
    for turned in (0, 270, 180, 90):
        numbers = [picture.read_number(gray) for gray in pictures]
        if not turned or numbers.count(picture.UNREADABLE) < best[0].count(picture.UNREADABLE):
            best = numbers, turned
        if best[0].count(picture.UNREADABLE) * 2 < len(pictures):
            break
        pictures = [picture.quarter_turn(gray) for gray in pictures]
    return best


def _probe(path: Path) -> tuple[list[str], float]:
    """Return ffmpeg's line on each stream, and the container's duration in ms."""
    words = _ffmpeg(["-v", "info", *_INPUT, "-i", str(path)]).stderr.decode(errors="replace")
    duration = _DURATION.search(words)
    if duration is None:
        raise ValueError(f"{path.name} is no clip: {words[-2000:]}")
    hours, minutes, seconds = duration.groups()
    streams = [line.strip() for line in words.splitlines() if line.lstrip().startswith("Stream #")]
    return streams, (int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)) * 1000.0


def _run(argv: Sequence[str]) -> tuple[str, str]:
    """Run ffmpeg; return its messages from warnings up, and its standard output."""
    run = _ffmpeg(["-v", "warning", *argv])
    lines = run.stderr.decode(errors="replace").strip().splitlines()
    # Our own scaling causes this notice for full-range video, whatever the clip.
    words = "\n".join(line for line in lines if "deprecated pixel format used" not in line)
    if run.returncode != 0:
        words = f"{words}\nffmpeg exited with {run.returncode}".strip()
    return words, run.stdout.decode()


def _ffmpeg(argv: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    command = [FFMPEG, "-nostdin", "-hide_banner", "-y", *argv]
    return subprocess.run(command, capture_output=True, env={}, timeout=DEADLINE_S, check=False)
