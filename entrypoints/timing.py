"""How long each port's methods take, measured around the adapters."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import isfunction, ismethod
from typing import Any, TypeVar

P = TypeVar("P")


class _Calls(threading.local):
    """The time spent by this thread in each port's method in seconds, and what is called before."""

    def __init__(self) -> None:
        self.spent_s: defaultdict[str, float] = defaultdict(float)
        self.on_call: Callable[[str], None] = lambda _: None


_calls = _Calls()


@contextmanager
def measured_calls() -> Iterator[dict[str, int]]:
    """Measure how many ms this thread spends in each port's method until the block ends.

    The dictionary is filled at the end; its keys are the methods' names.
    """
    _calls.spent_s.clear()
    spent_ms: dict[str, int] = {}
    try:
        yield spent_ms
    finally:
        spent_ms.update((name, round(1000 * s)) for name, s in _calls.spent_s.items())


@contextmanager
def announced_calls(on_call: Callable[[str], None]) -> Iterator[None]:
    """Call `on_call` with the name of each port's method before this thread calls it."""
    _calls.on_call = on_call
    try:
        yield
    finally:
        _calls.on_call = lambda _: None


def is_method(port: type, name: str) -> bool:
    """Return whether `name` is a method that the port offers."""
    return not name.startswith("_") and callable(getattr(port, name))


def timed(port: Callable[..., P], adapter: P) -> P:
    """Return an adapter of `port` that forwards its calls to `adapter` and measures them.

    A function that is returned is measured, too, when it is called.
    """

    def forwarding(name: str) -> Callable[..., Any]:
        method = getattr(adapter, name)

        def call(_: P, *args: object, **kwargs: object) -> object:
            found = measured(lambda: method(*args, **kwargs))
            return (lambda: measured(found)) if isfunction(found) or ismethod(found) else found

        def measured(function: Callable[[], object]) -> object:
            _calls.on_call(name)
            began_s = time.monotonic()
            try:
                return function()
            finally:
                _calls.spent_s[name] += time.monotonic() - began_s

        return call

    base: Any = port
    methods = {name: forwarding(name) for name in vars(base) if is_method(base, name)}
    adapter_type: type[P] = type(f"Timed{base.__name__}", (base,), methods)
    return adapter_type()
