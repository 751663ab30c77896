"""The process of a slot: both ends of it.

It reads one message per line from its standard input and writes one response per line to a pipe:
how it ended, and the figures of its log line as JSON.
It logs to its standard output, as in Lambda. When its input ends, the worker has died, and the
process ends at once, because no one extends the message's lease any more.
"""

import json
import logging
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
from entrypoints.log_line import METRIC_UNITS
from entrypoints.worker.decisions import ChildResponse
from entrypoints.worker.log import log_all_as_json

READY, DONE, FAILED = b"ready", b"done", b"failed"
FIGURES = ("status", "error", *METRIC_UNITS)
"""The members of a log line that the worker counts."""
RESPONSES = {
    DONE: ChildResponse.DONE,
    FAILED: ChildResponse.FAILED,
}


@define
class Child:
    """A slot's process, as the worker uses it: from one thread."""

    environ: Mapping[str, str] = field(repr=False)
    is_ready: bool = False
    figures: Mapping[str, object] = field(factory=dict)
    """Those of the last message; none if its process died."""
    _process: "subprocess.Popen[bytes] | None" = None
    _responses: int = -1

    def start(self) -> None:
        """Start the process, which becomes ready later; OSError if it cannot be started."""
        self.end()
        responses, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "entrypoints.worker", "--slot", str(theirs)],
                stdin=subprocess.PIPE,
                pass_fds=[theirs],
                env={**self.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                start_new_session=True,  # Ctrl-C at the terminal signals only the worker
            )
        except OSError:
            os.close(responses)
            raise
        finally:
            os.close(theirs)
        self._responses = responses

    @property
    def pid(self) -> int | None:
        """The process's id, if there is one."""
        return self._process.pid if self._process else None

    def is_alive(self) -> bool:
        """Return whether there is a process."""
        return self._process is not None and self._process.poll() is None

    def await_ready(self, seconds: float) -> bool:
        """Wait until the process accepts messages; False if it has died or is not ready yet."""
        if not self.is_ready:
            self.is_ready = self._read(seconds) == READY
        return self.is_ready

    def send(self, record: Mapping[str, Any], left_s: float) -> None:
        """Send a message to the process, to be handled within `left_s`."""
        self.figures = {}
        assert self._process  # noqa: S101 - it was ready
        assert self._process.stdin  # noqa: S101
        line = json.dumps({"record": record, "left_s": left_s}).encode() + b"\n"
        with suppress(BrokenPipeError):  # it has died: the response says so
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def response(self, seconds: float) -> ChildResponse:
        """Wait for the response, and keep its figures."""
        line = self._read(seconds)
        if line is None:
            return ChildResponse.NONE
        word, _, figures = line.partition(b" ")
        self.figures = json.loads(figures) if word in RESPONSES else {}
        return RESPONSES.get(word, ChildResponse.DIED)

    def end(self) -> None:
        """Kill the process, if there is one, and wait for its end. Its ffmpegs end with it."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        os.close(self._responses)
        self._process, self._responses, self.is_ready = None, -1, False

    def kill(self) -> None:
        """Kill the process from another thread than the one that uses it, as the last call."""
        process = self._process
        if process:
            process.kill()
            process.wait()

    def _read(self, seconds: float) -> bytes | None:
        """Return a line, None if none came in time, b"" if none will."""
        if not select.select([self._responses], [], [], seconds)[0]:
            return None
        line = b""
        while not line.endswith(b"\n") and (more := os.read(self._responses, 4096)):
            line += more
        return line.strip()


class _LastFigures(logging.Handler):
    """Keeps the figures of the last message's log line."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: dict[str, object] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what the record says of a message."""
        members = vars(record)
        if "status" in members:
            self.figures = {name: members[name] for name in FIGURES if name in members}

    def taken(self) -> bytes:
        """Return the figures as JSON, once."""
        figures, self.figures = self.figures, {}
        return json.dumps(figures).encode()


def serve(responses: int) -> NoReturn:
    """Handle messages until the input ends, responding to the pipe `responses`."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # A signal to all processes is for the worker. Were it ignored, ffmpeg would inherit that.
        signal.signal(number, lambda *_: None)
    messages: SimpleQueue[dict[str, Any]] = SimpleQueue()
    Thread(target=_listen, args=(messages,), daemon=True).start()
    from entrypoints.aws_lambda import handler, logger  # noqa: PLC0415 - it reads the environment

    log_all_as_json(logger)
    last = _LastFigures()
    logging.getLogger(logger.name).addHandler(last)
    os.write(responses, READY + b"\n")
    while True:
        message = messages.get()
        failed = True
        try:
            context = HandlerContext(
                time.monotonic() + message["left_s"], message["record"]["messageId"]
            )
            response = handler({"Records": [message["record"]]}, context)  # type: ignore[arg-type]
            failed = bool(response["batchItemFailures"])
        except Exception:  # noqa: BLE001 - logged, and the message is redelivered, as in Lambda
            logger.exception("the handler failed")
        sys.stdout.flush()
        os.write(responses, b"%b %b\n" % (FAILED if failed else DONE, last.taken()))


def _listen(messages: "SimpleQueue[dict[str, Any]]") -> None:
    for line in sys.stdin.buffer:
        messages.put(json.loads(line))
    os._exit(0)
