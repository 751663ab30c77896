"""Build, requeue or reject: the decision about a request, from its age and its footage."""

from collections.abc import Sequence
from datetime import timedelta

from attrs import field, frozen
from attrs.validators import ge, in_

from domain.clip import ClipRequest, ClipStatus
from domain.clip_label import EPOCH
from domain.coverage import total_ms
from domain.delivery import Delivery
from domain.planning import Availability
from domain.window import TimeWindow, duration_text

MAX_RETRIES = 100
"""How often a request is requeued at most, whatever the clocks say."""

MAX_DELAY_S = 900
"""The longest delay of a requeued request."""

MAX_BACKOFF_S = 3600

MAX_GAPS_NAMED = 10
"""A rejection's reason names at most so many gaps."""


@frozen
class RetryPolicy:
    """How long to wait for footage, and how old and long a clip may be. All in milliseconds."""

    retry_limit_ms: int = field(default=900_000, validator=ge(0))
    """How long to wait for footage, from the later of the request and the clip's end."""
    out_of_range_limit_ms: int = field(default=259_200_000, validator=ge(0))
    """The age of a clip's start beyond which missing footage will not come any more."""
    retry_delay_ms: int = field(default=60_000, validator=in_(range(1000, 900_001)))
    """The delay between two tries of a request."""
    max_duration_ms: int = field(default=300_000, validator=ge(1))
    """The longest clip; one of exactly this duration is made."""


@frozen
class Build:
    """Make the clip from the footage there is."""


@frozen
class Requeue:
    """Send the request to the queue again, and report it as pending."""

    delay_s: int
    """1..900."""


@frozen
class Reject:
    """End the request without a clip."""

    status: ClipStatus
    reason: str


RetryDecision = Build | Requeue | Reject


def redelivery_backoff_s(base_s: int, receive_count: int, deliveries_left: int) -> int:
    """Return the redelivery backoff of a message that failed, in seconds.

    It quadruples with each delivery, from `base_s` up to MAX_BACKOFF_S: a short fault is overcome
    within a minute, and five deliveries outlast an outage of an hour. After the last delivery it is
    0, since the message is dead-lettered next.
    """
    if deliveries_left == 0:
        return 0
    quadruplings = min(max(receive_count, 1) - 1, 8)
    return min(base_s << 2 * quadruplings, MAX_BACKOFF_S)


def decide_from_request(policy: RetryPolicy, delivery: Delivery) -> Reject | None:
    """Return the rejection of a request that no footage could help, else None."""
    request = delivery.request
    if request.start_ms >= request.end_ms:
        return Reject(ClipStatus.FATAL_ERROR, "The clip's start is not before its end.")
    if request.end_ms - delivery.first_seen_ms > policy.retry_limit_ms:
        return Reject(
            ClipStatus.FATAL_ERROR,
            f"The clip ends more than {duration_text(policy.retry_limit_ms)} after it was"
            " requested.",
        )
    if request.end_ms - request.start_ms > policy.max_duration_ms:
        return Reject(
            ClipStatus.TOO_LONG,
            f"The clip is {duration_text(request.end_ms - request.start_ms)} long;"
            f" {duration_text(policy.max_duration_ms)} are allowed.",
        )
    return None


@frozen
class Footage:
    """What has been found of a request's footage."""

    availability: Availability
    is_some_unfinished: bool = False
    """Whether a recording that is listed for the window is not stored, or not whole yet."""
    is_some_unreadable: bool = False
    """Whether one is stored that is damaged, cut off, or no recording."""
    gaps: tuple[TimeWindow, ...] = ()
    """Where there is no footage, if there is any at all."""

    @property
    def may_grow(self) -> bool:
        """Whether more may be stored later: the end is missing, or a recording for a hole."""
        if self.availability is Availability.HOLE:
            return self.is_some_unfinished
        return self.availability is not Availability.FULL


def decide_retry(policy: RetryPolicy, delivery: Delivery, footage: Footage) -> RetryDecision:
    """Decide about a request that `decide_from_request` did not reject, given its footage.

    Ages count from when the request was first seen, so that duplicates are decided alike; waiting
    is measured by the later of our clock and the queue's. The first rule that applies wins.
    """
    request, seen_ms = delivery.request, delivery.first_seen_ms
    now_ms = max(delivery.received_at_ms, delivery.sent_at_ms)
    deadline_ms = max(seen_ms, request.end_ms) + policy.retry_limit_ms
    is_recent = seen_ms - request.end_ms <= policy.retry_limit_ms
    # A recording that claims to reach into the future is no footage of it.
    may_yet_come = is_recent and (footage.may_grow or now_ms < request.end_ms)
    if may_yet_come and now_ms <= deadline_ms and len(request.retries_ms) < MAX_RETRIES:
        return Requeue(_delay_s(policy, request.end_ms, now_ms, deadline_ms))
    if footage.availability is not Availability.NONE:
        return reject_gaps(request, footage.gaps) or Build()
    if footage.is_some_unreadable:
        return Reject(ClipStatus.FATAL_ERROR, "No listed recording can be read.")
    if seen_ms - request.start_ms > policy.out_of_range_limit_ms:
        return Reject(
            ClipStatus.OUT_OF_RANGE,
            f"The clip starts more than {duration_text(policy.out_of_range_limit_ms)}"
            " before it was requested, and there is no footage of it.",
        )
    if not is_recent:
        return Reject(
            ClipStatus.NOT_AVAILABLE,
            f"The clip ended more than {duration_text(policy.retry_limit_ms)} before it was"
            " requested, and there is no footage of it.",
        )
    return Reject(
        ClipStatus.RETRY_TIMEOUT,
        f"No footage of the clip arrived within {duration_text(policy.retry_limit_ms)}.",
    )


def reject_gaps(request: ClipRequest, gaps: Sequence[TimeWindow]) -> Reject | None:
    """Return the rejection of a request that wants no clip with gaps, if there are some."""
    if not gaps or request.options.gaps != "fail":
        return None
    named = ", ".join(map(_instants, gaps[:MAX_GAPS_NAMED]))
    more = f" and {len(gaps) - MAX_GAPS_NAMED} more" if len(gaps) > MAX_GAPS_NAMED else ""
    return Reject(
        ClipStatus.NOT_AVAILABLE,
        f"There is no footage of {duration_text(total_ms(gaps))} of the clip, and its request wants"
        f" no clip with gaps: {named}{more}.",
    )


def _instants(gap: TimeWindow) -> str:
    """Return a gap as 2026-05-01T14:05:10.000Z to 2026-05-01T14:05:22.500Z."""
    bounds = (EPOCH + timedelta(milliseconds=ms) for ms in (gap.start_ms, gap.end_ms))
    start, end = (instant.isoformat(timespec="milliseconds") for instant in bounds)
    return f"{start} to {end}".replace("+00:00", "Z")


def _delay_s(policy: RetryPolicy, end_ms: int, now_ms: int, deadline_ms: int) -> int:
    """Return the policy's delay, but not before the clip's end, nor far past the deadline."""
    delay_ms = max(policy.retry_delay_ms, end_ms - now_ms)
    until_deadline_ms = deadline_ms - now_ms + 1000
    return min(max(1, -(-min(delay_ms, until_deadline_ms) // 1000)), MAX_DELAY_S)
