"""The environment and the file `.env`."""

import os
from pathlib import Path

import pytest

from entrypoints.cli.environment import environment


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    """The file sets only variables that are not set."""
    (tmp_path / ".env").write_text("PATH=none\nCAMCLIP_TEST=file\n")
    found = environment(tmp_path)
    assert found["PATH"] == os.environ["PATH"]
    assert found["CAMCLIP_TEST"] == "file"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=x y", "x y"),
        ('A = "x=y"', "x=y"),
        ("export A='x'", "x"),
        ("A=x # a comment", "x"),
        ("A=https://clips.example/#fragment", "https://clips.example/#fragment"),
        ("A='x # y'", "x # y"),
        ("A=$HOME/${B}", "$HOME/${B}"),
        ("B=1\r\nA=x\r\n", "x"),
        ("\ufeffA=x", "x"),
        ("A=", ""),
        ("A", None),
        ("#A=1", None),
        ("", None),
    ],
)
def test_the_notations_of_the_env_file(tmp_path: Path, line: str, value: str | None) -> None:
    """Quotes, export, comments, line ends, a byte order mark; `$` is an ordinary character."""
    (tmp_path / ".env").write_bytes(line.encode())
    assert environment(tmp_path).get("A") == value


def test_the_env_file_is_optional(tmp_path: Path) -> None:
    """Then the environment is all there is."""
    assert environment(tmp_path) == dict(os.environ)
