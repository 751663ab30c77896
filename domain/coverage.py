"""What a clip shows of its window, and what it does not."""

from collections.abc import Iterable, Mapping
from enum import Enum

from attrs import Factory, field, frozen

from domain.window import TimeWindow


class Verification(Enum):
    """Which of a clip's pictures were decoded before it was stored."""

    SPLICES = "splices"
    """The encoded ones, and the copied ones next to them."""
    ALL = "all"


@frozen
class Unused:
    """Footage that a clip leaves out, because another recording of the same time plays.

    A recording of which the clip needs nothing is not opened: its listed dates are believed.
    """

    name: str
    window: TimeWindow


@frozen
class Clock:
    """How far a clip's own clock departs from the wall clock."""

    rate: float
    """Seconds of media in a second of the wall clock; 1 unless the camera's clock is wrong."""
    difference_ms: int
    """By how much the clip lasts longer than the time that it shows; negative if shorter."""


@frozen
class Coverage:
    """What a clip shows of the requested window.

    `gaps`, `damaged` and `held` are within the window, in order, and disjoint.
    """

    gaps: tuple[TimeWindow, ...] = ()
    """Without footage: the clip's clock skips them, unless the request has them filled."""
    damaged: tuple[TimeWindow, ...] = ()
    """With pictures that could not be decoded without a fault."""
    held: tuple[TimeWindow, ...] = ()
    """A picture stands in for those that were not recorded."""
    unused: tuple[Unused, ...] = ()
    clock: Clock | None = None
    """None if the clip keeps to the wall clock."""
    verified: Verification | None = None
    notes: tuple[str, ...] = ()
    """For people: what is doubtful about the footage."""
    as_written: Mapping[str, object] = field(default=Factory(dict), eq=False, kw_only=True)
    """What a newer version of the service wrote, if it says more than this one understands: passed
    on as it is."""

    @property
    def is_complete(self) -> bool:
        """Whether no instant is missing or damaged."""
        return not self.gaps and not self.damaged

    @property
    def missing_ms(self) -> int:
        """How many milliseconds of the window the clip lacks."""
        return total_ms(self.gaps)


def total_ms(windows: Iterable[TimeWindow]) -> int:
    """Return how many milliseconds the windows last together."""
    return sum(window.duration_ms for window in windows)


def disjoint(window: TimeWindow, *lists: Iterable[TimeWindow]) -> list[tuple[TimeWindow, ...]]:
    """Cut the lists to `window` and merge each; what is in an earlier list leaves the later ones.

    Each result is in order, and no two of its windows touch.
    """
    taken: list[TimeWindow] = []
    results = []
    for windows in lists:
        own = merged(
            part
            for found in windows
            if (inside := found.intersection(window))
            for part in inside.without(taken)
        )
        taken = merged([*taken, *own])
        results.append(tuple(own))
    return results


def merged(windows: Iterable[TimeWindow]) -> list[TimeWindow]:
    """Return the windows in order, those that overlap or touch as one."""
    found: list[TimeWindow] = []
    for window in sorted(windows):
        if found and window.start_ms <= found[-1].end_ms:
            found[-1] = TimeWindow(found[-1].start_ms, max(found[-1].end_ms, window.end_ms))
        else:
            found.append(window)
    return found
