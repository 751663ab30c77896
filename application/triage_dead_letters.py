"""What dead letters are: read, looked at as a delivery would look, and sorted."""

import time
from collections.abc import Iterable
from enum import Enum

from attrs import evolve, frozen

from application.ports import CameraService, ClipStore
from domain.clip import ClipRequest, ClipStatus, InvalidRequest
from domain.delivery import Delivery
from domain.errors import ClipError, NoClipId, Rejected
from domain.idempotency import Absent, Announced, NameTaken, decide_existing
from domain.planning import plan_clip
from domain.retry import Reject, decide_from_request, decide_retry, first_seen_ms
from entrypoints.settings import ClipSettings
from infrastructure.formats.messages import message_body, read_message
from infrastructure.sqs import DeadLetter

ASK_S = 20


class Verdict(Enum):
    """What a dead letter is."""

    FAILED = "failed, and may be made now"
    UNTOLD = "the clip is stored, not told to everybody"
    DONE = "the clip is there, and told"
    ENDS = "would end as"
    TAKEN = "the name is taken by a clip of another window"
    BROKEN = "cannot be understood"
    UNKNOWN = "could not be looked at"

    @property
    def rank(self) -> int:
        """Its place among them: those worth another try come first."""
        return list(Verdict).index(self)


RETRYABLE = (Verdict.FAILED, Verdict.UNTOLD)


@frozen
class TriagedLetter:
    """A letter, what it is, and as what it would be sent."""

    letter: DeadLetter
    group: Verdict
    body: str
    first_seen_ms: int
    clip_id: str | None = None
    detail: str = ""
    """More about the group: how it would end, or what cannot be understood."""
    fault: str = ""
    """Why it could not be looked at."""

    @property
    def what(self) -> str:
        """Say what it is."""
        return " ".join(filter(None, (self.group.value, self.detail)))


@frozen
class TriageDeadLetters:
    """Sorts letters by what would become of them."""

    clips: ClipStore
    cameras: CameraService
    rules: ClipSettings

    def __call__(self, letter: DeadLetter, now_ms: int) -> TriagedLetter:
        """Read the letter, and look at the stores as a delivery of it would; changes nothing."""
        unread = TriagedLetter(letter, Verdict.BROKEN, letter.body, letter.sent_at_ms)
        try:
            request = read_message(letter.body, letter.sent_at_ms)
        except NoClipId:
            return evolve(unread, detail="(it names no clip)")
        if isinstance(request, InvalidRequest):
            return evolve(unread, clip_id=request.clip_id, detail=f"({request.reason.rstrip('.')})")
        again = request.retried(letter.sent_at_ms)
        delivery = Delivery(letter.message_id, now_ms, now_ms, time.monotonic() + ASK_S)
        read = evolve(
            unread,
            body=message_body(again),
            first_seen_ms=first_seen_ms(again, delivery),
            clip_id=request.clip_id,
        )
        try:
            group, detail = self._sort(again, delivery)
        except ClipError as error:
            return evolve(read, group=Verdict.UNKNOWN, fault=str(error))
        return evolve(read, group=group, detail=detail)

    def _sort(self, request: ClipRequest, delivery: Delivery) -> tuple[Verdict, str]:
        clip = self.clips.find(request.name, delivery.deadline_s)
        manifest = self.clips.read_manifest(request.name, delivery.deadline_s)
        match decide_existing(request, delivery, clip, manifest, self.rules.function_timeout_ms):
            case Announced():
                return Verdict.DONE, ""
            case NameTaken():
                return Verdict.TAKEN, ""
            case Absent():
                return self._predict(request, delivery)
            case _:
                return Verdict.UNTOLD, ""

    def _predict(self, request: ClipRequest, delivery: Delivery) -> tuple[Verdict, str]:
        policy = self.rules.policy
        refused = decide_from_request(policy, request, delivery)
        if refused:
            return Verdict.ENDS, refused.status.value
        try:
            listed = self.cameras.find_segments(
                request.camera_id, request.window, delivery.deadline_s
            )
        except Rejected:
            return Verdict.ENDS, f"{ClipStatus.FATAL_ERROR.value} (unknown camera)"
        coverage = plan_clip(request.window, listed, self.rules.seam_tolerance_ms).coverage
        match decide_retry(policy, request, delivery, coverage):
            case Reject(status):
                return Verdict.ENDS, f"{status.value} (there is no footage)"
            case _:
                return Verdict.FAILED, ""


@frozen
class Selection:
    """Which letters are moved."""

    all_groups: bool = False
    clip_ids: frozenset[str] = frozenset()
    limit: int | None = None

    def __call__(self, letters: Iterable[TriagedLetter]) -> list[TriagedLetter]:
        """Choose, the first asked for first."""
        by_age = sorted(letters, key=lambda letter: letter.first_seen_ms)
        return [letter for letter in by_age if self._wants(letter)][: self.limit]

    def _wants(self, letter: TriagedLetter) -> bool:
        if self.clip_ids:
            return letter.clip_id in self.clip_ids
        return self.all_groups or letter.group in RETRYABLE
