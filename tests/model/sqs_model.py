"""SQS as a value: visibility, receive counts, redrive to the dead letters, and the accounts."""

from attrs import evolve, frozen

from domain.clip import ClipRequest
from domain.delivery import Delivery

MAX_RECEIVES = 5
DELIVERY_TIMEOUT_MS = 300_000
"""The function's timeout: a delivery that began earlier than that is over."""
VISIBILITY_MS = 310_000
"""How long a received message is hidden: longer than its delivery can take, as Lambda demands."""


@frozen(cache_hash=True)
class Message:
    """A message, as it stands in the queue or as a receiver got it."""

    name: str
    request: ClipRequest
    sent_at_ms: int
    visible_ms: int
    received: int = 0

    def delivery(self, now_ms: int) -> Delivery:
        """A delivery of it, with all the time in the world."""
        return Delivery(
            self.request,
            self.name,
            self.sent_at_ms,
            now_ms,
            float("inf"),
            self.received,
            MAX_RECEIVES - self.received,
        )


@frozen(cache_hash=True)
class Queue:
    """Every message that was ever sent is in exactly one of three places."""

    attempted: int = 0
    """How many messages were sent."""
    held: tuple[Message, ...] = ()
    """In the queue, or received and not acknowledged yet."""
    acknowledged: tuple[Message, ...] = ()
    dead: tuple[Message, ...] = ()

    def sent(self, request: ClipRequest, now_ms: int, delay_ms: int = 0) -> "Queue":
        """Add a message."""
        message = Message(
            "abcdefghijklmnopqrstuvwxyz"[self.attempted % 26], request, now_ms, now_ms
        )
        message = evolve(message, visible_ms=now_ms + delay_ms)
        return evolve(self, attempted=self.attempted + 1, held=_sorted(*self.held, message))

    def received(self, message: Message, now_ms: int) -> "tuple[Queue, Message | None]":
        """Hand a message out; None if it was received often enough and is a dead letter now."""
        others = tuple(m for m in self.held if m.name != message.name)
        if message.received == MAX_RECEIVES:
            return evolve(self, held=others, dead=_sorted(*self.dead, message)), None
        hidden = evolve(message, received=message.received + 1, visible_ms=now_ms + VISIBILITY_MS)
        return evolve(self, held=_sorted(*others, hidden)), hidden

    def deleted(self, name: str) -> "Queue":
        """Acknowledge a message; one that is gone already stays gone."""
        gone = tuple(m for m in self.held if m.name == name)
        others = tuple(m for m in self.held if m.name != name)
        return evolve(self, held=others, acknowledged=_sorted(*self.acknowledged, *gone))

    def redriven(self, now_ms: int) -> "Queue":
        """Move the dead letters back, as operators do when the fault is fixed."""
        again = tuple(
            Message(f"{m.name}+", m.request, now_ms, now_ms)  # SQS takes them for new ones
            for m in self.dead
        )
        return evolve(self, held=_sorted(*self.held, *again), dead=())

    @property
    def is_balanced(self) -> bool:
        """Attempted = acknowledged + in the queue + dead-lettered, each once; lost = 0."""
        places = (*self.acknowledged, *self.held, *self.dead)
        return len({m.name for m in places}) == len(places) == self.attempted


def _sorted(*messages: Message) -> tuple[Message, ...]:
    """Put them in the one order in which equal queues are equal."""
    return tuple(sorted(messages, key=lambda m: m.name))
