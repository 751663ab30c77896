"""The environment and the file `.env`."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from entrypoints.cli.app import app
from entrypoints.cli.environment import environment
from entrypoints.settings import InvalidSettings


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_the_env_file_is_read_as_editors_write_it(tmp_path: Path, encoding: str, end: str) -> None:
    """The first line counts, with a byte order mark too; comments may be in any encoding."""
    lines = [
        "A=first",
        "# für das Büro",
        'export S3_BUCKET_ORIGIN_DIR="rewinds"',
        "B='x y'  # hé",
        "",
    ]
    (tmp_path / ".env").write_bytes(end.join(lines).encode(encoding))
    found = environment(tmp_path)
    assert (found["A"], found["S3_BUCKET_ORIGIN_DIR"], found["B"]) == ("first", "rewinds", "x y")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_value_may_hold_any_letter_in_unicode(
    tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values in Latin-1 look like values in other encodings."""
    monkeypatch.delenv("S3_BUCKET_ORIGIN_DIR", raising=False)
    (tmp_path / ".env").write_bytes("S3_BUCKET_ORIGIN_DIR=Büro\n".encode(encoding))
    assert environment(tmp_path)["S3_BUCKET_ORIGIN_DIR"] == "Büro"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"B=1\n\nS3_BUCKET_ORIGIN_DIR=B\xfcro\n", "line 3: S3_BUCKET_ORIGIN_DIR is not in UTF-8"),
        (b"# B\xfcro\nA='\xe9t\xe9'", "line 2: A is not in UTF-8"),
        (b'B=1\nA="hush\n', "line 2: this is not NAME=value"),
        (b"B=1\nhush hush hush\n", "line 2: this is not NAME=value"),
        ("A=1\nB=hush".encode("utf-16-le"), "NUL bytes"),
        (b"A=hush\0", "NUL bytes"),
        (b"\xff\xfeA", "UTF-16"),
    ],
)
def test_an_unreadable_env_file_is_refused_by_name(
    tmp_path: Path, data: bytes, message: str
) -> None:
    """One sentence gives the file, the line and the variable, and no value: it may be secret."""
    (tmp_path / ".env").write_bytes(data)
    with pytest.raises(InvalidSettings) as refused:
        environment(tmp_path)
    text = str(refused.value)
    assert str(tmp_path / ".env") in text
    assert message in text
    assert "hush" not in text
    assert len(text.splitlines()) == 1


def test_an_env_file_that_may_not_be_read_is_refused_by_name(tmp_path: Path) -> None:
    """A folder, for example."""
    (tmp_path / ".env").mkdir()
    with pytest.raises(InvalidSettings, match="directory"):
        environment(tmp_path)


def test_a_refused_env_file_is_wrong_usage_of_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, without a traceback."""
    (tmp_path / ".env").write_bytes(b"S3_BUCKET_ORIGIN_DIR=B\xfcro\n")
    monkeypatch.chdir(tmp_path)
    for words in (["doctor"], ["redrive"], ["worker"], ["event", "-p"]):
        ran = CliRunner().invoke(app, words)
        assert ran.exit_code == 2
        assert "S3_BUCKET_ORIGIN_DIR is not in UTF-8" in ran.stderr
        assert len(ran.stderr.splitlines()) == 1


def test_the_env_file_is_optional(tmp_path: Path) -> None:
    """Then the environment is all there is."""
    assert environment(tmp_path) == dict(os.environ)
