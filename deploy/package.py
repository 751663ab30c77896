"""Build the function's zip for AWS Lambda, and the layer that holds ffmpeg.

Two builds of the same sources are equal byte for byte: names are sorted, times and modes are fixed,
and the hash of every wheel is locked in `deploy/requirements`.
"""

import argparse
import hashlib
import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from deploy.contents import bytecode, find_compiler, library_files, our_modules
from deploy.wheels import (
    ARCHITECTURES,
    PYTHON,
    THIS_ARCHITECTURE,
    THIS_PYTHON,
    TOP,
    CannotPackage,
    fetch_wheels,
)

LIMIT_BYTES = 250 << 20
"""The size of a function and its layers, unpacked (AWS Lambda developer guide, "quotas")."""

DEPLOYED = "arm64"
"""The template's default processor."""

EARLIEST_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can store."""


def build_function(arch: str, python: str, out: Path, compiler: str | None = None) -> Path:
    """Build the function's zip for a processor and a Python in the folder `out`; return its path.

    It holds our modules, and the locked runtime dependencies without the files that Lambda never
    loads. It holds their bytecode too if there is an interpreter of that version: `compiler`, or
    one that is found. CannotPackage if it cannot be built.
    """
    files = {"LICENSE": (TOP / "LICENSE").read_bytes(), **our_modules()}
    for wheel in fetch_wheels("runtime", arch, python):
        files.update(library_files(wheel))
    compiler = compiler or find_compiler(python)
    if compiler:
        files.update(bytecode(files, python, compiler))
    suffix = "" if python == PYTHON else f"-py{python}"
    return _write(out / function_name(arch, suffix), files, level=6)


def function_name(arch: str, suffix: str = "") -> str:
    """Return the name of the function's zip: the 2018 service's, for the deployed processor.

    `suffix` marks a package for another version of Python.
    """
    return f"cameras-service-generate-clip{'' if arch == DEPLOYED else f'-{arch}'}{suffix}.zip"


def layer_name(arch: str) -> str:
    """Return the name of the layer's zip."""
    return f"ffmpeg-layer-{arch}.zip"


def build_layer(arch: str, out: Path) -> Path:
    """Build the layer's zip in the folder `out`; return its path.

    Lambda unpacks a layer into /opt: `bin/ffmpeg` becomes /opt/bin/ffmpeg.
    """
    (wheel,) = fetch_wheels("ffmpeg", arch, PYTHON)
    with zipfile.ZipFile(wheel) as source:
        (binary,) = (name for name in source.namelist() if "/binaries/ffmpeg-" in name)
        (licence,) = (name for name in source.namelist() if "/licenses/" in name)
        files = {
            "bin/ffmpeg": source.read(binary),
            "licences/ffmpeg/NOTICE": (TOP / "NOTICE").read_bytes(),
            "licences/ffmpeg/GPL-3.0": (TOP / "deploy/licences/GPL-3.0").read_bytes(),
            "licences/ffmpeg/ORIGIN": f"{PurePosixPath(binary).name} of {wheel.name}\n".encode(),
            "licences/imageio-ffmpeg/LICENSE": source.read(licence),
        }
    # Level 6 would save 8 % of the upload and take three times as long.
    return _write(out / layer_name(arch), files, level=1)


def check_size(*paths: Path) -> int:
    """Return the unpacked size of the zips in bytes; CannotPackage if Lambda would reject it."""
    size = sum(_unpacked_bytes(path) for path in paths)
    if size > LIMIT_BYTES:
        names = " and ".join(path.name for path in paths)
        raise CannotPackage(f"{names} take up {size} bytes unpacked; Lambda allows {LIMIT_BYTES}.")
    return size


def main(argv: Sequence[str] | None = None) -> int:
    """Build, and print sizes and hashes; return 1 if it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m deploy.package", description=__doc__)
    parser.add_argument("--arch", action="append", choices=ARCHITECTURES, help="default: both")
    parser.add_argument("--python", default=PYTHON, help=f"default: {PYTHON}")
    parser.add_argument("--out", type=Path, default=TOP / "dist")
    parser.add_argument("--compiler", help="interpreter of that version, for the bytecode")
    parser.add_argument("--fetch", action="store_true", help="fetch all wheels, build nothing")
    options = parser.parse_args(argv)
    try:
        if options.fetch:
            _fetch_all()
        else:
            for arch in options.arch or ARCHITECTURES:
                _build(arch, options.python, options.out, options.compiler)
    except CannotPackage as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _fetch_all() -> None:
    """Fetch the wheels that are deployed, and those of the tests on this machine."""
    for arch in ARCHITECTURES:
        fetch_wheels("runtime", arch, PYTHON)
        fetch_wheels("ffmpeg", arch, PYTHON)
    fetch_wheels("runtime", THIS_ARCHITECTURE, THIS_PYTHON)


def _build(arch: str, python: str, out: Path, compiler: str | None) -> None:
    function = build_function(arch, python, out, compiler)
    layer = build_layer(arch, out)
    for path in (function, layer):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        _print(f"{digest}  {os.path.relpath(path)}: {_size(path.stat().st_size)}")
    size = check_size(function, layer)
    _print(f"{arch}, Python {python}: unpacked {_size(size)} of {_size(LIMIT_BYTES)} allowed")
    with zipfile.ZipFile(function) as zipped:
        if not any(name.endswith(".pyc") for name in zipped.namelist()):
            _print(
                f"No Python {python} was found, so {function.name} holds no bytecode, and each cold"
                " start takes about 0.5 s longer. Name an interpreter with COMPILER=PATH."
            )


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _size(count: int) -> str:
    return f"{count / (1 << 20):.1f} MiB"


def _unpacked_bytes(path: Path) -> int:
    with zipfile.ZipFile(path) as zipped:
        return sum(entry.file_size for entry in zipped.infolist())


def _write(path: Path, files: Mapping[str, bytes], level: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as temporary:
        part = Path(temporary) / path.name
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as zipped:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, EARLIEST_TIME)
                entry.create_system = 3  # Unix: its modes count
                entry.compress_type = zipfile.ZIP_DEFLATED
                is_executable = name.startswith("bin/") or name.endswith(".so")
                entry.external_attr = (0o100755 if is_executable else 0o100644) << 16
                zipped.writestr(entry, files[name], compresslevel=level)
        part.replace(path)
    return path


if __name__ == "__main__":
    sys.exit(main())
