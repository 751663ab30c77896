"""The process of a slot: both ends of it.

It reads a message a line from its standard input and writes an answer a line to a pipe. The log is
its standard output, as in Lambda. When the input ends, its parent is gone, and it ends at once,
whatever it is doing: nobody would keep the message hidden.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, NoReturn

from attrs import define, field

from entrypoints.lambda_context import HandlerContext
from entrypoints.worker.decisions import Answer
from entrypoints.worker.log import all_in_json

READY, DONE, FAILED = b"ready", b"done", b"failed"


@define
class Child:
    """A slot's process, seen from the worker. Used by one thread."""

    environ: Mapping[str, str] = field(repr=False)
    is_ready: bool = False
    _process: "subprocess.Popen[bytes] | None" = None
    _answers: int = -1

    def start(self) -> None:
        """Start the process, which will be ready a moment later; OSError if that cannot be."""
        self.end()
        answers, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "entrypoints.worker", "--slot", str(theirs)],
                stdin=subprocess.PIPE,
                pass_fds=[theirs],
                env={**self.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                start_new_session=True,  # a Ctrl-C at the terminal is the worker's alone
            )
        except OSError:
            os.close(answers)
            raise
        finally:
            os.close(theirs)
        self._answers = answers

    @property
    def pid(self) -> int | None:
        """The process's id, if there is one."""
        return self._process.pid if self._process else None

    def is_alive(self) -> bool:
        """Tell whether there is a process."""
        return self._process is not None and self._process.poll() is None

    def await_ready(self, seconds: float) -> bool:
        """Wait until the process takes messages; False if it has died or is not ready yet."""
        if not self.is_ready:
            self.is_ready = self._read(seconds) == READY
        return self.is_ready

    def hand(self, record: Mapping[str, Any], left_s: float) -> None:
        """Hand a message over, to be handled within `left_s`."""
        assert self._process  # noqa: S101 - it was ready
        assert self._process.stdin  # noqa: S101
        line = json.dumps({"record": record, "left_s": left_s}).encode() + b"\n"
        with suppress(BrokenPipeError):  # it has died: the answer says so
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def answer(self, seconds: float) -> Answer:
        """Wait for the answer."""
        match self._read(seconds):
            case None:
                return Answer.NONE
            case word if word == DONE:
                return Answer.DONE
            case word if word == FAILED:
                return Answer.FAILED
            case _:
                return Answer.DIED

    def end(self) -> None:
        """Kill the process, if there is one, and wait until it is gone. Its ffmpegs go with it."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        os.close(self._answers)
        self._process, self._answers, self.is_ready = None, -1, False

    def kill(self) -> None:
        """Kill the process from another thread than the one that uses it, as the last thing."""
        process = self._process
        if process:
            process.kill()
            process.wait()

    def _read(self, seconds: float) -> bytes | None:
        """Return a word, None if none came in time, b"" if none will."""
        if not select.select([self._answers], [], [], seconds)[0]:
            return None
        return os.read(self._answers, 64).strip()


def serve(answers: int) -> NoReturn:
    """Be the process: handle messages until the input ends, answering to the pipe `answers`."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # Whoever signals all processes at once means the worker. Ignored, ffmpeg would inherit it.
        signal.signal(number, lambda *_: None)
    messages: SimpleQueue[dict[str, Any]] = SimpleQueue()
    Thread(target=_listen, args=(messages,), daemon=True).start()
    from entrypoints.aws_lambda import handler, logger  # noqa: PLC0415 - it reads the environment

    all_in_json(logger)
    os.write(answers, READY + b"\n")
    while True:
        message = messages.get()
        failed = True
        try:
            context = HandlerContext(
                time.monotonic() + message["left_s"], message["record"]["messageId"]
            )
            answer = handler({"Records": [message["record"]]}, context)  # type: ignore[arg-type]
            failed = bool(answer["batchItemFailures"])
        except Exception:  # noqa: BLE001 - told, and the message comes back, as in Lambda
            logger.exception("the handler failed")
        sys.stdout.flush()
        os.write(answers, (FAILED if failed else DONE) + b"\n")


def _listen(messages: "SimpleQueue[dict[str, Any]]") -> None:
    for line in sys.stdin.buffer:
        messages.put(json.loads(line))
    os._exit(0)
