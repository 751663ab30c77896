"""What happens in all the places, as lines for people, in the order in which it happens."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any

from attrs import Factory, frozen

from devtools.local_aws.event_source import Delivery

LOOK_EVERY_S = 0.2
QUIET_S = 0.5
OF_THE_LOGGER = frozenset(
    ("level", "location", "message", "timestamp", "service", "xray_trace_id", "exception_name")
)


@frozen
class Log:
    """Collects lines from many threads."""

    waiting: "SimpleQueue[str]" = Factory(SimpleQueue)

    def add(self, who: str, what: str) -> None:
        """Note that something happened now."""
        self.waiting.put(f"{datetime.now(UTC):%H:%M:%S.%f}"[:12] + f"  {who:<9} {what}")

    def function_line(self, line: str) -> None:
        """Note a line of the function's own log."""
        self.add("function", in_words(line))

    def delivery(self, delivery: Delivery) -> None:
        """Note how an invocation went, as Lambda's REPORT line does."""
        many = len(delivery.records)
        what = f"{many} message{'s' if many > 1 else ''}, {len(delivery.deleted)} done"
        invoked = delivery.invoked
        if invoked is None:
            what = f"{many} message{'s' if many > 1 else ''} back: {delivery.error}"
        else:
            cold = f", cold start {invoked.init_ms} ms" if invoked.cold else ", warm"
            what += f"; process {invoked.pid}, {invoked.elapsed_ms} ms{cold}"
        self.add("lambda", what)

    def report(self, report: dict[str, Any]) -> None:
        """Note what the camera API was told."""
        self.add("camera", f"PUT clip {report['clipId']}: {report['status']}")

    def notification(self, note: dict[str, Any]) -> None:
        """Note what a subscriber was told."""
        report, attributes = note["Message"], note["MessageAttributes"]
        event_id = attributes["eventId"]["Value"]
        self.add("topic", f"{report['status']} of {report['clipId']}, event {event_id[:8]}")

    def lines(self, stop: Event) -> Iterator[str]:
        """Give each line as it comes, until `stop` is set."""
        while not stop.is_set():
            try:
                yield self.waiting.get(timeout=LOOK_EVERY_S)
            except Empty:
                continue

    def until(self, ended: Callable[[], bool], max_s: float, stop: Event) -> Iterator[str]:
        """Give each line until `ended`, and those that are on their way then."""
        ends_s = time.monotonic() + max_s
        while not (ended() or stop.is_set()) and time.monotonic() < ends_s:
            yield from self._some(LOOK_EVERY_S)
        yield from self._some(QUIET_S)

    def _some(self, wait_s: float) -> Iterator[str]:
        try:
            yield self.waiting.get(timeout=wait_s)
            while True:
                yield self.waiting.get_nowait()
        except Empty:
            return


def in_words(line: str) -> str:
    """Write a JSON line of the function's as `message: key value, ...`; another as it is."""
    try:
        told = json.loads(line)
    except ValueError:
        return line
    if not isinstance(told, dict) or "message" not in told:
        return line
    facts = (f"{key} {value}" for key, value in told.items() if key not in OF_THE_LOGGER)
    return f"{told['message']}: {', '.join(facts)}"
