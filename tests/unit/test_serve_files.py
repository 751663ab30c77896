"""The server's files for Docker and systemd agree with its code."""

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]

from devtools.local_aws.http_server import Request, Response, serve
from entrypoints.cli.app import app
from entrypoints.serve import application, server
from entrypoints.serve.command import TOKEN, USUAL_PORT
from entrypoints.serve.guard import MIN_TOKEN_CHARS

TOP = Path(__file__).parents[2]
FOLDER = TOP / "deploy" / "serve"
PAGE = (TOP / "docs" / "serve.md").read_text(encoding="utf-8")


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def instruction(name: str) -> list[str]:
    """Return the words of an instruction of the Dockerfile in its JSON form."""
    [words] = re.findall(rf"{name} (\[.*\])", text_of("Dockerfile"))
    return list(yaml.safe_load(words))


def composed() -> dict[str, Any]:
    [service] = yaml.safe_load(text_of("compose.yaml"))["services"].values()
    return dict(service)


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", text_of("camclip-serve.service"), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def commands() -> dict[str, list[str]]:
    """Return the arguments of `camclip`, by what runs it; also those that comments propose."""
    [more] = re.findall(r"# command: (\[.*\])", text_of("compose.yaml"))
    image = instruction("ENTRYPOINT")
    assert image[:3] == ["python", "-m", "entrypoints.cli.app"]
    [started] = unit()["ExecStart"]
    path, *own = shlex.split(started)
    assert path.endswith("/camclip")
    return {
        "Docker": image[3:],
        "compose": [*image[3:], *yaml.safe_load(more)],
        "systemd": [word for word in own if word != "$OPTIONS"],
    }


def parsed(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the options of `camclip serve` as typer reads them; UsageError for an unknown one."""
    name, *options = arguments
    command = typer.main.get_command(app)
    group = command.commands[name]  # type: ignore[attr-defined] # a group of commands
    return dict(group.make_context(name, list(options)).params)


@pytest.mark.parametrize("platform", ["Docker", "compose", "systemd"])
def test_the_commands_are_those_of_camclip(platform: str) -> None:
    """Each option exists, and the clips go where the platform lets them be written."""
    options = parsed(commands()[platform])
    mounts = {mount["target"]: mount for mount in composed()["volumes"] if isinstance(mount, dict)}
    if platform == "systemd":
        [state] = unit()["StateDirectory"]
        assert str(options["out"]).startswith(f"/var/lib/{state}/")
        return
    assert mounts[str(options["recordings"])]["read_only"] is True
    assert f"VOLUME {options['out']}" in text_of("Dockerfile")
    assert f"clips:{options['out']}" in composed()["volumes"]
    assert options["port"] == USUAL_PORT
    assert composed()["ports"] == [f"127.0.0.1:{USUAL_PORT}:{USUAL_PORT}"]


def test_the_platforms_wait_for_the_clip_that_is_being_made() -> None:
    """And for the answers before it."""
    [stop_s] = unit()["TimeoutStopSec"]
    assert composed()["stop_grace_period"] == f"{stop_s}s"
    assert int(stop_s) > application.GRACE_S + server.GRACE_S
    assert f"wait for {stop_s} s" in " ".join(PAGE.split())
    assert f"{application.GRACE_S:g} s more" in PAGE


def test_nothing_starts_without_a_token_and_the_recordings() -> None:
    """The composed container names what is missing; the unit reads both from a file."""
    environ = composed()["environment"]
    assert environ[TOKEN].startswith(f"${{{TOKEN}:?")
    assert f"at least {MIN_TOKEN_CHARS} characters" in environ[TOKEN]
    [recordings] = [mount["source"] for mount in composed()["volumes"] if isinstance(mount, dict)]
    assert recordings.startswith("${RECORDINGS:?")
    assert "EnvironmentFile" in unit()
    assert f"RECORDINGS, {TOKEN}, and OPTIONS" in text_of("camclip-serve.service")


def test_the_server_may_write_its_clips_and_nothing_else() -> None:
    """As a user without rights, in a container and as a service."""
    [user] = re.findall(r"^USER (\d+)$", text_of("Dockerfile"), re.MULTILINE)
    assert f"--uid {user} " in text_of("Dockerfile")
    assert f"user {user}" in PAGE
    assert int(user) > 0
    assert composed()["read_only"] is True
    assert composed()["cap_drop"] == ["ALL"]
    assert unit()["DynamicUser"] == ["yes"]
    assert unit()["ProtectSystem"] == ["strict"]
    assert unit()["CapabilityBoundingSet"] == [""]


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (401, 0), (500, 1)])
def test_the_health_check_fails_if_the_server_does(status: int, exit_code: int) -> None:
    """It needs no token."""

    def answer(_: Request) -> Response:
        return Response(status)

    with serve(answer) as url:
        program, flag, code = instruction("CMD")
        port = url.rpartition(":")[2]
        assert (program, flag) == ("python", "-c")
        assert str(USUAL_PORT) in code
        argv = [sys.executable, flag, code.replace(str(USUAL_PORT), port)]
        assert subprocess.run(argv, check=False, timeout=30).returncode == exit_code


def test_the_image_has_what_the_server_imports() -> None:
    """Nothing of the folders that are not copied."""
    copied = set(re.findall(r"^COPY (\w+) \1$", text_of("Dockerfile"), re.MULTILINE))
    code = "import sys, entrypoints.cli.app, entrypoints.serve.command; print(*sys.modules)"
    argv = [sys.executable, "-c", code]
    loaded = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60, cwd=TOP)
    tops = {name.partition(".")[0] for name in loaded.stdout.split()}
    ours = {path.name for path in TOP.iterdir() if (path / "__init__.py").exists()}
    assert tops & ours == copied
