"""The list of commands, which are imported on first use."""

import subprocess
import sys
from importlib import import_module

import pytest
from typer.testing import CliRunner

from entrypoints.cli import app as app_module
from entrypoints.cli.app import COMMANDS, app


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    """-h prints the usage, the summary of the list, and an example."""
    ran = CliRunner().invoke(app, [name, "-h"])
    assert ran.exit_code == 0
    assert f" {name} [OPTIONS]" in ran.stdout
    assert "Example: " in ran.stdout
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
