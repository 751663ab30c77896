"""Sprites: small pictures in one image, for players to show over their seek bar."""

from collections.abc import Sequence

from infrastructure.pictures.canvas import Canvas, Place, Size

MAX_PICTURES = 100
MIN_INTERVAL_MS = 1000
"""A longer clip has a picture per second, until there are MAX_PICTURES."""
COLUMNS = 10
PICTURE = Size(160, 320)
"""What a picture is fitted into: a hundred upright ones make an image of 1600 x 2840 pixels."""


def sprite_count(duration_ms: int) -> int:
    """Return how many pictures a clip's sprite has at most."""
    return max(1, min(MAX_PICTURES, duration_ms // MIN_INTERVAL_MS))


def sprite_places(count: int, size: Size) -> list[Place]:
    """Return where each of so many pictures is, in rows from left to right."""
    return [
        Place(number % COLUMNS * size.width, number // COLUMNS * size.height)
        for number in range(count)
    ]


def draw_sprite(pictures: Sequence[bytes | None], size: Size) -> Canvas:
    """Draw the pictures in RGB, which have that size; the place of one that is None stays dark."""
    columns, rows = min(COLUMNS, len(pictures)), -(-len(pictures) // COLUMNS)
    canvas = Canvas(Size(columns * size.width, rows * size.height))
    for place, rgb in zip(sprite_places(len(pictures), size), pictures, strict=True):
        if rgb is not None:
            canvas.draw(place, size, rgb)
    return canvas
