"""The service in AWS, for the commands that examine it."""

import os
import time

from entrypoints.cli.environment import load_environment
from entrypoints.container import AwsService, aws_service

CALL_S = 20


def open_aws() -> AwsService:
    """Return the service that the environment and `.env` describe, or raise InvalidSettings."""
    load_environment()
    return aws_service(os.environ)


def call_deadline_s() -> float:
    """Return when a call that begins now must have ended, on the monotonic clock."""
    return time.monotonic() + CALL_S
