"""Requests that arrive as files in a folder: what becomes of each file."""

import json

from attrs import frozen

from domain.errors import NoClipId
from infrastructure.formats.messages import read_message

MIN_AGE_S = 2.0
"""A file that makes no sense may still be written, unless it was not for so long."""


@frozen
class Accept:
    """Queue the messages."""

    bodies: tuple[str, ...]


@frozen
class Wait:
    """Leave the file for now: it may not be whole yet."""


@frozen
class Refuse:
    """Move the file away."""

    reason: str


def decide_dropped(text: str, age_s: float) -> Accept | Wait | Refuse:
    """Decide about a file that was last written `age_s` ago.

    It holds a request, in any form that the queue accepts, or an SQS event with several.
    """
    bodies = _bodies(text)
    try:
        for body in bodies:
            read_message(body, 0)
    except NoClipId as error:
        return Wait() if age_s < MIN_AGE_S else Refuse(str(error))
    return Accept(bodies)


def _bodies(text: str) -> tuple[str, ...]:
    """Return the bodies of an SQS event, else the text as the only one."""
    try:
        event = json.loads(text)
        records = event["Records"]
        return tuple(str(record["body"]) for record in records) or (text,)
    except (ValueError, TypeError, KeyError, RecursionError):
        return (text,)
