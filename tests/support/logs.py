"""Watch every line that is logged, and find what must not be in it."""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Self

from domain.options import FILLERS

OURS = {"clipId", "cameraId", "startTimestampInMs", "endTimestampInMs", "retryTimestamps"}
"""The keys of a message that a line may repeat."""
SHORTEST = 5
"""Letters: shorter values are in any line by chance."""


class Watch(logging.Handler):
    """Formats all records of all loggers, ours (which may keep its own to itself) included."""

    def __init__(self, names: Sequence[str] = ("", "camclip")) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.logger = logging.getLogger("hostile")
        self._loggers = [logging.getLogger(name) for name in names]

    def emit(self, record: logging.LogRecord) -> None:
        own = next(
            (h.formatter for h in logging.getLogger(record.name).handlers if h.formatter), None
        )
        self.lines.append((own or logging.Formatter()).format(record))

    def __enter__(self) -> Self:
        for logger in self._loggers:
            logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        for logger in self._loggers:
            logger.removeHandler(self)


def leaks(lines: Iterable[str], secrets: Iterable[str], bodies: Iterable[str]) -> list[str]:
    """Return the lines that hold a secret, a message's body, or a value that it carries along."""
    hidden = {*secrets}
    for body in bodies:
        hidden |= {body, json.dumps(body)[1:-1], repr(body)[1:-1], *_carried(body)}
    # The report names filler in the option's own words.
    hidden -= {*FILLERS}
    return [line for line in lines if any(len(h) >= SHORTEST and h in line for h in hidden)]


def _carried(body: str) -> Iterator[str]:
    with suppress(ValueError, RecursionError):
        message = json.loads(body)
        if isinstance(message, dict):
            yield from _texts([value for key, value in message.items() if key not in OURS])


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
