"""Deadlines that hold against anything: slow names, dripped bytes, a library's own retries.

Neither requests nor botocore knows the end of a call: their timeouts count for each read. So the
call runs in a thread of its own, and nobody waits for it longer than the deadline.
"""

import time
from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

from domain.errors import DeadlineExceeded

T = TypeVar("T")

MIN_REMAINING_S = 0.2
"""With less time left than that, no call is begun."""


class _Work(Thread, Generic[T]):
    """A call; a daemon, so that one given up does not keep the process alive."""

    result: T
    error: BaseException | None = None

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self.work = work

    def run(self) -> None:
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            self.error = error


def run_within(
    deadline_s: float,
    what: str,
    work: Callable[[], T],
    give_up: Callable[[], None] = lambda: None,
) -> T:
    """Return what `work` returns, or raise what it raises; DeadlineExceeded once the deadline passes.

    `give_up` is then called to end the work, whose effect, if any, nobody knows.
    """
    left_s = deadline_s - time.monotonic()
    if left_s < MIN_REMAINING_S:
        raise DeadlineExceeded(f"No time was left for {what}.")
    call = _Work(work)
    call.start()
    call.join(min(left_s, 86_400))
    if call.is_alive():
        give_up()
        raise DeadlineExceeded(f"The time was over before {what} answered.")
    if call.error:
        raise call.error
    return call.result
