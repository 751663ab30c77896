"""Which keys of a bucket can hold a window's recordings: the others are not listed.

A bucket lists its keys in the order of their text, from any place on (S3 API reference,
ListObjectsV2, `StartAfter`). So a listing begins where the first key may be, and where the order of
the text is not that of time, it leaps.
"""

from itertools import chain, takewhile

from attrs import frozen

from infrastructure.camera_api.names import stem_of
from infrastructure.layouts.pattern import Kind, Pattern, Token
from infrastructure.layouts.pruning import NameRange, StartRange, moments, render, rendered
from infrastructure.layouts.wall_clock import UNITS

MAX_KEY_RANGES = 32
"""For how many folders of times, such as hours, a bucket is listed for each, if other cameras'
files lie between."""
AFTER_DIGITS = ":"
"""The character after 9."""


@frozen
class KeyRange(NameRange):
    """Keys of a bucket, which lists them in the order of their text."""

    prefix: str
    """All of them begin with it."""


def key_ranges(pattern: Pattern, camera: str, starts: StartRange) -> tuple[KeyRange, ...]:
    """Return ranges that hold the keys of all files of `camera` that start in the range, in order.

    One, unless folders of times hold folders of cameras: then one for each of the former.
    """
    tokens = _path_tokens(pattern, camera)
    first, last = rendered(tokens, starts)
    ranges = []
    for folder in _folders(tokens[: _named_by(pattern)], starts):
        begin = first if first.startswith(folder) else folder
        end = last if last.startswith(folder) else folder
        ranges.append(KeyRange(begin, end, _common_beginning(begin, end)))
    return tuple(ranges)


def camera_prefix(pattern: Pattern, camera: str) -> str | None:
    """Return what all keys of a camera begin with; None if others may, too, or times precede it."""
    tokens = _path_tokens(pattern, camera)[: _named_by(pattern)]
    if not tokens or any(token.kind is not Kind.LITERAL for token in tokens):
        return None
    return "".join(token.text for token in tokens)


def next_place(pattern: Pattern, starts: StartRange, key: str) -> str:
    """Return after which key a listing goes on that has come to `key`: at the earliest, itself.

    Where any characters precede the time, such as `pier.stream.` in `pier.stream.20260501T120000`,
    the keys with the same characters and another time are skipped.
    """
    names = key.split("/")
    at = next((at for at, part in enumerate(pattern.components) if part.has_field()), 0)
    tokens = _path_tokens(pattern)
    before = list(takewhile(lambda token: token.kind is not Kind.FIELD, tokens))
    first, last = rendered(tokens[len(before) :], starts)
    is_literal = all(token.kind in {Kind.LITERAL, Kind.CAMERA} for token in before)
    if is_literal or not first or len(names) != len(pattern.components):
        return key
    name = stem_of(names[at]) if at == len(names) - 1 else names[at]
    time_at = pattern.components[at].first_field_at(name)
    if time_at is None:
        return key
    beginning = "/".join([*names[:at], name[:time_at]])
    if key < beginning + first:
        return beginning + first
    if key[: len(beginning + last)] <= beginning + last:
        return key
    return beginning + AFTER_DIGITS


def _common_beginning(one: str, other: str) -> str:
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(character for character, _ in alike)


def _folders(tokens: list[Token], starts: StartRange) -> tuple[str, ...]:
    """Return the literal texts that these tokens stand for; only "" if they are too many."""
    if any(token.kind is not Kind.LITERAL and token.text not in UNITS for token in tokens):
        return ("",)
    units = [token.text for token in tokens if token.kind is Kind.FIELD]
    found: dict[str, None] = {}
    for moment in moments(units, starts):
        found["".join(render(token, moment) for token in tokens)] = None
        if len(found) > MAX_KEY_RANGES:
            return ("",)
    return tuple(found)


def _named_by(pattern: Pattern) -> int:
    """Return how many tokens of the path name the camera, with the text that follows it."""
    tokens = _path_tokens(pattern)
    named = max((at for at, t in enumerate(tokens, 1) if t.kind is Kind.CAMERA), default=0)
    following = takewhile(lambda token: token.kind is Kind.LITERAL, tokens[named:])
    return named + len(list(following)) if named else 0


def _path_tokens(pattern: Pattern, camera: str | None = None) -> list[Token]:
    """Return the tokens of whole paths, those of a camera if one is given."""
    slash = [Token(Kind.LITERAL, "/")]
    parts = [[*component.tokens, *slash] for component in pattern.components]
    return [
        Token(Kind.LITERAL, camera) if camera and token.kind is Kind.CAMERA else token
        for token in list(chain.from_iterable(parts))[:-1]
    ]
