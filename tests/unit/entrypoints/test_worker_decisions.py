"""The next step with a message in flight, and its settlement: tables."""

import pytest

from entrypoints.worker.decisions import (
    ChildResponse,
    Delete,
    Lease,
    Leave,
    Redeliver,
    Step,
    Stopping,
    WorkOutcome,
    backoff_s,
    next_step,
    settlement,
)

LEASE = Lease(100.0, 60)
"""Extended from 120 on, and over at 150, ten seconds before SQS thinks so."""

STEPS = {
    "hidden and at work": (119.0, 400, ChildResponse.NONE, Stopping.NOT, Step.WAIT),
    "a third of the lease passed": (120.0, 400, ChildResponse.NONE, Stopping.NOT, Step.EXTEND),
    "extending fails so far": (149.9, 400, ChildResponse.NONE, Stopping.NOT, Step.EXTEND),
    "the lease lapsed": (150.0, 400, ChildResponse.NONE, Stopping.NOT, WorkOutcome.LAPSED),
    "the timeout passed": (119.0, 119, ChildResponse.NONE, Stopping.NOT, WorkOutcome.OVERRAN),
    "both passed": (151.0, 119, ChildResponse.NONE, Stopping.NOT, WorkOutcome.LAPSED),
    "the worker finishes its messages": (
        119.0,
        400,
        ChildResponse.NONE,
        Stopping.FINISHING,
        Step.WAIT,
    ),
    "its messages stay hidden until then": (
        121.0,
        400,
        ChildResponse.NONE,
        Stopping.FINISHING,
        Step.EXTEND,
    ),
    "the worker stops": (119.0, 400, ChildResponse.NONE, Stopping.NOW, WorkOutcome.STOPPED),
    "done": (119.0, 400, ChildResponse.DONE, Stopping.NOT, WorkOutcome.DONE),
    "done, as the worker stops": (119.0, 400, ChildResponse.DONE, Stopping.NOW, WorkOutcome.DONE),
    "done, late": (161.0, 119, ChildResponse.DONE, Stopping.NOT, WorkOutcome.DONE),
    "failed, as the worker stops": (
        119.0,
        400,
        ChildResponse.FAILED,
        Stopping.NOW,
        WorkOutcome.FAILED,
    ),
    "died": (119.0, 400, ChildResponse.DIED, Stopping.NOT, WorkOutcome.DIED),
}


@pytest.mark.parametrize(
    ("now_s", "timeout_s", "response", "stopping", "expected"), STEPS.values(), ids=STEPS
)
def test_the_next_step(
    now_s: float, timeout_s: float, response: ChildResponse, stopping: Stopping, expected: object
) -> None:
    """A response always counts; then stopping, the lease and the timeout, in this order."""
    assert next_step(now_s, timeout_s, LEASE, response, stopping) is expected


SETTLEMENTS = {
    "done": (WorkOutcome.DONE, 1, Delete()),
    "done on the last delivery": (WorkOutcome.DONE, 5, Delete()),
    "failed at first": (WorkOutcome.FAILED, 1, Redeliver(60)),
    "failed again": (WorkOutcome.FAILED, 2, Redeliver(240)),
    "failed before the last delivery": (WorkOutcome.FAILED, 4, Redeliver(3600)),
    "failed on the last delivery": (WorkOutcome.FAILED, 5, Redeliver(0)),
    "died": (WorkOutcome.DIED, 1, Redeliver(60)),
    "overran": (WorkOutcome.OVERRAN, 2, Redeliver(240)),
    "its lease lapsed": (WorkOutcome.LAPSED, 1, Leave()),
    "the worker stops": (WorkOutcome.STOPPED, 3, Redeliver(0)),
    "an impossible count": (WorkOutcome.FAILED, 0, Redeliver(60)),
}


@pytest.mark.parametrize(("outcome", "received", "expected"), SETTLEMENTS.values(), ids=SETTLEMENTS)
def test_the_settlement(outcome: WorkOutcome, received: int, expected: object) -> None:
    """Deleted, redelivered later each time or at once, or left alone."""
    assert settlement(outcome, received, 5, 60) == expected


def test_a_rest_has_a_limit() -> None:
    """However often a queue delivers, and whatever the count."""
    assert settlement(WorkOutcome.FAILED, 999, 1000, 60) == Redeliver(3600)


def test_a_pause_grows_and_has_a_limit() -> None:
    """From under a second to half a minute, and never the same for all workers."""
    assert [backoff_s(n, 1) for n in (1, 2, 3, 5, 6, 99)] == [1, 2, 4, 16, 30, 30]
    assert [backoff_s(n, 0) for n in (1, 6)] == [0.5, 15]
