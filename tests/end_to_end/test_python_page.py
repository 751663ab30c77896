"""The code of docs/python.md, as it is printed there."""

import os
import re
import subprocess
import sys
from pathlib import Path

from devtools.footage import Recording, assert_clip, cached_recording, read_clip, wanted

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
FOOTAGE = Recording(first_number=0, frames=120)


def test_the_pages_code_makes_exact_clips(tmp_path: Path, films: Path) -> None:
    """Out of a folder, and with a port of one's own."""
    recordings = tmp_path / "footage" / "recordings" / "pier"
    recordings.mkdir(parents=True)
    (recordings / "pier.20260714T100000.mp4").symlink_to(cached_recording(films, FOOTAGE))
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "CLIP_AVAILABLE None",
        "True 2000",
        "clip-2 is CLIP_AVAILABLE",
    ]
    for name in ("clip-1", "clip-2"):
        clip = read_clip(tmp_path / "footage" / "clips" / "pier" / f"{name}.mp4")
        assert_clip(clip, wanted([FOOTAGE], 1000, 3000))
