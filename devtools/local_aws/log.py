"""Events of all parts as readable lines, in order of time."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from math import inf
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any

from attrs import Factory, frozen

from devtools.local_aws.event_source import Delivery
from devtools.local_aws.recursive_loop import MAX_INVOCATIONS, RecursiveLoop

POLL_INTERVAL_S = 0.2
QUIET_S = 0.5
LOOP = (
    f"now a dead letter: {MAX_INVOCATIONS} invocations led to it, and RecursiveLoop is"
    f" {RecursiveLoop.TERMINATE}"
)
LOGGER_MEMBERS = frozenset(
    ("level", "location", "message", "timestamp", "service", "xray_trace_id", "exception_name")
)


@frozen
class Log:
    """Collects lines from many threads."""

    waiting: "SimpleQueue[str]" = Factory(SimpleQueue)

    def add(self, source: str, event: str) -> None:
        """Add an event of now."""
        self.waiting.put(f"{datetime.now(UTC):%H:%M:%S.%f}"[:12] + f"  {source:<9} {event}")

    def function_line(self, line: str) -> None:
        """Add a line of the function's own log."""
        self.add("function", readable(line))

    def delivery(self, delivery: Delivery) -> None:
        """Add the outcome of an invocation, as Lambda's REPORT line does, and what was dropped."""
        for record in delivery.dropped:
            self.add("lambda", f"message {record['messageId']} dropped, {LOOP}")
        if not delivery.records:
            return
        many = len(delivery.records)
        event = f"{many} message{'s' if many > 1 else ''}, {len(delivery.deleted)} done"
        invoked = delivery.invoked
        if invoked is None:
            event = f"{many} message{'s' if many > 1 else ''} back: {delivery.error}"
        else:
            cold = f", cold start {invoked.init_ms} ms" if invoked.cold else ", warm"
            event += f"; process {invoked.pid}, {invoked.elapsed_ms} ms{cold}"
        self.add("lambda", event)

    def report(self, report: dict[str, Any]) -> None:
        """Add a report to the camera API."""
        self.add("camera", f"PUT clip {report['clipId']}: {report['status']}")

    def notification(self, note: dict[str, Any]) -> None:
        """Add a notification to a subscriber."""
        report, attributes = note["Message"], note["MessageAttributes"]
        event_id = attributes["eventId"]["Value"]
        self.add("topic", f"{report['status']} of {report['clipId']}, event {event_id[:8]}")

    def until(
        self, stop: Event, ended: Callable[[], bool] = lambda: False, timeout_s: float = inf
    ) -> Iterator[str]:
        """Yield each line until `stop`, `ended` or the timeout, and the lines in flight then."""
        ends_s = time.monotonic() + timeout_s
        while not (ended() or stop.is_set()) and time.monotonic() < ends_s:
            yield from self._some(POLL_INTERVAL_S)
        yield from self._some(QUIET_S)

    def _some(self, wait_s: float) -> Iterator[str]:
        try:
            yield self.waiting.get(timeout=wait_s)
            while True:
                yield self.waiting.get_nowait()
        except Empty:
            return


def readable(line: str) -> str:
    """Return a JSON line as `message: key value, ...`, any other line unchanged."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict) or "message" not in record:
        return line
    facts = (f"{key} {value}" for key, value in record.items() if key not in LOGGER_MEMBERS)
    return f"{record['message']}: {', '.join(facts)}"
