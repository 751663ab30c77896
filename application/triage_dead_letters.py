"""Triage of dead letters: each request is checked as a new delivery would check it.

The checks read the clip store and the camera's list alone; no recording is opened.
"""

from collections.abc import Iterable
from enum import Enum

from attrs import evolve, field, frozen
from attrs.validators import deep_iterable, in_

from application.ports import CameraService, ClipStore
from domain.clip import ClipRequest, ClipStatus
from domain.delivery import Delivery
from domain.errors import ClipError, Rejected
from domain.idempotency import Absent, Announced, NameTaken, decide_existing
from domain.planning import plan_clip
from domain.retry import Footage, Reject, RetryPolicy, decide_from_request, decide_retry


class Verdict(Enum):
    """The state or expected end of a dead letter's request, in the order of importance."""

    FAILED = "failed; may succeed now"
    UNANNOUNCED = "clip stored, not announced"
    ANNOUNCED = "clip stored and announced"
    REJECTED = "would end as"
    NAME_TAKEN = "clip id taken by a clip of another window or other options"
    INVALID = "invalid message"
    UNKNOWN = "not checked"

    @property
    def rank(self) -> int:
        """Its place in the order of this list."""
        return list(Verdict).index(self)


RETRYABLE = (Verdict.FAILED, Verdict.UNANNOUNCED)
HOPELESS = (Verdict.ANNOUNCED, Verdict.REJECTED, Verdict.NAME_TAKEN, Verdict.INVALID)
"""Another delivery would store no clip: only such letters may be deleted."""


@frozen
class TriagedLetter:
    """A dead letter and its verdict."""

    message_id: str
    verdict: Verdict
    first_seen_ms: int
    """When its request was first sent, since the epoch."""
    clip_id: str | None = None
    request: ClipRequest | None = None
    """The request to queue again, if the message holds a valid one."""
    detail: str = ""
    """How the request would end, or what is invalid."""
    fault: str = ""
    """Why it could not be checked."""

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.clip_id or self.message_id

    @property
    def summary(self) -> str:
        """The verdict and its detail."""
        return " ".join(filter(None, (self.verdict.value, self.detail)))


@frozen
class TriageDeadLetters:
    """Reaches a verdict on each letter. It only reads."""

    clips: ClipStore
    cameras: CameraService
    policy: RetryPolicy
    seam_tolerance_ms: int
    delivery_timeout_ms: int
    """The maximum duration of a delivery: a clip stored longer ago is no longer in progress."""

    def __call__(self, delivery: Delivery) -> TriagedLetter:
        """Return the verdict on a letter whose request would be queued again as `delivery`'s."""
        request = delivery.request
        letter = TriagedLetter(
            delivery.message_id,
            Verdict.UNKNOWN,
            delivery.first_seen_ms,
            request.clip_id,
            request,
        )
        try:
            verdict, detail = self._check(delivery)
        except ClipError as error:
            return evolve(letter, fault=str(error))
        return evolve(letter, verdict=verdict, detail=detail)

    def _check(self, delivery: Delivery) -> tuple[Verdict, str]:
        name, deadline_s = delivery.request.name, delivery.deadline_s
        clip = self.clips.find(name, deadline_s)
        manifest = self.clips.read_manifest(name, deadline_s)
        match decide_existing(delivery, clip, manifest, self.delivery_timeout_ms):
            case Announced():
                return Verdict.ANNOUNCED, ""
            case NameTaken():
                return Verdict.NAME_TAKEN, ""
            case Absent():
                return self._predict(delivery)
            case _:
                return Verdict.UNANNOUNCED, ""

    def _predict(self, delivery: Delivery) -> tuple[Verdict, str]:
        request = delivery.request
        rejection = decide_from_request(self.policy, delivery)
        if rejection:
            return Verdict.REJECTED, rejection.status.value
        try:
            listing = self.cameras.find_segments(
                request.camera_id, request.window, delivery.deadline_s
            )
        except Rejected:
            return Verdict.REJECTED, f"{ClipStatus.FATAL_ERROR.value} (unknown camera)"
        plan = plan_clip(request.window, listing.segments, self.seam_tolerance_ms)
        match decide_retry(self.policy, delivery, Footage(plan.availability)):
            case Reject(status):
                return Verdict.REJECTED, f"{status.value} (no footage)"
            case _:
                return Verdict.FAILED, ""


@frozen
class Selection:
    """Which letters are sent back, or deleted."""

    all_verdicts: bool = False
    clip_ids: frozenset[str] = frozenset()
    limit: int | None = None
    dropped: tuple[Verdict, ...] = field(default=(), validator=deep_iterable(in_(HOPELESS)))
    """The verdicts whose letters are deleted, among those of `clip_ids` if there are any; without
    verdicts, letters are sent back."""

    def __call__(self, letters: Iterable[TriagedLetter]) -> list[TriagedLetter]:
        """Return the selected letters, those first seen earliest first."""
        by_age = sorted(letters, key=lambda letter: letter.first_seen_ms)
        return [letter for letter in by_age if self._selects(letter)][: self.limit]

    def _selects(self, letter: TriagedLetter) -> bool:
        if self.dropped:
            is_chosen = not self.clip_ids or letter.clip_id in self.clip_ids
            return is_chosen and letter.verdict in self.dropped
        if self.clip_ids:
            return letter.clip_id in self.clip_ids
        return self.all_verdicts or letter.verdict in RETRYABLE
