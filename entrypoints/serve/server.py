"""Listens, and ends in order."""

import asyncio
import socket
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from entrypoints.cli.console import UsageError
from entrypoints.serve.application import Serving

MAX_CONNECTIONS = 500
MAX_HEADER_BYTES = 16 << 10
KEEP_ALIVE_S = 30
GRACE_S = 3


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; UsageError if that address cannot be used."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        fault = error.strerror or error
        raise UsageError(f"{host}:{port} cannot be listened on: {fault}.") from error
    # Connections inherit it. Without it, an answer that is written in two parts takes 40 ms: the
    # client's acknowledgement of the first is delayed. asyncio sets it only on sockets whose
    # protocol is named (asyncio/base_events.py, _set_nodelay).
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def address_of(listening: socket.socket) -> str:
    """Return the address to open in a browser."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"


class PromptConnection(H11Protocol):
    """A connection that is closed if its client takes too long to send a request.

    uvicorn 0.54 waits as long as they do: clients that send nothing, or a byte now and then, would
    use up all connections.
    """

    request_s = 20.0
    """From a connection, or from a request's first byte, until the request is whole."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as uvicorn has it
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Expect a request."""
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Expect the rest of a request, if it is not whole."""
        super().data_received(data)
        if self.conn.their_state in {h11.IDLE, h11.SEND_BODY}:
            self._await_request()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.request_s, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Server(uvicorn.Server):
    """A server that ends the streams of events, which have no end, before it waits for answers."""

    def __init__(self, config: uvicorn.Config, serving: Serving) -> None:
        super().__init__(config)
        self.serving = serving

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        self.serving.events.close()
        await super().shutdown(sockets)


def server(serving: Serving, connection: type[PromptConnection] = PromptConnection) -> Server:
    """Return a server that is not running yet."""
    config = uvicorn.Config(
        serving.application(),
        http=connection,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(config, serving)
