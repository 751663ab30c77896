"""The worker's main thread: starts the slots, looks after them, and ends them."""

import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, field
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError

from domain.errors import ClipError
from entrypoints.settings import InvalidSettings, read_worker_settings
from entrypoints.worker.child import Child
from entrypoints.worker.decisions import Stopping
from entrypoints.worker.health import tell_systemd
from entrypoints.worker.inbox import open_inbox
from entrypoints.worker.log import FailureLog, all_in_json
from entrypoints.worker.slot import CALL_S, Slot, SlotConfig, StopSignal
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.scratch import sweep

LOOK_S = 0.25
SIGN_EVERY_S = 1.0
GIVE_BACK_S = 2 * CALL_S + 2
"""How long ending the processes and giving their messages back may take."""

USAGE = 2


@define
class Worker:
    """N slots, and what is told to the outside about them."""

    slots: Sequence[Slot]
    orders: StopSignal
    grace_s: float
    health: Path | None
    logger: Logger
    _signals: int = 0
    _signed_s: float = 0.0
    _trouble: FailureLog = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._trouble = FailureLog(self.logger, "the health file")

    def run(self) -> int:
        """Work until a signal, or until a slot fails; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        for slot in self.slots:
            slot.thread.start()
        tell_systemd("READY=1")
        while not self._signals and all(slot.thread.is_alive() for slot in self.slots):
            self._look()
        failed = not self._signals
        self._finish()
        if self.health:
            self.health.unlink(missing_ok=True)
        return 1 if failed else 0

    def _finish(self) -> None:
        """Let the slots finish what they have in hand, or give it back."""
        self.orders.stopping = Stopping.FINISHING
        tell_systemd("STOPPING=1")
        held = [slot.holds.message_id for slot in self.slots if slot.holds]
        self.logger.info("stopping", extra={"inHand": held, "graceInSeconds": self.grace_s})
        ends_s = time.monotonic() + self.grace_s
        while self._are_at_work() and self._signals < 2 and time.monotonic() < ends_s:  # noqa: PLR2004
            self._look()
        self.orders.stopping = Stopping.NOW
        ends_s = time.monotonic() + GIVE_BACK_S
        # A poll cannot be called off: what it may still bring comes back by itself.
        while any(slot.holds for slot in self.slots) and time.monotonic() < ends_s:
            self._look()
        for slot in self.slots:
            slot.child.kill()
        self.logger.info("stopped")

    def _are_at_work(self) -> bool:
        return any(slot.thread.is_alive() for slot in self.slots)

    def _look(self) -> None:
        """Pass a moment; tell the outside that all slots are alive, if they are."""
        time.sleep(LOOK_S)
        now_s = time.monotonic()
        stuck = any(slot.thread.is_alive() and now_s > slot.due_s for slot in self.slots)
        if stuck or now_s < self._signed_s + SIGN_EVERY_S:
            return
        self._signed_s = now_s
        tell_systemd("WATCHDOG=1")
        if self.health:
            try:
                self.health.touch()
            except OSError as error:
                self._trouble.began(error.strerror)
            else:
                self._trouble.over()

    def _on_signal(self, *_: object) -> None:
        self._signals += 1


def run(environ: Mapping[str, str]) -> int:
    """Be the worker until a signal; return the exit code. `environ` is the processes' too."""
    try:
        settings, own = read_worker_settings(environ)
        find_ffmpeg(environ)  # the slots' processes look for it too, one by one
        url = settings.aws.queue_url
        inbox = open_inbox(url, own.poll_s, own.visibility_s, own.slots)
        if own.health_file:
            own.health_file.touch()
    except (InvalidSettings, ClipError, BotoCoreError) as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except OSError as error:
        sys.stderr.write(f"WORKER_HEALTH_FILE={own.health_file} cannot be written: {error}\n")
        return USAGE
    logger = Logger("camclip", level=settings.clips.log_level)
    all_in_json(logger)
    clips, orders = settings.clips, StopSignal()
    config = SlotConfig(clips.function_timeout_s, clips.max_receive_count, clips.backoff_base_s)
    sqs, starting = FailureLog(logger, "SQS"), FailureLog(logger, "starting a slot's process")
    slots = [
        Slot(number, inbox, Child(environ), config, orders, logger, sqs, starting)
        for number in range(own.slots)
    ]
    logger.info("working", extra={"slots": own.slots, "visibilityInSeconds": own.visibility_s})
    code = Worker(slots, orders, own.grace_s, own.health_file, logger).run()
    sweep(settings.aws.scratch)
    sys.stdout.flush()
    return code
