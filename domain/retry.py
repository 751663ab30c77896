"""Build, wait or refuse: the decision about a request, from its age and its footage."""

from attrs import field, frozen
from attrs.validators import ge, in_

from domain.clip import ClipRequest, ClipStatus
from domain.delivery import Delivery
from domain.planning import Coverage

MAX_RETRIES = 100
"""How often a request is queued again at most, whatever the clocks say."""

MAX_DELAY_S = 900
"""What SQS accepts as DelaySeconds at most."""


@frozen
class RetryPolicy:
    """How long footage is waited for, and how old and long a clip may be. All in milliseconds."""

    retry_limit_ms: int = field(default=900_000, validator=ge(0))
    """How long after the later of asking and the clip's end its footage is waited for."""
    out_of_range_limit_ms: int = field(default=259_200_000, validator=ge(0))
    """The age of a clip's start beyond which missing footage is gone for good."""
    retry_delay_ms: int = field(default=60_000, validator=in_(range(1000, 900_001)))
    """How long a request rests in the queue between two attempts."""
    max_duration_ms: int = field(default=300_000, validator=ge(1))
    """The longest clip; one of exactly this length is made."""


@frozen
class Build:
    """Make the clip of the footage there is."""


@frozen
class Requeue:
    """Queue the request again and tell nobody but the camera API."""

    delay_s: int
    """1..900."""


@frozen
class Reject:
    """End the request without a clip."""

    status: ClipStatus
    reason: str


RetryDecision = Build | Requeue | Reject


MAX_BACKOFF_S = 3600


def redelivery_backoff_s(first_s: int, receive_count: int, deliveries_left: int) -> int:
    """Say for how many seconds a message rests that is given back after `receive_count` deliveries.

    Four times as long each time, so that what failed for a moment is made up for within a minute,
    and five deliveries outlast a dependency that is away for an hour. After the last delivery there
    is nothing to wait for: the dead-letter queue is next.
    """
    if deliveries_left == 0:
        return 0
    quadruplings = min(max(receive_count, 1) - 1, 8)
    return min(first_s << 2 * quadruplings, MAX_BACKOFF_S)


def first_seen_ms(request: ClipRequest, delivery: Delivery) -> int:
    """Say when the request was first sent, since the epoch: the same for all its duplicates."""
    return min((*request.retries_ms, delivery.sent_at_ms))


def decide_from_request(
    policy: RetryPolicy, request: ClipRequest, delivery: Delivery
) -> Reject | None:
    """Refuse what can be refused before the camera is asked, else None."""
    if request.start_ms >= request.end_ms:
        return Reject(ClipStatus.FATAL_ERROR, "The clip's start is not before its end.")
    if request.end_ms - first_seen_ms(request, delivery) > policy.retry_limit_ms:
        return Reject(
            ClipStatus.FATAL_ERROR,
            f"The clip ends more than {_seconds(policy.retry_limit_ms)} after it was asked for.",
        )
    if request.end_ms - request.start_ms > policy.max_duration_ms:
        return Reject(
            ClipStatus.TOO_LONG,
            f"The clip is {_seconds(request.end_ms - request.start_ms)} long;"
            f" {_seconds(policy.max_duration_ms)} are allowed.",
        )
    return None


def decide_retry(
    policy: RetryPolicy, request: ClipRequest, delivery: Delivery, coverage: Coverage
) -> RetryDecision:
    """Decide what becomes of the request, given how much of it there is footage for.

    Ages count from when the request was first seen, so that duplicates decide alike; waiting goes
    by the later of our clock and the queue's. The rules stand in the order in which they count.
    """
    refused = decide_from_request(policy, request, delivery)
    if refused:
        return refused
    seen_ms = first_seen_ms(request, delivery)
    now_ms = max(delivery.now_ms, delivery.sent_at_ms)
    deadline_ms = max(seen_ms, request.end_ms) + policy.retry_limit_ms
    still_to_come = (
        coverage in (Coverage.NONE, Coverage.TAIL_MISSING)
        and seen_ms - request.end_ms <= policy.retry_limit_ms
    )
    if still_to_come and now_ms <= deadline_ms and len(request.retries_ms) < MAX_RETRIES:
        return Requeue(_delay_s(policy, request.end_ms, now_ms, deadline_ms))
    if coverage is not Coverage.NONE:
        return Build()
    if seen_ms - request.start_ms > policy.out_of_range_limit_ms:
        return Reject(
            ClipStatus.OUT_OF_RANGE,
            f"The clip starts more than {_seconds(policy.out_of_range_limit_ms)}"
            " before it was asked for, and there is no footage of it.",
        )
    if not still_to_come:
        return Reject(
            ClipStatus.NOT_AVAILABLE,
            f"The clip ended more than {_seconds(policy.retry_limit_ms)} before it was asked for,"
            " and there is no footage of it.",
        )
    return Reject(
        ClipStatus.RETRY_TIMEOUT,
        f"There was no footage of the clip within {_seconds(policy.retry_limit_ms)}.",
    )


def _delay_s(policy: RetryPolicy, end_ms: int, now_ms: int, deadline_ms: int) -> int:
    """Rest for the policy's delay, not before the clip's end, and not far past the deadline."""
    delay_ms = max(policy.retry_delay_ms, end_ms - now_ms)
    last_chance_ms = deadline_ms - now_ms + 1000
    return min(max(1, -(-min(delay_ms, last_chance_ms) // 1000)), MAX_DELAY_S)


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms / 1000:g} s"
