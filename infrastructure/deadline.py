"""Deadlines that hold against slow name resolution, dripped bytes and a library's own retries.

The timeouts of requests and botocore apply to each read, not to a whole call. So the call runs in a
thread of its own, which is abandoned at the deadline.
"""

import time
from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

from domain.errors import DeadlineExceeded

T = TypeVar("T")

MIN_REMAINING_S = 0.2
"""With less time than this remaining, no call is begun."""


class _Call(Thread, Generic[T]):
    """A call; a daemon thread, so that an abandoned one does not keep the process alive."""

    result: T
    error: BaseException | None = None

    def __init__(self, function: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self.function = function

    def run(self) -> None:
        try:
            self.result = self.function()
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            self.error = error


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
    call = _Call(function)
    call.start()
    call.join(min(remaining_s, 86_400))
    if call.is_alive():
        abort()
        raise DeadlineExceeded(f"{service} did not answer before the deadline.")
    if call.error:
        raise call.error
    return call.result
