"""What every RetryQueue owes."""

import time

import pytest

from domain.clip import ClipRequest
from domain.errors import DeadlineExceeded
from tests.contract.worlds import START_MS, QueueWorld

REQUEST = ClipRequest(
    "clip-1",
    "pier",
    START_MS,
    START_MS + 1000,
    (START_MS + 5,),
    {"askedBy": {"name": "Zoë's", "ids": [1, None]}, "x": "\ud800"},
)


def soon() -> float:
    return time.monotonic() + 10


def test_a_request_comes_back_whole_and_not_too_soon(queue_world: QueueWorld) -> None:
    """Not before its delay is over, and with everything that its message held."""
    assert queue_world.queue.send(REQUEST, 1, soon()) == ()
    assert queue_world.received_within(0.2) == []
    (received,) = queue_world.received_within(2)
    assert received == REQUEST
    assert received.unknown_keys == REQUEST.unknown_keys


@pytest.mark.parametrize("delay_s", [0, -1, 901])
def test_a_delay_that_no_queue_takes_is_an_error(queue_world: QueueWorld, delay_s: int) -> None:
    """Nothing is queued with another delay in its stead."""
    with pytest.raises(ValueError, match=r"1\.\.900"):
        queue_world.queue.send(REQUEST, delay_s, soon())
    assert queue_world.received_within(0.2) == []


def test_the_maximum_delay_is_accepted(queue_world: QueueWorld) -> None:
    """900 s, and it does rest."""
    queue_world.queue.send(REQUEST, 900, soon())
    assert queue_world.received_within(1) == []


def test_nothing_is_queued_after_the_deadline(queue_world: QueueWorld) -> None:
    """The attempt is over."""
    with pytest.raises(DeadlineExceeded):
        queue_world.queue.send(REQUEST, 1, time.monotonic())
    assert queue_world.received_within(1) == []
