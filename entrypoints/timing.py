"""How long each port is busy with a request: measured around the adapters, so that none knows."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

P = TypeVar("P")


class _Busy(threading.local):
    """What the present request has taken, in seconds by the port's method."""

    def __init__(self) -> None:
        self.taken_s: defaultdict[str, float] = defaultdict(float)


_busy = _Busy()


@contextmanager
def measured_calls() -> Iterator[dict[str, int]]:
    """Collect, until the block ends, how many ms this thread spends in which method of a port.

    The dictionary is filled at the end, by the names of the methods.
    """
    _busy.taken_s.clear()
    taken_ms: dict[str, int] = {}
    try:
        yield taken_ms
    finally:
        taken_ms.update((name, round(1000 * s)) for name, s in _busy.taken_s.items())


def timed(port: Callable[..., P], adapter: P) -> P:
    """Return an adapter of `port` that measures the calls which it passes on to `adapter`."""

    def passing(name: str) -> Callable[..., Any]:
        method = getattr(adapter, name)

        def call(_: P, *args: object, **named: object) -> object:
            began_s = time.monotonic()
            try:
                return method(*args, **named)
            finally:
                _busy.taken_s[name] += time.monotonic() - began_s

        return call

    base: Any = port
    methods = {name: passing(name) for name in base.__abstractmethods__}
    made: P = type(f"Timed{base.__name__}", (base,), methods)()
    return made
