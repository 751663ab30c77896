"""The packaged wheels: fetched once, each with the hash that the lock names.

They are cached in `build/wheels`, in a folder for each lock, processor and Python. Builds and tests
then need no network.
"""

import hashlib
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

TOP = Path(__file__).resolve().parent.parent
REQUIREMENTS = TOP / "deploy" / "requirements"
WHEELS = TOP / "build" / "wheels"

PYTHON = "3.13"
"""The version of the template's runtime."""
ARCHITECTURES: Mapping[str, str] = MappingProxyType({"arm64": "aarch64", "x86_64": "x86_64"})
"""Lambda's name of a processor -> the wheels' name."""
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
THIS_ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"

# Lambda's python3.12 and later run on Amazon Linux 2023, whose glibc is 2.34. pip derives no older
# tag from a newer one.
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")


class CannotPackage(Exception):
    """The package cannot be built; the message says why."""


def fetch_wheels(lock_name: str, arch: str, python: str) -> list[Path]:
    """Return the wheels of "runtime" or of "ffmpeg", by name; CannotPackage if pip has none."""
    lock = _lock(lock_name)
    key = hashlib.sha256(f"{arch}\n{python}\n{lock}".encode()).hexdigest()[:16]
    folder = WHEELS / f"{lock_name}-{arch}-{python}-{key}"
    if not folder.exists():
        WHEELS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=WHEELS) as temporary:
            fetched, requirements = Path(temporary) / "wheels", Path(temporary) / "requirements.txt"
            requirements.write_text(lock)
            _download(requirements, arch, python, fetched)
            try:
                fetched.rename(folder)
            except OSError:  # another process may have been faster
                if not folder.exists():
                    raise
    return sorted(folder.glob("*.whl"))


def _lock(name: str) -> str:
    """Return the lock of the runtime, or imageio-ffmpeg's lines of the command's lock."""
    if name == "runtime":
        return (REQUIREMENTS / "runtime.txt").read_text()
    lines = (REQUIREMENTS / "local.txt").read_text().splitlines(keepends=True)
    (start,) = (n for n, line in enumerate(lines) if line.startswith("imageio-ffmpeg=="))
    end = next(n for n in range(start + 1, len(lines)) if not lines[n].startswith(" "))
    return "".join(lines[start:end])


def _download(requirements: Path, arch: str, python: str, folder: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps"),
            *("--only-binary=:all:", "--implementation=cp", f"--python-version={python}"),
            *(f"--platform={tag}_{ARCHITECTURES[arch]}" for tag in PLATFORMS),
            *("--requirement", str(requirements), "--dest", str(folder)),
        ],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotPackage(
            f"pip found no locked wheels for Python {python} on {arch}:\n{done.stderr.strip()}"
        )
