"""The retry policy: build, requeue or reject, with every boundary."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domain.clip import ClipRequest, ClipStatus
from domain.delivery import Delivery
from domain.options import ClipOptions
from domain.planning import Availability
from domain.retry import (
    MAX_RETRIES,
    Build,
    Footage,
    Reject,
    Requeue,
    RetryDecision,
    RetryPolicy,
    decide_from_request,
    decide_retry,
    redelivery_backoff_s,
    reject_gaps,
)
from domain.window import TimeWindow

POLICY = RetryPolicy(
    retry_limit_ms=900_000,
    out_of_range_limit_ms=259_200_000,
    retry_delay_ms=60_000,
    max_duration_ms=300_000,
)
SENT = 1_600_000_000_000
FULL, TAIL = Availability.FULL, Availability.TAIL_MISSING
HOLE, NONE = Availability.HOLE, Availability.NONE


def request(
    *, ended_ago_ms: int, duration_ms: int = 60_000, retries_ms: tuple[int, ...] = ()
) -> ClipRequest:
    end_ms = SENT - ended_ago_ms
    return ClipRequest("clip", "camera", end_ms - duration_ms, end_ms, retries_ms)


def delivery(wanted: ClipRequest, *, after_ms: int = 0, sent_at_ms: int = SENT) -> Delivery:
    return Delivery(wanted, "message", sent_at_ms, sent_at_ms + after_ms, deadline_s=0)


def decide(
    wanted: ClipRequest, coverage: Availability, *, after_ms: int = 0, sent_at_ms: int = SENT
) -> RetryDecision:
    one = delivery(wanted, after_ms=after_ms, sent_at_ms=sent_at_ms)
    return decide_from_request(POLICY, one) or decide_retry(POLICY, one, Footage(coverage))


def status(decision: RetryDecision) -> str:
    """Write a decision down in one word."""
    match decision:
        case Build():
            return "build"
        case Requeue():
            return "requeue"
        case Reject(refused):
            return refused.value


DAY_MS = 86_400_000
RULES = {
    "everything is there": (dict(ended_ago_ms=10_000), FULL, "build"),
    "everything is there, of a clip four days old": (dict(ended_ago_ms=4 * DAY_MS), FULL, "build"),
    "nothing yet of a recent clip": (dict(ended_ago_ms=10_000), NONE, "requeue"),
    "the tail is missing of a recent clip": (dict(ended_ago_ms=10_000), TAIL, "requeue"),
    "a hole does not fill": (dict(ended_ago_ms=10_000), HOLE, "build"),
    "requested as late as is retried": (dict(ended_ago_ms=900_000), NONE, "requeue"),
    "a millisecond later": (dict(ended_ago_ms=900_001), NONE, "CLIP_NOT_AVAILABLE"),
    "the tail is missing, requested as late as is retried": (
        dict(ended_ago_ms=900_000),
        TAIL,
        "requeue",
    ),
    "the tail is missing, a millisecond later": (dict(ended_ago_ms=900_001), TAIL, "build"),
    "age counts from the end: a long clip begun 16 minutes ago": (
        dict(ended_ago_ms=660_000, duration_ms=300_000),
        NONE,
        "requeue",
    ),
    "the start three days ago exactly": (
        dict(ended_ago_ms=3 * DAY_MS - 60_000),
        NONE,
        "CLIP_NOT_AVAILABLE",
    ),
    "the start a millisecond more than three days ago": (
        dict(ended_ago_ms=3 * DAY_MS - 59_999),
        NONE,
        "CLIP_OUT_OF_RANGE",
    ),
    "some footage of a clip more than three days old": (
        dict(ended_ago_ms=4 * DAY_MS),
        HOLE,
        "build",
    ),
    "the end in the future, as far as is retried": (dict(ended_ago_ms=-900_000), NONE, "requeue"),
    "the end a millisecond further in the future": (
        dict(ended_ago_ms=-900_001),
        NONE,
        "FATAL_ERROR",
    ),
    "a far future is rejected even if footage is listed": (
        dict(ended_ago_ms=-DAY_MS),
        FULL,
        "FATAL_ERROR",
    ),
    "as long as allowed": (dict(ended_ago_ms=0, duration_ms=300_000), FULL, "build"),
    "a millisecond too long": (dict(ended_ago_ms=0, duration_ms=300_001), FULL, "CLIP_TOO_LONG"),
    "too long and out of range: too long": (
        dict(ended_ago_ms=9 * DAY_MS, duration_ms=300_001),
        NONE,
        "CLIP_TOO_LONG",
    ),
    "start equals end": (dict(ended_ago_ms=0, duration_ms=0), FULL, "FATAL_ERROR"),
    "start after end": (dict(ended_ago_ms=0, duration_ms=-5_000), FULL, "FATAL_ERROR"),
}


@pytest.mark.parametrize(("wanted", "coverage", "outcome"), RULES.values(), ids=RULES)
def test_rules(wanted: dict[str, Any], coverage: Availability, outcome: str) -> None:
    """Each named case comes to its outcome on the first attempt."""
    assert status(decide(request(**wanted), coverage)) == outcome


DEADLINES = {
    "at the deadline": (900_000, NONE, "requeue"),
    "a millisecond later": (900_001, NONE, "CLIP_RETRY_TIMEOUT"),
    "a millisecond later, with some footage": (900_001, TAIL, "build"),
}


@pytest.mark.parametrize(("after_ms", "coverage", "outcome"), DEADLINES.values(), ids=DEADLINES)
def test_the_deadline_counts_from_the_first_sending(
    after_ms: int, coverage: Availability, outcome: str
) -> None:
    """The deadline is 15 minutes after the request was first sent, inclusive."""
    wanted = request(ended_ago_ms=10_000, retries_ms=(SENT, SENT + 400_000))
    assert status(decide(wanted, coverage, sent_at_ms=SENT + after_ms)) == outcome


@pytest.mark.parametrize(
    ("after_ms", "outcome"),
    [(500_000 + 900_000, "requeue"), (500_000 + 900_001, "CLIP_RETRY_TIMEOUT")],
)
def test_the_deadline_counts_from_the_end_of_a_clip_in_the_future(
    after_ms: int, outcome: str
) -> None:
    """A clip requested before it ended is retried until 15 minutes after its end."""
    wanted = request(ended_ago_ms=-500_000, retries_ms=(SENT,))
    assert status(decide(wanted, NONE, sent_at_ms=SENT + after_ms)) == outcome


def test_the_deadline_goes_by_the_later_clock() -> None:
    """Time in the queue counts, though the message was sent in time."""
    wanted = request(ended_ago_ms=10_000)
    assert status(decide(wanted, NONE, after_ms=900_000)) == "requeue"
    assert status(decide(wanted, NONE, after_ms=900_001)) == "CLIP_RETRY_TIMEOUT"
    assert status(decide(wanted, NONE, after_ms=-DAY_MS)) == "requeue"
    again = wanted.retried(SENT)
    late = decide(again, NONE, sent_at_ms=SENT + 900_001, after_ms=-900_001)
    assert status(late) == "CLIP_RETRY_TIMEOUT"


def test_after_a_hundred_retries_the_request_ends() -> None:
    """By number, even if no clock moves."""
    many = tuple(SENT for _ in range(MAX_RETRIES))
    assert status(decide(request(ended_ago_ms=0, retries_ms=many[1:]), NONE)) == "requeue"
    assert status(decide(request(ended_ago_ms=0, retries_ms=many), NONE)) == "CLIP_RETRY_TIMEOUT"
    assert status(decide(request(ended_ago_ms=0, retries_ms=many), TAIL)) == "build"


def test_age_goes_by_when_the_request_was_first_seen() -> None:
    """The earliest of all sendings counts, in whatever order the message lists them."""
    wanted = request(ended_ago_ms=0, retries_ms=(SENT - 1_000, SENT - 9_000, SENT + 5_000))
    assert delivery(wanted).first_seen_ms == SENT - 9_000
    assert delivery(request(ended_ago_ms=0)).first_seen_ms == SENT
    later = request(ended_ago_ms=0, retries_ms=(SENT + 5,))
    assert delivery(later).first_seen_ms == SENT


DELAYS = {
    "the policy's delay": (dict(ended_ago_ms=10_000), 0, 60),
    "not before the clip's end": (dict(ended_ago_ms=-200_500), 0, 201),
    "not more than the queue allows": (dict(ended_ago_ms=-899_999), 0, 900),
    "not far past the deadline": (dict(ended_ago_ms=0), 880_000, 21),
    "once more just after the deadline": (dict(ended_ago_ms=0), 900_000, 1),
}


@pytest.mark.parametrize(("wanted", "after_ms", "delay_s"), DELAYS.values(), ids=DELAYS)
def test_the_delay_of_a_requeued_request(
    wanted: dict[str, Any], after_ms: int, delay_s: int
) -> None:
    """The message is delayed for this long."""
    assert decide(request(**wanted), NONE, after_ms=after_ms) == Requeue(delay_s)


WAITING = {
    "a clip that has not ended, whatever its recordings claim": (-1, Footage(FULL), 0, "requeue"),
    "the same once it has ended": (-1, Footage(FULL), 1, "build"),
    "a recording is not finished, and only a hole is missing": (
        10_000,
        Footage(HOLE, is_some_unfinished=True),
        0,
        "requeue",
    ),
    "a recording is not finished, but others have all of the clip": (
        10_000,
        Footage(FULL, is_some_unfinished=True),
        0,
        "build",
    ),
    "it is not finished in time": (
        10_000,
        Footage(HOLE, is_some_unfinished=True),
        900_001,
        "build",
    ),
    "a damaged recording is not waited for": (
        10_000,
        Footage(HOLE, is_some_unreadable=True),
        0,
        "build",
    ),
    "nothing but a damaged recording": (
        10_000,
        Footage(NONE, is_some_unreadable=True),
        0,
        "requeue",
    ),
    "still nothing else at the deadline": (
        10_000,
        Footage(NONE, is_some_unreadable=True),
        900_001,
        "FATAL_ERROR",
    ),
    "nothing but one that is not stored, at the deadline": (
        10_000,
        Footage(NONE, is_some_unfinished=True),
        900_001,
        "CLIP_RETRY_TIMEOUT",
    ),
    "nothing but a damaged recording of a clip an hour old": (
        3_600_000,
        Footage(NONE, is_some_unreadable=True),
        0,
        "FATAL_ERROR",
    ),
    "nothing but a damaged recording of a clip four days old": (
        4 * DAY_MS,
        Footage(NONE, is_some_unreadable=True),
        0,
        "FATAL_ERROR",
    ),
    "nothing that is stored of a clip four days old": (
        4 * DAY_MS,
        Footage(NONE, is_some_unfinished=True),
        0,
        "CLIP_OUT_OF_RANGE",
    ),
}


@pytest.mark.parametrize(
    ("ended_ago_ms", "footage", "after_ms", "outcome"), WAITING.values(), ids=WAITING
)
def test_footage_that_may_grow_is_waited_for(
    ended_ago_ms: int, footage: Footage, after_ms: int, outcome: str
) -> None:
    """What is damaged does not."""
    decision = decide_retry(
        POLICY, delivery(request(ended_ago_ms=ended_ago_ms), after_ms=after_ms), footage
    )
    assert status(decision) == outcome


def test_no_delay_is_longer_than_the_queue_allows() -> None:
    """However far in the future the clip ends: the request is delayed again and again."""
    patient = RetryPolicy(retry_limit_ms=3_600_000)
    wanted = request(ended_ago_ms=-2_000_000)
    assert decide_retry(patient, delivery(wanted), Footage(NONE)) == Requeue(900)


def test_bounds_and_length_are_checked_before_the_camera_is_asked() -> None:
    """Nothing else is rejected without a list of recordings."""
    old = delivery(request(ended_ago_ms=99 * DAY_MS))
    assert decide_from_request(POLICY, old) is None
    too_long = delivery(request(ended_ago_ms=0, duration_ms=300_001))
    assert decide_from_request(POLICY, too_long) == Reject(
        ClipStatus.TOO_LONG, "The clip is 5 min 0.001 s long; 5 min are allowed."
    )


@given(
    ended_ago_ms=st.integers(-1_000_000, 2_000_000),
    duration_ms=st.integers(1, 300_000),
    lag_ms=st.integers(-5_000, 120_000),
    delay_s=st.integers(1, 900),
    coverage=st.sampled_from([NONE, TAIL]),
)
def test_every_retry_chain_ends(
    ended_ago_ms: int, duration_ms: int, lag_ms: int, delay_s: int, coverage: Availability
) -> None:
    """A request whose footage never comes is queued again at most 100 times, each in 1..900 s."""
    policy = RetryPolicy(retry_delay_ms=1000 * delay_s)
    wanted = request(ended_ago_ms=ended_ago_ms, duration_ms=duration_ms)
    sent_at_ms = SENT
    for _ in range(MAX_RETRIES + 1):
        decision = decide_retry(
            policy, delivery(wanted, sent_at_ms=sent_at_ms, after_ms=lag_ms), Footage(coverage)
        )
        if not isinstance(decision, Requeue):
            break
        assert 1 <= decision.delay_s <= 900
        wanted = wanted.retried(sent_at_ms)
        sent_at_ms += 1000 * decision.delay_s
    else:
        pytest.fail("the chain does not end")
    assert sent_at_ms <= max(SENT, wanted.end_ms) + policy.retry_limit_ms + 1000 + 120_000


@pytest.mark.parametrize(
    "invalid",
    [
        dict(retry_delay_ms=999),
        dict(retry_delay_ms=900_001),
        dict(retry_limit_ms=-1),
        dict(max_duration_ms=0),
    ],
)
def test_an_invalid_policy_is_an_error(invalid: dict[str, Any]) -> None:
    """SQS takes delays of 1 to 900 s only, and limits are not negative."""
    with pytest.raises(ValueError, match="must be"):
        RetryPolicy(**invalid)


BACKOFFS = {
    "the first time": (60, 1, 4, 60),
    "four times as long": (60, 2, 3, 240),
    "again": (60, 3, 2, 960),
    "an hour at most": (60, 4, 1, 3600),
    "after the last delivery the dead-letter queue is next": (60, 5, 0, 0),
    "an only delivery": (60, 1, 0, 0),
    "a queue that delivers forever": (1, 10**6, 1, 3600),
    "an impossible count": (60, 0, 5, 60),
}


@pytest.mark.parametrize(
    ("first_s", "received", "left", "backoff_s"), BACKOFFS.values(), ids=BACKOFFS
)
def test_a_returned_message_is_delayed(
    first_s: int, received: int, left: int, backoff_s: int
) -> None:
    """Soon at first, then later each time, so that deliveries outlast an outage."""
    assert redelivery_backoff_s(first_s, received, left) == backoff_s


def test_five_deliveries_outlast_an_hour() -> None:
    """The third begins when the clip of a first one that died may be announced."""
    delays_s = [redelivery_backoff_s(60, received, 5 - received) for received in range(1, 5)]
    assert sum(delays_s) > 3600
    assert sum(delays_s[:2]) >= 300


TWO_GAPS = (TimeWindow(SENT - 60_000, SENT - 59_000), TimeWindow(SENT - 30_000, SENT - 27_500))
GAPS_DECIDED: dict[str, tuple[str, Footage, int, str]] = {
    "no gap": ("fail", Footage(FULL), 0, "build"),
    "gaps that are skipped": ("skip", Footage(HOLE, gaps=TWO_GAPS), 0, "build"),
    "gaps that are filled": ("slate", Footage(HOLE, gaps=TWO_GAPS), 0, "build"),
    "a hole": ("fail", Footage(HOLE, gaps=TWO_GAPS), 0, "not available"),
    "a tail that may come": ("fail", Footage(TAIL, gaps=TWO_GAPS), 900_000, "requeue"),
    "a tail that was awaited": ("fail", Footage(TAIL, gaps=TWO_GAPS), 900_001, "not available"),
    "a recording that is not whole yet": (
        "fail",
        Footage(HOLE, is_some_unfinished=True, gaps=TWO_GAPS),
        0,
        "requeue",
    ),
    "no footage at all": ("fail", Footage(NONE, gaps=TWO_GAPS), 900_001, "retry timeout"),
}


@pytest.mark.parametrize(
    ("gaps", "footage", "after_ms", "expected"), GAPS_DECIDED.values(), ids=GAPS_DECIDED
)
def test_a_request_may_want_no_clip_with_gaps(
    gaps: Any,  # noqa: ANN401 - a choice
    footage: Footage,
    after_ms: int,
    expected: str,
) -> None:
    """It waits as long as any other; then it ends without a clip."""
    wanted = evolve(request(ended_ago_ms=0), options=ClipOptions(gaps=gaps))
    decision = decide_retry(POLICY, delivery(wanted, after_ms=after_ms), footage)
    match decision:
        case Build():
            assert expected == "build"
        case Requeue():
            assert expected == "requeue"
        case Reject(ended):
            assert ended.name.lower().replace("_", " ") == expected


def test_the_rejection_of_a_clip_with_gaps_names_them() -> None:
    """The first ten of them."""
    wanted = evolve(request(ended_ago_ms=0), options=ClipOptions(gaps="fail"))
    reject = reject_gaps(wanted, TWO_GAPS)
    assert reject
    assert reject.reason == (
        "There is no footage of 3.5 s of the clip, and its request wants no clip with gaps:"
        " 2020-09-13T12:25:40.000Z to 2020-09-13T12:25:41.000Z,"
        " 2020-09-13T12:26:10.000Z to 2020-09-13T12:26:12.500Z."
    )
    many = [TimeWindow(SENT + 2 * n, SENT + 2 * n + 1) for n in range(12)]
    reject = reject_gaps(wanted, many)
    assert reject
    assert reject.reason.endswith(" to 2020-09-13T12:26:40.019Z and 2 more.")
    assert reject_gaps(wanted, ()) is None
