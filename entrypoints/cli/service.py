"""The service in AWS, for the commands that examine it."""

import os

from entrypoints.cli.environment import load_environment
from entrypoints.container import AwsService, aws_service


def open_aws() -> AwsService:
    """Return the service that the environment and `.env` describe, or raise InvalidSettings."""
    load_environment()
    return aws_service(os.environ)
