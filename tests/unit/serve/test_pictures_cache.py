"""Pictures are made once, and forgotten before they take too much memory."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from entrypoints.serve.frames import Picture, PictureCache


def test_a_picture_that_several_want_is_made_once() -> None:
    """The others wait for it."""
    cache, made, is_wanted, barrier = PictureCache(), list[int](), Event(), Barrier(8)

    def make() -> Picture:
        is_wanted.wait(5)
        made.append(1)
        return Picture(b"jpg", 7)

    def want(_: int) -> Picture:
        barrier.wait(5)
        return cache.get("a", make)

    with ThreadPoolExecutor(8) as threads:
        wanted = threads.map(want, range(8))
        is_wanted.set()
        assert set(wanted) == {Picture(b"jpg", 7)}
    assert made == [1]


def test_a_failure_is_raised_and_not_kept() -> None:
    """The next try may succeed."""
    cache = PictureCache()

    def fail() -> Picture:
        raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"):
        cache.get("a", fail)
    assert cache.get("a", lambda: Picture(b"a", 1)).data == b"a"


def test_the_least_recently_used_one_is_forgotten() -> None:
    """Once all of them are larger than the cache."""
    cache = PictureCache(max_bytes=2)
    for key in "ab":
        cache.get(key, lambda: Picture(b"x", 1))
    cache.get("a", lambda: Picture(b"never made", 1))
    cache.get("c", lambda: Picture(b"x", 1))
    assert cache.get("a", lambda: Picture(b"new", 1)).data == b"x"
    assert cache.get("b", lambda: Picture(b"y", 1)).data == b"y"


def test_a_picture_larger_than_the_cache_is_not_kept() -> None:
    """But returned."""
    cache = PictureCache(max_bytes=2)
    assert cache.get("a", lambda: Picture(b"large", 1)).data == b"large"
    assert cache.get("a", lambda: Picture(b"x", 1)).data == b"x"
