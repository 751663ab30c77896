"""The worker's main thread: starts the slots, supervises them, and stops them."""

import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, field
from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError

from domain.errors import ClipError
from entrypoints.settings import InvalidSettings, read_worker_settings, with_new_defaults
from entrypoints.worker.child import Child
from entrypoints.worker.decisions import Stopping
from entrypoints.worker.health import notify_systemd
from entrypoints.worker.log import FailureLog, log_all_as_json
from entrypoints.worker.metrics import Metrics
from entrypoints.worker.slot import CALL_S, Slot, SlotConfig, StopSignal
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.scratch import sweep
from infrastructure.sqs.consumer import open_consumer

CHECK_S = 0.25
HEARTBEAT_S = 1.0
RELEASE_S = 2 * CALL_S + 2
"""How long ending the processes and releasing their messages may take."""
USAGE = 2


@define
class Supervisor:
    """N slots, and what is reported about them."""

    slots: Sequence[Slot]
    stop: StopSignal
    grace_s: float
    health_file: Path | None
    logger: Logger
    _signals: int = 0
    _beat_s: float = 0.0
    _file_failures: FailureLog = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._file_failures = FailureLog(self.logger, "the health file")

    def run(self) -> int:
        """Work until a signal, or until a slot fails; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        for slot in self.slots:
            slot.thread.start()
        notify_systemd("READY=1")
        while not self._signals and all(slot.thread.is_alive() for slot in self.slots):
            self._check()
        has_failed = not self._signals
        self._finish()
        if self.health_file:
            self.health_file.unlink(missing_ok=True)
        return 1 if has_failed else 0

    def _finish(self) -> None:
        """Wait until the slots have finished their messages in flight, or release them."""
        self.stop.stopping = Stopping.FINISHING
        notify_systemd("STOPPING=1")
        in_flight = [slot.in_flight.message_id for slot in self.slots if slot.in_flight]
        self.logger.info("stopping", extra={"inHand": in_flight, "graceInSeconds": self.grace_s})
        ends_s = time.monotonic() + self.grace_s
        while self._are_alive() and self._signals < 2 and time.monotonic() < ends_s:  # noqa: PLR2004 - the second signal
            self._check()
        self.stop.stopping = Stopping.NOW
        ends_s = time.monotonic() + RELEASE_S
        # A poll cannot be cancelled: a message that it still receives becomes visible by itself.
        while any(slot.in_flight for slot in self.slots) and time.monotonic() < ends_s:
            self._check()
        for slot in self.slots:
            slot.child.kill()
        self.logger.info("stopped")

    def _are_alive(self) -> bool:
        return any(slot.thread.is_alive() for slot in self.slots)

    def _check(self) -> None:
        """Sleep briefly, then report health if every slot is responsive."""
        time.sleep(CHECK_S)
        now_s = time.monotonic()
        is_stuck = any(s.thread.is_alive() and now_s > s.heartbeat_due_s for s in self.slots)
        if is_stuck or now_s < self._beat_s + HEARTBEAT_S:
            return
        self._beat_s = now_s
        notify_systemd("WATCHDOG=1")
        if self.health_file:
            try:
                self.health_file.touch()
            except OSError as error:
                self._file_failures.failed(error.strerror)
            else:
                self._file_failures.succeeded()

    def _on_signal(self, *_: object) -> None:
        self._signals += 1


def run(environ: Mapping[str, str]) -> int:
    """Work until a signal; return the exit code. The slots' processes inherit `environ`."""
    environ = with_new_defaults(environ)
    try:
        settings, worker = read_worker_settings(environ)
        find_ffmpeg(environ)  # each slot's process looks for it, too
        url = settings.aws.queue_url
        consumer = open_consumer(url, worker.poll_s, worker.visibility_s, worker.slots)
        if worker.health_file:
            worker.health_file.touch()
    except (InvalidSettings, ClipError, BotoCoreError) as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except OSError as error:
        sys.stderr.write(f"WORKER_HEALTH_FILE={worker.health_file} cannot be written: {error}\n")
        return USAGE
    metrics = Metrics()
    if worker.metrics_port:
        try:
            metrics.serve(worker.metrics_port, worker.slots)
        except OSError as error:
            sys.stderr.write(f"WORKER_METRICS_PORT={worker.metrics_port}: {error.strerror}\n")
            return USAGE
    clips, stop = settings.clips, StopSignal()
    logger = Logger("camclip", level=clips.log_level)
    log_all_as_json(logger)
    config = SlotConfig(clips.function_timeout_s, clips.max_receive_count, clips.backoff_base_s)
    sqs, starting = FailureLog(logger, "SQS"), FailureLog(logger, "starting a slot's process")
    slots = [
        Slot(number, consumer, Child(environ), config, stop, logger, sqs, starting, metrics.observe)
        for number in range(worker.slots)
    ]
    extra = {"slots": worker.slots, "visibilityInSeconds": worker.visibility_s}
    logger.info("working", extra=extra)
    code = Supervisor(slots, stop, worker.grace_s, worker.health_file, logger).run()
    sweep(settings.aws.scratch)
    sys.stdout.flush()
    return code
