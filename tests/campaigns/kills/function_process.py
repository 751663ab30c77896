"""The function as a process of its own: delivers batches to it, reads answers and log, kills it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from attrs import Factory, define, frozen

from devtools.local_aws.process_table import command_of, descendants, is_running
from tests.campaigns.kills.protocol import ANSWER, READY
from tests.support.service import wait_until

ROOT = Path(__file__).parents[3]
GONE_WITHIN_S = 3
TIMEOUT_S = 120


@frozen
class Answer:
    """The handler's answer, its duration, and the lines logged until then."""

    failed: list[str]
    """Ids of the messages in batchItemFailures."""
    took_s: float
    log: list[dict[str, Any]]
    warnings: list[str]
    """Lines that are not JSON: of other loggers than the handler's."""

    @property
    def faults(self) -> list[str]:
        """Why messages failed."""
        return [str(line.get("fault") or line["error"]) for line in self.log if "error" in line]

    @property
    def errors(self) -> list[str]:
        """The names of the errors of messages that failed."""
        return [str(line["error"]) for line in self.log if "error" in line]


@define
class FunctionProcess:
    """A running process, ready for a batch."""

    process: "subprocess.Popen[str]"
    log: list[str] = Factory(list)

    def deliver(
        self,
        *records: Mapping[str, Any],
        left_s: float = 60,
        file_bytes: int | None = None,
        memory_bytes: int | None = None,
    ) -> None:
        """Deliver a batch."""
        assert self.process.stdin
        order = {"records": records, "leftInS": left_s}
        order |= {"fileBytes": file_bytes, "memoryBytes": memory_bytes}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Answer:
        """Wait for the answer."""
        answer = json.loads(self.read(ANSWER))
        failures = answer["answer"]["batchItemFailures"]
        log = [json.loads(line) for line in self.log if line.startswith("{")]
        warnings = [line for line in self.log if not line.startswith("{")]
        self.log.clear()
        failed = [failure["itemIdentifier"] for failure in failures]
        return Answer(failed, answer["tookInS"], log, warnings)

    def read(self, kind: str) -> str:
        """Read until a line of this kind; return the rest of that line."""
        assert self.process.stdout
        timeout = Timer(TIMEOUT_S, self.process.kill)
        timeout.start()
        try:
            for line in self.process.stdout:
                if line.startswith(kind):
                    return line.removeprefix(kind)
                self.log.append(line)
        finally:
            timeout.cancel()
        raise AssertionError("The function died, or did not answer in time:\n" + "".join(self.log))

    def kill(self) -> dict[int, str]:
        """Kill the process, whatever it is doing; return the processes that outlive it."""
        os.kill(self.process.pid, signal.SIGSTOP)  # so that it starts no other process
        children = commands_of_descendants(self.process.pid)
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        left = {pid: command for pid, command in children.items() if not _gone(pid)}
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return left


@contextmanager
def function(environ: Mapping[str, str], *within: str) -> Iterator[FunctionProcess]:
    """Start one, by the command `within` if given, and wait until it is ready.

    The end of the block kills it.
    """
    with subprocess.Popen(
        [*within, sys.executable, "-m", "tests.campaigns.kills.function_main"],
        cwd=ROOT,
        env=dict(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            started = FunctionProcess(process)
            started.read(READY)
            yield started
        finally:
            process.kill()


def commands_of_descendants(pid: int) -> dict[int, str]:
    """Return the command lines of the running processes that `pid` started, and of theirs."""
    return {child: command for child in descendants(pid) if (command := command_of(child))}


def wait_for(pid: int, words: Sequence[str]) -> None:
    """Wait until `pid` has started a process whose command holds all the words."""
    wait_until(
        lambda: any(
            all(word in command for word in words)
            for command in commands_of_descendants(pid).values()
        ),
        30,
    )


def _gone(pid: int) -> bool:
    until_s = time.monotonic() + GONE_WITHIN_S
    while is_running(pid):
        if time.monotonic() > until_s:
            return False
        time.sleep(0.01)
    return True
