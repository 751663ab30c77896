"""Clips that were requested from here and have no manifest yet: pure decisions."""

from domain.clip import ClipReport, ClipStatus
from domain.window import DAY_MS
from entrypoints.serve.known_clip import KnownClip, Phase
from infrastructure.folder.sent_requests import SentRequest

MIN_INTERVAL_S, MAX_INTERVAL_S = 1.0, 60.0
AGE_PER_INTERVAL = 10
"""A clip is looked for again once its request is a tenth older."""
MAX_AWAITED_MS = DAY_MS
"""The service tries a request for some hours at most, then its message is a dead letter."""

SENT = "The request is in the queue, or the clip is being made."
LATE = (
    "The request has no result yet. It is tried again, or its message is a dead letter:"
    " `camclip redrive` shows those."
)
GIVEN_UP = (
    "There is no manifest of the clip. Its message is a dead letter, which `camclip redrive` shows;"
    " or the clip was deleted, in the bucket or in the camera API."
)


def interval_s(age_s: float) -> float:
    """Return after which time a clip is looked for again that was requested `age_s` ago."""
    return min(max(age_s / AGE_PER_INTERVAL, MIN_INTERVAL_S), MAX_INTERVAL_S)


def is_awaited(sent: SentRequest, at_ms: int) -> bool:
    """Return whether a clip without a manifest may still be made."""
    return not sent.has_ended and at_ms - sent.sent_at_ms < MAX_AWAITED_MS


def without_manifest(sent: SentRequest, at_ms: int, retry_limit_ms: int) -> KnownClip:
    """Return what is known at `at_ms` of a clip that has no manifest.

    `retry_limit_ms` is how long the service waits for footage after the clip's end.
    """
    request = sent.request
    if not is_awaited(sent, at_ms):
        report = ClipReport.of(request, ClipStatus.FATAL_ERROR, reason=GIVEN_UP)
        return KnownClip(report, Phase.DONE, sent.sent_at_ms)
    is_late = at_ms > max(sent.sent_at_ms, request.end_ms) + retry_limit_ms
    report = ClipReport.of(request, ClipStatus.PENDING, reason=LATE if is_late else SENT)
    return KnownClip(report, Phase.WAITING, sent.sent_at_ms)
