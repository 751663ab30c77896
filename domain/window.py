"""Half-open windows of UTC time."""

from attrs import field, frozen
from attrs.validators import instance_of


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
