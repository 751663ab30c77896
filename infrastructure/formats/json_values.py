"""Checks of untrusted JSON values."""

import re
from collections.abc import Sequence

MAX_KEY_CHARS = 40


def unique_keys(pairs: Sequence[tuple[object, object]]) -> dict[object, object]:
    """Return an object's members; ValueError if a key is repeated or not text."""
    found = dict(pairs)
    if len(found) < len(pairs) or not all(isinstance(key, str) for key in found):
        raise ValueError("a key is repeated, or is not text")
    return found


def reject_constant(constant: str) -> object:
    """Raise ValueError for NaN and Infinity, which Python's parser accepts."""
    raise ValueError(f"{constant} is not JSON")


def whole_ms(value: object) -> int | None:
    """Return a whole number of at most 15 digits, given as such or as text; else None."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,15}", value):
        return int(value)
    return value if type(value) is int and 0 <= value < 10**15 else None


def shown_key(key: str) -> str:
    """Return an untrusted key for people and logs: printable ASCII, cut off if it is long."""
    shown = ascii(key)[1:-1]
    return shown if len(shown) <= MAX_KEY_CHARS else f"{shown[:MAX_KEY_CHARS]}..."
