"""Folders as recorders write them: their names, and their way of writing MP4."""

import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from devtools.footage import Recording, cached_recording
from devtools.footage.recording import FFMPEG
from domain.window import TimeWindow

START_MS = 1_777_636_790_000
"""2026-05-01 11:59:50 UTC: files of ten seconds end at the full hour."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FPS = 30


def local(start_ms: int, zone: tzinfo = UTC) -> datetime:
    """Return what a clock in `zone` shows."""
    return (EPOCH + timedelta(milliseconds=start_ms)).astimezone(zone)


def store(path: Path, film: Path, written_ms: int | None = None) -> Path:
    """Put a film where a recorder does, last written at its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(film, path)
    if written_ms is not None:
        os.utime(path, ns=(written_ms * 10**6,) * 2)
    return path


def files_of(count: int, frames: int, layout: str, start_ms: int = START_MS) -> list[Recording]:
    """Return consecutive recordings without a gap."""
    length_ms = frames * 1000 // FPS
    return [
        Recording(
            first_number=1000 * (n + 1),
            frames=frames,
            start_ms=start_ms + n * length_ms,
            layout=layout,  # type: ignore[arg-type] # one of its layouts
        )
        for n in range(count)
    ]


def write_mediamtx(folder: Path, films: Path, zone: tzinfo = UTC) -> list[Recording]:
    """Fragments without an index, and names with microseconds of the local time."""
    recordings = files_of(3, 90, "fragmented_no_index", START_MS + 250)
    for recording in recordings:
        name = f"{local(recording.start_ms, zone):%Y-%m-%d_%H-%M-%S-%f}.mp4"
        store(folder / "pier" / name, cached_recording(films, recording))
    return recordings


def write_frigate(folder: Path, films: Path, _: tzinfo = UTC) -> list[Recording]:
    """Files of ten seconds in folders of an hour, in UTC whatever the zone."""
    recordings = files_of(3, 300, "faststart")
    for recording in recordings:
        start = local(recording.start_ms)
        path = folder / f"{start:%Y-%m-%d/%H}" / "pier" / f"{start:%M.%S}.mp4"
        store(path, cached_recording(films, recording))
        other = folder / f"{start:%Y-%m-%d/%H}" / "mole" / f"{start:%M.%S}.mp4"
        store(other, cached_recording(films, recordings[0]))
    return recordings


def write_ffmpeg(folder: Path, films: Path, zone: tzinfo = UTC) -> list[Recording]:
    """One film, cut at its keyframes by ffmpeg's own segment muxer, and named by local seconds."""
    film = Recording(first_number=1000, frames=360, start_ms=START_MS)
    target = folder / "pier"
    target.mkdir(parents=True)
    subprocess.run(
        [
            *(FFMPEG, "-nostdin", "-v", "error", "-i", cached_recording(films, film)),
            *("-c", "copy", "-f", "segment", "-segment_time", "3.5", "-reset_timestamps", "1"),
            target / "%d.mp4",
        ],
        check=True,
    )
    for number, path in enumerate(sorted(target.iterdir())):
        start = local(START_MS + 4000 * number, zone)
        path.rename(target / f"{start:%Y-%m-%d_%H-%M-%S}.mp4")
    return [film]


Writer = Callable[[Path, Path, tzinfo], list[Recording]]
RECORDERS: dict[str, tuple[Writer, TimeWindow]] = {
    "mediamtx": (write_mediamtx, TimeWindow(START_MS + 2345, START_MS + 7777)),
    "frigate": (write_frigate, TimeWindow(START_MS + 8345, START_MS + 21_678)),
    "ffmpeg": (write_ffmpeg, TimeWindow(START_MS + 3210, START_MS + 8765)),
}
"""By name: what writes a folder, and a window that its files share."""
