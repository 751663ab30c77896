"""A server between the function and what it talks to: it knows each request, and can be a trap."""

import http.client
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

from attrs import Factory, define, frozen

OWN_HEADERS = {"connection", "transfer-encoding", "content-length", "date", "server"}


@frozen
class Reply:
    """What comes back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@frozen
class Request:
    """What was asked."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def line(self) -> str:
        """By which requests are told apart: `PUT /destination/...`, `POST / Publish`."""
        action = re.search(rb"\bAction=(\w+)", self.body[:4096]) if self.target == "/" else None
        return " ".join([self.method, self.target, *([action[1].decode()] if action else [])])


Send = Callable[[bytes], object]
Act = Callable[["Trap", Reply | None, Send], None]
"""Takes the place of the answer: is given the true one, if the request was passed on, and what
writes to the line. When it returns, the line is cut."""


def hold(trap: "Trap", _reply: Reply | None, _send: Send) -> None:
    """Answer nothing."""
    trap.released.wait()


@define
class Trap:
    """Springs at every request whose line matches `pattern`, until it is released.

    With `after`, the request is applied first. Without `reads`, its body is not even taken.
    """

    pattern: str
    act: Act = hold
    after: bool = False
    reads: bool = True
    sprung: Event = Factory(Event)
    released: Event = Factory(Event)


@define
class Gate:
    """Passes requests on, and keeps their lines: `asked` as they come, `applied` when answered."""

    upstream: Callable[[Request], Reply]
    trap: Trap | None = None
    asked: list[str] = Factory(list)
    applied: list[str] = Factory(list)
    asked_s: list[float] = Factory(list)
    """When, on the monotonic clock."""
    url: str = ""

    def release(self) -> None:
        """Take the trap away."""
        if self.trap:
            self.trap.released.set()
            self.trap = None

    def pass_on(self, request: Request) -> Reply:
        reply = self.upstream(request)
        if reply.status < 300:
            self.applied.append(request.line)
        return reply


@contextmanager
def gate(upstream: Callable[[Request], Reply], trap: Trap | None = None) -> Iterator[Gate]:
    """Serve on a free port."""
    opened = Gate(upstream, trap)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def answer(self) -> None:
            trap = opened.trap
            if trap and not trap.reads and re.search(trap.pattern, f"{self.command} {self.path}"):
                trap.sprung.set()
                self.close_connection = True
                trap.act(trap, None, self.wfile.write)
                return
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            request = Request(self.command, self.path, dict(self.headers), body)
            opened.asked.append(request.line)
            opened.asked_s.append(time.monotonic())
            caught = trap is not None and re.search(trap.pattern, request.line)
            reply = None if caught and trap and not trap.after else opened.pass_on(request)
            if caught and trap:
                trap.sprung.set()
                self.close_connection = True
                trap.act(trap, reply, self.wfile.write)
                return
            assert reply is not None
            self.wfile.write(head(reply, request.method == "HEAD"))
            self.wfile.write(reply.body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # its client was killed

    server = Server(("127.0.0.1", 0), Handler)
    opened.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield opened
    finally:
        opened.release()
        server.shutdown()
        server.server_close()


def head(reply: Reply, is_head: bool = False) -> bytes:  # noqa: FBT002
    """Write an answer's head; that of a HEAD keeps the length it speaks of."""
    own = {key: value for key, value in reply.headers.items() if key.lower() not in OWN_HEADERS}
    length = reply.headers.get("Content-Length", "0") if is_head else str(len(reply.body))
    lines = [f"HTTP/1.1 {reply.status} {http.client.responses.get(reply.status, '')}"]
    lines += [f"{key}: {value}" for key, value in {**own, "Content-Length": length}.items()]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def forward(url: str) -> Callable[[Request], Reply]:
    """Return an upstream that is another server."""
    host = urlsplit(url).netloc

    def ask(request: Request) -> Reply:
        line = http.client.HTTPConnection(host, timeout=60)
        headers = {k: v for k, v in request.headers.items() if k.lower() != "expect"}
        line.request(
            request.method, request.target, request.body, {**headers, "Connection": "close"}
        )
        answer = line.getresponse()
        reply = Reply(answer.status, dict(answer.headers), answer.read())
        line.close()
        return reply

    return ask
