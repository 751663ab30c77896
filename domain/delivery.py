"""One delivery of a request."""

from attrs import frozen


@frozen
class Delivery:
    """One delivery of a request."""

    message_id: str
    sent_at_ms: int
    """When the message was sent, since the epoch."""
    now_ms: int
    """When it was taken up, since the epoch."""
    deadline_s: float
    """When its work must be over, on the monotonic clock."""
    receive_count: int = 1
    """How often this message was delivered, this delivery included."""
    deliveries_left: int = 1
    """How many deliveries follow before the dead-letter queue."""

    @property
    def writer(self) -> str:
        """The name under which this delivery stores a clip."""
        return f"{self.message_id}#{self.receive_count}"

    def wrote_earlier(self, writer: str) -> bool:
        """Tell whether `writer` is an earlier delivery of this same message."""
        message_id, _, receive_count = writer.rpartition("#")
        return (
            message_id == self.message_id
            and receive_count.isdecimal()
            and int(receive_count) < self.receive_count
        )
