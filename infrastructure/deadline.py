"""Deadlines that hold against slow name resolution, dripped bytes and a library's own retries.

The timeouts of requests and botocore apply to each read, not to a whole call. So the call runs in a
thread of its own, which is abandoned at the deadline.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

from domain.errors import DeadlineExceeded

T = TypeVar("T")

MIN_REMAINING_S = 0.2
"""With less time than this remaining, no call is begun."""


def begin(function: Callable[[], T]) -> "Future[T]":
    """Run `function` in a thread that does not keep the process alive; return its future result."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised again by result()
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def run_within(
    deadline_s: float,
    service: str,
    function: Callable[[], T],
    abort: Callable[[], None] = lambda: None,
) -> T:
    """Return what `function` returns, or raise what it raises; DeadlineExceeded at the deadline.

    `abort` is then called to end the call, whose effect is unknown.
    """
    remaining_s = deadline_s - time.monotonic()
    if remaining_s < MIN_REMAINING_S:
        raise DeadlineExceeded(f"No time was left for {service}.")
    call = begin(function)
    if not wait([call], min(remaining_s, 86_400)).done:
        abort()
        raise DeadlineExceeded(f"{service} did not answer before the deadline.")
    return call.result()
