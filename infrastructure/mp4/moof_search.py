"""Find ``moof`` boxes in a file whose bytes before and after are unknown.

Bytes that equal a moof's by chance are recognized by what is inside and behind them.
"""

# ruff: noqa: PLR2004 - the numbers are the standard's own

from attrs import frozen

from infrastructure.mp4.boxes import children
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.fragments import FRAGMENT_READ_BYTES
from infrastructure.mp4.range_cache import RangeCache

MIN_STEP_BYTES, MAX_STEP_BYTES = 96 << 10, 256 << 10
"""Of the first step backwards; each next one is a quarter larger."""
MAX_SCAN_BYTES = 16 << 20
MAX_LAST_BOXES = 1000
MAX_LOOKALIKES = 16
"""Four random bytes are "moof" once in 4 GiB."""
MAX_SCANNED_MOOF_BYTES = 1 << 20
IN_MOOF = {b"mfhd", b"traf", b"meta", b"pssh", b"uuid", b"free", b"skip"}
BETWEEN_MOOFS = {
    *(b"moof", b"mdat", b"styp", b"sidx", b"ssix", b"emsg", b"prft"),
    *(b"mfra", b"meta", b"free", b"skip", b"uuid"),
}


@frozen
class MoofSearch:
    """Searches the bytes of *file* from *begin* on."""

    file: RangeCache
    begin: int

    def last_before(self, end: int, floor: int, step_bytes: int) -> int | None:
        """Return the offset of the last moof in *floor* <= offset < *end*, or None.

        It is searched backwards, in reads of about *step_bytes*, which then grow.
        """
        step = min(max(MIN_STEP_BYTES, step_bytes), MAX_STEP_BYTES)
        stop = max(floor, end - MAX_SCAN_BYTES)
        lookalikes = 0
        while end > stop:
            begin = max(stop, end - step)
            data = self.file.read(begin, min(end + 7, self.file.size_bytes) - begin)
            found_at = data.rfind(b"moof")
            while found_at >= 4:
                at = begin + found_at - 4
                if self.is_at(at):
                    return at
                lookalikes += 1
                if lookalikes > MAX_LOOKALIKES:
                    return None
                found_at = data.rfind(b"moof", 0, found_at + 3)
            end, step = begin, 5 * step // 4
        return None

    def is_at(self, at: int) -> bool:
        """Return whether a whole, well-formed moof is at *at*, with a box or the end after it."""
        room = self.file.size_bytes - at
        if not self.begin <= at <= self.file.size_bytes - 32:
            return False
        begin = self.file.read(at, 16, FRAGMENT_READ_BYTES)
        size = int.from_bytes(begin[:4])
        max_bytes = min(MAX_SCANNED_MOOF_BYTES, room)
        if begin[4:] != b"moof\0\0\0\x10mfhd" or not 32 <= size <= max_bytes:
            return False
        try:
            inside = list(children(memoryview(self.file.read(at, size))[8:]))
            trafs = [next(children(payload))[0] for kind, payload in inside if kind == b"traf"]
            is_last = at + size == self.file.size_bytes
            behind = None if is_last else self.file.header(at + size, FRAGMENT_READ_BYTES)
        except (InvalidMp4, StopIteration):
            return False
        return (
            all(kind in IN_MOOF for kind, _ in inside)
            and set(trafs) == {b"tfhd"}
            and (is_last or (behind is not None and behind.kind in BETWEEN_MOOFS))
        )

    def lead_to_end(self, at: int) -> bool:
        """Return whether boxes follow one another from *at* to the end or a truncated box."""
        size = self.file.size_bytes
        try:
            for _ in range(MAX_LAST_BOXES):
                found = self.file.header(at, FRAGMENT_READ_BYTES) if at < size else None
                if found is None:
                    return True
                if found.kind not in BETWEEN_MOOFS:
                    return False
                at += found.size_bytes
        except InvalidMp4:
            pass
        return False
