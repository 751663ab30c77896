"""The service in AWS, for the commands that examine it."""

import os
from pathlib import Path

from entrypoints.cli.environment import load_environment
from entrypoints.container import Aws
from entrypoints.settings import read_settings


def open_aws() -> Aws:
    """Return the service that the environment and `.env` describe, or raise InvalidSettings."""
    load_environment()
    # No command renders a clip in AWS, so ffmpeg need not be there.
    return Aws(settings=read_settings(os.environ), ffmpeg=Path("ffmpeg"))
