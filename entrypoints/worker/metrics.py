"""The figures of the log lines, for Prometheus to scrape from the worker.

The names are those of the log's metrics in Prometheus's form ("Metric and label naming" of its
documentation): `renderInMs` is the histogram `camclip_render_seconds`, `readBytes` the counter
`camclip_read_bytes_total`.
"""

import re
from collections.abc import Mapping

from attrs import define, field
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from entrypoints.log_line import METRIC_UNITS
from entrypoints.worker.decisions import WorkOutcome

PREFIX = "camclip"
SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 900, 3600)
"""The buckets of durations: a call takes some ms, and a request may wait an hour."""
RETRIES = (0, 1, 2, 5, 10, 20, 50)
DISTRIBUTIONS = frozenset({"retries"})
"""Counts of which each line holds the request's total so far: a sum of them means nothing."""


def metric_name(member: str) -> str:
    """Return the name of a member's metric, without the suffix that a counter gets."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", member).lower()
    return f"{PREFIX}_{words.removesuffix('_in_ms')}" + ("_seconds" if "_in_ms" in words else "")


@define
class Metrics:
    """The worker's metrics, of all its slots."""

    registry: CollectorRegistry = field(factory=CollectorRegistry)
    _clips: Counter = field(init=False)
    _errors: Counter = field(init=False)
    _outcomes: Counter = field(init=False)
    _members: dict[str, Counter | Histogram] = field(init=False)

    def __attrs_post_init__(self) -> None:
        registry = self.registry
        self._clips = _counter(registry, f"{PREFIX}_clips", "Messages handled.", "status")
        self._errors = _counter(registry, f"{PREFIX}_errors", "Messages returned.", "error")
        name = f"{PREFIX}_worker_messages"
        self._outcomes = _counter(registry, name, "How the work on messages ended.", "outcome")
        self._members = {member: _metric(registry, member) for member in METRIC_UNITS}

    def observe(self, outcome: WorkOutcome, figures: Mapping[str, object]) -> None:
        """Add a message: how the work ended, and the figures of its log line, if there is one."""
        self._outcomes.labels(outcome.name.lower()).inc()
        if "status" in figures:
            self._clips.labels(str(figures["status"])).inc()
        if "error" in figures:
            self._errors.labels(str(figures["error"])).inc()
        for member, metric in self._members.items():
            value = figures.get(member)
            if not isinstance(value, int | float):
                continue
            if isinstance(metric, Histogram):
                metric.observe(value / 1000 if METRIC_UNITS[member] == "Milliseconds" else value)
            else:
                metric.inc(value)

    def serve(self, port: int, slots: int) -> None:
        """Serve the metrics on all addresses, in a thread; OSError if the port is taken."""
        Gauge(f"{PREFIX}_worker_slots", "WORKER_SLOTS.", registry=self.registry).set(slots)
        start_http_server(port, registry=self.registry)


def _counter(registry: CollectorRegistry, name: str, what: str, label: str) -> Counter:
    return Counter(name, what, [label], registry=registry)


def _metric(registry: CollectorRegistry, member: str) -> Counter | Histogram:
    name, what = metric_name(member), f"{member} of the log."
    if METRIC_UNITS[member] == "Milliseconds":
        return Histogram(name, what, registry=registry, buckets=SECONDS)
    if member in DISTRIBUTIONS:
        return Histogram(name, what, registry=registry, buckets=RETRIES)
    return Counter(name, what, registry=registry)
