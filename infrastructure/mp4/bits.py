"""Runs of bits, to put a NAL unit together again (ITU-T H.265, 7.3.1.1, 7.4.2 and 9.2)."""

from attrs import frozen

from infrastructure.mp4.bit_reader import without_emulation_prevention

NEEDS_PREVENTION = 3
"""After two zero bytes, a byte of at most 3 would be read as a part of a start code."""


@frozen
class Bits:
    """A run of bits, the first of which is the number's highest."""

    number: int
    length: int

    @classmethod
    def of_payload(cls, payload: bytes) -> "Bits":
        """Return the bits of a NAL unit's payload, without its emulation prevention bytes."""
        raw = without_emulation_prevention(payload)
        return cls(int.from_bytes(raw), 8 * len(raw))

    @classmethod
    def ue(cls, number: int) -> "Bits":
        """Return a number in unsigned Exp-Golomb code (9.2)."""
        return cls(number + 1, 2 * (number + 1).bit_length() - 1)

    def __add__(self, other: "Bits") -> "Bits":
        """Return these bits and then the others."""
        return Bits(self.number << other.length | other.number, self.length + other.length)

    def part(self, start: int, stop: int) -> "Bits":
        """Return the bits from `start` to before `stop`, counted from 0."""
        length = stop - start
        return Bits(self.number >> self.length - stop & (1 << length) - 1, length)

    def without_trailing(self) -> "Bits":
        """Return the bits before rbsp_trailing_bits: the last 1 and the zeros after it."""
        trailing = (self.number & -self.number).bit_length()
        return Bits(self.number >> trailing, self.length - trailing)

    def payload(self) -> bytes:
        """Return the bits, then a 1 and zeros to the next byte, with emulation prevention.

        Both rbsp_trailing_bits and byte_alignment are such a 1 and zeros (7.3.2.11, 7.3.2.12).
        """
        zeros = -(self.length + 1) % 8
        number = (self.number << 1 | 1) << zeros
        return with_emulation_prevention(number.to_bytes((self.length + 1 + zeros) // 8))


def with_emulation_prevention(raw: bytes) -> bytes:
    """Return a payload in which no three bytes are read as a start code or a prevented one."""
    coded = bytearray()
    zeros = 0
    for byte in raw:
        if zeros == 2 and byte <= NEEDS_PREVENTION:  # noqa: PLR2004
            coded.append(3)
            zeros = 0
        coded.append(byte)
        zeros = 0 if byte else zeros + 1
    return bytes(coded)
