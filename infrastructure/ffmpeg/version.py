"""Which ffmpeg it is."""

from pathlib import Path
from threading import Lock

from domain.errors import ClipError
from infrastructure.ffmpeg.runner import Ffmpeg

UNKNOWN = "unknown"
_known: dict[Path, str] = {}
_lock = Lock()


def ffmpeg_version(ffmpeg: Ffmpeg, deadline_s: float) -> str:
    """Return the version that ffmpeg prints; it is asked once per process (10 ms).

    UNKNOWN if it cannot be asked: a clip does not fail for it.
    """
    with _lock:
        if ffmpeg.path not in _known:
            lines: list[str] = []
            try:
                ffmpeg.run(["-version"], deadline_s, on_line=lines.append)
            except ClipError:
                return UNKNOWN
            words = "".join(lines[:1]).split()
            _known[ffmpeg.path] = words[2] if words[:2] == ["ffmpeg", "version"] else UNKNOWN
        return _known[ffmpeg.path]
