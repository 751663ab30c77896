"""Bytes of a recording that are wanted more than once are read once."""

from threading import Lock

from attrs import define, field

from infrastructure.mp4.boxes import Read

MAX_CACHED_BYTES = 16 << 20
MAX_KEPT_BYTES = 4 << 20


@define(eq=False)
class Kept:
    """Reads by `fetch`, and keeps what was read last: 16 MiB, of a clip's edges as a rule.

    The frames beside a join, a still's picture and loose samples lie in what was read to encode the
    edges. May be called from several threads.
    """

    fetch: Read
    _ranges: dict[int, bytes] = field(factory=dict)
    _lock: Lock = field(factory=Lock)

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset` on."""
        with self._lock:
            for begin, data in self._ranges.items():
                if begin <= offset and offset + length <= begin + len(data):
                    return data[offset - begin : offset - begin + length]
        data = self.fetch(offset, length)
        if length <= MAX_KEPT_BYTES:
            with self._lock:
                self._ranges[offset] = data
                while sum(map(len, self._ranges.values())) > MAX_CACHED_BYTES:
                    self._ranges.pop(next(iter(self._ranges)))
        return data
