"""Where the ffmpeg binary is."""

import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from domain.errors import Unavailable

LAYER = Path("/opt/bin/ffmpeg")
"""Its place in a Lambda layer."""


def find_ffmpeg(
    environment: Mapping[str, str], layer: Path = LAYER, wheel: str = "imageio_ffmpeg"
) -> Path:
    """Return the first of: CAMCLIP_FFMPEG, the layer's, the wheel's, the one on PATH.

    Unavailable if CAMCLIP_FFMPEG is not an executable file, or there is none at all.
    """
    named = environment.get("CAMCLIP_FFMPEG")
    if named:
        if not _runs(Path(named)):
            raise Unavailable(f"CAMCLIP_FFMPEG is not an executable file: {named}")
        return Path(named)
    on_path = shutil.which("ffmpeg", path=environment.get("PATH", ""))
    for found in (layer, *_in_the(wheel), *([Path(on_path)] if on_path else [])):
        if _runs(found):
            return found
    raise Unavailable(
        "There is no ffmpeg: set CAMCLIP_FFMPEG to its path, or install imageio-ffmpeg."
    )


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _in_the(wheel: str) -> list[Path]:
    # The package's own function would search the process's environment and conda.
    spec = find_spec(wheel)
    places = spec.submodule_search_locations if spec else None
    return [found for place in places or () for found in Path(place).glob("binaries/ffmpeg-*")]
