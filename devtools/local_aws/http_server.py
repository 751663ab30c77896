"""The HTTP server of all stand-ins: one function answers every request on a loopback port."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from attrs import Factory, frozen

PER_CONNECTION = {"connection", "transfer-encoding", "content-length", "date", "server"}


@frozen(slots=False)
class Request:
    """A request whose body is read from the socket on first use."""

    method: str
    target: str
    """Path and query."""
    headers: Mapping[str, str]
    """By names in lower case."""
    _read: Callable[[], bytes]

    @cached_property
    def body(self) -> bytes:
        """The body, `Content-Length` bytes long."""
        return self._read()


@frozen
class Response:
    """An answer with a complete body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = Factory(dict)

    @classmethod
    def json(cls, payload: object, status: int = 200) -> "Response":
        """Return `payload` as a JSON answer."""
        return cls(status, json.dumps(payload).encode(), {"Content-Type": "application/json"})

    def head(self, method: str = "GET") -> bytes:
        """Return status line and headers; an answer to HEAD keeps its own Content-Length."""
        own = {k: v for k, v in self.headers.items() if k.lower() not in PER_CONNECTION}
        bytes_of_get = next(
            (v for k, v in self.headers.items() if k.lower() == "content-length"), "0"
        )
        own["Content-Length"] = bytes_of_get if method == "HEAD" else str(len(self.body))
        reason = http.client.responses.get(self.status, "")
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{k}: {v}" for k, v in own.items())]
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"


Send = Callable[[bytes], object]
RawAnswer = Callable[[Send], None]
"""Writes to the connection itself, which is closed afterwards."""
Answer = Callable[[Request], Response | RawAnswer | None]
"""Returns the answer; None closes the connection without one."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 64


@contextmanager
def serve(answer: Answer) -> Iterator[str]:
    """Serve on a free loopback port, each connection in a thread; yield the server's URL.

    The end of the block does not wait for requests that are still being answered.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def handle(self) -> None:
            with suppress(ConnectionError):  # the client was killed, or has read enough
                super().handle()

        def finish(self) -> None:
            with suppress(ConnectionError):
                super().finish()

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            length = int(headers.get("content-length", 0))
            request = Request(self.command, self.path, headers, lambda: self.rfile.read(length))
            response = answer(request)
            if isinstance(response, Response):
                _ = request.body  # the next request of the connection begins after it
                content = response.body if self.command != "HEAD" else b""
                self.wfile.write(response.head(self.command) + content)
                return
            self.close_connection = True
            if response is not None:
                response(self.wfile.write)

        def log_message(self, *_: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        accepting = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            accepting.join()
