"""Indexes are read once as long as their files do not change, and forgotten when they are many."""

from collections.abc import Callable

import pytest

from infrastructure.folder.known_indexes import KnownIndexes
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import SampleIndex


def index(duration_ms: int) -> SampleIndex:
    return SampleIndex(duration_ms, 0, 0, True, False, lambda: (None, None))


def unread() -> SampleIndex:
    raise AssertionError("it is known")


def reading(found: SampleIndex) -> Callable[[], SampleIndex]:
    return lambda: found


def test_a_known_index_is_not_read_again() -> None:
    """That of another version of the file is."""
    known, first, second = KnownIndexes(), index(1), index(2)
    assert known.get(("a", "1"), reading(first)) is first
    assert known.get(("a", "1"), unread) is first
    assert known.get(("a", "2"), reading(second)) is second


def test_a_failure_is_not_kept() -> None:
    """The file may be whole by the next time."""
    known, found = KnownIndexes(), index(1)

    def fail() -> SampleIndex:
        raise InvalidMp4("no index")

    with pytest.raises(InvalidMp4):
        known.get(("a", "1"), fail)
    assert known.get(("a", "1"), reading(found)) is found


def test_the_least_recently_used_one_is_forgotten() -> None:
    """Once there are more than are allowed."""
    known, again = KnownIndexes(max_known=2), index(9)
    for name in "ab":
        known.get((name, "1"), reading(index(1)))
    known.get(("a", "1"), unread)
    known.get(("c", "1"), reading(index(1)))
    known.get(("a", "1"), unread)
    assert known.get(("b", "1"), reading(again)) is again
