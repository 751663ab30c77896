"""What was requested under which circumstances."""

from collections.abc import Iterable

from attrs import evolve, frozen

from domain.clip import ClipRequest
from domain.options import ClipOptions
from domain.window import TimeWindow
from infrastructure.in_memory import FRAME_MS
from tests.model.recorder import drained
from tests.model.sqs_model import Queue
from tests.model.world import NOW, InFlightMessage, World, footage, unreadable

WANTED = ClipRequest("clip", "pier", NOW - 60_000, NOW - 59_600)
WHOLE = (footage("a", -100_000, 600_000),)
HALVES = (footage("a", -100_000, 40_200), footage("b", -59_800, 600_000))


LONGER = ClipRequest("clip", "pier", NOW - 60_000, NOW - 56_000)
EVERY_KIND = (
    footage("a", -100_000, 40_500),
    footage("b", -59_300, 1000),  # the picture of a is held before it
    footage("c", -58_400, 400),  # listed to begin before the end of b: it plays later
    unreadable("d", -57_500, 300),
    footage("e", -56_800, 600_000),  # after a gap
    footage("f", -56_700, 500),  # not used
)
"""Recordings that lead to everything that a coverage can say, but for damage."""
EVERY_KIND_PLAYS = (
    ("a", 40_000, 40_500, 0),
    ("b", 0, 1000, 700),
    ("c", 0, 400, 1700),
    ("e", 0, 800, 2100),
)
"""Of which recording what plays, and when in the clip."""


def recipe(plays: Iterable[tuple[str, int, int, int]]) -> str:
    """List the frames of parts of recordings: name, beginning, end, time in the clip."""
    return "".join(
        f"{clip_ms + media_ms - start_ms} {name} {media_ms}\n"
        for name, start_ms, end_ms, clip_ms in plays
        for media_ms in range(start_ms, end_ms, FRAME_MS)
    )


def requested(request: ClipRequest = WANTED, *, times: int = 1, received: int = 0) -> World:
    """A world without footage in which `request` has been sent."""
    queue = Queue()
    for _ in range(times):
        queue = queue.sent(request, NOW)
    queue = evolve(queue, held=tuple(evolve(m, received=received) for m in queue.held))
    return World(request, queue)


def with_every_kind() -> World:
    """A request whose report has a gap, damage, a held picture, an unused recording and so on."""
    return evolve(
        requested(LONGER),
        recorded=EVERY_KIND,
        damaged=(TimeWindow(NOW - 56_600, NOW - 56_500),),
        clip_text=recipe(EVERY_KIND_PLAYS),
    )


def long_ago(age_ms: int, *, retries_ms: tuple[int, ...] = ()) -> World:
    """A request for what was `age_ms` ago, of which there is no footage."""
    return requested(ClipRequest("clip", "pier", NOW - age_ms - 400, NOW - age_ms, retries_ms))


def made(world: World, *, times: int = 1) -> World:
    """The same request once more, or more often, after it has ended."""
    ended, _ = drained(world)
    queue = ended.queue
    for _ in range(times):
        queue = queue.sent(ended.request, ended.now_ms)
    return evolve(ended, queue=queue)


@frozen
class Together:
    """Deliveries that begin at once, and the world in which they do."""

    world: World
    deliveries: tuple[InFlightMessage, ...] = ()


def at_once(world: World) -> Together:
    """Receive every message."""
    deliveries = []
    for message in world.queue.held:
        queue, taken = world.queue.received(message, NOW)
        world = evolve(world, queue=queue)
        assert taken
        deliveries.append(InFlightMessage(taken, NOW))
    return Together(world, tuple(deliveries))


def at_two_receivers(world: World, *, count_again: bool) -> Together:
    """Deliver one message to two receivers at once; SQS may count it as two deliveries or one."""
    first = at_once(world)
    (one,) = first.deliveries
    second = at_once(first.world) if count_again else first
    return Together(second.world, (one, evolve(second.deliveries[0], hand=1)))


def one_after(world: World, later_ms: int) -> Together:
    """Delay the second message to `later_ms` after the first one."""
    first, second = world.queue.held
    held = (first, evolve(second, visible_ms=NOW + later_ms))
    return Together(evolve(world, queue=evolve(world.queue, held=held)))


PREVIEWED = evolve(WANTED, options=ClipOptions(previews=("sheet", "sprite"), wall_clock="UTC"))
"""A request for a clip with every sidecar."""
REFUSED = ClipRequest("clip", "pier", NOW - 1_000_400, NOW - 1_000_000)
LATE_FOOTAGE = (footage("a", -1_100_000, 600_000),)

TWO = evolve(requested(times=2), recorded=WHOLE)
OTHER = evolve(WANTED, start_ms=WANTED.start_ms + 120)
TWO_WINDOWS = evolve(
    requested(), queue=requested().queue.sent(OTHER, NOW), rival=OTHER, recorded=WHOLE
)

TOGETHER = {
    "one message": at_once(evolve(requested(), recorded=WHOLE)),
    "two messages of one request": at_once(TWO),
    "two windows of one clip": at_once(TWO_WINDOWS),
    "one message at two receivers": at_two_receivers(
        evolve(requested(), recorded=WHOLE), count_again=True
    ),
    "one message at two receivers, counted once": at_two_receivers(
        evolve(requested(), recorded=WHOLE), count_again=False
    ),
    "the second while the first is delivered again": one_after(TWO, 200_000),
    "one may wait, one may build": at_once(evolve(requested(times=2), to_come=WHOLE)),
    "one may refuse, one may build": at_once(
        evolve(requested(REFUSED, times=2), to_come=LATE_FOOTAGE)
    ),
    "one may repeat a rejection, one may build": at_once(
        evolve(made(long_ago(1_000_000), times=2), to_come=LATE_FOOTAGE)
    ),
    "one waits, one is too late to": one_after(requested(times=2), 299_001),
    "one waits, one is too late to, and then there is footage": one_after(
        evolve(requested(times=2), to_come=WHOLE), 299_001
    ),
    "two messages of one request with previews": at_once(
        evolve(requested(PREVIEWED, times=2), recorded=WHOLE)
    ),
    "two windows of one clip, the second with previews": at_once(
        evolve(
            requested(),
            queue=requested().queue.sent(evolve(PREVIEWED, start_ms=OTHER.start_ms), NOW),
            rival=evolve(PREVIEWED, start_ms=OTHER.start_ms),
            recorded=WHOLE,
        )
    ),
    "one may refuse, one may build with previews": at_once(
        evolve(requested(evolve(REFUSED, options=PREVIEWED.options), times=2), to_come=LATE_FOOTAGE)
    ),
    "three messages of one request": at_once(evolve(requested(times=3), recorded=WHOLE)),
    "three, one may refuse": at_once(evolve(requested(REFUSED, times=3), to_come=LATE_FOOTAGE)),
}
"""What can happen at once."""
