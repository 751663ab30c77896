"""Half-open windows of UTC time."""

from collections.abc import Iterable

from attrs import field, frozen
from attrs.validators import instance_of

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


@frozen(order=True)
class TimeWindow:
    """The instants `start_ms <= t < end_ms`, in milliseconds since the Unix epoch.

    Never empty: bounds that are equal or reversed raise ValueError.
    """

    start_ms: int = field(validator=instance_of(int))
    end_ms: int = field(validator=instance_of(int))

    def __attrs_post_init__(self) -> None:
        if self.start_ms >= self.end_ms:
            msg = f"a window must start before it ends, got {self.start_ms}..{self.end_ms} ms"
            raise ValueError(msg)

    @property
    def duration_ms(self) -> int:
        """Its duration in milliseconds: at least 1."""
        return self.end_ms - self.start_ms

    def overlaps(self, other: "TimeWindow") -> bool:
        """Return whether the two share an instant; adjacent windows do not."""
        return self.start_ms < other.end_ms and other.start_ms < self.end_ms

    def intersection(self, other: "TimeWindow") -> "TimeWindow | None":
        """Return the instants that the two share, None if there are none."""
        start_ms, end_ms = max(self.start_ms, other.start_ms), min(self.end_ms, other.end_ms)
        return TimeWindow(start_ms, end_ms) if start_ms < end_ms else None

    def without(self, others: Iterable["TimeWindow"]) -> list["TimeWindow"]:
        """Return the parts of this window that none of `others` contains, in order."""
        parts, start_ms = [], self.start_ms
        for other in sorted(others):
            if start_ms < min(other.start_ms, self.end_ms):
                parts.append(TimeWindow(start_ms, min(other.start_ms, self.end_ms)))
            start_ms = max(start_ms, other.end_ms)
        if start_ms < self.end_ms:
            parts.append(TimeWindow(start_ms, self.end_ms))
        return parts

    def widened(self, margin_ms: int) -> "TimeWindow":
        """Return the window with `margin_ms` more on both sides."""
        return TimeWindow(self.start_ms - margin_ms, self.end_ms + margin_ms)

    def shifted(self, by_ms: int) -> "TimeWindow":
        """Return the window `by_ms` later."""
        return TimeWindow(self.start_ms + by_ms, self.end_ms + by_ms)


def duration_text(duration_ms: int) -> str:
    """Return a duration as people say it, to the millisecond, such as 1 h 30 min.

    From two days on, it is in days.
    """
    days = duration_ms // DAY_MS if duration_ms >= 2 * DAY_MS else 0
    hours, rest_ms = divmod(duration_ms - days * DAY_MS, HOUR_MS)
    minutes, rest_ms = divmod(rest_ms, MINUTE_MS)
    counts = ((days, "days"), (hours, "h"), (minutes, "min"))
    parts = [f"{count} {unit}" for count, unit in counts if count]
    seconds = f"{rest_ms / 1000:.3f}".rstrip("0").rstrip(".")
    return " ".join([*parts, f"{seconds} s"] if rest_ms or not parts else parts)
