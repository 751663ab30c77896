"""A file read in few ranges: bytes that were fetched lately are not fetched again."""

from threading import Event, Lock

from infrastructure.mp4.boxes import BoxHeader, Read, read_header
from infrastructure.mp4.errors import InvalidMp4

MAX_CACHED_BYTES = 24 << 20
"""The index of a long fragmented file, and what a clip's edges need: the frames next to a splice,
the thumbnail's picture and isolated samples lie in the ranges that are read to encode the edges."""
MAX_CACHED_RANGE_BYTES = 4 << 20
MIN_BYTES_WORTH_A_REQUEST = 256 << 10


class RangeCache:
    """The bytes of a file of *size_bytes*, fetched by *fetch* unless they are cached.

    Several threads may read at once: *fetch* is called outside of the lock, and bytes that another
    thread is fetching are awaited rather than fetched twice. At most MAX_CACHED_BYTES are cached;
    the oldest ranges go first.
    """

    def __init__(self, fetch: Read, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._fetch = fetch
        self._ranges: dict[int, bytes] = {}  # by offset, the oldest first
        self._cached_bytes = 0
        self._in_flight: dict[range, Event] = {}  # set when the fetch of those bytes has ended
        self._fetched_bytes: list[int] = []  # of each fetch: appending needs no lock
        self._lock = Lock()

    @property
    def fetched_bytes(self) -> int:
        """How many bytes have been fetched so far."""
        return sum(self._fetched_bytes)

    def add(self, at: int, data: bytes) -> None:
        """Add bytes from *at* on that were fetched by other means: they count as fetched."""
        self._fetched_bytes.append(len(data))
        self._keep(at, data)

    def read(self, at: int, length: int, ahead: int = 0, *, keep: bool = True) -> bytes:
        """Return *length* bytes, which the file must have; fetch *ahead* bytes if any are missing.

        Cached runs that are too short to save a request are fetched again with their neighbours.
        Without *keep*, what is fetched is not cached.
        """
        parts, end = [], at + length
        while at < end:
            with self._lock:
                begin, run = self._next_run(at, end)
                missing = range(at, self._reach(end, at + ahead) if begin == end else begin)
                pending = next((done for r, done in self._in_flight.items() if at in r), None)
                if keep and missing and not pending and len(missing) <= MAX_CACHED_RANGE_BYTES:
                    self._in_flight[missing] = Event()
            if missing and pending:
                pending.wait()
                continue  # the bytes are cached; if that fetch failed, this thread fetches them
            if missing:
                parts.append(self._fetched(missing, keep=keep)[: begin - at])
            parts.append(run)
            at = begin + len(run)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def header(self, at: int, ahead: int) -> BoxHeader | None:
        """Return the box header at *at*, or None where the file ends before it does."""
        left = self.size_bytes - at
        return read_header(self.read(at, min(16, left), ahead), 0, left) if left >= 8 else None  # noqa: PLR2004 - a size and a kind

    def _next_run(self, at: int, end: int) -> tuple[int, bytes]:
        """Return the first cached run of use at or after *at*, and its bytes; (end, b"") if none.

        A run is of use if it is at *at*, reaches *end*, or saves more than a request costs.
        """
        runs = [
            (first, -stop, begin)
            for begin, data in self._ranges.items()
            if (first := max(begin, at)) < (stop := min(begin + len(data), end))
            and (first == at or stop == end or stop - first >= MIN_BYTES_WORTH_A_REQUEST)
        ]
        if not runs:
            return end, b""
        first, minus_stop, begin = min(runs)
        return first, self._ranges[begin][first - begin : -minus_stop - begin]

    def _reach(self, end: int, ahead: int) -> int:
        """Return where a fetch ends that must reach *end* and may reach *ahead*."""
        cached = [begin for begin in self._ranges if begin >= end]
        return min([max(end, ahead), self.size_bytes, *cached])

    def _fetched(self, missing: range, *, keep: bool) -> bytes:
        try:
            data = self._fetch(missing.start, len(missing))
            if len(data) != len(missing):
                raise InvalidMp4(
                    f"only {len(data)} of {len(missing)} bytes could be read at {missing.start}"
                )
            self._fetched_bytes.append(len(data))
            if keep:
                self._keep(missing.start, data)
            return data
        finally:
            with self._lock:
                done = self._in_flight.pop(missing, None)
            if done:
                done.set()

    def _keep(self, at: int, data: bytes) -> None:
        if not 0 < len(data) <= MAX_CACHED_RANGE_BYTES:
            return
        with self._lock:
            if len(self._ranges.get(at, b"")) > len(data):
                return
            self._cached_bytes += len(data) - len(self._ranges.pop(at, b""))
            self._ranges[at] = data
            while self._cached_bytes > MAX_CACHED_BYTES:
                self._cached_bytes -= len(self._ranges.pop(next(iter(self._ranges))))
