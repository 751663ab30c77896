"""Pictures side by side, in RGB, three bytes a pixel."""

from collections.abc import Sequence

from attrs import Factory, define, frozen

from infrastructure.pictures.letters import PAPER, lettering

RGB_BYTES = 3


@frozen
class Size:
    """Of a picture, in pixels."""

    width: int
    height: int

    @property
    def rgb_bytes(self) -> int:
        """How many bytes a picture of it has."""
        return self.width * self.height * RGB_BYTES

    def fitted(self, into: "Size") -> "Size":
        """Return the largest size of the same shape within another, with even sides."""
        scale = min(into.width / self.width, into.height / self.height)
        sides = (max(2, round(side * scale / 2) * 2) for side in (self.width, self.height))
        return Size(*sides)


@frozen
class Place:
    """Where a picture is in another, in pixels from its upper left corner."""

    x: int
    y: int


@define
class Canvas:
    """A picture that others are drawn on."""

    size: Size
    pixels: bytearray = Factory(
        lambda self: bytearray(PAPER * self.size.rgb_bytes), takes_self=True
    )

    def draw(self, at: Place, size: Size, rgb: bytes) -> None:
        """Draw a picture that is wholly within this one."""
        length = size.width * RGB_BYTES
        rows = [rgb[start : start + length] for start in range(0, size.rgb_bytes, length)]
        self._draw_rows(at, rows)

    def write(self, at: Place, text: str, scale: int) -> None:
        """Write a text whose letters are seven times `scale` pixels high."""
        rows = lettering(text, scale)
        self._draw_rows(at, [_gray(row) for row in rows])

    def _draw_rows(self, at: Place, rows: Sequence[bytes]) -> None:
        stride, x = self.size.width * RGB_BYTES, at.x * RGB_BYTES
        for y, row in enumerate(rows, at.y):
            kept = row[: stride - x]
            start = y * stride + x
            self.pixels[start : start + len(kept)] = kept


def _gray(row: bytes) -> bytes:
    rgb = bytearray(len(row) * RGB_BYTES)
    for channel in range(RGB_BYTES):
        rgb[channel::RGB_BYTES] = row
    return bytes(rgb)
