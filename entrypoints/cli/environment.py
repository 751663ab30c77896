"""The environment, completed by the file `.env`."""

import os
from pathlib import Path

from dotenv import dotenv_values


def environment(folder: Path = Path()) -> dict[str, str]:
    """Return the environment, completed by the variables of `folder/.env`, if there is one.

    The file is read by python-dotenv's rules, but `$` has no meaning in it: secrets may hold one.
    """
    file = dotenv_values(folder / ".env", interpolate=False, encoding="utf-8-sig")
    return {**{name: value for name, value in file.items() if value is not None}, **os.environ}


def load_environment() -> None:
    """Add the variables of `.env` to the process's environment, where boto3 reads them."""
    os.environ.update(environment())
