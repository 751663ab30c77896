"""What was asked under which circumstances."""

from attrs import evolve, frozen

from domain.clip import ClipRequest
from tests.model.outside import NOW, InFlightMessage, Outside, footage
from tests.model.queueing import Queue
from tests.model.running import drained

WANTED = ClipRequest("clip", "pier", NOW - 60_000, NOW - 59_600)
WHOLE = (footage("a", -100_000, 600_000),)
HALVES = (footage("a", -100_000, 40_200), footage("b", -59_800, 600_000))


def asked(request: ClipRequest = WANTED, *, times: int = 1, received: int = 0) -> Outside:
    """A world without footage in which `request` has been sent."""
    queue = Queue()
    for _ in range(times):
        queue = queue.sent(request, NOW)
    queue = evolve(queue, held=tuple(evolve(m, received=received) for m in queue.held))
    return Outside(request, queue)


def long_ago(age_ms: int, *, retries_ms: tuple[int, ...] = ()) -> Outside:
    """A request for what was `age_ms` ago, of which there is no footage."""
    return asked(ClipRequest("clip", "pier", NOW - age_ms - 400, NOW - age_ms, retries_ms))


def made(outside: Outside) -> Outside:
    """The same request once more, after it has ended."""
    ended, _ = drained(outside)
    return evolve(ended, queue=ended.queue.sent(ended.request, ended.now_ms))


@frozen
class Together:
    """Deliveries that begin at once, and the world in which they do."""

    outside: Outside
    deliveries: tuple[InFlightMessage, ...] = ()


def at_once(outside: Outside) -> Together:
    """Let every message be received."""
    deliveries = []
    for message in outside.queue.held:
        queue, taken = outside.queue.received(message, NOW)
        outside = evolve(outside, queue=queue)
        assert taken
        deliveries.append(InFlightMessage(taken, NOW))
    return Together(outside, tuple(deliveries))


def in_two_hands(outside: Outside, *, count_again: bool) -> Together:
    """Let one message reach two receivers at once, which SQS may count as two deliveries or one."""
    first = at_once(outside)
    (one,) = first.deliveries
    second = at_once(first.outside) if count_again else first
    return Together(second.outside, (one, evolve(second.deliveries[0], hand=1)))


def one_after(outside: Outside, later_ms: int) -> Together:
    """Let the second message be there only `later_ms` after the first one."""
    first, second = outside.queue.held
    held = (first, evolve(second, visible_ms=NOW + later_ms))
    return Together(evolve(outside, queue=evolve(outside.queue, held=held)))


REFUSED = ClipRequest("clip", "pier", NOW - 1_000_400, NOW - 1_000_000)
LATE_FOOTAGE = (footage("a", -1_100_000, 600_000),)

TWO = evolve(asked(times=2), recorded=WHOLE)

TOGETHER = {
    "one message": at_once(evolve(asked(), recorded=WHOLE)),
    "two messages of one request": at_once(TWO),
    "one message in two hands": in_two_hands(evolve(asked(), recorded=WHOLE), count_again=True),
    "one message in two hands, counted once": in_two_hands(
        evolve(asked(), recorded=WHOLE), count_again=False
    ),
    "the second while the first is delivered again": one_after(TWO, 200_000),
    "one may wait, one may build": at_once(evolve(asked(times=2), to_come=WHOLE)),
    "one may refuse, one may build": at_once(evolve(asked(REFUSED, times=2), to_come=LATE_FOOTAGE)),
    "one waits, one is too late to": one_after(asked(times=2), 299_001),
    "one waits, one is too late to, and then there is footage": one_after(
        evolve(asked(times=2), to_come=WHOLE), 299_001
    ),
    "three messages of one request": at_once(evolve(asked(times=3), recorded=WHOLE)),
    "three, one may refuse": at_once(evolve(asked(REFUSED, times=3), to_come=LATE_FOOTAGE)),
}
"""What can happen at once."""
