"""Lambda's half of a function's life: its process, and the Runtime API that it asks for work.

The process is a real one, run by AWS's own runtime client (awslambdaric), with nothing on its
path but what it is given. It is kept warm from invocation to invocation. One that outlasts the
timeout is killed, with all that it has started, and made anew for the next invocation; one that
dies is a function error. Not imitated: the freeze between invocations, and the limit of memory.
The Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from uuid import uuid4

from attrs import Factory, define, field, frozen

from devtools.local_aws.serving import Request, Response, serve

API = "/2018-06-01/runtime/"
HANDLER = "entrypoints.aws_lambda.handler"
NAME = "camclip"
ARN = f"arn:aws:lambda:us-east-1:123456789012:function:{NAME}"
INIT_S = 10
"""How long Lambda waits for a function to be imported before the timeout begins to count."""
CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
"""The runtime client and what it needs; Lambda brings it, no package of ours does."""


class FunctionError(Exception):
    """The invocation failed as a whole: an error of the function's, its death, or the timeout."""


class Missing(Exception):
    """The runtime client is not installed."""


def copy_client(folder: Path) -> Path:
    """Copy the runtime client, and nothing else of what is installed, to `folder`; return that."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in CLIENT:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise Missing(f"{name} is not installed")
        origin = Path(spec.origin)
        if spec.submodule_search_locations:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(origin.parent, folder / name, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(origin, folder / origin.name)
    return folder


def source_path() -> list[Path]:
    """Return what is on the path where the service runs from its source: it, and what it needs."""
    here = Path(__file__).parents[2]
    return [here, *(Path(p) for p in sys.path if p.endswith("site-packages"))]


@frozen
class Invoked:
    """A successful invocation."""

    payload: Any
    """What the handler returned, through JSON."""
    pid: int
    cold: bool
    """Whether the process was started for it."""
    init_ms: int
    """How long the process took from its start until it asked for work."""
    elapsed_ms: int
    """How long the handler took."""


@frozen
class _Ready:
    """The process asks for work."""


@frozen
class _Drain:
    """The process answers an invocation, with a result or an error."""

    request_id: str
    kind: str
    """response, or error"""
    body: bytes


@frozen
class _Failed:
    """The process could not be started, or is over."""

    why: str


_Event = _Ready | _Drain | _Failed


@define
class Function:
    """A function with one execution environment: it takes one invocation at a time."""

    path: Sequence[Path]
    """What its modules are found in: the unpacked package, the runtime client."""
    environ: Mapping[str, str]
    timeout_s: float
    on_line: Callable[[str], None] = lambda _line: None
    """Is given each line that the process writes, from a thread of its own."""
    handler: str = HANDLER
    _process: "_Process | None" = field(default=None, init=False)
    _is_closed: bool = field(default=False, init=False)

    @property
    def pid(self) -> int | None:
        """The process's id, if there is one."""
        return self._process.popen.pid if self._process else None

    def start(self) -> None:
        """Start the process now rather than at the first invocation; FunctionError if it fails."""
        process = self._process
        if process and not process.wait_until_ready(self._init_s):
            self._drop()  # it died between two invocations, which is nobody's fault
        if self._is_closed:
            raise FunctionError("The function is closed.")
        if self._process is None:
            process = self._process = _Process.start(
                self.path, self.environ, self.handler, self.on_line
            )
            if self._is_closed or not process.wait_until_ready(self._init_s):
                self._drop()
                raise FunctionError(process.failed or "The function is closed.")

    def invoke(self, event: object) -> Invoked:
        """Let the function handle `event`; FunctionError if it fails, dies, or takes too long."""
        before = self.pid
        self.start()
        process = self._process
        if process is None:
            raise FunctionError("The function is closed.")
        began_s = time.monotonic()
        try:
            payload = process.ask(event, self.timeout_s)
        except FunctionError:
            if process.is_over:
                self._drop()
            raise
        return Invoked(
            payload,
            process.popen.pid,
            process.popen.pid != before,
            process.init_ms,
            round(1000 * (time.monotonic() - began_s)),
        )

    def restart(self) -> None:
        """End the process; the next invocation starts another one."""
        self._drop()

    def close(self) -> None:
        """End the process and all that it has started, whatever it is at; there is no other."""
        self._is_closed = True
        self._drop()

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process:
            process.end()

    @property
    def _init_s(self) -> float:
        return max(INIT_S, self.timeout_s)


@define
class _Process:
    """One process and the Runtime API that it alone asks; both end together."""

    popen: "subprocess.Popen[bytes]" = field(init=False)
    init_ms: int = 0
    failed: str = ""
    is_over: bool = False
    _ready: bool = False
    _began_s: float = Factory(time.monotonic)
    _events: "SimpleQueue[_Event]" = Factory(SimpleQueue)
    _work: "SimpleQueue[Response | None]" = Factory(SimpleQueue)
    _held: ExitStack = Factory(ExitStack)
    _threads: list[Thread] = Factory(list)

    @classmethod
    def start(
        cls,
        path: Sequence[Path],
        environ: Mapping[str, str],
        handler: str,
        on_line: Callable[[str], None],
    ) -> "_Process":
        process = cls()
        address = process._held.enter_context(serve(process._answer)).removeprefix("http://")
        # -S: no site-packages but those that `path` names.
        process.popen = subprocess.Popen(
            [sys.executable, "-S", "-m", "awslambdaric", handler],
            cwd=path[0],
            env={**_lambda_environ(address, path, handler), **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        process._threads = [
            Thread(target=process._pass_on, args=(on_line,), daemon=True),
            Thread(target=process._watch, daemon=True),
        ]
        for thread in process._threads:
            thread.start()
        return process

    def wait_until_ready(self, max_s: float) -> bool:
        """Wait until the process asks for work; say whether it does."""
        if not self._ready:
            match self._next_event(max_s):
                case _Ready():
                    self._ready = True
                    self.init_ms = self.init_ms or self._since_start_ms()
                case _Failed(why):
                    self.failed, self.is_over = why, True
                case _:
                    self.failed, self.is_over = f"It was not ready within {max_s:g} s.", True
        return self._ready and self.popen.poll() is None

    def ask(self, event: object, timeout_s: float) -> Any:  # noqa: ANN401 - JSON
        request_id = str(uuid4())
        ends_s = time.monotonic() + timeout_s
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(round(1000 * (time.time() + timeout_s))),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": f"Root=1-{uuid4().hex[:8]}-{uuid4().hex[:24]};Sampled=0",
        }
        self._ready = False
        self._work.put(Response(200, json.dumps(event).encode(), headers))
        match self._next_event(ends_s - time.monotonic()):
            case _Drain(_, "response", body):
                return json.loads(body)
            case _Drain(_, _, body):
                told = json.loads(body)
                raise FunctionError(f"{told.get('errorType')}: {told.get('errorMessage')}")
            case _Failed(why):
                self.is_over = True
                raise FunctionError(why)
            case _:
                self.is_over = True
                raise FunctionError(f"Task timed out after {timeout_s:.2f} seconds")

    def end(self) -> None:
        if self.popen.poll() is None:
            _kill_tree(self.popen.pid)
        self.popen.wait()
        self._work.put(None)
        for thread in self._threads:
            thread.join()
        self._held.close()

    def _next_event(self, max_s: float) -> _Event | None:
        with suppress(Empty):
            return self._events.get(timeout=max(max_s, 0))
        return None

    def _since_start_ms(self) -> int:
        return round(1000 * (time.monotonic() - self._began_s))

    def _answer(self, asked: Request) -> Response | None:
        match asked.target.removeprefix(API).split("/"):
            case ["invocation", "next"] if asked.method == "GET":
                self._events.put(_Ready())
                return self._work.get()
            case ["invocation", request_id, "response" | "error" as kind]:
                self._events.put(_Drain(request_id, kind, asked.body))
            case ["init", "error"]:
                told = json.loads(asked.body)
                self._events.put(_Failed(f"{told.get('errorType')}: {told.get('errorMessage')}"))
            case _:
                return Response(404)
        return Response(202, b'{"status":"OK"}')

    def _watch(self) -> None:
        status = self.popen.wait()
        told = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        self._events.put(_Failed(f"Runtime exited with error: {told}"))

    def _pass_on(self, on_line: Callable[[str], None]) -> None:
        assert self.popen.stdout
        with self.popen.stdout as lines:
            for line in lines:
                on_line(line.decode(errors="replace").rstrip("\n"))


def _lambda_environ(address: str, path: Sequence[Path], handler: str) -> dict[str, str]:
    """Return the variables that Lambda itself sets."""
    return {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": NAME,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{NAME}",
        "AWS_LAMBDA_LOG_STREAM_NAME": uuid4().hex,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
        "LAMBDA_TASK_ROOT": str(path[0]),
        "_HANDLER": handler,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONDONTWRITEBYTECODE": "1",  # in Lambda the package cannot be written to
    }


def _kill_tree(pid: int) -> None:
    """Kill a process, its group, and what it has started in groups of their own, as ffmpeg is."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGSTOP)  # so that it starts nothing any more
    for child in descendants(pid):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def descendants(pid: int) -> set[int]:
    """Return the processes that `pid` has started, and theirs."""
    parents = dict(_parents(Path("/proc").glob("[0-9]*/stat")))
    found: set[int] = set()
    while more := {p for p, parent in parents.items() if parent in {pid, *found}} - found:
        found |= more
    return found


def _parents(stats: Iterable[Path]) -> Iterable[tuple[int, int]]:
    for stat in stats:
        with suppress(FileNotFoundError, ProcessLookupError):
            # proc(5): pid (name) state parent ...; the name may hold anything.
            yield int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])
