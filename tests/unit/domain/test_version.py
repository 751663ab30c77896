"""The version that a proof names."""

import tomllib
from pathlib import Path

from domain.version import VERSION

PROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_it_is_that_of_the_package() -> None:
    """The function in Lambda has no package to ask."""
    assert tomllib.loads(PROJECT.read_text())["project"]["version"] == VERSION
