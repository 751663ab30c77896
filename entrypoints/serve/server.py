"""Listens, and ends in order."""

import socket

import uvicorn

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


class Server(uvicorn.Server):
    """A server that ends the streams of events, which have no end, before it waits for answers."""

    def __init__(self, config: uvicorn.Config, serving: Serving) -> None:
        super().__init__(config)
        self.serving = serving

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        self.serving.events.close()
        await super().shutdown(sockets)


def server(serving: Serving) -> Server:
    """Return a server that is not running yet."""
    config = uvicorn.Config(
        serving.application(),
        http="h11",
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
