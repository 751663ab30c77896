"""A slot: takes a message when it is free, has its process work on it, and settles it."""

import random
import time
from threading import Thread

from attrs import define, field, frozen
from aws_lambda_powertools import Logger

from domain.errors import ClipError
from entrypoints.worker.child import Child
from entrypoints.worker.decisions import (
    Answer,
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
from entrypoints.worker.inbox import LeaseLost, ReceivedMessage, SqsConsumer
from entrypoints.worker.log import FailureLog

TICK_S = 0.2
"""How often a slot looks at whether the worker is to stop."""
CALL_S = 5.0
"""How long one call to SQS that keeps, deletes or gives back may take."""
START_S = 60.0
"""How long a process may take to be ready."""
SLACK_S = 15.0
"""What a step may take beyond its own bound before the slot counts as stuck."""


@define
class StopSignal:
    """What the main thread has told the slots: a plain value, so a signal handler may set it."""

    stopping: Stopping = Stopping.NOT


@frozen
class SlotConfig:
    """What holds for every message."""

    timeout_s: float
    """FUNCTION_TIMEOUT."""
    max_receive_count: int
    backoff_base_s: int


@define(eq=False)
class Slot:
    """One message at a time. `run` is its thread; the rest is for the main thread to look at."""

    number: int
    inbox: SqsConsumer
    child: Child
    terms: SlotConfig
    orders: StopSignal
    logger: Logger
    sqs: FailureLog
    """Shared by all slots: they speak to one queue."""
    starting: FailureLog
    holds: ReceivedMessage | None = None
    due_s: float = field(factory=lambda: time.monotonic() + SLACK_S)
    """When it will have given another sign of life, unless it is stuck."""
    thread: Thread = field(init=False)
    _failures: int = 0

    def __attrs_post_init__(self) -> None:
        self.thread = Thread(target=self.run, name=f"slot-{self.number}", daemon=True)

    def run(self) -> None:
        """Take and work on messages until the worker stops."""
        try:
            while self.orders.stopping is Stopping.NOT:
                taken = self._receive() if self._is_ready() else None
                if taken:
                    self.holds = taken
                    self._work(taken)
                    self.holds = None
        except Exception:
            self.logger.exception("a slot failed", extra={"slot": self.number})
        finally:
            self.child.end()

    def _is_ready(self) -> bool:
        """See to it that there is a process that takes messages; False when to look again."""
        if self.child.is_alive() and self.child.is_ready:
            return True
        try:
            self.child.start()
        except OSError as error:
            self._pause(self.starting, error.strerror)
            return False
        ends_s = time.monotonic() + START_S
        while self.orders.stopping is Stopping.NOT and time.monotonic() < ends_s:
            self._sign(TICK_S)
            if self.child.await_ready(TICK_S):
                self.starting.over()
                about = {"slot": self.number, "pid": self.child.pid}
                self.logger.info("a slot is ready", extra=about)
                return True
            if not self.child.is_alive():
                break
        self.child.end()
        self._pause(self.starting, "It ended, or was not ready in time.")
        return False

    def _receive(self) -> ReceivedMessage | None:
        self._sign(self.inbox.longest_receive_s)
        try:
            taken = self.inbox.receive()
        except ClipError as error:
            self._pause(self.sqs, error)
            return None
        self.sqs.over()
        self._failures = 0
        return taken

    def _work(self, taken: ReceivedMessage) -> None:
        """Have the message worked on and settle it."""
        began_s = time.monotonic()
        if self.orders.stopping is not Stopping.NOT:  # it came with the last poll
            self._settle(taken, WorkOutcome.STOPPED)
            return
        try:
            self._sign(CALL_S)
            # Nobody knows when within the poll it was hidden: from now on, we do.
            lease = self.inbox.hide(taken, began_s + min(CALL_S, self.inbox.visibility_s))
        except ClipError as error:
            self._tell(taken, "a message could not be kept and is left", error)
            return
        timeout_s = began_s + self.terms.timeout_s
        self.child.hand(taken.record, timeout_s - time.monotonic())
        outcome = self._watch(taken, lease, timeout_s)
        if outcome not in {WorkOutcome.DONE, WorkOutcome.FAILED}:
            self.child.end()  # before anybody else may take the message
            self._tell(taken, "a message was not finished", outcome.value)
        self._settle(taken, outcome)

    def _watch(self, taken: ReceivedMessage, lease: Lease, timeout_s: float) -> WorkOutcome:
        """Keep the message hidden until the work on it has ended, or must end."""
        answer, trying_s = Answer.NONE, 0.0
        while True:
            now_s = time.monotonic()
            step = next_step(now_s, timeout_s, lease, answer, self.orders.stopping)
            if isinstance(step, WorkOutcome):
                return step
            self._sign(CALL_S)
            if step is Step.EXTEND and now_s >= trying_s:
                try:
                    lease = self.inbox.hide(taken, min(now_s + CALL_S, lease.end_s, timeout_s))
                except LeaseLost:
                    return WorkOutcome.LAPSED
                except ClipError as error:
                    self.sqs.began(error)
                    trying_s = time.monotonic() + self.inbox.visibility_s / 12
                else:
                    self.sqs.over()
            answer = self.child.answer(TICK_S)

    def _settle(self, taken: ReceivedMessage, outcome: WorkOutcome) -> None:
        terms = self.terms
        what = settlement(
            outcome, taken.receive_count, terms.max_receive_count, terms.backoff_base_s
        )
        until_s = time.monotonic() + CALL_S
        self._sign(CALL_S)
        try:
            match what:
                case Delete():
                    self.inbox.delete(taken, until_s)
                case Redeliver(redelivery_backoff_s):
                    self.inbox.rest(taken, redelivery_backoff_s, until_s)
                case Leave():
                    pass
        except ClipError as error:
            # Nothing is lost: it comes back by itself, and a finished one is seen to be finished.
            self._tell(taken, f"a message could not be settled ({outcome.name.lower()})", error)

    def _pause(self, trouble: FailureLog, fault: object) -> None:
        """Wait before another try: longer each time, and not at all when the worker stops."""
        if self.orders.stopping is not Stopping.NOT:
            return
        trouble.began(fault)
        self._failures += 1
        ends_s = time.monotonic() + backoff_s(self._failures, random.random())  # noqa: S311
        while self.orders.stopping is Stopping.NOT and time.monotonic() < ends_s:
            self._sign(TICK_S)
            time.sleep(TICK_S)

    def _sign(self, seconds: float) -> None:
        """Give a sign of life; the next one comes within `seconds`."""
        self.due_s = time.monotonic() + seconds + SLACK_S

    def _tell(self, taken: ReceivedMessage, what: str, fault: object) -> None:
        about = {"messageId": taken.message_id, "attempt": taken.receive_count}
        self.logger.warning(what, extra={**about, "fault": str(fault)})
