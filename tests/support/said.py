"""What a clip says of itself, as players read it."""

import re
import subprocess
from pathlib import Path

from devtools.footage.recording import FFMPEG


def said_by(clip: Path) -> dict[str, str]:
    """Return the metadata of a clip, as ffmpeg reads them."""
    argv = [FFMPEG, "-hide_banner", "-i", str(clip), "-f", "ffmetadata", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, env={}, timeout=60)
    lines = [line for line in done.stdout.decode().splitlines() if "=" in line]
    (created, *others) = re.findall(r"creation_time +: (\S+)", done.stderr.decode())
    assert set(others) == {created}
    return {"creation_time": created, **dict(line.split("=", 1) for line in lines)}
