"""What goes on while requests are answered: a thread that takes one step after the other."""

from collections.abc import Callable
from threading import Event, Thread

from attrs import define, field


@define
class Background:
    """A thread of that name, and its steps."""

    name: str
    step: Callable[[], float]
    """Returns for how many seconds there is nothing to do, unless the thread is woken. It raises
    nothing."""
    _is_due: Event = field(factory=Event)
    _is_ending: Event = field(factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        """Begin with the first step."""
        self._thread = Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Take the next step now, or, if one is being taken, another one after it."""
        self._is_due.set()

    def stop(self, within_s: float) -> bool:
        """End after the step that is being taken; return whether it was done in time."""
        self._is_ending.set()
        self._is_due.set()
        if self._thread:
            self._thread.join(within_s)
        return self._thread is None or not self._thread.is_alive()

    @property
    def is_ending(self) -> bool:
        """Whether it has been stopped."""
        return self._is_ending.is_set()

    def _run(self) -> None:
        while not self.is_ending:
            self._is_due.clear()
            self._is_due.wait(self.step())
