"""A slot: receives a message when it is free, has its process handle it, and settles it."""

import random
import time
from collections.abc import Callable, Mapping
from threading import Thread

from attrs import define, field, frozen
from aws_lambda_powertools import Logger

from domain.errors import ClipError
from entrypoints.worker.child import Child
from entrypoints.worker.decisions import (
    ChildResponse,
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
from entrypoints.worker.log import FailureLog
from infrastructure.sqs.consumer import ReceivedMessage, SqsConsumer
from infrastructure.sqs.queue import LeaseLost

TICK_S = 0.2
"""How often a slot checks whether the worker is to stop."""
CALL_S = 5.0
"""How long one call to SQS that extends, deletes or releases may take."""
START_S = 60.0
"""How long a process may take to become ready."""
STUCK_S = 15.0
"""What a step may take beyond its own limit before the slot counts as stuck."""


@define
class StopSignal:
    """The main thread's order to the slots: a plain value, so a signal handler may set it."""

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
    """One message at a time. `run` is its thread; the main thread reads the other attributes."""

    number: int
    consumer: SqsConsumer
    child: Child
    config: SlotConfig
    stop: StopSignal
    logger: Logger
    sqs_failures: FailureLog
    """Shared by all slots: they use one queue."""
    start_failures: FailureLog
    on_handled: Callable[[WorkOutcome, Mapping[str, object]], None] = lambda *_: None
    """Called with how the work on each message ended, and the figures of its log line."""
    in_flight: ReceivedMessage | None = None
    heartbeat_due_s: float = field(factory=lambda: time.monotonic() + STUCK_S)
    """When its next heartbeat is due; later, it is stuck."""
    thread: Thread = field(init=False)
    _failures: int = 0

    def __attrs_post_init__(self) -> None:
        self.thread = Thread(target=self.run, name=f"slot-{self.number}", daemon=True)

    def run(self) -> None:
        """Receive and handle messages until the worker stops."""
        try:
            while self.stop.stopping is Stopping.NOT:
                message = self._receive() if self._is_ready() else None
                if message:
                    self.in_flight = message
                    self._handle(message)
                    self.in_flight = None
        except Exception:
            self.logger.exception("a slot failed", extra={"slot": self.number})
        finally:
            self.child.end()

    def _is_ready(self) -> bool:
        """Return whether there is a ready process, after starting one if needed."""
        if self.child.is_alive() and self.child.is_ready:
            return True
        try:
            self.child.start()
        except OSError as error:
            self._back_off(self.start_failures, error.strerror)
            return False
        ends_s = time.monotonic() + START_S
        while self.stop.stopping is Stopping.NOT and time.monotonic() < ends_s:
            self._beat(TICK_S)
            if self.child.await_ready(TICK_S):
                self.start_failures.succeeded()
                extra = {"slot": self.number, "pid": self.child.pid}
                self.logger.info("a slot is ready", extra=extra)
                return True
            if not self.child.is_alive():
                break
        self.child.end()
        self._back_off(self.start_failures, "It ended, or was not ready in time.")
        return False

    def _receive(self) -> ReceivedMessage | None:
        self._beat(self.consumer.max_receive_s)
        try:
            message = self.consumer.receive()
        except ClipError as error:
            self._back_off(self.sqs_failures, error)
            return None
        self.sqs_failures.succeeded()
        self._failures = 0
        return message

    def _handle(self, message: ReceivedMessage) -> None:
        """Send the message to the process that handles it, then settle it."""
        began_s = time.monotonic()
        if self.stop.stopping is not Stopping.NOT:  # it came with the last poll
            self._settle(message, WorkOutcome.STOPPED)
            return
        try:
            self._beat(CALL_S)
            # The poll does not say when it hid the message; extending starts a known lease.
            deadline_s = began_s + min(CALL_S, self.consumer.visibility_s)
            lease = self._extended(message, deadline_s)
        except ClipError as error:
            self._warn(message, "a message's lease could not be extended", error)
            return
        timeout_s = began_s + self.config.timeout_s
        self.child.send(message.record, timeout_s - time.monotonic())
        outcome = self._watch(message, lease, timeout_s)
        self.on_handled(outcome, self.child.figures)
        if outcome not in {WorkOutcome.DONE, WorkOutcome.FAILED}:
            self.child.end()  # before another consumer can receive the message
            self._warn(message, "a message was not finished", outcome.value)
        self._settle(message, outcome)

    def _extended(self, message: ReceivedMessage, deadline_s: float) -> Lease:
        requested_s = time.monotonic()
        self.consumer.extend(message, deadline_s)
        return Lease(requested_s, self.consumer.visibility_s)

    def _watch(self, message: ReceivedMessage, lease: Lease, timeout_s: float) -> WorkOutcome:
        """Extend the lease until the work has ended, or must end."""
        response, retry_s = ChildResponse.NONE, 0.0
        while True:
            now_s = time.monotonic()
            step = next_step(now_s, timeout_s, lease, response, self.stop.stopping)
            if isinstance(step, WorkOutcome):
                return step
            self._beat(CALL_S)
            if step is Step.EXTEND and now_s >= retry_s:
                try:
                    lease = self._extended(message, min(now_s + CALL_S, lease.end_s, timeout_s))
                except LeaseLost:
                    return WorkOutcome.LAPSED
                except ClipError as error:
                    self.sqs_failures.failed(error)
                    retry_s = time.monotonic() + self.consumer.visibility_s / 12
                else:
                    self.sqs_failures.succeeded()
            response = self.child.response(TICK_S)

    def _settle(self, message: ReceivedMessage, outcome: WorkOutcome) -> None:
        config = self.config
        deadline_s = time.monotonic() + CALL_S
        self._beat(CALL_S)
        try:
            match settlement(
                outcome, message.receive_count, config.max_receive_count, config.backoff_base_s
            ):
                case Delete():
                    self.consumer.delete(message, deadline_s)
                case Redeliver(delay_s):
                    self.consumer.delay(message, delay_s, deadline_s)
                case Leave():
                    pass
        except ClipError as error:
            # The message becomes visible again by itself; a finished one is recognized as such.
            what = f"a message could not be settled ({outcome.name.lower()})"
            self._warn(message, what, error)

    def _back_off(self, log: FailureLog, fault: object) -> None:
        """Pause before a retry: longer each time, and not at all when the worker is stopping."""
        if self.stop.stopping is not Stopping.NOT:
            return
        log.failed(fault)
        self._failures += 1
        ends_s = time.monotonic() + backoff_s(self._failures, random.random())  # noqa: S311 - jitter
        while self.stop.stopping is Stopping.NOT and time.monotonic() < ends_s:
            self._beat(TICK_S)
            time.sleep(TICK_S)

    def _beat(self, seconds: float) -> None:
        """Set when the next heartbeat is due: `seconds` from now, and STUCK_S more."""
        self.heartbeat_due_s = time.monotonic() + seconds + STUCK_S

    def _warn(self, message: ReceivedMessage, what: str, fault: object) -> None:
        extra = {"messageId": message.message_id, "attempt": message.receive_count}
        self.logger.warning(what, extra={**extra, "fault": str(fault)})
