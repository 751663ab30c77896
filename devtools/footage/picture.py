"""A moving picture with its number drawn on it, and the number read back.

The picture is a grid of 12 x 12 cells whatever its size. The 8 x 4 cells in its middle are the
32 bits of a code, white for 1: 24 bits of frame number, then 8 bits of checksum. The reader scales
the picture down to 3 x 3 pixels a cell and looks at the middle one, so it reads any size. The grid
is square so that a picture turned by a quarter is on the same grid.
"""

import math
import random
import zlib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

_CELLS = 12
_CODE_COLUMNS = range(2, 10)
_CODE_ROWS = range(4, 8)
_BLACK, _WHITE = b"\x18", b"\xe0"
_UNSURE = range(88, 168)
_SCROLL_PX, _PERIOD_PX = 3, 509

SCALED_DOWN = _CELLS * 3
SCALED_DOWN_BYTES = SCALED_DOWN * SCALED_DOWN
UNREADABLE = -1


def draw(size: tuple[int, int], first_number: int, frames: int) -> Iterator[bytes]:
    """Draw `frames` pictures of `size` (width, height; at least 64 x 48) as planar 8-bit 4:2:0."""
    width, height = size
    luma = _Texture(width, height, 45)
    chroma = _Texture((width + 1) // 2, (height + 1) // 2, 20)
    columns = [column * width // _CELLS for column in (*_CODE_COLUMNS, _CODE_COLUMNS.stop)]
    rows = [row * height // _CELLS for row in (*_CODE_ROWS, _CODE_ROWS.stop)]

    @cache
    def line(bits: int) -> bytes:
        return b"".join(
            (_WHITE if bits >> (7 - place) & 1 else _BLACK) * (right - left)
            for place, (left, right) in enumerate(pairwise(columns))
        )

    for number in range(first_number, first_number + frames):
        picture = bytearray(luma.at(number))
        for bits, (top, bottom) in zip(_code(number), pairwise(rows), strict=True):
            for start in range(top * width + columns[0], bottom * width + columns[0], width):
                picture[start : start + columns[-1] - columns[0]] = line(bits)
        yield bytes(picture) + chroma.at(number) + chroma.at(number + 77)


def read_number(scaled_down: bytes) -> int:
    """Read the number of one picture of SCALED_DOWN x SCALED_DOWN gray bytes, or UNREADABLE."""
    code = bytearray()
    for row in _CODE_ROWS:
        start = (row * 3 + 1) * SCALED_DOWN + _CODE_COLUMNS.start * 3 + 1
        bits = 0
        for gray in scaled_down[start : start + len(_CODE_COLUMNS) * 3 : 3]:
            if gray in _UNSURE:
                return UNREADABLE
            bits = bits << 1 | (gray >= _UNSURE.stop)
        code.append(bits)
    number = int.from_bytes(code[:3], "big")
    return number if _code(number) == code else UNREADABLE


def quarter_turn(scaled_down: bytes) -> bytes:
    """Turn a scaled-down picture by 90 degrees clockwise."""
    last_row = SCALED_DOWN * (SCALED_DOWN - 1)
    return b"".join(scaled_down[last_row + x :: -SCALED_DOWN] for x in range(SCALED_DOWN))


def _code(number: int) -> bytes:
    data = number.to_bytes(3, "big")
    return data + bytes([zlib.crc32(data) & 0xFF])


class _Texture:
    """Slanted, wavy, slightly noisy stripes that scroll; a picture is one slice of it."""

    def __init__(self, width: int, height: int, swing: int) -> None:
        noise = random.Random(1)
        stripe = bytes(
            round(124 + swing * math.sin(math.tau * x * 10 / _PERIOD_PX) + noise.uniform(-2, 2))
            for x in range(_PERIOD_PX)
        ) * (2 + width // _PERIOD_PX)
        shifts = (round(60 + y * 2 + 50 * math.sin(y / 17)) % _PERIOD_PX for y in range(height))
        self._picture_bytes = width * height
        self._pixels = b"".join(stripe[shift : shift + width] for shift in shifts)
        self._pixels += self._pixels[:_PERIOD_PX]

    def at(self, number: int) -> bytes:
        start = number * _SCROLL_PX % _PERIOD_PX
        return self._pixels[start : start + self._picture_bytes]
