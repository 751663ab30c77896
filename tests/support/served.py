"""A folder that is served on a real socket, by a thread of the tests' process."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import requests
from attrs import Factory, evolve, field, frozen

from entrypoints.cli.places import Places, opened
from entrypoints.cli.session import Session
from entrypoints.serve.application import Serving, serving
from entrypoints.serve.guard import Access, Rate
from entrypoints.serve.known_clips import KnownClips
from entrypoints.serve.server import PromptConnection, listen, server

WITHIN_S = 60
EVERYONE = Access()
ANY_RATE = Rate(1e6, 10**6)


@frozen
class Client:
    """A client of a server."""

    url: str
    client: requests.Session = Factory(requests.Session)

    def get(self, path: str, **more: Any) -> requests.Response:  # noqa: ANN401 - as requests has it
        return self.client.get(self.url + path, timeout=WITHIN_S, **more)

    def post(self, path: str, body: object, **more: Any) -> requests.Response:  # noqa: ANN401 - as requests has it
        return self.client.post(self.url + path, json=body, timeout=WITHIN_S, **more)

    def delete(self, path: str, **more: Any) -> requests.Response:  # noqa: ANN401 - as requests has it
        return self.client.delete(self.url + path, timeout=WITHIN_S, **more)

    @contextmanager
    def events(self, **headers: str) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
        """Yield the names and the data of events, from now on."""
        with requests.get(
            f"{self.url}/api/v1/events", stream=True, timeout=WITHIN_S, headers=headers
        ) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            lines = response.iter_lines(chunk_size=1, decode_unicode=True)
            assert next(lines).startswith("retry: ")
            yield _events(lines)

    def wait_for(self, path: str, state: str = "done") -> dict[str, Any]:
        """Return a clip's report once it has that state."""
        until_s = time.monotonic() + WITHIN_S
        while (found := self.get(path).json())["state"] != state:
            assert time.monotonic() < until_s, found
            time.sleep(0.05)
        return dict(found)


@frozen
class Served(Client):
    """A server of this process, and a client of it."""

    serving: Serving = field(kw_only=True)

    @property
    def known(self) -> KnownClips:
        """The clips of a folder that is served."""
        assert isinstance(self.serving.known, KnownClips)
        return self.serving.known

    @property
    def session(self) -> Session:
        """The session on a folder that is served."""
        return self.known.session


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


@contextmanager
def served(
    recordings: Path,
    clips: Path,
    access: Access = EVERYONE,
    writes: Rate = ANY_RATE,
    layout: str = "frigate",
    *,
    connection: type[PromptConnection] = PromptConnection,
) -> Iterator[Served]:
    """Serve a recorder's folder until the block ends."""
    places = Places(recordings=recordings, out=clips, layout=layout, tz="UTC")
    with (
        opened(places) as session,
        running(serving(session, access), writes, connection) as server,
    ):
        yield server


@contextmanager
def running(
    made: Serving,
    writes: Rate = ANY_RATE,
    connection: type[PromptConnection] = PromptConnection,
) -> Iterator[Served]:
    """Run a server until the block ends."""
    made = evolve(made, reads=ANY_RATE, writes=writes)
    with listen("127.0.0.1", 0) as listening:
        running = server(made, connection)
        thread = Thread(target=running.run, args=([listening],), daemon=True)
        thread.start()
        try:
            until_s = time.monotonic() + WITHIN_S
            while not running.started:
                assert time.monotonic() < until_s
                time.sleep(0.01)
            port = listening.getsockname()[1]
            with requests.Session() as client:
                yield Served(f"http://127.0.0.1:{port}", client, serving=made)
        finally:
            running.should_exit = True
            thread.join(2 * WITHIN_S)  # the clip that is being made is finished first
            assert not thread.is_alive()
