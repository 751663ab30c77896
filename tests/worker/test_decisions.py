"""What becomes of a message in hand: tables."""

import pytest

from entrypoints.worker.decisions import (
    Answer,
    Delete,
    Lease,
    Leave,
    Outcome,
    Rest,
    Step,
    Stopping,
    next_step,
    pause_s,
    settlement,
)

LEASE = Lease(100.0, 60)
"""Extended from 120 on, and over at 150, ten seconds before SQS thinks so."""

STEPS = {
    "hidden and at work": (119.0, 400, Answer.NONE, Stopping.NOT, Step.WAIT),
    "a third of the lease is over": (120.0, 400, Answer.NONE, Stopping.NOT, Step.EXTEND),
    "it could not be extended so far": (149.9, 400, Answer.NONE, Stopping.NOT, Step.EXTEND),
    "it could not be extended": (150.0, 400, Answer.NONE, Stopping.NOT, Outcome.LAPSED),
    "the timeout is over": (119.0, 119, Answer.NONE, Stopping.NOT, Outcome.OVERRAN),
    "both are over": (151.0, 119, Answer.NONE, Stopping.NOT, Outcome.LAPSED),
    "the worker finishes": (119.0, 400, Answer.NONE, Stopping.FINISHING, Step.WAIT),
    "it is kept hidden until then": (121.0, 400, Answer.NONE, Stopping.FINISHING, Step.EXTEND),
    "the worker stops": (119.0, 400, Answer.NONE, Stopping.NOW, Outcome.STOPPED),
    "done": (119.0, 400, Answer.DONE, Stopping.NOT, Outcome.DONE),
    "done, as the worker stops": (119.0, 400, Answer.DONE, Stopping.NOW, Outcome.DONE),
    "done, late": (161.0, 119, Answer.DONE, Stopping.NOT, Outcome.DONE),
    "failed, as the worker stops": (119.0, 400, Answer.FAILED, Stopping.NOW, Outcome.FAILED),
    "died": (119.0, 400, Answer.DIED, Stopping.NOT, Outcome.DIED),
}


@pytest.mark.parametrize(
    ("now_s", "timeout_s", "answer", "stopping", "expected"), STEPS.values(), ids=STEPS
)
def test_the_next_step(
    now_s: float, timeout_s: float, answer: Answer, stopping: Stopping, expected: object
) -> None:
    """An answer counts always; then stopping, the lease and the timeout, in this order."""
    assert next_step(now_s, timeout_s, LEASE, answer, stopping) is expected


SETTLEMENTS = {
    "done": (Outcome.DONE, 1, Delete()),
    "done on the last delivery": (Outcome.DONE, 5, Delete()),
    "failed at first": (Outcome.FAILED, 1, Rest(60)),
    "failed again": (Outcome.FAILED, 2, Rest(240)),
    "failed before the last delivery": (Outcome.FAILED, 4, Rest(3600)),
    "failed on the last delivery": (Outcome.FAILED, 5, Rest(0)),
    "died": (Outcome.DIED, 1, Rest(60)),
    "overran": (Outcome.OVERRAN, 2, Rest(240)),
    "could not be kept hidden": (Outcome.LAPSED, 1, Leave()),
    "the worker stops": (Outcome.STOPPED, 3, Rest(0)),
    "a count that makes no sense": (Outcome.FAILED, 0, Rest(60)),
}


@pytest.mark.parametrize(("outcome", "received", "expected"), SETTLEMENTS.values(), ids=SETTLEMENTS)
def test_the_settlement(outcome: Outcome, received: int, expected: object) -> None:
    """Deleted, left to rest for longer each time, given back at once, or left alone."""
    assert settlement(outcome, received, 5, 60) == expected


def test_a_rest_has_a_limit() -> None:
    """However often a queue delivers, and whatever the count."""
    assert settlement(Outcome.FAILED, 999, 1000, 60) == Rest(3600)


def test_a_pause_grows_and_has_a_limit() -> None:
    """From under a second to half a minute, and never the same for all workers."""
    assert [pause_s(n, 1) for n in (1, 2, 3, 5, 6, 99)] == [1, 2, 4, 16, 30, 30]
    assert [pause_s(n, 0) for n in (1, 6)] == [0.5, 15]
