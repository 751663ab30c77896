"""Paths in the order of their starts, without reading more folders than needed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any

from attrs import frozen

from infrastructure.layouts.pattern import Component, Kind, Token
from infrastructure.layouts.wall_clock import UNITS, sortable

Fields = Mapping[str, str]
COMPLEMENT = str.maketrans("0123456789", "9876543210")


@frozen
class Place:
    """A folder or file on the way to recordings."""

    at: int
    """How many components of the pattern its path fits."""
    path: str
    """A folder's ends with a slash."""
    fields: Fields

    def key(self, *, is_last_first: bool) -> str:
        """Return a text that is less than those of all files in it, and of all later places."""
        digits = sortable(self.fields)
        return digits.translate(COMPLEMENT) if is_last_first else digits


def is_ordered(component: Component) -> bool:
    """Return whether the names of a folder are in the order of their times.

    They are if fields of decreasing units come first, apart from literal text.
    """
    tokens = component.tokens
    letters = [token.text for token in tokens if _is_unit(token)]
    if not letters or sorted(set(letters), key=UNITS.index) != letters:
        return False
    last = max(n for n, token in enumerate(tokens) if _is_unit(token))
    return all(token.kind is Kind.LITERAL or _is_unit(token) for token in tokens[:last])


def _is_unit(token: Token) -> bool:
    return token.kind is Kind.FIELD and token.text in UNITS


def by_start(
    components: Sequence[Component],
    children: Callable[[Place], Iterator[Place]],
    *,
    is_last_first: bool,
) -> Iterator[Place]:
    """Yield the files of a tree in the order of their starts, or the last one first.

    `children` returns what is in a folder: in that order where `is_ordered`. A folder is read once
    no file outside of it can come before those within.
    """
    waiting: list[tuple[str, int, Place, Iterator[Place]]] = []
    number = count()

    def wait(siblings: Iterator[Place]) -> None:
        if place := next(siblings, None):
            entry: Any = (place.key(is_last_first=is_last_first), next(number), place, siblings)
            heappush(waiting, entry)

    def inside(place: Place) -> Iterator[Place]:
        found = children(place)
        if is_ordered(components[place.at]):
            return found
        return iter(sorted(found, key=lambda each: each.key(is_last_first=is_last_first)))

    wait(iter([Place(0, "", {})]))
    while waiting:
        _, _, place, siblings = heappop(waiting)
        wait(siblings)
        if place.at == len(components):
            yield place
        else:
            wait(inside(place))
