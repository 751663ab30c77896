"""The function as a process, and what the machine's process table says of it (Linux: /proc)."""

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

from tests.campaigns.kills.protocol import ANSWER, READY

ROOT = Path(__file__).parents[3]
GONE_WITHIN_S = 3
PATIENCE_S = 120


@frozen
class Answer:
    """What the handler answered, after how long, and the lines it logged meanwhile."""

    given_back: list[str]
    took_s: float
    log: list[dict[str, Any]]

    @property
    def faults(self) -> list[str]:
        """Why messages were given back."""
        return [str(line.get("fault") or line["error"]) for line in self.log if "error" in line]


@define
class Function:
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
        """Hand it a batch."""
        assert self.process.stdin
        order = {"records": records, "leftInS": left_s}
        order |= {"fileBytes": file_bytes, "memoryBytes": memory_bytes}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Answer:
        """Wait for its answer."""
        said = json.loads(self.read(ANSWER))
        failures = said["answer"]["batchItemFailures"]
        log = [json.loads(line) for line in self.log if line.startswith("{")]
        self.log.clear()
        return Answer([f["itemIdentifier"] for f in failures], said["tookInS"], log)

    def read(self, kind: str) -> str:
        """Read on until a line of a kind."""
        assert self.process.stdout
        patience = Timer(PATIENCE_S, self.process.kill)
        patience.start()
        try:
            for line in self.process.stdout:
                if line.startswith(kind):
                    return line.removeprefix(kind)
                self.log.append(line)
        finally:
            patience.cancel()
        raise AssertionError("The function died or said nothing:\n" + "".join(self.log))

    def kill(self) -> dict[int, str]:
        """Kill it, whatever it has in hand; return the processes that it left behind."""
        os.kill(self.process.pid, signal.SIGSTOP)  # so that it starts no other meanwhile
        children = descendants(self.process.pid)
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        left = {pid: command for pid, command in children.items() if not _gone(pid)}
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return left


@contextmanager
def function(environ: Mapping[str, str], *within: str) -> Iterator[Function]:
    """Start one, by the command `within` if given, and wait until it is ready; then it is gone."""
    with subprocess.Popen(
        [*within, sys.executable, "-m", "tests.campaigns.kills.function"],
        cwd=ROOT,
        env=dict(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            started = Function(process)
            started.read(READY)
            yield started
        finally:
            process.kill()


def descendants(pid: int) -> dict[int, str]:
    """Return the command lines of the living processes that `pid` started, and of theirs."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (state := _state(int(entry.name))):
            parents.setdefault(int(state[1]), []).append(int(entry.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return {child: command for child in found if (command := command_of(child))}


def command_of(pid: int) -> str:
    """Return a living process's command line, else ""."""
    state = _state(pid)
    if not state or state[0] == "Z":
        return ""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def running(word: str) -> list[str]:
    """Return the commands of all living processes that hold a word."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [command for pid in pids if word in (command := command_of(pid))]


def wait_for(pid: int, words: Sequence[str], within_s: float = 30) -> str:
    """Wait until `pid` has started a process whose command holds all the words."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        for command in descendants(pid).values():
            if all(word in command for word in words):
                return command
        time.sleep(0.01)
    raise AssertionError(f"No process appeared with {words}.")


def _state(pid: int) -> list[str]:
    """Return a process's state and its parent's id, else nothing (proc(5), /proc/pid/stat)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return []


def _gone(pid: int) -> bool:
    until_s = time.monotonic() + GONE_WITHIN_S
    while command_of(pid):
        if time.monotonic() > until_s:
            return False
        time.sleep(0.01)
    return True
