"""Which folders and names can hold a window's recordings: the others are not visited."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from attrs import Factory, field, frozen

from domain.window import TimeWindow
from infrastructure.layouts.pattern import Component, Kind, Pattern, Token
from infrastructure.layouts.wall_clock import NAIVE_EPOCH, SORTABLE, UNITS, local_time, sortable

FOLLOWING_MS = 3_600_000
"""How long after a window names are read: the next start limits how long a recording can be."""
CLOCK_CHANGE = timedelta(hours=3)
"""No clock is set back or forward by more, and what surrounds the repeated hour is read with it."""
MAX_OFFSET = timedelta(hours=15)
"""No clock is further from UTC."""
MAX_UNCHANGED = timedelta(days=7)
"""No clock is set forward and back again within this time."""
SINCE_EPOCH = "s"
STEPS = {"H": timedelta(hours=1), "M": timedelta(minutes=1), "S": timedelta(seconds=1)}


@frozen
class StartRange:
    """Between which local times, both included, the recordings of a window start.

    They are by the clock of the pattern: in UTC if it holds an offset or seconds since the epoch.
    """

    first: datetime
    last: datetime
    _digits: tuple[str, str] = field(
        init=False,
        repr=False,
        default=Factory(
            lambda self: (f"{self.first:{SORTABLE}}", f"{self.last:{SORTABLE}}"), takes_self=True
        ),
    )

    def may_hold(self, fields: Mapping[str, str]) -> bool:
        """Return whether a path that begins with these fields may start within the range."""
        digits = sortable(fields)
        first, last = self._digits
        return first[: len(digits)] <= digits <= last[: len(digits)]


def start_range(
    pattern: Pattern, window: TimeWindow, max_recording_ms: int, zone: tzinfo
) -> StartRange:
    """Return when recordings of at most `max_recording_ms` start that may overlap `window`.

    It is wider than that where the clock is changed, and goes on after the window.
    """
    clock = UTC if pattern.has("s", "z") else zone
    first = local_time(window.start_ms - max_recording_ms, clock)
    last = local_time(window.end_ms + FOLLOWING_MS, clock)
    margin = CLOCK_CHANGE if _may_change(clock, first, last) else timedelta(0)
    if pattern.has("z"):
        margin = MAX_OFFSET
    return StartRange(first - margin, last + margin)


def order_margin(pattern: Pattern, zone: tzinfo) -> timedelta:
    """Return by how much the times of two paths may differ, and be in the wrong order."""
    if pattern.has("z"):
        return 2 * MAX_OFFSET
    return timedelta(0) if zone is UTC or pattern.has("s") else CLOCK_CHANGE


def _may_change(clock: tzinfo, first: datetime, last: datetime) -> bool:
    """Return whether a clock may be changed between two local times, or around them."""
    if clock is UTC:
        return False
    if last - first > MAX_UNCHANGED:
        return True
    around = first - 2 * CLOCK_CHANGE, last + 2 * CLOCK_CHANGE
    return len({local.replace(tzinfo=clock).utcoffset() for local in around}) > 1


@frozen
class NameRange:
    """The names that may fit, compared as text, so that most are dropped without being matched."""

    first: str
    last: str

    def __contains__(self, name: str) -> bool:
        """Return whether the beginning of `name` is within the range."""
        return self.first <= name[: len(self.first)] and name[: len(self.last)] <= self.last


def name_range(component: Component, starts: StartRange) -> NameRange:
    """Return which names of a folder may fit: those of a pattern that begins with a date."""
    return NameRange(*rendered(component.tokens, starts))


def rendered(tokens: Sequence[Token], starts: StartRange) -> tuple[str, str]:
    """Return the beginnings of the first and the last name, as far as their order is in time."""
    first = last = ""
    fields = [token.text for token in tokens if token.kind is Kind.FIELD]
    expected = iter(SINCE_EPOCH if fields[:1] == [SINCE_EPOCH] else UNITS)
    for token in tokens:
        is_ordered = token.kind is Kind.FIELD and token.text == next(expected, None)
        if token.kind is not Kind.LITERAL and not is_ordered:
            break
        first += render(token, starts.first)
        last += render(token, starts.last)
    return first, last


def render(token: Token, moment: datetime) -> str:
    """Return the text that the token, literal or a field of times, stands for at a moment."""
    if token.kind is Kind.LITERAL:
        return token.text
    if token.text == SINCE_EPOCH:
        return f"{(moment - NAIVE_EPOCH) // timedelta(seconds=1):010}"
    return f"{moment:%{token.text}}"


def moments(units: Sequence[str], starts: StartRange) -> Iterator[datetime]:
    """Yield moments of the range, at least one for each value that these fields can have."""
    step = STEPS.get(max(units, key=UNITS.index, default="Y"), timedelta(days=1))
    moment = starts.first
    while moment < starts.last:
        yield moment
        moment += step
    yield starts.last
