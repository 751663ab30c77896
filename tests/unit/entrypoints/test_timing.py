"""How long each port was busy."""

import time
from threading import Thread

import pytest

from application.ports import RetryQueue
from domain.clip import ClipRequest
from domain.errors import Unavailable
from entrypoints.timing import announced_calls, measured_calls, timed

REQUEST = ClipRequest("c1", "pier", 0, 1000)


class Slow(RetryQueue):
    """Takes a while, and fails for a delay of 13 s."""

    def send(self, request: ClipRequest, delay_s: int, deadline_s: float) -> tuple[str, ...]:
        assert request == REQUEST
        time.sleep(deadline_s)
        if delay_s == 13:
            raise Unavailable("out of order")
        return ()


SLOW: RetryQueue = Slow()


def test_calls_are_added_up_by_their_methods() -> None:
    """Failed ones too, and what the adapter raises passes through."""
    queue = timed(RetryQueue, SLOW)
    assert isinstance(queue, RetryQueue)
    with measured_calls() as taken_ms:
        queue.send(REQUEST, 1, 0.05)
        with pytest.raises(Unavailable):
            queue.send(REQUEST, delay_s=13, deadline_s=0.05)
    assert set(taken_ms) == {"send"}
    assert 100 <= taken_ms["send"] < 10_000


def test_each_request_begins_at_nothing() -> None:
    """Whatever the one before it took."""
    queue = timed(RetryQueue, SLOW)
    with measured_calls():
        queue.send(REQUEST, 1, 0.01)
    with measured_calls() as taken_ms:
        pass
    assert taken_ms == {}


def test_requests_side_by_side_are_not_mixed_up() -> None:
    """Each thread has its own."""
    queue = timed(RetryQueue, SLOW)
    taken: dict[float, dict[str, int]] = {}

    def work(seconds: float) -> None:
        with measured_calls() as taken_ms:
            queue.send(REQUEST, 1, seconds)
        taken[seconds] = taken_ms

    threads = [Thread(target=work, args=(seconds,)) for seconds in (0.0, 0.3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken[0.0]["send"] < 300 <= taken[0.3]["send"]


def test_calls_are_announced_in_their_own_thread() -> None:
    """Before they are made; not those of other threads, and none after the block."""
    queue, names = timed(RetryQueue, SLOW), list[str]()
    with announced_calls(names.append):
        other = Thread(target=queue.send, args=(REQUEST, 1, 0))
        other.start()
        other.join()
        assert names == []
        queue.send(REQUEST, 1, 0)
        assert names == ["send"]
    queue.send(REQUEST, 1, 0)
    assert names == ["send"]
