"""What to do with a message in flight, as pure functions. Times are on the monotonic clock.

A lease is the time for which SQS has promised to hide the message. It is counted from before the
request that granted it, so it ends no later than SQS thinks; work ends a part earlier still.
"""

from enum import Enum, auto

from attrs import frozen

from domain.retry import redelivery_backoff_s

MAX_SLOT_BACKOFF_S = 30.0


class Stopping(Enum):
    """How far the worker has stopped."""

    NOT = auto()
    FINISHING = auto()
    """No message is received any more; those in flight are finished."""
    NOW = auto()
    """Messages in flight are released."""


class ChildResponse(Enum):
    """What the slot's process has reported about the message."""

    NONE = auto()
    DONE = auto()
    FAILED = auto()
    DIED = auto()
    """The process has ended without a response."""


class Step(Enum):
    """The next step while a message is handled."""

    WAIT = auto()
    EXTEND = auto()


class WorkOutcome(Enum):
    """How the work on a message ended, which decides what becomes of it."""

    DONE = "done"
    FAILED = "failed"
    DIED = "its process died"
    OVERRAN = "it took longer than FUNCTION_TIMEOUT"
    LAPSED = "its lease could not be extended"
    STOPPED = "the worker is stopping"


@frozen
class Lease:
    """How long a message is hidden: `visibility_s` from `requested_s` on."""

    requested_s: float
    visibility_s: float

    @property
    def extend_s(self) -> float:
        """When to extend it."""
        return self.requested_s + self.visibility_s / 3

    @property
    def end_s(self) -> float:
        """When work must have ended: a sixth of the lease remains to end it."""
        return self.requested_s + self.visibility_s * 5 / 6


def next_step(
    now_s: float, timeout_s: float, lease: Lease, response: ChildResponse, stopping: Stopping
) -> Step | WorkOutcome:
    """Decide the next step; `timeout_s` is when FUNCTION_TIMEOUT is over.

    A response counts whatever the time: all effects of a finished message have happened.
    """
    match response:
        case ChildResponse.DONE:
            return WorkOutcome.DONE
        case ChildResponse.FAILED:
            return WorkOutcome.FAILED
        case ChildResponse.DIED:
            return WorkOutcome.DIED
    if stopping is Stopping.NOW:
        return WorkOutcome.STOPPED
    if now_s >= lease.end_s:
        return WorkOutcome.LAPSED
    if now_s >= timeout_s:
        return WorkOutcome.OVERRAN
    return Step.EXTEND if now_s >= lease.extend_s else Step.WAIT


@frozen
class Delete:
    """Acknowledge the message."""


@frozen
class Redeliver:
    """Redeliver the message after `delay_s` whole seconds; 0: at once."""

    delay_s: int


@frozen
class Leave:
    """Do nothing: the message's lease has expired."""


def settlement(
    outcome: WorkOutcome, receive_count: int, max_receive_count: int, backoff_base_s: int
) -> Delete | Redeliver | Leave:
    """Decide what becomes of the message. One that was interrupted is released at once."""
    match outcome:
        case WorkOutcome.DONE:
            return Delete()
        case WorkOutcome.LAPSED:
            return Leave()
        case WorkOutcome.STOPPED:
            return Redeliver(0)
    left = max(0, max_receive_count - receive_count)
    return Redeliver(redelivery_backoff_s(backoff_base_s, receive_count, left))


def backoff_s(failures: int, jitter: float) -> float:
    """Return how long to pause after `failures` in a row; `jitter` is in 0..1.

    From 0.5..1 s, doubled up to 15..30 s, so that many workers do not retry at the same moment.
    """
    max_s = min(2.0 ** min(failures - 1, 16), MAX_SLOT_BACKOFF_S)
    return max_s * (1 + jitter) / 2
