"""Looks for the manifests of clips that were requested from here, later and later."""

import logging
import time

from attrs import Factory, define, field

from domain.clip import ClipName
from domain.errors import ClipError
from entrypoints.cli.times import now_ms
from entrypoints.serve.aws.awaited import MIN_INTERVAL_S, interval_s
from entrypoints.serve.aws.clips import AwsClips
from entrypoints.serve.background import Background
from infrastructure.folder.sent_requests import SentRequest
from infrastructure.s3.manifests import NoManifest

IDLE_S = 60.0
FAILED_S = 10.0
"""How long nothing is looked for after S3 has failed."""

logger = logging.getLogger(__name__)


@define
class Watcher:
    """The thread that looks."""

    clips: AwsClips
    _due_s: dict[ClipName, float] = field(factory=dict)
    """When a clip is looked for next, on the monotonic clock."""
    _thread: Background = field(
        init=False, default=Factory(lambda self: Background("watcher", self._step), takes_self=True)
    )

    def start(self) -> None:
        """Begin; clips that earlier processes requested are looked for at once."""
        self._thread.start()

    def wake(self) -> None:
        """Note that there may be another clip to look for."""
        self._thread.wake()

    def stop(self, within_s: float) -> bool:
        """End after the clip that is being looked for; return whether it was done in time."""
        return self._thread.stop(within_s)

    def _step(self) -> float:
        try:
            return self._look()
        except ClipError as error:
            logger.warning("Clips cannot be looked for: %s", error)
        except Exception:
            logger.exception("Clips cannot be looked for.")
        return FAILED_S

    def _look(self) -> float:
        """Find the clips that are due; return after how many seconds the next one is."""
        waiting = self.clips.sent.waiting()
        due_s: dict[ClipName, float] = {}
        for sent in waiting:
            name, age_s = sent.request.name, (now_ms() - sent.sent_at_ms) / 1000
            at_s = self._due_s.get(name, time.monotonic() + max(0, MIN_INTERVAL_S - age_s))
            if not self._thread.is_ending and at_s <= time.monotonic():
                if self._is_done(sent):
                    continue
                at_s = time.monotonic() + interval_s(age_s)
            due_s[name] = at_s
        self._due_s = due_s
        return max(0, min(due_s.values()) - time.monotonic()) if due_s else IDLE_S

    def _is_done(self, sent: SentRequest) -> bool:
        try:
            return self.clips.look_up(sent)
        except NoManifest as error:  # which says nothing of the other clips
            logger.warning("A clip cannot be looked for: %s", error)
            return False
