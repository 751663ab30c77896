"""Where the ffmpeg binary is."""

import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from domain.errors import Unavailable

LAYER = Path("/opt/bin/ffmpeg")
"""Where our Lambda layer puts it."""


def find_ffmpeg(
    environment: Mapping[str, str], layer: Path = LAYER, wheel: str = "imageio_ffmpeg"
) -> Path:
    """Return the first ffmpeg of: CAMCLIP_FFMPEG, the Lambda layer, the wheel, PATH.

    Unavailable if CAMCLIP_FFMPEG names no executable file, or none is found at all.
    """
    named = environment.get("CAMCLIP_FFMPEG")
    if named:
        if not _is_executable(Path(named)):
            raise Unavailable(f"CAMCLIP_FFMPEG names no executable file: {named}")
        return Path(named)
    on_path = shutil.which("ffmpeg", path=environment.get("PATH", ""))
    for found in (layer, *_in_wheel(wheel), *([Path(on_path)] if on_path else [])):
        if _is_executable(found):
            return found
    raise Unavailable(
        "There is no ffmpeg: set CAMCLIP_FFMPEG to its path, or install imageio-ffmpeg."
    )


def _is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _in_wheel(wheel: str) -> list[Path]:
    # The package's own function would read the process's environment and search conda's folders.
    spec = find_spec(wheel)
    places = spec.submodule_search_locations if spec else None
    return [found for place in places or () for found in Path(place).glob("binaries/ffmpeg-*")]
