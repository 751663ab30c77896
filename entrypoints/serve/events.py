"""What happens to clips, as it happens: published by threads, read as server-sent events."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from threading import Lock

from attrs import define, field, frozen
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from entrypoints.serve.parameters import query
from entrypoints.serve.problems import TOO_MANY, Problem

MAX_KEPT = 1000
"""So many events are sent again to a client that names the last one it got."""
MAX_SUBSCRIBERS = 100
MAX_UNSENT = 1000
"""A client that is so many events behind is disconnected: it asks again for those it lacks."""
KEEP_ALIVE_S = 15.0
RETRY_MS = 2000


@frozen
class Event:
    """Something that happened to a clip, or to none."""

    number: int
    name: str
    members: Mapping[str, object]

    def written(self) -> str:
        """Return the event in the form of a stream."""
        return f"id: {self.number}\nevent: {self.name}\ndata: {json.dumps(self.members)}\n\n"


@frozen(eq=False)
class Subscriber:
    """A client that is connected."""

    loop: asyncio.AbstractEventLoop
    unsent: "asyncio.Queue[Event | None]"
    """None ends the stream."""

    def deliver(self, event: Event | None) -> None:
        """Deliver an event, from any thread."""
        self.loop.call_soon_threadsafe(self._put, event)

    def _put(self, event: Event | None) -> None:
        if event is not None and self.unsent.qsize() < MAX_UNSENT:
            self.unsent.put_nowait(event)
        else:
            self.unsent.put_nowait(None)


@define
class Events:
    """The latest events, and the clients that read them."""

    _kept: deque[Event] = field(factory=lambda: deque(maxlen=MAX_KEPT))
    _subscribers: set[Subscriber] = field(factory=set)
    _number: int = 0
    _is_closed: bool = False
    _lock: Lock = field(factory=Lock)

    def publish(self, name: str, members: Mapping[str, object]) -> None:
        """Publish an event to all clients."""
        with self._lock:
            self._number += 1
            event = Event(self._number, name, members)
            self._kept.append(event)
            for subscriber in self._subscribers:
                subscriber.deliver(event)

    def subscribe(self, after: int | None) -> Subscriber:
        """Return a new client, to which events after that number are delivered first.

        Problem if there are too many clients.
        """
        subscriber = Subscriber(asyncio.get_running_loop(), asyncio.Queue())
        with self._lock:
            if len(self._subscribers) >= MAX_SUBSCRIBERS:
                raise Problem(TOO_MANY, f"{MAX_SUBSCRIBERS} clients read events already.")
            if after is not None and after <= self._number:
                for event in self._kept:
                    if event.number > after:
                        subscriber.deliver(event)
            if self._is_closed:
                subscriber.deliver(None)
            self._subscribers.add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a client."""
        with self._lock:
            self._subscribers.discard(subscriber)

    def close(self) -> None:
        """End all streams: the server ends."""
        with self._lock:
            self._is_closed = True
            for subscriber in self._subscribers:
                subscriber.deliver(None)


@frozen
class EventRoutes:
    """The events' address."""

    events: Events

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/api/v1/events", self.read, methods=["GET"])]

    async def read(self, request: Request) -> Response:
        """Answer with a stream of events, from the one after `Last-Event-ID` on."""
        query(request, ())
        last = request.headers.get("last-event-id", "")
        is_number = last.isascii() and last.isdecimal() and len(last) < 16  # noqa: PLR2004 - digits
        subscriber = self.events.subscribe(int(last) if is_number else None)
        return StreamingResponse(self._stream(subscriber), media_type="text/event-stream")

    async def _stream(self, subscriber: Subscriber) -> AsyncIterator[str]:
        try:
            yield f"retry: {RETRY_MS}\n\n"
            while True:
                try:
                    event = await asyncio.wait_for(subscriber.unsent.get(), KEEP_ALIVE_S)
                except TimeoutError:
                    yield ": still connected\n\n"
                    continue
                if event is None:
                    return
                yield event.written()
        finally:
            self.events.unsubscribe(subscriber)
