"""The contents of the function's zip: our modules, the libraries, and their bytecode."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from deploy.wheels import THIS_PYTHON, TOP, CannotPackage

LAYERS = ("domain", "application", "infrastructure", "entrypoints")
NOT_DEPLOYED = (
    "entrypoints/cli/",
    "entrypoints/serve/",
    "entrypoints/worker/",
    "entrypoints/invoke.py",
)

SERVICES = ("s3", "sns", "sqs", "sts")
"""The data that botocore needs: of the services that are called, and of STS for assumed roles."""
UNUSED_SUFFIXES = (".c", ".h", ".pxd", ".pyi", ".pyx", ".rst", ".js", ".css", "py.typed")
UNUSED_FOLDERS = ("boto3/data/", "boto3/examples/", "cffi/", "pycparser/")
"""Of cffi, cryptography loads the backend alone; the rest compiles C."""
KEPT_OF_DIST_INFO = ("METADATA", "LICEN", "NOTICE", "COPYING", "AUTHORS")

TASK = "/var/task"
"""Where Lambda unpacks the function: tracebacks name its files."""


def our_modules() -> dict[str, bytes]:
    """Return the modules of the four layers, name -> source, without commands and the worker."""
    paths = (path for layer in LAYERS for path in (TOP / layer).rglob("*.py"))
    modules = {path.relative_to(TOP).as_posix(): path for path in paths}
    return {
        name: path.read_bytes()
        for name, path in modules.items()
        if not name.startswith(NOT_DEPLOYED)
    }


def library_files(wheel: Path) -> dict[str, bytes]:
    """Name -> bytes of the wheel's files that Lambda may load, and of its licence."""
    with zipfile.ZipFile(wheel) as source:
        return {name: source.read(name) for name in source.namelist() if _is_packaged(name)}


def _is_packaged(name: str) -> bool:
    path = PurePosixPath(name)
    match path.parts:
        case _ if name.endswith("/"):
            return False
        case [folder, *_] if folder.endswith(".dist-info"):
            return path.name.upper().startswith(KEPT_OF_DIST_INFO)
        case [folder, *_] if folder.endswith(".data"):  # scripts
            return False
        case ["botocore", "data", service, _, *_]:
            return service in SERVICES and not path.name.startswith("examples-")
        case parts:
            unused = name.endswith(UNUSED_SUFFIXES) or name.startswith(UNUSED_FOLDERS)
            return not unused and "tests" not in parts


def find_compiler(python: str) -> str | None:
    """Return an interpreter of the version: this one, or one on PATH that runs; else None."""
    if python == THIS_PYTHON:
        return sys.executable
    found = shutil.which(f"python{python}")
    return found if found and _version(found) == python else None


def _version(interpreter: str) -> str:
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([interpreter, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def bytecode(sources: Mapping[str, bytes], python: str, compiler: str) -> dict[str, bytes]:
    """Compile the Python files for cold starts, which cannot cache bytecode in /var/task.

    Python loads the bytecode without comparing it to its source, whose time a zip does not keep.
    A release of Python compiles the same sources to the same bytes on every machine (measured).
    CannotPackage if `compiler` is another version, or a file does not compile.
    """
    if _version(compiler) != python:
        raise CannotPackage(
            f"{compiler} is no Python {python}: name such an interpreter with --compiler."
        )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, source in sources.items():
            if name.endswith(".py"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(source)
        options = ("--invalidation-mode", "unchecked-hash", "-s", ".", "-p", TASK)
        done = subprocess.run(
            [compiler, "-I", "-S", "-m", "compileall", "-q", *options, "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotPackage(
                f"{compiler} could not compile all files: {done.stdout}{done.stderr}"
            )
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.pyc")
        }
