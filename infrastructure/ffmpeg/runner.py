"""Run ffmpeg so that it can neither hang, flood, fork nor outlive us.

Each run has a process group of its own, which is killed when the run is over, however it ends. If
we are killed, the group's leader kills it: a shell that reads a pipe whose other end only we hold
(docs/decisions/0009-end-with-parent.md). If the leader is killed as well, `-timelimit` remains:
ffmpeg gets no more processor time than the deadline leaves.
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from math import ceil
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import IO

from attrs import frozen

from domain.errors import DeadlineExceeded, Unavailable, UnusableFootage

TAIL_BYTES = 4 << 10
MAX_LINE_BYTES = 4 << 10
POLL_S = 0.05
LOW_PRIORITY = 10
"""A nice value."""
DRAIN_S = 1.0
"""How long to read on after all processes of the group are gone."""
MAX_PIXELS = 8192 * 8192
OUT_OF_RESOURCES = {
    "No space left on device": "The disk is full.",
    "File too large": "The disk is full.",
    "Cannot allocate memory": "There is too little memory.",
    "malloc of size": "There is too little memory.",  # x264
}
"""ffmpeg's messages about a lack that another delivery may not meet, and our own for them."""
SHELL = "/bin/sh"
WATCHDOG = "read -r _; kill -9 0"
"""The leader's script: no line is ever written, so the read ends when the pipe is closed."""


def mp4_input(path: Path) -> list[str]:
    """Return the arguments that read `path` as an MP4 only, whatever it contains."""
    guards = ["-max_pixels", str(MAX_PIXELS), "-protocol_whitelist", "file", "-f", "mov"]
    return [*guards, "-i", file_url(path)]


def file_url(path: Path) -> str:
    """Return a URL that ffmpeg reads as the file `path`, whatever characters it contains."""
    return f"file:{path.absolute()}"


@frozen
class Ffmpeg:
    """The ffmpeg at `path`."""

    path: Path

    def run(  # noqa: PLR0913
        self,
        arguments: Sequence[str],
        deadline_s: float,
        *,
        stdin: bytes = b"",
        feed: Iterable[bytes] = (),
        on_line: Callable[[str], None] | None = None,
        is_urgent: bool = True,
    ) -> str:
        """Run to the end and return the last 4 KiB of ffmpeg's messages, "" if there are none.

        `feed` is written to the standard input while ffmpeg runs, in place of `stdin`. `on_line` is
        called with each line of the standard output. A run that is not urgent leaves the processors
        to other work. DeadlineExceeded at the deadline,
        UnusableFootage if ffmpeg fails, Unavailable if it cannot be started, was killed, or has too
        little disk or memory.
        """
        left_s = deadline_s - monotonic()
        if left_s <= 0:
            raise DeadlineExceeded("There is no time left to run ffmpeg.")
        cpu_s = ceil(left_s * (os.cpu_count() or 1))
        argv = [str(self.path), "-nostdin", "-hide_banner", "-v", "error", "-nostats"]
        argv += ["-timelimit", str(cpu_s), *arguments]
        with ExitStack() as open_files:
            source: IO[bytes] | int = subprocess.PIPE if feed else subprocess.DEVNULL
            if stdin:
                source = open_files.enter_context(tempfile.TemporaryFile())
                source.write(stdin)
                source.seek(0)
            try:
                leader = open_files.enter_context(_guarded_group())
                process = subprocess.Popen(
                    argv,
                    stdin=source,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={},
                    process_group=leader,
                )
            except OSError as error:
                raise Unavailable(f"ffmpeg cannot be started: {error.strerror}") from error
            if not is_urgent:
                with suppress(ProcessLookupError):  # it has ended
                    os.setpriority(os.PRIO_PROCESS, process.pid, LOW_PRIORITY)
            drain, feeding = _Drain(process, on_line), _Feeding(process, feed)
            try:
                drain.start()
                feeding.start()
                status = _wait(process, drain, deadline_s)
            finally:
                _kill_group(leader)
                process.wait()
                messages = drain.finish()
                feeding.finish()
        return _require_success(status, messages)


@contextmanager
def _guarded_group() -> Iterator[int]:
    """Yield the id of a process group that is killed when the block ends, or when we die."""
    read_end, write_end = os.pipe()
    try:
        leader = subprocess.Popen(
            [SHELL, "-c", WATCHDOG],
            stdin=read_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            process_group=0,
        )
        try:
            yield leader.pid
        finally:
            _kill_group(leader.pid)
            leader.wait()
    finally:
        os.close(read_end)
        os.close(write_end)


def _kill_group(leader: int) -> None:
    """Kill a group whose leader has not been waited for, so that its id cannot be reused yet."""
    with suppress(PermissionError):  # raised by macOS if only the leader is left, and dead
        os.killpg(leader, signal.SIGKILL)


def _wait(process: "subprocess.Popen[bytes]", drain: "_Drain", deadline_s: float) -> int:
    while (status := process.poll()) is None:
        left_s = deadline_s - monotonic()
        if left_s <= 0:
            raise DeadlineExceeded("ffmpeg was still running at the deadline.")
        # ffmpeg closes its stderr as it ends: waiting for that notices the end without delay. A
        # child may hold it open, so poll the process too.
        if not drain.wait_for_messages(min(left_s, POLL_S)):
            continue
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(left_s, POLL_S))
    return status


def _require_success(status: int, messages: str) -> str:
    """Return the messages of a run that succeeded; raise the error of one that did not."""
    if status < 0:
        raise Unavailable(f"ffmpeg was killed by signal {-status}.")
    if status > 0:
        for message, meaning in OUT_OF_RESOURCES.items():
            if message in messages:
                raise Unavailable(meaning)
        lines = messages.strip().splitlines() or ["no message"]
        raise UnusableFootage(f"ffmpeg exited with status {status}: {lines[-1]}")
    return messages.strip()


class _Feeding:
    """Writes the standard input in a thread of its own, until all is written or ffmpeg ends."""

    def __init__(self, process: "subprocess.Popen[bytes]", chunks: Iterable[bytes]) -> None:
        self._stdin = process.stdin
        self._chunks = chunks
        self._error: Exception | None = None
        self._thread = Thread(target=self._write, daemon=True)

    def start(self) -> None:
        """Start writing, if there is a pipe to write to."""
        self._thread.start()

    def finish(self) -> None:
        """Return when all is written; raise what the making of a chunk raised."""
        self._thread.join()
        if self._error:
            raise self._error

    def _write(self) -> None:
        if self._stdin is None:
            return
        try:
            with self._stdin as stdin:
                stdin.writelines(self._chunks)
        except BrokenPipeError:
            pass  # ffmpeg's status says why it ended
        except Exception as error:  # noqa: BLE001 - raised again by finish()
            self._error = error


class _Drain:
    """Reads both outputs, each in a thread of its own, so that neither ever blocks ffmpeg."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", on_line: Callable[[str], None] | None
    ) -> None:
        self._tail = b""
        self._on_line = on_line
        self._error: Exception | None = None
        self._messages = Thread(target=self._keep_tail, args=(process.stderr,), daemon=True)
        self._lines = Thread(target=self._pass_lines, args=(process.stdout,), daemon=True)

    def start(self) -> None:
        """Start reading."""
        self._messages.start()
        self._lines.start()

    def wait_for_messages(self, timeout_s: float) -> bool:
        """Wait until the messages end; return whether they did."""
        self._messages.join(timeout_s)
        return not self._messages.is_alive()

    def finish(self) -> str:
        """Return the tail of the messages, after the processes that wrote them are gone."""
        # A child that left the group may hold the pipes; it is not waited for.
        for thread in (self._lines, self._messages):
            if thread.is_alive():
                thread.join(DRAIN_S)
        if self._error:
            raise self._error
        return self._tail.decode(errors="replace")

    def _keep_tail(self, stderr: IO[bytes]) -> None:
        with stderr:
            while chunk := os.read(stderr.fileno(), 1 << 16):
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]

    def _pass_lines(self, stdout: IO[bytes]) -> None:
        with stdout:
            while line := stdout.readline(MAX_LINE_BYTES):
                try:
                    if self._on_line and not self._error:
                        self._on_line(line.decode(errors="replace"))
                except Exception as error:  # noqa: BLE001 - raised again by finish()
                    self._error = error
