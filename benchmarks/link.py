"""S3 at the end of a link of known bandwidth and latency, which counts requests and bytes.

The link is an HTTP proxy in front of moto. It delays each request, and lets all bodies of one
direction share that direction's bandwidth. Two things differ from moto. It copies a whole object
for each range read of it (0.14 s of processor time for 230 MB), so the recordings' bucket is read
straight from files. In a multipart upload, parts copied inside S3 would travel to moto, so the link
waits for the assumed time of a copy (250 MB/s a part), and stores the assembled object in moto
after the run. The link and moto run in processes of their own, which the measurements leave out.
"""

import http.client
import json
import logging
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

from attrs import frozen

from benchmarks.link_server import PASSED, Passed, Server


@frozen
class Counts:
    """What passed: requests, the bytes of their bodies, and how many were PUTs and POSTs."""

    requests: int = 0
    down_bytes: int = 0
    up_bytes: int = 0
    writes: int = 0


@frozen
class Link:
    """A running link: S3 through it at `endpoint`; `direct` goes to moto uncounted, at once."""

    endpoint: str
    direct: str

    def passed(self) -> list[Passed]:
        """Return what passed since it was last asked for."""
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"))
        try:
            connection.request("GET", PASSED)
            return [Passed(**one) for one in json.loads(connection.getresponse().read())]
        finally:
            connection.close()

    def counts(self) -> Counts:
        """Return the sum of what passed since it was last asked for."""
        passed = self.passed()
        return Counts(
            len(passed),
            sum(one.down_bytes for one in passed),
            sum(one.up_bytes for one in passed),
            sum(one.method in {"PUT", "POST"} for one in passed),
        )


@contextmanager
def link(recordings: Path, mbit_s: float = 200, latency_ms: float = 30) -> Iterator[Link]:
    """Run S3 behind a link; `recordings` is the folder that the recordings' bucket shows."""
    with (
        _process(_store) as store_port,
        _process(_link, recordings, store_port, mbit_s, latency_ms) as port,
    ):
        yield Link(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{store_port}")


@contextmanager
def _process(serve: Callable[..., None], *arguments: object) -> Iterator[int]:
    """Run a server until the block ends (or we do: it sees the pipe close), and give its port."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield int(ours.recv())
    finally:
        ours.close()
        process.join()


def _store(ready: Connection) -> None:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    ready.send(server.get_host_and_port()[1])
    ready.poll(None)


def _link(
    ready: Connection, recordings: Path, store_port: int, mbit_s: float, latency_ms: float
) -> None:
    with Server(recordings, store_port, mbit_s * 125_000, latency_ms / 1000) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        ready.send(server.server_address[1])
        ready.poll(None)
        server.shutdown()
