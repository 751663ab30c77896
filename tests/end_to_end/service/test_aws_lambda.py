"""Importing the Lambda module: the environment is checked, nothing is reached for, all is made."""

import os
import subprocess
import sys

import pytest

from tests.unit.entrypoints.test_settings import REQUIRED

QUIET = """
import socket, sys
socket.socket.connect = lambda *_: sys.exit("it reached for the network")
import entrypoints.aws_lambda
bad = {"typer", "rich", "imageio_ffmpeg", "moto", "pytest"} & set(sys.modules)
sys.exit(f"it imported {bad}" if bad else 0)
"""

MADE = """
import boto3.session
from entrypoints.aws_lambda import service
boto3.session.Session.client = None
service.handle_batch(), service.s3(), service.sqs(), service.sns()
"""
IN_AWS = {
    **REQUIRED,
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "made-up-secret",
}
"""What Lambda sets (Lambda developer guide, "Defined runtime environment variables")."""


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
    done = run(QUIET, IN_AWS)
    assert done.returncode == 0, done.stderr


def test_importing_it_makes_all_clients() -> None:
    """The first message finds them made."""
    done = run(MADE, IN_AWS)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"AWS_DEFAULT_REGION": None}, "You must specify a region. Set AWS_DEFAULT_REGION."),
        ({"AWS_PROFILE": "absent"}, "(absent) could not be found. Check the AWS_ variables."),
        ({"AWS_ENDPOINT_URL": "s3"}, "Invalid endpoint: s3. Check the AWS_ variables."),
    ],
    ids=["no region", "no such profile", "no address"],
)
def test_a_client_that_cannot_be_made_is_a_configuration_error(
    given: dict[str, str | None], fault: str
) -> None:
    """It is reported before a message is taken, with its remedy."""
    environment = {name: value for name, value in {**IN_AWS, **given}.items() if value}
    done = run("import entrypoints.aws_lambda", environment)
    assert done.returncode != 0
    last = done.stderr.splitlines()[-1]
    assert last.startswith("entrypoints.settings.InvalidSettings: The clients of AWS cannot")
    assert last.endswith(fault)


def test_a_deployment_that_makes_no_sense_says_so_at_once() -> None:
    """One message names every fault, before any message of the queue is taken."""
    done = run("import entrypoints.aws_lambda", {**REQUIRED, "SQS_TIMEOUT": "0", "CLIP_URL": ""})
    assert done.returncode != 0
    assert "SQS_TIMEOUT" in done.stderr
    assert "CLIP_URL" in done.stderr
