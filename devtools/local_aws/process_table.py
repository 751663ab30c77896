"""The machine's process table (Linux: /proc)."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def is_running(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    return _state_of(pid)[0] not in {"", "Z"}


def descendants(pid: int) -> set[int]:
    """Return the processes that `pid` has started, and theirs, zombies included."""
    parents = {p: _state_of(p)[1] for p in _pids()}
    found: set[int] = set()
    while more := {p for p, parent in parents.items() if parent in {pid, *found}} - found:
        found |= more
    return found


def command_of(pid: int) -> str:
    """Return a running process's command line, else ""."""
    with suppress(OSError):
        if is_running(pid):
            command = (PROC / f"{pid}/cmdline").read_bytes()
            return command.replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def commands_with(word: str) -> list[str]:
    """Return the command lines of all running processes that contain `word`."""
    return [command for pid in _pids() if word in (command := command_of(pid))]


def _state_of(pid: int) -> tuple[str, int]:
    """Return a process's state letter and its parent's id; "" and 0 if it does not exist."""
    with suppress(FileNotFoundError, ProcessLookupError):
        # proc(5): pid (name) state parent ...; the name may contain anything.
        letter, parent = (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[:2]
        return letter, int(parent)
    return "", 0


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.glob("[0-9]*"))
