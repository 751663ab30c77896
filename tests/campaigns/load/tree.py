"""A week of one camera as Frigate writes it: 60,000 files of ten seconds."""

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from attrs import frozen

from devtools.footage import Recording, cached_recording
from tests.support.recorders import EPOCH

FILES = 60_000
FILE_MS = 10_000
HOUR_MS = 3_600_000
START_MS = 1_777_593_600_000
"""2026-05-01 00:00:00 UTC."""
END_MS = START_MS + FILES * FILE_MS
CAMERA = "pier"
SHOWN_BYTES, INDEX_BYTES = 256 << 10, 16 << 10
"""So much of the film is in a file: its first keyframe, or its index. The rest is a hole."""
NEIGHBOURS = range(-7, 2)
"""Which files around that of a moment have an index: those may be opened, too."""
SHOWN_MS = 1321
"""Where in a file a picture is looked for, before its second keyframe."""
FPS = 30


@frozen
class Tree:
    """A folder of recordings: empty files but for those of some moments, and around them.

    The last one is whole, so that it has a last picture.
    """

    folder: Path
    film: Path
    moments_ms: Sequence[int]

    def write(self) -> None:
        """Write all files; each was last written at its end, as a recorder does."""
        film, size_bytes = self.film.read_bytes(), self.film.stat().st_size
        shown_bytes = {**self._shown_bytes(), END_MS - FILE_MS: size_bytes}
        for start_ms in range(START_MS, END_MS, FILE_MS):
            path = self._path(start_ms)
            if not start_ms % HOUR_MS:
                path.parent.mkdir(parents=True)
            with path.open("wb") as file:
                if start_ms in shown_bytes:
                    file.write(film[: shown_bytes[start_ms]])
                    file.truncate(size_bytes)
            os.utime(path, ns=((start_ms + FILE_MS) * 10**6,) * 2)

    def _shown_bytes(self) -> Mapping[int, int]:
        starts_ms = [moment_ms - moment_ms % FILE_MS for moment_ms in self.moments_ms]
        around_ms = [n * FILE_MS for n in NEIGHBOURS]
        indexed = (start_ms + after_ms for start_ms in starts_ms for after_ms in around_ms)
        return dict.fromkeys(indexed, INDEX_BYTES) | dict.fromkeys(starts_ms, SHOWN_BYTES)

    def _path(self, start_ms: int) -> Path:
        start = EPOCH + timedelta(milliseconds=start_ms)
        return self.folder / f"{start:%Y-%m-%d/%H}" / CAMERA / f"{start:%M.%S}.mp4"


def film(cache: Path) -> Path:
    """Return a film in `cache`, made once: 1080p of a usual bit rate, two seconds a keyframe."""
    described = Recording(
        first_number=1000,
        frames=FPS * FILE_MS // 1000,
        size=(1920, 1080),
        bitrate_kbps=4000,
        preset="veryfast",
        bframes=0,
    )
    return cached_recording(cache, described)
