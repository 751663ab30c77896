"""A process that dies at one of its calls to AWS or the camera API, and makes none after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import Any

from attrs import Factory, define
from botocore.response import StreamingBody
from requests import PreparedRequest, Response

from entrypoints.container import AwsService


class Crash(BaseException):
    """The process dies. No Exception, so that nothing hides it."""


@define
class Tripwire:
    """Counts the calls, and dies at one of them without cleaning up."""

    at: int = -1
    after: bool = False
    calls: list[str] = Factory(list)
    died: bool = False
    _own: local = Factory(local)
    _lock: Lock = Factory(Lock)

    def set(self, at: int = -1, *, after: bool = False) -> None:
        """Start to count again: a new process, which dies before or after call no. `at`."""
        self.at, self.after, self.calls, self.died = at, after, [], False

    def before(self, name: str) -> None:
        """Before the call leaves the process: it is never applied."""
        with self._lock:
            self._own.number = len(self.calls)  # calls are made side by side, each in its thread
            self.calls.append(name)
            self.died |= not self.after and self._own.number == self.at
            if self.died:
                raise Crash

    def answered(self, answer: Response | StreamingBody | None) -> None:
        """After the answer came: the call was applied, and the reply is lost."""
        with self._lock:
            self.died |= self.after and self._own.number == self.at
            if self.died:
                if answer is not None:
                    answer.close()  # as the end of a process would
                raise Crash


@contextmanager
def hung(service: AwsService) -> Iterator[Tripwire]:
    """Hook a tripwire into botocore and requests."""
    wire = Tripwire()

    def before_call(model: Any, params: dict[str, Any], **_: object) -> None:  # noqa: ANN401
        path = params["url_path"].partition("?")[0]
        wire.before(f"{model.name} {path.rpartition('.')[2]}")

    def after_call(parsed: dict[str, Any], **_: object) -> None:
        wire.answered(parsed.get("Body"))

    def before_request(request: PreparedRequest) -> PreparedRequest:
        wire.before(f"{request.method} /{str(request.path_url).split('/')[2]}")
        return request

    def after_request(response: Response, **_: object) -> None:
        wire.answered(response)

    clients = [service.s3(), service.sqs(), service.sns()]
    session = service.cameras().session  # type: ignore[attr-defined]
    for client in clients:
        client.meta.events.register("before-call", before_call)
        client.meta.events.register("after-call", after_call)
    session.auth = before_request
    session.hooks["response"].append(after_request)
    yield wire
    session.auth = None
    session.hooks["response"].clear()
    for client in clients:
        client.meta.events.unregister("before-call", before_call)
        client.meta.events.unregister("after-call", after_call)
