"""What goes into the function's zip: our modules, the libraries, and their bytecode."""

import ast
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from importlib.util import resolve_name
from pathlib import Path, PurePosixPath

from deploy.wheels import THIS_PYTHON, TOP, CannotPackage

HANDLER_MODULE = "entrypoints.aws_lambda"
OURS = ("domain", "application", "infrastructure", "entrypoints")

SERVICES = ("s3", "sns", "sqs", "sts")
"""What botocore must know: the services that are called, and STS for roles that are assumed."""
UNUSED_SUFFIXES = (".c", ".h", ".pxd", ".pyi", ".pyx", ".rst", ".js", ".css", "py.typed")
UNUSED_FOLDERS = ("boto3/data/", "boto3/examples/")
KEPT_OF_DIST_INFO = ("METADATA", "LICEN", "NOTICE", "COPYING", "AUTHORS")

TASK = "/var/task"
"""Where Lambda unpacks the function: tracebacks name its files."""


def our_modules() -> dict[str, bytes]:
    """Follow the imports from the handler's module through our own packages.

    Name -> source of all that the handler can import, at any time, and nothing else: commands and
    the libraries they need are left out without a list that would have to be kept.
    """
    found: dict[str, bytes] = {}
    wanted, seen = [HANDLER_MODULE], set[str]()
    while wanted:
        module = wanted.pop()
        if module in seen or module.partition(".")[0] not in OURS:
            continue
        seen.add(module)
        path = Path(*module.split("."))
        package = (TOP / path / "__init__.py").is_file()
        file = path / "__init__.py" if package else path.with_suffix(".py")
        if not (TOP / file).is_file():  # the name of something inside a module
            continue
        source = found[file.as_posix()] = (TOP / file).read_bytes()
        parent = module.rpartition(".")[0]
        wanted += [parent, *_imported(ast.parse(source), module if package else parent)]
    return found


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = resolve_name("." * level + (module or ""), package)
                yield from (base, *(f"{base}.{alias.name}" for alias in names))


def library_files(wheel: Path) -> dict[str, bytes]:
    """Name -> bytes of the wheel's files that Lambda may load, and of its licence."""
    with zipfile.ZipFile(wheel) as source:
        return {name: source.read(name) for name in source.namelist() if _is_wanted(name)}


def _is_wanted(name: str) -> bool:
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
    """Return an interpreter of the version: this one, or the one on PATH that really runs."""
    if python == THIS_PYTHON:
        return sys.executable
    found = shutil.which(f"python{python}")
    return found if found and _version(found) == python else None


def _version(interpreter: str) -> str:
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([interpreter, "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def bytecode(sources: Mapping[str, bytes], python: str, compiler: str) -> dict[str, bytes]:
    """Compile what is Python, so that a cold start need not: nothing can be cached in /var/task.

    The bytecode is never checked against its source, whose time a zip does not keep. The same
    release of Python makes the same bytes of the same sources, wherever it runs (measured).
    """
    if _version(compiler) != python:
        raise CannotPackage(f"{compiler} is no Python {python}, whose bytecode is wanted.")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
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
            raise CannotPackage(f"{compiler} could not compile all: {done.stdout}{done.stderr}")
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.pyc")
        }
