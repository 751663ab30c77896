"""The environment, completed by the file `.env`."""

import codecs
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from entrypoints.settings import InvalidSettings

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def environment(folder: Path = Path()) -> dict[str, str]:
    """Return the environment, completed by the variables of `folder/.env`, if there is one.

    The file is read by python-dotenv's rules, but `$` has no meaning in it: secrets may hold one.
    It may have a byte order mark and any line ends. InvalidSettings names the line that cannot be
    read, and never its text.
    """
    return {**dict(_read(folder / ".env")), **os.environ}


def load_environment() -> None:
    """Add the variables of `.env` to the process's environment, where boto3 reads them."""
    os.environ.update(environment())


def _read(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the variables of the file, the last of a name last."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidSettings(f"{path} cannot be read: {error.strerror}.") from error
    text, is_unicode = _decode(path, data)
    if "\0" in text:
        raise InvalidSettings(f"{path} holds NUL bytes: save it as a text in UTF-8.")
    for binding in parse_stream(StringIO(text, newline=None)):
        line = binding.original.line + _leading_lines(binding.original.string)
        if binding.error:
            raise InvalidSettings(
                f"{path}, line {line}: this is not NAME=value: correct it, and close its quotes."
            )
        if binding.key is None or binding.value is None:
            continue
        if not is_unicode and not f"{binding.key}{binding.value}".isascii():
            name = ascii(binding.key)[1:-1]
            raise InvalidSettings(
                f"{path}, line {line}: {name} is not in UTF-8: save the file as UTF-8."
            )
        yield binding.key, binding.value


def _decode(path: Path, data: bytes) -> tuple[str, bool]:
    """Return the text, and whether its encoding is certain: comments may be in any."""
    if data.startswith(UTF_16):
        try:
            return data.decode("utf-16"), True
        except UnicodeDecodeError as error:
            raise InvalidSettings(f"{path} is not valid UTF-16: save it as UTF-8.") from error
    try:
        return data.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return data.decode("latin-1"), False


def _leading_lines(statement: str) -> int:
    """Return how many empty lines precede a statement."""
    return statement[: len(statement) - len(statement.lstrip())].count("\n")
