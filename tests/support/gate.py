"""A proxy between the function and a server: it records each request and can interfere with one."""

import http.client
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from urllib.parse import urlsplit

from attrs import Factory, define

from devtools.local_aws.http_server import RawAnswer, Request, Response, Send, serve

Upstream = Callable[[Request], Response]
Act = Callable[["Trap", Response | None, Send], None]
"""Replaces the answer: gets the true one, if the request was passed on, and writes to the
connection, which is closed afterwards."""


def line_of(request: Request) -> str:
    """Return what identifies a request: `PUT /destination/...`, `POST / Publish`."""
    found = re.search(rb"\bAction=(\w+)", request.body[:4096]) if request.target == "/" else None
    return " ".join([request.method, request.target, *([found[1].decode()] if found else [])])


def hold(trap: "Trap", _response: Response | None, _send: Send) -> None:
    """Answer nothing."""
    trap.released.wait()


@define
class Trap:
    """Springs at every request whose line matches `pattern`, until it is released.

    `after` applies the request first. Without `reads`, its body stays in the socket.
    """

    pattern: str
    act: Act = hold
    after: bool = False
    reads: bool = True
    sprung: Event = Factory(Event)
    released: Event = Factory(Event)

    def spring(self, response: Response | None) -> RawAnswer:
        """Return what replaces the answer."""
        self.sprung.set()
        return lambda send: self.act(self, response, send)


@define
class Gate:
    """Passes requests on; records their lines as `asked` on arrival, `applied` when answered."""

    upstream: Upstream
    trap: Trap | None = None
    asked: list[str] = Factory(list)
    applied: list[str] = Factory(list)
    asked_s: list[float] = Factory(list)
    """When, on the monotonic clock."""
    url: str = ""

    def release(self) -> None:
        """Remove the trap."""
        if self.trap:
            self.trap.released.set()
            self.trap = None

    def answer(self, request: Request) -> Response | RawAnswer:
        """Answer one request: pass it on, unless the trap springs."""
        trap = self.trap
        if (
            trap
            and not trap.reads
            and re.search(trap.pattern, f"{request.method} {request.target}")
        ):
            return trap.spring(None)
        line = line_of(request)
        self.asked.append(line)
        self.asked_s.append(time.monotonic())
        if trap is None or not re.search(trap.pattern, line):
            return self._pass_on(request, line)
        return trap.spring(self._pass_on(request, line) if trap.after else None)

    def _pass_on(self, request: Request, line: str) -> Response:
        response = self.upstream(request)
        if response.status < 300:
            self.applied.append(line)
        return response


@contextmanager
def gate(upstream: Upstream, trap: Trap | None = None) -> Iterator[Gate]:
    """Serve on a free port."""
    opened = Gate(upstream, trap)
    with serve(opened.answer) as opened.url:
        try:
            yield opened
        finally:
            opened.release()


def forward(url: str) -> Upstream:
    """Return an upstream that is another server."""
    host = urlsplit(url).netloc

    def ask(request: Request) -> Response:
        connection = http.client.HTTPConnection(host, timeout=60)
        headers = {k: v for k, v in request.headers.items() if k not in {"expect", "connection"}}
        connection.request(
            request.method, request.target, request.body, {**headers, "Connection": "close"}
        )
        answer = connection.getresponse()
        response = Response(answer.status, answer.read(), dict(answer.headers))
        connection.close()
        return response

    return ask
