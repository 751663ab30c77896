"""One delivery of a request: the queue delivers each message at least once."""

from attrs import frozen

from domain.clip import ClipRequest


@frozen
class Delivery:
    """One delivery of a request's message."""

    request: ClipRequest
    message_id: str
    sent_at_ms: int
    """When the message was sent, since the epoch."""
    received_at_ms: int
    """When this delivery began, since the epoch."""
    deadline_s: float
    """When its work must be finished, on the monotonic clock."""
    receive_count: int = 1
    """How often the message has been delivered, this delivery included."""
    deliveries_left: int = 1
    """How many deliveries follow before the message is dead-lettered."""

    @property
    def id(self) -> str:
        """Identifies this delivery as the writer of a clip."""
        return f"{self.message_id}#{self.receive_count}"

    @property
    def first_seen_ms(self) -> int:
        """When the request was first sent, since the epoch: the same for all its duplicates."""
        return min((*self.request.retries_ms, self.sent_at_ms))

    def follows(self, delivery_id: str) -> bool:
        """Return whether `delivery_id` identifies an earlier delivery of this same message."""
        message_id, _, receive_count = delivery_id.rpartition("#")
        return (
            message_id == self.message_id
            and receive_count.isdecimal()
            and int(receive_count) < self.receive_count
        )
