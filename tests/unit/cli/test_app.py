"""The list of commands, which are imported on first use."""

import os
import subprocess
import sys
from importlib import import_module, metadata

import pytest
from typer.testing import CliRunner

from entrypoints.cli import app as app_module
from entrypoints.cli.app import COMMANDS, app


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    """-h prints the usage, the summary of the list, and an example."""
    ran = CliRunner().invoke(app, [name, "-h"])
    assert ran.exit_code == 0, ran.output
    assert f" {name} [OPTIONS]" in ran.stdout
    assert "Example: " in ran.stdout
    assert "Exit codes: 0 " in ran.stdout
    module, summary = COMMANDS[name]
    command = getattr(import_module(module), name.replace("-", "_"))
    assert command.help.partition("\n")[0] == summary
    assert f"{name:<9}  {summary}" in CliRunner().invoke(app, ["-h"]).stdout


def test_the_list_of_commands_imports_none() -> None:
    """`camclip --help` loads neither boto3 nor the service."""
    code = (
        "import sys; from entrypoints.cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: print('boto3' in sys.modules, 'entrypoints.container' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=60
    )
    assert "doctor" in ran.stdout
    assert ran.stdout.endswith("False False\n")


@pytest.mark.parametrize("name", ["cut", "cameras", "footage", "plan", "frame", "run", "watch"])
def test_a_command_on_folders_does_without_the_libraries_of_aws(name: str) -> None:
    """Importing them takes longer than all else before the first frame is read."""
    module, _ = COMMANDS[name]
    code = f"import sys, {module}; print({{'boto3', 'requests', 'jinja2'}} & set(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=60
    )
    assert ran.stdout == "set()\n"


def test_a_command_is_imported_without_a_look_for_garbage() -> None:
    """What it imports stays: the collector has nothing to do until the command works."""
    code = (
        "import gc, sys; from entrypoints.cli.app import import_lasting\n"
        "gc.collect(); began = [one['collections'] for one in gc.get_stats()]\n"
        "import_lasting('entrypoints.cli.cut')\n"
        "ended = [one['collections'] for one in gc.get_stats()]\n"
        "print(ended == began, gc.isenabled(), gc.get_freeze_count() > 50_000)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=60
    )
    assert ran.stdout == "True True True\n"


def test_local_aws_needs_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where development tools are not installed, it is not listed, and one sentence says why."""
    module, summary = COMMANDS["local-aws"]
    monkeypatch.setitem(COMMANDS, "local-aws", (f"no_{module}", summary))
    assert app_module.is_installed(module)
    assert "local-aws" not in CliRunner().invoke(app, ["-h"]).stdout
    ran = CliRunner().invoke(app, ["local-aws", "--once"])
    assert ran.exit_code == 2
    assert ran.stderr.splitlines() == [
        "camclip: local-aws needs a checkout: run it there, after `make install`."
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [("camclip foo", "footage"), ("camclip cut --cam", "--camera"), ("camclip plan --fo", "--for")],
)
def test_a_shell_completes_commands_and_their_options(words: str, expected: str) -> None:
    """By typer's own script, which --show-completion prints."""
    code = "import sys; sys.argv = ['camclip']; from entrypoints.cli.app import app; app()"
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "_CAMCLIP_COMPLETE": "complete_bash", **asked},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.split() == [expected]


def test_the_version_is_printed() -> None:
    """That of the installed package."""
    ran = CliRunner().invoke(app, ["--version"])
    assert ran.stdout == f"camclip {metadata.version('camclip')}\n"
