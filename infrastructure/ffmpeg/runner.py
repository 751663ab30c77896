"""Run ffmpeg so that nothing it does can hurt: hang, flood, fork, die. Or outlive us.

Every run has a process group of its own, which is killed when the run is over, however it ends. If
we are killed, the group's leader does it: a shell that reads a pipe whose other end only we hold
(docs/decisions/0009-end-with-parent.md). Should the leader be killed as well, `-timelimit` is left:
ffmpeg has no more processor time than our deadline left it.
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
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
LOOK_EVERY_S = 0.05
LEFTOVERS_S = 1.0
MAX_PIXELS = 8192 * 8192
NOT_THE_FOOTAGE = {
    "No space left on device": "The disk is full.",
    "File too large": "The disk is full.",
    "Cannot allocate memory": "There is too little memory.",
    "malloc of size": "There is too little memory.",  # x264
}
"""What ffmpeg says where another delivery may do better, and what that means."""
SHELL = "/bin/sh"
WATCHDOG = "read -r _; kill -9 0"
"""The leader's whole life: nobody ever writes a line, so the read ends when the pipe does."""


def mp4_input(path: Path) -> list[str]:
    """Return the arguments that read `path` as an MP4 and nothing else, whatever it holds."""
    guards = ["-max_pixels", str(MAX_PIXELS), "-protocol_whitelist", "file", "-f", "mov"]
    return [*guards, "-i", file_url(path)]


def file_url(path: Path) -> str:
    """Return the name under which ffmpeg takes `path` for a file, whatever characters it has."""
    return f"file:{path.absolute()}"


@frozen
class Ffmpeg:
    """The ffmpeg at `path`."""

    path: Path

    def run(
        self,
        arguments: Sequence[str],
        deadline_s: float,
        *,
        stdin: bytes = b"",
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        """Run to the end and return the last 4 KiB that ffmpeg had to say, "" if nothing.

        `on_line` gets each line of the standard output. DeadlineExceeded at the deadline, UnusableFootage if
        ffmpeg says no, Unavailable if it cannot be started, was killed, or the disk is full.
        """
        left_s = deadline_s - monotonic()
        if left_s <= 0:
            raise DeadlineExceeded("There is no time left to run ffmpeg.")
        cpu_s = ceil(left_s * (os.cpu_count() or 1))
        argv = [str(self.path), "-nostdin", "-hide_banner", "-v", "error", "-nostats"]
        argv += ["-timelimit", str(cpu_s), *arguments]
        with ExitStack() as open_files:
            source: IO[bytes] | int = subprocess.DEVNULL
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
            said = _Drain(process, on_line)
            try:
                said.begin()
                status = _wait(process, said, deadline_s)
            finally:
                _kill_group(leader)
                process.wait()
                words = said.all()
        return _judge(status, words)


@contextmanager
def _guarded_group() -> Iterator[int]:
    """Yield the id of a process group that is killed at the block's end, or at our own."""
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
    """Kill all of a group whose leader has not been waited for: so its id is nobody else's yet."""
    with suppress(PermissionError):  # so macOS answers where there is only the leader, and dead
        os.killpg(leader, signal.SIGKILL)


def _wait(process: "subprocess.Popen[bytes]", said: "_Drain", deadline_s: float) -> int:
    while (status := process.poll()) is None:
        left_s = deadline_s - monotonic()
        if left_s <= 0:
            raise DeadlineExceeded("ffmpeg was still at work at the deadline.")
        # It closes its stderr as it ends: waiting for that notices the end without delay. A child
        # of its may hold it open, so look at the process too.
        if not said.waited(min(left_s, LOOK_EVERY_S)):
            continue
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(left_s, LOOK_EVERY_S))
    return status


def _judge(status: int, words: str) -> str:
    if status < 0:
        raise Unavailable(f"ffmpeg was killed by signal {-status}.")
    if status > 0:
        for fault, meaning in NOT_THE_FOOTAGE.items():
            if fault in words:
                raise Unavailable(meaning)
        lines = words.strip().splitlines() or ["nothing"]
        raise UnusableFootage(f"ffmpeg left with {status} and said: {lines[-1]}")
    return words.strip()


class _Drain:
    """Drains both outputs, each by a thread of its own, so that neither ever blocks ffmpeg."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", on_line: Callable[[str], None] | None
    ) -> None:
        self._tail = b""
        self._on_line = on_line
        self._error: Exception | None = None
        self._messages = Thread(target=self._keep_tail, args=(process.stderr,), daemon=True)
        self._lines = Thread(target=self._pass_on, args=(process.stdout,), daemon=True)

    def begin(self) -> None:
        """Start to listen."""
        self._messages.start()
        self._lines.start()

    def waited(self, seconds: float) -> bool:
        """Wait for the end of the messages; tell whether it came."""
        self._messages.join(seconds)
        return not self._messages.is_alive()

    def all(self) -> str:
        """Return the tail of the messages, now that the processes that wrote them are gone."""
        # A child that left the group may hold the pipes: it is not waited for.
        for thread in (self._lines, self._messages):
            if thread.is_alive():
                thread.join(LEFTOVERS_S)
        if self._error:
            raise self._error
        return self._tail.decode(errors="replace")

    def _keep_tail(self, stderr: IO[bytes]) -> None:
        with stderr:
            while chunk := os.read(stderr.fileno(), 1 << 16):
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]

    def _pass_on(self, stdout: IO[bytes]) -> None:
        with stdout:
            while line := stdout.readline(MAX_LINE_BYTES):
                try:
                    if self._on_line and not self._error:
                        self._on_line(line.decode(errors="replace"))
                except Exception as error:  # noqa: BLE001 - raised again by all()
                    self._error = error
