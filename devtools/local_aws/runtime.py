"""A Lambda function on this machine: its process, kept warm from invocation to invocation.

AWS's own runtime client (awslambdaric) runs the handler, with only the given folders on its path.
A process that exceeds the timeout is killed with all its descendants and replaced at the next
invocation; one that dies is a function error. Not imitated: the freeze between invocations, and
the limit of memory.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

from attrs import Factory, define, field, frozen

from devtools.local_aws.http_server import serve
from devtools.local_aws.process_table import descendants
from devtools.local_aws.recursive_loop import invocation_trace
from devtools.local_aws.runtime_api import NAME, FunctionError, RuntimeApi

HANDLER = "entrypoints.aws_lambda.handler"
INIT_S = 10
"""How long Lambda waits for a function's import before the timeout begins to count."""
CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
"""The runtime client and its dependencies; Lambda provides them, our package does not."""


class Missing(Exception):
    """The runtime client is not installed."""


def link_client(folder: Path) -> Path:
    """Link the runtime client, and no other installed package, in `folder`; return `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in CLIENT:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise Missing(f"{name} is not installed")
        origin = Path(spec.origin)
        found = origin.parent if spec.submodule_search_locations else origin
        (folder / found.name).symlink_to(found)
    return folder


def source_path() -> list[Path]:
    """Return the import path of the service run from source: the repository and site-packages."""
    here = Path(__file__).parents[2]
    return [here, *(Path(p) for p in sys.path if p.endswith("site-packages"))]


@frozen
class Invoked:
    """A successful invocation."""

    payload: Any
    """The handler's return value, through JSON."""
    pid: int
    cold: bool
    """Whether the process was started for it."""
    init_ms: int
    """The time from the process's start until it asked for an event."""
    elapsed_ms: int
    """The handler's duration."""


@define
class Function:
    """A function with one execution environment: one invocation at a time."""

    path: Sequence[Path]
    """The folders its modules are found in: the unpacked package, the runtime client."""
    environ: Mapping[str, str]
    timeout_s: float
    on_line: Callable[[str], None] = lambda _line: None
    """Is called with each line the process writes, from another thread."""
    handler: str = HANDLER
    _process: "_Process | None" = field(default=None, init=False)
    _is_closed: bool = field(default=False, init=False)

    @property
    def pid(self) -> int | None:
        """The process's id, if there is one."""
        return self._process.popen.pid if self._process else None

    def start(self) -> None:
        """Start the process now rather than at the first invocation; FunctionError if it fails."""
        self._ready_process()

    def invoke(self, event: object, trace: str | None = None) -> Invoked:
        """Invoke the function with `event`; FunctionError if it fails, dies, or takes too long.

        Without a trace header, the invocation begins a chain.
        """
        before = self.pid
        process = self._ready_process()
        began_s = time.monotonic()
        try:
            payload = process.api.invoke(event, self.timeout_s, trace or invocation_trace())
        except FunctionError:
            if process.api.failure:
                self.restart()
            raise
        elapsed_ms = round(1000 * (time.monotonic() - began_s))
        pid = process.popen.pid
        return Invoked(payload, pid, pid != before, process.init_ms, elapsed_ms)

    def restart(self) -> None:
        """End the process; the next invocation starts another one."""
        process, self._process = self._process, None
        if process:
            process.end()

    def close(self) -> None:
        """End the process and its descendants, whatever it is doing, and start no other."""
        self._is_closed = True
        self.restart()

    def _ready_process(self) -> "_Process":
        timeout_s = max(INIT_S, self.timeout_s)
        process = self._process
        if process and not process.wait_until_ready(timeout_s):
            self.restart()  # it died between two invocations: no invocation has failed
        if self._is_closed:
            raise FunctionError("The function is closed.")
        process = self._process
        if process is None:
            process = self._process = _Process(self)
            if self._is_closed or not process.wait_until_ready(timeout_s):
                self.restart()
                raise FunctionError(process.api.failure or "The function is closed.")
        return process


@define
class _Process:
    """One process and its Runtime API; both end together."""

    function: Function
    api: RuntimeApi = Factory(RuntimeApi)
    init_ms: int = 0
    popen: "subprocess.Popen[bytes]" = field(init=False)
    _server: ExitStack = Factory(ExitStack)
    _threads: list[Thread] = field(init=False)
    _began_s: float = Factory(time.monotonic)

    def __attrs_post_init__(self) -> None:
        address = self._server.enter_context(serve(self.api)).removeprefix("http://")
        function = self.function
        # -S: no site-packages but those on `path`.
        self.popen = subprocess.Popen(
            [sys.executable, "-S", "-m", "awslambdaric", function.handler],
            cwd=function.path[0],
            env={**_lambda_environ(address, function), **function.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._threads = [
            Thread(target=self._read_lines, daemon=True),
            Thread(target=self._await_exit, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def wait_until_ready(self, timeout_s: float) -> bool:
        is_ready = self.api.wait_until_ready(timeout_s)
        if is_ready and not self.init_ms:
            self.init_ms = round(1000 * (time.monotonic() - self._began_s))
        return is_ready and self.popen.poll() is None

    def end(self) -> None:
        if self.popen.poll() is None:
            _kill_tree(self.popen.pid)
        self.popen.wait()
        self.api.close()
        for thread in self._threads:
            thread.join()
        self._server.close()

    def _await_exit(self) -> None:
        status = self.popen.wait()
        how = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        self.api.report_exit(f"Runtime exited with error: {how}")

    def _read_lines(self) -> None:
        assert self.popen.stdout
        with self.popen.stdout as lines:
            for line in lines:
                self.function.on_line(line.decode(errors="replace").rstrip("\n"))


def _lambda_environ(address: str, function: Function) -> dict[str, str]:
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
        "LAMBDA_TASK_ROOT": str(function.path[0]),
        "_HANDLER": function.handler,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "PYTHONPATH": os.pathsep.join(map(str, function.path)),
        "PYTHONDONTWRITEBYTECODE": "1",  # in Lambda the package is read-only
    }


def _kill_tree(pid: int) -> None:
    """Kill a process, its group, and descendants in groups of their own, as ffmpeg is."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGSTOP)  # so that it starts no further process
    for child in descendants(pid):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
