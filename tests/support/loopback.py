"""A server that answers by a script, byte by byte if need be: what no proper server would do."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from attrs import Factory, define

TLS_HANDSHAKE = b"\x16"

Script = Callable[[socket.socket], None]


@define
class Loopback:
    """Answers each connection by the next script, and by the last one from then on."""

    scripts: list[Script]
    requests: list[str] = Factory(list)
    """Head and body of each."""
    url: str = ""
    closed_by_client: int = 0

    def serve(self, server: socket.socket) -> None:
        """Take connections until the socket is closed."""
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
            Thread(target=self._answer, args=(line, script), daemon=True).start()

    def _answer(self, line: socket.socket, script: Script) -> None:
        with line:
            try:
                self.requests.append(_request(line))
                script(line)
            except OSError:
                self.closed_by_client += 1


@contextmanager
def loopback(*scripts: Script) -> Iterator[Loopback]:
    """Serve on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        served = Loopback(list(scripts), url=f"http://127.0.0.1:{server.getsockname()[1]}")
        Thread(target=served.serve, args=(server,), daemon=True).start()
        yield served
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def _request(line: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received and received[:1] != TLS_HANDSHAKE:
        received += line.recv(65536) or b"\r\n\r\n"
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [
        int(header.split(b":")[1])
        for header in head.split(b"\r\n")
        if header.lower().startswith(b"content-length")
    ]
    while len(body) < sum(lengths):
        body += line.recv(65536)
    return (head + b"\r\n\r\n" + body).decode("latin-1")


def answer(status: str, body: bytes = b"", *headers: str) -> Script:
    """Answer at once, and close."""
    return lambda line: line.sendall(head(status, len(body), *headers) + body)


def head(status: str, length: int, *headers: str) -> bytes:
    """Write an answer's head."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {length}", "Connection: close", *headers)
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def drip(start: bytes, drop: bytes) -> Script:
    """Send `start`, then `drop` again and again, ten times a second."""

    def script(line: socket.socket) -> None:
        line.sendall(start)
        while True:
            time.sleep(0.1)
            line.sendall(drop)

    return script


def stall(start: bytes = b"") -> Script:
    """Send `start`, then nothing until the client goes away."""

    def script(line: socket.socket) -> None:
        line.sendall(start)
        if not line.recv(1):
            raise ConnectionResetError

    return script
