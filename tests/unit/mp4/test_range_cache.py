"""Bytes that were fetched lately, or are being fetched, are not fetched again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event

import pytest
from attrs import define, field

from infrastructure.mp4.range_cache import MAX_CACHED_BYTES, MAX_CACHED_RANGE_BYTES, RangeCache

FILE = Random(0).randbytes(1 << 20)


@define
class Source:
    """A file of zeros or of FILE; it counts its fetches, and can hold the first one."""

    size_bytes: int = len(FILE)
    fetches: list[tuple[int, int]] = field(factory=list)
    began: Event = field(factory=Event)
    released: Event = field(factory=Event)
    error: Exception | None = None

    def held_fetch(self, at: int, length: int) -> bytes:
        is_first = not self.fetches
        self.fetches.append((at, length))
        if is_first:
            self.began.set()
            assert self.released.wait(10)
            if self.error:
                raise self.error
        return FILE[at : at + length]

    def fetch(self, at: int, length: int) -> bytes:
        self.fetches.append((at, length))
        return FILE[at : at + length] if self.size_bytes == len(FILE) else bytes(length)


@pytest.mark.parametrize(
    ("second", "fetches"),
    [
        pytest.param((0, 1000), [(0, 1000)], id="the same"),
        pytest.param((200, 300), [(0, 1000)], id="a part"),
        pytest.param((900, 400), [(0, 1000), (1000, 300)], id="a part and more"),
        pytest.param((2000, 10), [(0, 1000), (2000, 10)], id="other bytes"),
    ],
)
def test_bytes_that_another_thread_fetches_are_awaited(
    second: tuple[int, int], fetches: list[tuple[int, int]]
) -> None:
    """Both readers get them, from one fetch."""
    source = Source()
    cache = RangeCache(source.held_fetch, source.size_bytes)
    with ThreadPoolExecutor(2) as pool:
        first_read = pool.submit(cache.read, 0, 1000)
        assert source.began.wait(10)
        second_read = pool.submit(cache.read, *second)
        if second == (2000, 10):
            assert second_read.result(10) == FILE[2000:2010]  # it does not wait for the first
        source.released.set()
        assert first_read.result(10) == FILE[:1000]
        assert second_read.result(10) == FILE[second[0] : sum(second)]
    assert source.fetches == fetches
    assert cache.fetched_bytes == sum(length for _, length in fetches)


def test_a_reader_fetches_what_another_thread_failed_to_fetch() -> None:
    """The failure is the first reader's alone."""
    source = Source(error=OSError("reset"))
    cache = RangeCache(source.held_fetch, source.size_bytes)
    with ThreadPoolExecutor(2) as pool:
        first_read = pool.submit(cache.read, 0, 1000)
        assert source.began.wait(10)
        second_read = pool.submit(cache.read, 100, 100)
        source.released.set()
        with pytest.raises(OSError, match="reset"):
            first_read.result(10)
        assert second_read.result(10) == FILE[100:200]


def test_any_reads_of_many_threads_are_right() -> None:
    """Whatever the others read at the same time."""
    source = Source()
    cache = RangeCache(source.fetch, source.size_bytes)

    def reader(seed: int) -> Callable[[], None]:
        random = Random(seed)

        def read() -> None:
            for _ in range(200):
                at = random.randrange(len(FILE))
                length = min(random.randrange(1, 30_000), len(FILE) - at)
                assert cache.read(at, length, random.randrange(60_000)) == FILE[at : at + length]

        return read

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(reader(seed)) for seed in range(8)]:
            future.result(60)


def test_the_memory_is_bounded() -> None:
    """The oldest ranges are dropped, and a large one is never kept."""
    source = Source(size_bytes=10 * MAX_CACHED_BYTES)
    cache = RangeCache(source.fetch, source.size_bytes)
    step = MAX_CACHED_RANGE_BYTES
    for at in range(0, MAX_CACHED_BYTES + step, step):
        cache.read(at, step)
    count = len(source.fetches)
    cache.read(step, step)
    assert len(source.fetches) == count
    cache.read(0, step)
    assert len(source.fetches) == count + 1
    for _ in range(2):
        cache.read(100 * step // 2, step + 1)
    assert len(source.fetches) == count + 3
