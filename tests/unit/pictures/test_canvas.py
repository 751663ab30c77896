"""Pictures side by side, and letters: where each pixel is."""

import pytest

from infrastructure.pictures import sheet, sprite
from infrastructure.pictures.canvas import Canvas, Place, Size
from infrastructure.pictures.letters import GLYPHS, INK, PAPER, lettering, text_size
from infrastructure.pictures.sheet import Captioned, draw_sheet
from infrastructure.pictures.sprite import draw_sprite, sprite_count, sprite_places

RED, BLUE = b"\xff\0\0", b"\0\0\xff"
SMALL = Size(4, 2)


def pixel(canvas: Canvas, x: int, y: int) -> bytes:
    start = (y * canvas.size.width + x) * 3
    return bytes(canvas.pixels[start : start + 3])


def test_a_picture_is_drawn_where_it_belongs() -> None:
    """And nowhere else."""
    canvas = Canvas(Size(10, 6))
    canvas.draw(Place(3, 2), SMALL, RED * 8)
    drawn = {(x, y) for x in range(10) for y in range(6) if pixel(canvas, x, y) == RED}
    assert drawn == {(x, y) for x in range(3, 7) for y in range(2, 4)}
    assert len(canvas.pixels) == 10 * 6 * 3


def test_a_text_ends_at_the_edge() -> None:
    """Its rows do not go on in the next ones."""
    canvas = Canvas(Size(20, 30))
    canvas.write(Place(10, 4), "MMMM", 1)
    assert len(canvas.pixels) == 20 * 30 * 3
    assert all(pixel(canvas, x, y) == PAPER * 3 for x in range(10) for y in range(30))
    assert any(pixel(canvas, x, y) == INK * 3 for x in range(10, 20) for y in range(30))


@pytest.mark.parametrize("text", ["", "a", "2026-05-01 14:05:12.345 +02:00"])
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_a_text_is_as_large_as_it_says(text: str, scale: int) -> None:
    """With the margin around it."""
    rows = lettering(text, scale)
    assert (len(rows[0]), len(rows)) == text_size(text, scale)
    assert {len(row) for row in rows} == {len(rows[0])}


def test_each_letter_is_another() -> None:
    """Ids, times and offsets can be written; all else is a question mark."""
    needed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:.()+ "
    assert set(needed) <= GLYPHS.keys()
    assert len(set(GLYPHS.values())) == len(GLYPHS)
    assert {(len(rows.split()), *map(len, rows.split())) for rows in GLYPHS.values()} == {
        (7, 5, 5, 5, 5, 5, 5, 5)
    }
    assert lettering("é", 1) == lettering("?", 1)


@pytest.mark.parametrize(
    ("size", "into", "fitted"),
    [
        (Size(1920, 1080), Size(384, 384), Size(384, 216)),
        (Size(1080, 1920), Size(384, 384), Size(216, 384)),
        (Size(160, 90), Size(384, 384), Size(384, 216)),
        (Size(8192, 2), Size(160, 320), Size(160, 2)),
        (Size(2, 8192), Size(160, 320), Size(2, 320)),
        (Size(161, 91), Size(160, 320), Size(160, 90)),
    ],
)
def test_pictures_keep_their_shape(size: Size, into: Size, fitted: Size) -> None:
    """With even sides."""
    assert size.fitted(into) == fitted


def test_a_sprite_has_no_room_between_its_pictures() -> None:
    """In rows of ten; a missing one leaves its place dark."""
    pictures = [RED * 8, None, *([BLUE * 8] * 10)]
    canvas = draw_sprite(pictures, SMALL)
    assert canvas.size == Size(40, 4)
    for place, rgb in zip(sprite_places(12, SMALL), pictures, strict=True):
        colour = rgb[:3] if rgb else PAPER * 3
        for x in range(4):
            assert pixel(canvas, place.x + x, place.y + 1) == colour
    assert draw_sprite([RED * 8], SMALL).size == SMALL


@pytest.mark.parametrize(
    ("duration_ms", "count"), [(1, 1), (1999, 1), (2000, 2), (60_000, 60), (3_600_000, 100)]
)
def test_a_sprite_has_a_picture_a_second_up_to_a_hundred(duration_ms: int, count: int) -> None:
    """No side of its image is longer than JPEG allows, however the pictures are shaped."""
    assert sprite_count(duration_ms) == count
    sides = sprite.COLUMNS * sprite.PICTURE.width, sprite.PICTURE.height * 10
    assert max(sides) < 65_536


def test_a_sheet_says_that_there_is_no_picture() -> None:
    """In its place; the others are as they would be."""
    size = Size(384, 216)
    grey = b"\x80\x80\x80" * (384 * 216)
    pictures = [Captioned(grey, "1"), Captioned(None, "2"), Captioned(grey, "3")]
    canvas = draw_sheet("pier", pictures, size)
    step = sheet.PICTURE.width + 2 * sheet.MARGIN
    line = text_size("0", sheet.SCALE)[1]
    top = line + 3 * sheet.MARGIN
    middles = [pixel(canvas, n * step + step // 2, top + 150) for n in range(4)]
    assert middles == [b"\x80" * 3, PAPER * 3, b"\x80" * 3, PAPER * 3]
    written = lettering(sheet.NO_PICTURE, sheet.SCALE)
    row = bytes(pixel(canvas, step + sheet.MARGIN + x, top + 6)[0] for x in range(len(written[6])))
    assert row == written[6]


def test_a_long_heading_is_written_small() -> None:
    """The longest id fits with a window over a change of the clocks."""
    heading = "x" * 64 + " 2026-03-29 01:59:10.250 (+01:00) to 2026-03-29 03:00:31.000 (+02:00)"
    assert text_size(heading, 1)[0] < 4 * (sheet.PICTURE.width + 2 * sheet.MARGIN)
    canvas = draw_sheet(heading, [Captioned(None, "")], Size(384, 216))
    rows = lettering(heading, 1)
    at = 10 * canvas.size.width * 3
    assert canvas.size.width == 1600
    drawn = bytes(canvas.pixels[at + sheet.MARGIN * 3 : at + (sheet.MARGIN + len(rows[2])) * 3 : 3])
    assert drawn == rows[2]
