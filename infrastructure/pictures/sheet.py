"""Contact sheets: pictures in a grid, under each when it was seen, above all what they are of."""

from collections.abc import Sequence

from attrs import field, frozen

from infrastructure.pictures.canvas import Canvas, Place, Size
from infrastructure.pictures.letters import text_size

MAX_PICTURES = 20
COLUMNS = 4
PICTURE = Size(384, 384)
"""What a picture is fitted into: its caption is as wide."""
MARGIN = 8
"""Pixels around each cell."""
SCALE = 2
"""Letters are so many times as large as they are drawn."""
NO_PICTURE = "NO PICTURE"


@frozen
class Captioned:
    """A picture in RGB, None if no decoder makes it, and its caption."""

    rgb: bytes | None = field(repr=False)
    caption: str


def draw_sheet(heading: str, pictures: Sequence[Captioned], size: Size) -> Canvas:
    """Draw the pictures, which have that size, in rows from left to right."""
    rows = -(-len(pictures) // COLUMNS)
    line = text_size("0", SCALE)[1]
    across, down = PICTURE.width + 2 * MARGIN, size.height + line + 2 * MARGIN
    width = COLUMNS * across
    scale = SCALE if text_size(heading, SCALE)[0] <= width - 2 * MARGIN else 1
    canvas = Canvas(Size(width, line + 2 * MARGIN + rows * down))
    canvas.write(Place(MARGIN, MARGIN), heading, scale)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, COLUMNS)
        x, y = column * across + MARGIN, line + 2 * MARGIN + row * down + MARGIN
        inset = (PICTURE.width - size.width) // 2
        if picture.rgb is None:
            canvas.write(Place(x + inset, y), NO_PICTURE, SCALE)
        else:
            canvas.draw(Place(x + inset, y), size, picture.rgb)
        canvas.write(Place(x, y + size.height), picture.caption, SCALE)
    return canvas
