"""The demo's drawn pictures."""

import pytest

from entrypoints.cli.demo.harbour import Harbour, harbour
from infrastructure.pictures.letters import GLYPHS, HEIGHT, INK, PAPER, lettering

INSTANT_MS = 1_777_636_810_250
WIDTH, LOWER = 240, 134


@pytest.fixture(scope="module")
def camera() -> Harbour:
    return harbour(WIDTH, LOWER)


def test_a_picture_has_every_plane(camera: Harbour) -> None:
    """Luma, and chroma of half its width and height."""
    assert len(camera.picture(0, INSTANT_MS)) == WIDTH * LOWER * 3 // 2


@pytest.mark.parametrize(
    ("width", "height", "text"),
    [(240, 134, "PIER 2026-05-01 12:00:10.250 UTC"), (80, 44, "12:00:10.250")],
    ids=["date and time", "the time alone, where there is no room"],
)
def test_the_wall_clock_is_in_the_picture(width: int, height: int, text: str) -> None:
    """To the millisecond, in letters of one pixel a dot."""
    picture = harbour(width, height).picture(0, INSTANT_MS)
    written = lettering(text, 1)
    starts = range(4 * width + 4, (4 + len(written)) * width, width)
    shown = [picture[start : start + len(written[0])] for start in starts]
    assert shown == written


def test_letters_are_the_glyphs_in_ink_on_paper() -> None:
    """Scaled by whole pixels."""
    middle = lettering("1", 2)[4 : 4 + 2 * HEIGHT : 2]
    dots = ["".join("#" if dot == INK[0] else "." for dot in row[4:14:2]) for row in middle]
    assert " ".join(dots) == GLYPHS["1"]
    assert set(b"".join(lettering("12:00", 3))) == {INK[0], PAPER[0]}


def test_the_sea_and_the_boat_move(camera: Harbour) -> None:
    """The sky does not, and the same moment looks the same."""
    first, later = camera.picture(0, INSTANT_MS), camera.picture(400, INSTANT_MS)
    assert first == camera.picture(0, INSTANT_MS)
    horizon = camera.scene.horizon * WIDTH
    changed = [a != b for a, b in zip(first, later, strict=True)]
    assert sum(changed[horizon : WIDTH * LOWER]) > WIDTH * LOWER // 4
    assert 0 < sum(changed[:horizon]) < WIDTH * LOWER // 50


def test_every_moment_of_a_day_can_be_drawn(camera: Harbour) -> None:
    """The boat comes in at one edge and goes out at the other; the light blinks."""
    for elapsed_ms in range(0, 86_400_000, 1_234_567):
        assert len(camera.picture(elapsed_ms, INSTANT_MS)) == WIDTH * LOWER * 3 // 2
    for elapsed_ms in range(0, 60_000, 500):
        assert len(camera.picture(elapsed_ms, INSTANT_MS)) == WIDTH * LOWER * 3 // 2
