"""A file read in few ranges; what was read is kept for a while, so nothing is asked for twice."""

from infrastructure.mp4.boxes import BoxHeader, Read, read_header
from infrastructure.mp4.errors import InvalidMp4

MAX_CACHED_BYTES = 8 << 20
WORTH_A_REQUEST_BYTES = 256 << 10


class RangeCache:
    """The bytes of a file of *size_bytes*, fetched by *fetch* where they are not at hand."""

    def __init__(self, fetch: Read, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._fetch = fetch
        self._pieces: dict[int, bytes] = {}  # by offset, the oldest first; none overlap
        self._kept_bytes = 0

    def read(self, at: int, length: int, ahead: int = 0) -> bytes:
        """Return *length* bytes, which the file must have; read *ahead* if they must be fetched."""
        end, parts = at + length, []
        reach = min(max(end, at + ahead), self.size_bytes)
        while at < end:
            begin = self._holding(at)
            piece = self._fetched(at, reach) if begin is None else self._pieces[begin]
            part = piece[at - (at if begin is None else begin) :][: end - at]
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def read_header(self, at: int, ahead: int) -> BoxHeader | None:
        """Return the box header at *at*, or None where the file ends before it does."""
        left = self.size_bytes - at
        return read_header(self.read(at, min(16, left), ahead), 0, left) if left >= 8 else None  # noqa: PLR2004

    def known_and_fetched(self, at: int, length: int, fetch: Read) -> bytes:
        """Return *length* bytes: what is at hand, and the rest by *fetch*, which is not kept.

        A range is split around bytes at hand only where that saves more than a request costs.
        """
        parts, end = [], at + length
        for begin, stop in [*self._runs(at, end), (end, end)]:
            if begin > at:
                parts.append(fetch(at, begin - at))
            if stop > begin:
                parts.append(self.read(begin, stop - begin))
            at = stop
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _runs(self, at: int, end: int) -> list[tuple[int, int]]:
        """Return which stretches between *at* and *end* are at hand, long ones only."""
        runs: list[tuple[int, int]] = []
        for begin, piece in sorted(self._pieces.items()):
            first, stop = max(begin, at), min(begin + len(piece), end)
            if first < stop and runs and runs[-1][1] == first:
                runs[-1] = runs[-1][0], stop
            elif first < stop:
                runs.append((first, stop))
        return [run for run in runs if run[1] - run[0] >= min(WORTH_A_REQUEST_BYTES, end - at)]

    def _holding(self, at: int) -> int | None:
        for begin in reversed(self._pieces):
            if begin <= at < begin + len(self._pieces[begin]):
                return begin
        return None

    def _fetched(self, at: int, reach: int) -> bytes:
        """Read from *at* to *reach*, or to where the next piece begins."""
        reach = min([reach, *(begin for begin in self._pieces if begin > at)])
        piece = self._fetch(at, reach - at)
        if len(piece) != reach - at:
            raise InvalidMp4(f"only {len(piece)} of {reach - at} bytes could be read at {at}")
        while self._pieces and self._kept_bytes + len(piece) > MAX_CACHED_BYTES:
            self._kept_bytes -= len(self._pieces.pop(next(iter(self._pieces))))
        self._pieces[at] = piece
        self._kept_bytes += len(piece)
        return piece
