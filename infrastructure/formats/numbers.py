"""JSON values that are not trusted."""

import re
from collections.abc import Sequence


def unique_keys(pairs: Sequence[tuple[object, object]]) -> dict[object, object]:
    found = dict(pairs)
    if len(found) < len(pairs) or not all(isinstance(key, str) for key in found):
        raise ValueError("a key occurs twice, or is no text")
    return found


def reject_constant(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def whole_ms(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,15}", value):
        return int(value)
    return value if type(value) is int and 0 <= value < 10**15 else None
