"""Importing the Lambda module: the environment is checked, and nothing is reached for."""

import os
import subprocess
import sys

from tests.unit.entrypoints.test_settings import REQUIRED

QUIET = """
import socket, sys
socket.socket.connect = lambda *_: sys.exit("it reached for the network")
import entrypoints.aws_lambda
bad = {"typer", "rich", "imageio_ffmpeg", "moto", "pytest"} & set(sys.modules)
sys.exit(f"it imported {bad}" if bad else 0)
"""


def run(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_importing_it_reaches_for_nothing() -> None:
    """No network, no credentials, and nothing of the command line or the tests."""
    done = run(QUIET, REQUIRED)
    assert done.returncode == 0, done.stderr


def test_a_deployment_that_makes_no_sense_says_so_at_once() -> None:
    """One message names every fault, before any message of the queue is taken."""
    done = run("import entrypoints.aws_lambda", {**REQUIRED, "SQS_TIMEOUT": "0", "CLIP_URL": ""})
    assert done.returncode != 0
    assert "SQS_TIMEOUT" in done.stderr
    assert "CLIP_URL" in done.stderr
