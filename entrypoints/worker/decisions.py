"""What to do with a message in hand, as pure functions. Times are seconds on one monotonic clock.

A lease is the time for which SQS has promised to hide the message. It counts from before the
request that granted it, so it ends no later than SQS thinks; work ends a part earlier still.
"""

from enum import Enum, auto

from attrs import frozen

from domain.retry import redelivery_backoff_s

MAX_PAUSE_S = 30.0


class Stopping(Enum):
    """How far the worker is on its way out."""

    NOT = auto()
    FINISHING = auto()
    """Nothing new is taken; what is in hand is finished."""
    NOW = auto()
    """What is in hand is given back."""


class Answer(Enum):
    """What the slot's process has said of the message."""

    NONE = auto()
    DONE = auto()
    FAILED = auto()
    DIED = auto()
    """The process is gone and has said nothing."""


class Step(Enum):
    """What comes next while a message is worked on."""

    WAIT = auto()
    EXTEND = auto()


class WorkOutcome(Enum):
    """How the work on a message ended, and so what becomes of it."""

    DONE = "done"
    FAILED = "failed"
    DIED = "its process died"
    OVERRAN = "it took longer than FUNCTION_TIMEOUT"
    LAPSED = "it could not be kept hidden"
    STOPPED = "the worker stops"


@frozen
class Lease:
    """For how long a message is hidden: `visibility_s` from `asked_s` on."""

    asked_s: float
    visibility_s: float

    @property
    def extend_s(self) -> float:
        """When to ask for more."""
        return self.asked_s + self.visibility_s / 3

    @property
    def end_s(self) -> float:
        """When work must have ended: a sixth is left to end it."""
        return self.asked_s + self.visibility_s * 5 / 6


def next_step(
    now_s: float, timeout_s: float, lease: Lease, answer: Answer, stopping: Stopping
) -> Step | WorkOutcome:
    """Decide what comes next; `timeout_s` is when FUNCTION_TIMEOUT is over.

    An answer counts whatever the time: all effects of a message that is done are done.
    """
    match answer:
        case Answer.DONE:
            return WorkOutcome.DONE
        case Answer.FAILED:
            return WorkOutcome.FAILED
        case Answer.DIED:
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
    """The message is done with."""


@frozen
class Redeliver:
    """The message is delivered again after `redelivery_backoff_s` whole seconds; 0: at once."""

    redelivery_backoff_s: int


@frozen
class Leave:
    """The message is no longer ours to say anything of."""


def settlement(
    outcome: WorkOutcome, receive_count: int, max_receive_count: int, backoff_base_s: int
) -> Delete | Redeliver | Leave:
    """Decide what becomes of the message. What could not be finished is given back at once."""
    match outcome:
        case WorkOutcome.DONE:
            return Delete()
        case WorkOutcome.LAPSED:
            return Leave()
        case WorkOutcome.STOPPED:
            return Redeliver(0)
    left = max(0, max_receive_count - receive_count)
    return Redeliver(redelivery_backoff_s(backoff_base_s, receive_count, left))


def backoff_s(failures: int, luck: float) -> float:
    """Return how long to pause after so many failures in a row, `luck` being in 0..1.

    From 0.5..1 s, doubled up to 15..30 s: many workers do not come back all at once.
    """
    longest = min(2.0 ** min(failures - 1, 16), MAX_PAUSE_S)
    return longest * (1 + luck) / 2
