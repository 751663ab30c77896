"""Lambda's Runtime API for one process: it asks for an event, and posts the handler's answer.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from attrs import Factory, define, frozen

from devtools.local_aws.http_server import Request, Response

PREFIX = "/2018-06-01/runtime/"
NAME = "camclip"
ARN = f"arn:aws:lambda:us-east-1:123456789012:function:{NAME}"


class FunctionError(Exception):
    """The invocation failed as a whole: the function raised, died, or exceeded its timeout."""


@frozen
class _Ready:
    """The process asks for an event."""


@frozen
class _Answer:
    """The process posts the result of an invocation."""

    payload: Any


@frozen
class _Failure:
    """The process posts an error, or is dead."""

    reason: str
    is_fatal: bool


@define
class RuntimeApi:
    """Answers the requests of one process, and waits for them on behalf of its owner."""

    failure: str = ""
    """Why the process cannot be used any more."""
    _is_ready: bool = False
    _events: "SimpleQueue[_Ready | _Answer | _Failure]" = Factory(SimpleQueue)
    _invocations: "SimpleQueue[Response | None]" = Factory(SimpleQueue)

    def wait_until_ready(self, timeout_s: float) -> bool:
        """Wait until the process asks for an event; return whether it does."""
        if not self._is_ready:
            match self._next_event(timeout_s):
                case _Ready():
                    self._is_ready = True
                case _Failure(reason):
                    self.failure = reason
                case _:
                    self.failure = f"It was not ready within {timeout_s:g} s."
        return self._is_ready

    def invoke(self, event: object, timeout_s: float, trace: str) -> Any:  # noqa: ANN401 - JSON
        """Hand over an event and return the handler's answer; FunctionError if there is none."""
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": str(uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(round(1000 * (time.time() + timeout_s))),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": trace,
        }
        self._is_ready = False
        self._invocations.put(Response(200, json.dumps(event).encode(), headers))
        match self._next_event(timeout_s):
            case _Answer(payload):
                return payload
            case _Failure(reason, is_fatal):
                self.failure = reason if is_fatal else ""
                raise FunctionError(reason)
            case _:
                self.failure = f"Task timed out after {timeout_s:.2f} seconds"
                raise FunctionError(self.failure)

    def report_exit(self, reason: str) -> None:
        """Record that the process is dead."""
        self._events.put(_Failure(reason, is_fatal=True))

    def close(self) -> None:
        """Hang up on the process if it waits for an event."""
        self._invocations.put(None)

    def __call__(self, request: Request) -> Response | None:
        """Answer one request of the process; that for an event waits until there is one."""
        match request.target.removeprefix(PREFIX).split("/"):
            case ["invocation", "next"] if request.method == "GET":
                self._events.put(_Ready())
                return self._invocations.get()
            case ["invocation", _, "response"]:
                self._events.put(_Answer(json.loads(request.body)))
            case ["invocation", _, "error"]:
                self._events.put(_Failure(_reason(request.body), is_fatal=False))
            case ["init", "error"]:
                self.report_exit(_reason(request.body))
            case _:
                return Response(404)
        return Response.json({"status": "OK"}, 202)

    def _next_event(self, timeout_s: float) -> _Ready | _Answer | _Failure | None:
        with suppress(Empty):
            return self._events.get(timeout=max(timeout_s, 0))
        return None


def _reason(body: bytes) -> str:
    error = json.loads(body)
    return f"{error.get('errorType')}: {error.get('errorMessage')}"
