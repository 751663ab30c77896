"""Makes the queue's clips, one at a time, by the use case: as `camclip run` does.

A message is leased for 15 s at a time: if this process is killed, it is due again within that
time, and its clip is made then. A process that was only suspended for longer finds its message
received by another: the clip store keeps the one that is committed first.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread

from attrs import Factory, define, evolve, field

from domain.clip import ClipReport, ClipRequest, ClipStatus
from domain.errors import ClipDeleted, ClipError, NoClipId
from domain.retry import redelivery_backoff_s
from entrypoints.cli.sample_event import sqs_event
from entrypoints.cli.session import HANDLING_MS, Session
from entrypoints.cli.times import now_ms
from entrypoints.log_line import DeliveryOutcome
from entrypoints.serve.background import Background
from entrypoints.serve.known_clip import KnownClip, Phase
from entrypoints.serve.known_clips import KnownClips, failed
from entrypoints.timing import announced_calls
from infrastructure.folder.queue import QueuedMessage
from infrastructure.formats.messages import read_message

LEASE_MS = 15_000
EXTENDED_S = 4.0
IDLE_S = 1.0
"""How often the queue is looked at: other processes may write to it, too."""
BACKOFF_S = 10
"""The redelivery backoff after the first failure."""
PHASES: Mapping[str, Phase] = {
    "render_reporting": Phase.ENCODING,
    "render": Phase.ENCODING,
    "commit": Phase.STORING,
}
"""By the port's method that it begins with."""

logger = logging.getLogger(__name__)


@define
class Maker:
    """The thread that handles the queue."""

    session: Session
    known: KnownClips
    lease_ms: int = LEASE_MS
    extended_s: float = EXTENDED_S
    _current: KnownClip | None = None
    _thread: Background = field(
        init=False, default=Factory(lambda self: Background("maker", self._step), takes_self=True)
    )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Handle the queue now, rather than a little later."""
        self._thread.wake()

    def stop(self, within_s: float) -> bool:
        """End after the clip that is being made; return whether it was done in time."""
        return self._thread.stop(within_s)

    def on_progress(self, done: int, total: int) -> None:
        """Note how many frames of the clip are encoded."""
        if self._current:
            self._note(evolve(self._current, encoded_frames=done, frames_to_encode=total))

    def _step(self) -> float:
        try:
            return 0 if self._handle_next() else IDLE_S
        except Exception:
            logger.exception("The queue cannot be handled.")
            return IDLE_S

    def _handle_next(self) -> bool:
        """Handle the message that has been due the longest; return whether one was due."""
        with self.known.lock:
            message = self.session.queue.receive(self.lease_ms)
            if message is None:
                return False
            request = _request_in(message)
            self._current = None
            if request and not self.known.is_deleted(request):
                self._note(_begun(request))
        with self._leased(message) as lease:
            outcome = self._handle(message)
        with self.known.lock:
            self._settle(lease.message, request, outcome)
        return True

    def _handle(self, message: QueuedMessage) -> DeliveryOutcome | None:
        """Deliver a message; return its outcome, None if there was a fault before any."""
        event = sqs_event(
            message.body, message.sent_at_ms, message.message_id, message.receive_count
        )
        self.session.outcomes.clear()
        try:
            with announced_calls(self._on_call):
                self.session.service.handle_batch()(event, lambda: HANDLING_MS)
        except Exception:
            logger.exception("A message cannot be handled.")
        return next(iter(self.session.outcomes.values()), None)

    def _on_call(self, name: str) -> None:
        phase = PHASES.get(name)
        if phase and self._current and self._current.phase is not phase:
            self._note(evolve(self._current, phase=phase))

    def _note(self, known: KnownClip) -> None:
        self._current = known
        self.known.at_work(known)

    def _settle(
        self, message: QueuedMessage, request: ClipRequest | None, outcome: DeliveryOutcome | None
    ) -> None:
        """Delete the message, or make it due again; report how the clip ended."""
        self._current = None
        error = outcome.error if outcome else None
        report = outcome.result.report if outcome and outcome.result else None
        if report or isinstance(error, ClipDeleted):
            self.session.queue.delete(message)
            if request and report:
                self.known.ended(_ended(report))
            elif request:
                self.known.forget(request.name)
            return
        left = self.session.queue.max_receive_count - message.receive_count
        delay_s = redelivery_backoff_s(BACKOFF_S, message.receive_count, max(left, 0))
        self.session.queue.release(message, delay_s)
        fault = str(error) if isinstance(error, ClipError) else repr(error)
        logger.warning("Clip %s failed: %s", request.clip_id if request else "without id", fault)
        if request and left > 0:
            pending = ClipReport.of(
                request, ClipStatus.PENDING, reason=f"It failed, and is tried again: {fault}"
            )
            self.known.ended(KnownClip(pending, Phase.WAITING, now_ms()))
        elif request:
            self.known.ended(KnownClip(failed(request), Phase.DONE, now_ms()))

    @contextmanager
    def _leased(self, message: QueuedMessage) -> Iterator["_Lease"]:
        """Extend the message's visibility timeout while the block runs."""
        lease, is_over = _Lease(message), Event()

        def extend() -> None:
            while not is_over.wait(self.extended_s):
                with self.known.lock:
                    lease.extend(self.session, self.lease_ms)

        thread = Thread(target=extend, name="lease", daemon=True)
        thread.start()
        try:
            yield lease
        finally:
            is_over.set()
            thread.join()


@define
class _Lease:
    """A message, wherever extending its visibility timeout has moved it."""

    message: QueuedMessage

    def extend(self, session: Session, lease_ms: int) -> None:
        try:
            self.message = session.queue.extend(self.message, lease_ms)
        except OSError as error:
            logger.warning("A message's lease cannot be extended: %s", error)


def _request_in(message: QueuedMessage) -> ClipRequest | None:
    try:
        request = read_message(message.body, message.sent_at_ms)
    except NoClipId:
        return None
    return request if isinstance(request, ClipRequest) else None


def _begun(request: ClipRequest) -> KnownClip:
    report = ClipReport.of(request, ClipStatus.PENDING, reason="The clip is being made.")
    return KnownClip(report, Phase.READING, now_ms())


def _ended(report: ClipReport) -> KnownClip:
    phase = Phase.WAITING if report.status is ClipStatus.PENDING else Phase.DONE
    return KnownClip(report, phase, now_ms())
