"""Requests made of a command line."""

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import count

from domain.clip import ClipRequest
from domain.options import USUAL, ClipOptions
from domain.window import TimeWindow
from entrypoints.cli.console import UsageError
from entrypoints.cli.times import compact

MAX_ID_LENGTH = 64
OPTIONS_DIGITS = 8


def request_for(
    clip_id: str | None, camera_id: str, window: TimeWindow, options: ClipOptions = USUAL
) -> ClipRequest:
    """Return a request; UsageError if it is invalid.

    If no id is given, the same window with the same options has the same one.
    """
    clip_id = clip_id or _derived_id(window, options)
    try:
        return ClipRequest(clip_id, camera_id, window.start_ms, window.end_ms, options=options)
    except ValueError as error:
        raise UsageError("An id is 1 to 64 letters, digits, hyphens or underscores.") from error


def requests_for(
    clip_id: str | None,
    camera_ids: Sequence[str],
    window: TimeWindow,
    options: ClipOptions = USUAL,
) -> list[ClipRequest]:
    """Return a request for each camera; those of several have their camera's id in their own.

    UsageError if an id is invalid.
    """
    distinct = list(dict.fromkeys(camera_ids))
    if len(distinct) == 1:
        return [request_for(clip_id, distinct[0], window, options)]
    base = request_for(clip_id, distinct[0], window, options).clip_id
    return [
        request_for(f"{base}-{camera_id}", camera_id, window, options) for camera_id in distinct
    ]


def _derived_id(window: TimeWindow, options: ClipOptions) -> str:
    usual = f"{compact(window.start_ms)}-{window.duration_ms}ms"
    if not options.chosen:
        return usual
    return f"{usual}-{sha256(options.canonical.encode()).hexdigest()[:OPTIONS_DIGITS]}"


def free_id(clip_id: str, is_taken: Callable[[str], bool]) -> str:
    """Return an id like this one that is not taken: c1-2, or the next such number."""
    stem, number = re.fullmatch(r"(.*?)(?:-(\d{1,3}))?", clip_id).groups()  # type: ignore[union-attr] # it matches any
    for following in count(int(number or 1) + 1):
        suffix = f"-{following}"
        candidate = stem[: MAX_ID_LENGTH - len(suffix)] + suffix
        if not is_taken(candidate):
            return candidate
    raise AssertionError  # pragma: no cover - numbers have no end
