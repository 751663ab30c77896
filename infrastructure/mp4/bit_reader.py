"""The payload of a NAL unit, read bit by bit (ITU-T H.264, 7.2, 7.4.1 and 9.1; H.265, 7.2 and 9.2).

H.265 codes numbers and prevents start codes as H.264 does.
"""

from infrastructure.mp4.errors import InvalidMp4

MAX_PAYLOAD_BYTES = 4096
MAX_LEADING_ZEROS = 32


def without_emulation_prevention(payload: bytes) -> bytes:
    """Return a NAL unit's payload without the bytes 03 that prevent start codes in it (7.4.1)."""
    return payload.replace(b"\0\0\3", b"\0\0")


class BitReader:
    """Reads numbers of a NAL unit's first 4 KiB, without its emulation prevention bytes.

    InvalidMp4 where it is cut off. The methods have the standard's names for the numbers' coding.
    """

    def __init__(self, payload: bytes) -> None:
        raw = without_emulation_prevention(payload[:MAX_PAYLOAD_BYTES])
        self._number = int.from_bytes(raw)
        self._length = self._left = 8 * len(raw)

    @property
    def position(self) -> int:
        """How many bits have been read."""
        return self._length - self._left

    def u(self, count: int) -> int:
        """Read an unsigned number of *count* bits."""
        self._left -= count
        if self._left < 0:
            raise InvalidMp4("a parameter set or slice header is cut off")
        return self._number >> self._left & (1 << count) - 1

    def ue(self) -> int:
        """Read an unsigned Exp-Golomb number (9.1)."""
        zeros = 0
        while self.u(1) == 0:
            zeros += 1
            if zeros > MAX_LEADING_ZEROS:
                raise InvalidMp4("a parameter set or slice header holds an absurd number")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """Read a signed Exp-Golomb number (9.1.1)."""
        number = self.ue()
        return (number + 1) // 2 if number & 1 else -(number // 2)
