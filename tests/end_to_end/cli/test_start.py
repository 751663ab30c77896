"""What the commands on folders import: that is most of the time until they work."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.recorders import START_MS, write_frigate

NEEDLESS = {
    *("aws_lambda_powertools", "boto3", "botocore", "cryptography", "moto", "requests", "urllib3"),
    *("fastapi", "jinja2", "starlette", "uvicorn", "werkzeug"),
    *("pydantic", "pydantic_settings", "yaml"),
}
"""Libraries that serve AWS, pages, or other users of our libraries."""
NEEDLESS_MODULES = {
    *("infrastructure.in_memory", "infrastructure.s3", "infrastructure.camera_api.client"),
    *("typer._adapters", "rich.progress", "rich._emoji_codes"),
}
REPORTING = """
import atexit, sys
from entrypoints.cli.app import main
atexit.register(lambda: print("imported", *sys.modules, file=sys.stderr))
main()
"""
WINDOW = ("--from", str(START_MS + 1000), "--to", str(START_MS + 4000))
RECORDINGS, OUT = ("--recordings", "dvr"), ("--out", "out")
COMMANDS = (
    ("cut", *RECORDINGS, *OUT, "--camera", "pier", *WINDOW, "--id", "c1"),
    ("cut", *RECORDINGS, *OUT, "--camera", "pier", *WINDOW, "--id", "c1", "--json"),
    ("verify", "out/pier/c1.mp4"),
    ("verify", "pier/c1", *RECORDINGS, *OUT),
    ("plan", *RECORDINGS, "--camera", "pier", *WINDOW),
    ("cameras", *RECORDINGS),
    ("footage", "pier", *RECORDINGS),
    ("frame", *RECORDINGS, "--camera", "pier", "--at", str(START_MS + 1000), "-o", "still.jpg"),
    ("inspect", "out/pier/c1.mp4"),
)


def imported_by(argv: Sequence[str], folder: Path) -> set[str]:
    """Run a command, and return the modules that were imported when it had ended."""
    ran = subprocess.run(
        [sys.executable, "-c", REPORTING, *argv],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "THUMBNAIL_SIZES": "160"},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr.partition("imported ")[0]
    return set(ran.stderr.partition("imported ")[2].split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Path:
    """A folder with the recordings of a camera, and a clip of them."""
    made = tmp_path_factory.mktemp("start")
    write_frigate(made / "dvr", films)
    imported_by(COMMANDS[0], made)
    return made


@pytest.mark.parametrize("argv", COMMANDS, ids=lambda argv: f"{argv[0]} {argv[-1]}")
def test_a_command_on_folders_imports_nothing_that_it_does_not_use(
    folder: Path, argv: Sequence[str]
) -> None:
    """From its first line to its last, not only at the start."""
    imported = imported_by(argv, folder)
    assert not {name.partition(".")[0] for name in imported} & NEEDLESS
    assert not imported & NEEDLESS_MODULES


def test_the_version_is_printed_before_any_of_the_service_is_imported(tmp_path: Path) -> None:
    """Not even attrs."""
    imported = imported_by(("--version",), tmp_path)
    assert not {"attrs", "rich", "domain", "infrastructure"} & imported
