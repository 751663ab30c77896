"""JSON in the one form that is signed: the JSON Canonicalization Scheme (RFC 8785).

Members are sorted by UTF-16 code units, numbers are written as ECMAScript does, and there is no
white space. Whoever has another implementation of it can verify a signature without camclip.
"""

import json
from decimal import Decimal

SURROGATES = "surrogatepass"
MAX_PLAIN_EXPONENT = 21
MIN_PLAIN_EXPONENT = -6
"""Between them, ECMAScript writes a number without an exponent (ECMA-262, 6.1.6.1.20)."""


def canonical(value: object) -> bytes:
    """Return a value read from JSON in its canonical form.

    ValueError if a number is not finite. Surrogates without their other half, which the scheme
    rejects, are written as they are: names of files may have them.
    """
    return _text(value).encode("utf-8", SURROGATES)


def _text(value: object) -> str:
    if isinstance(value, dict):
        members = sorted(value.items(), key=_code_units)
        return "{" + ",".join(f"{_text(key)}:{_text(item)}" for key, item in members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value, ensure_ascii=False)


def _code_units(member: tuple[str, object]) -> bytes:
    return member[0].encode("utf-16-be", SURROGATES)


def _number(value: float) -> str:
    """Write a number as ECMAScript does: the shortest digits that read back as the same."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is no number in JSON")  # noqa: TRY004 - infinite, or no number
    text = "".join(map(str, digits))
    minus = "-" if sign and value else ""
    point = len(text) + exponent
    if len(text) <= point <= MAX_PLAIN_EXPONENT:
        return minus + text + "0" * (point - len(text))
    if 0 < point <= MAX_PLAIN_EXPONENT:
        return f"{minus}{text[:point]}.{text[point:]}"
    if MIN_PLAIN_EXPONENT < point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    mantissa = text[0] + (f".{text[1:]}" if text[1:] else "")
    return f"{minus}{mantissa}e{point - 1:+d}"
