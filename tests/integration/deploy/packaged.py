"""The package, built once for all processes of a test run."""

import fcntl
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.package import build_function, build_layer, function_name
from deploy.wheels import PYTHON, THIS_ARCHITECTURE, THIS_PYTHON


def packaged_function(folder: Path) -> Path:
    """Return `folder`/function, the unpacked zip for this machine's Python."""
    unpacked = folder / "function"
    with alone(folder, "function"):
        if not unpacked.exists():
            function = build_function(THIS_ARCHITECTURE, THIS_PYTHON, folder)
            with zipfile.ZipFile(function) as zipped:
                zipped.extractall(folder / "function.part")
            (folder / "function.part").rename(unpacked)
    return unpacked


def packaged(folder: Path, arch: str) -> tuple[Path, Path]:
    """Return the zips of a processor: the function's and the layer's."""
    with alone(folder, arch):
        done = folder / f"{arch}.done"
        if not done.exists():
            build_function(arch, PYTHON, folder)
            build_layer(arch, folder)
            done.touch()
    return folder / function_name(arch), folder / f"ffmpeg-layer-{arch}.zip"


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock `name` of the folder: one process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
