"""What dead letters are: read, looked at as a delivery would look, and sorted."""

import time
from collections.abc import Iterable
from enum import Enum

from attrs import evolve, frozen

from application.ports import CameraService, ClipStore
from domain.clip import Attempt, BrokenRequest, ClipRequest, ClipStatus
from domain.errors import ClipError, Nameless, Refused
from domain.planning import plan_clip
from domain.retry import Refuse, decide_retry, decide_unseen, first_seen_ms
from domain.standing import Absent, Finished, Taken, decide_standing
from entrypoints.settings import Rules
from infrastructure.sqs import Letter
from infrastructure.wire import message_body, read_message

ASK_S = 20


class Group(Enum):
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
        return list(Group).index(self)


WORTH_IT = (Group.FAILED, Group.UNTOLD)


@frozen
class Sorted:
    """A letter, what it is, and as what it would be sent."""

    letter: Letter
    group: Group
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
class Sorter:
    """Sorts letters by what would become of them."""

    clips: ClipStore
    cameras: CameraService
    rules: Rules

    def __call__(self, letter: Letter, now_ms: int) -> Sorted:
        """Read the letter, and look at the stores as a delivery of it would; changes nothing."""
        unread = Sorted(letter, Group.BROKEN, letter.body, letter.sent_ms)
        try:
            request = read_message(letter.body, letter.sent_ms)
        except Nameless:
            return evolve(unread, detail="(it names no clip)")
        if isinstance(request, BrokenRequest):
            return evolve(unread, clip_id=request.clip_id, detail=f"({request.reason.rstrip('.')})")
        again = request.retried(letter.sent_ms)
        attempt = Attempt(letter.message_id, now_ms, now_ms, time.monotonic() + ASK_S)
        read = evolve(
            unread,
            body=message_body(again),
            first_seen_ms=first_seen_ms(again, attempt),
            clip_id=request.clip_id,
        )
        try:
            group, detail = self._sort(again, attempt)
        except ClipError as error:
            return evolve(read, group=Group.UNKNOWN, fault=str(error))
        return evolve(read, group=group, detail=detail)

    def _sort(self, request: ClipRequest, attempt: Attempt) -> tuple[Group, str]:
        clip = self.clips.find(request.name, attempt.deadline_s)
        manifest = self.clips.read_manifest(request.name, attempt.deadline_s)
        match decide_standing(request, attempt, clip, manifest, self.rules.function_timeout_ms):
            case Finished():
                return Group.DONE, ""
            case Taken():
                return Group.TAKEN, ""
            case Absent():
                return self._foretell(request, attempt)
            case _:
                return Group.UNTOLD, ""

    def _foretell(self, request: ClipRequest, attempt: Attempt) -> tuple[Group, str]:
        policy = self.rules.policy
        refused = decide_unseen(policy, request, attempt)
        if refused:
            return Group.ENDS, refused.status.value
        try:
            listed = self.cameras.find_segments(
                request.camera_id, request.window, attempt.deadline_s
            )
        except Refused:
            return Group.ENDS, f"{ClipStatus.FATAL_ERROR.value} (unknown camera)"
        coverage = plan_clip(request.window, listed, self.rules.seam_tolerance_ms).coverage
        match decide_retry(policy, request, attempt, coverage):
            case Refuse(status):
                return Group.ENDS, f"{status.value} (there is no footage)"
            case _:
                return Group.FAILED, ""


@frozen
class Selection:
    """Which letters are moved."""

    all_groups: bool = False
    clip_ids: frozenset[str] = frozenset()
    limit: int | None = None

    def __call__(self, letters: Iterable[Sorted]) -> list[Sorted]:
        """Choose, the first asked for first."""
        by_age = sorted(letters, key=lambda letter: letter.first_seen_ms)
        return [letter for letter in by_age if self._wants(letter)][: self.limit]

    def _wants(self, letter: Sorted) -> bool:
        if self.clip_ids:
            return letter.clip_id in self.clip_ids
        return self.all_groups or letter.group in WORTH_IT
