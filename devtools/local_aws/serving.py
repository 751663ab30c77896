"""A small HTTP server on this machine, whose every request is answered by one function."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from attrs import Factory, frozen


@frozen
class Request:
    """A request."""

    method: str
    target: str
    """Path and query."""
    body: bytes


@frozen
class Response:
    """What it is answered with."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = Factory(dict)


Answer = Callable[[Request], Response | None]
"""Returns the reply; None hangs up without one."""


@contextmanager
def serve(answer: Answer) -> Iterator[str]:
    """Serve on a free port of the loopback interface, each request in a thread; give the address.

    Requests that are still being answered at the end of the block are not waited for.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def reply(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            reply = answer(Request(self.command, self.path, self.rfile.read(length)))
            if reply is None:
                self.close_connection = True
                return
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the asker was killed meanwhile

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionResetError:
                self.close_connection = True

        do_GET = do_PUT = do_POST = reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()
