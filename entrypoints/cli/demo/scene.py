"""What stands still in a harbour at sunset, and the sheets of waves that drift over it."""

import math
import random
from collections.abc import Iterator, Sequence

from attrs import frozen

from entrypoints.cli.demo.drawing import (
    HORIZON,
    Colour,
    Noise,
    Point,
    Span,
    box,
    mix,
    ramp,
    spans,
    yuv,
)

SKY: Sequence[tuple[float, Colour]] = (
    (0.0, (46, 66, 118)),
    (0.45, (104, 108, 152)),
    (0.75, (206, 140, 118)),
    (0.92, (247, 186, 122)),
    (1.0, (255, 208, 146)),
)
"""From the top of the picture to the horizon."""
SEA: Sequence[tuple[float, Colour]] = (
    (0.0, (196, 150, 124)),
    (0.12, (128, 116, 122)),
    (0.45, (62, 80, 104)),
    (1.0, (24, 44, 66)),
)
"""From the horizon to the bottom."""
SUN: Point = (0.34, -0.125)
SUN_RADIUS = 0.05
NEAR_HILLS, FAR_HILLS = (58.0, 52.0, 74.0), (132.0, 104.0, 118.0)
TIMBER, RAIL = (34.0, 26.0, 30.0), (58.0, 42.0, 40.0)

MAX_WAVE = 63
"""The sum of both sheets is at most twice that."""
WAVES: Sequence[Sequence[tuple[float, int, float]]] = (
    ((0.45, 17, 172.0), (0.3, 31, -246.0), (0.25, 59, 390.0)),
    ((0.45, 21, -158.0), (0.3, 37, 268.0), (0.25, 73, -421.0)),
)
"""Of each sheet: amplitude, waves across its period, radians per unit of distance."""
_LIGHTHOUSE: Sequence[tuple[list[Point], Colour]] = (
    ([(-0.61, -0.165), (-0.59, -0.165), (-0.58, -0.07), (-0.62, -0.07)], (214.0, 196.0, 190.0)),
    ([(-0.607, -0.135), (-0.593, -0.135), (-0.588, -0.105), (-0.612, -0.105)], (150.0, 66.0, 62.0)),
    (box(-0.615, -0.168, -0.585, -0.162), (60.0, 50.0, 60.0)),
    (box(-0.607, -0.184, -0.593, -0.168), (84.0, 74.0, 80.0)),
    ([(-0.611, -0.184), (-0.6, -0.196), (-0.589, -0.184)], (60.0, 50.0, 60.0)),
)
_POSTS = tuple(0.5 + 0.095 * number for number in range(6))
_PIER: Sequence[tuple[list[Point], Colour]] = (
    *((box(x, 0.30, x + 0.022, 0.60), TIMBER) for x in _POSTS),
    *((box(x + 0.004, 0.19, x + 0.014, 0.30), RAIL) for x in _POSTS),
    ([(0.46, 0.285), (1.2, 0.262), (1.2, 0.325), (0.46, 0.312)], TIMBER),
    ([(0.47, 0.2), (1.2, 0.165), (1.2, 0.177), (0.47, 0.207)], RAIL),
    ([(0.47, 0.243), (1.2, 0.216), (1.2, 0.224), (0.47, 0.248)], RAIL),
)
"""The pier on the right: posts, rails and deck."""


@frozen(eq=False)
class Scene:
    """The picture's parts that are the same in each, in planes of 8 bits, 4:2:0."""

    width: int
    height: int
    luma: bytes
    """The whole picture without waves and boat."""
    chroma: tuple[bytes, bytes]
    sheets: tuple[tuple[bytes, ...], ...]
    """Of each sheet of waves: the rows of the sea, each as long as its period and the picture."""
    periods: tuple[float, ...]
    """Of each row of the sea, in pixels."""
    glitter: tuple[tuple[int, int, int, int], ...]
    """Of each row of the sea: where the sun's reflection begins, is bright, fades and ends."""
    pier: tuple[tuple[Span, bytes], ...]

    @property
    def horizon(self) -> int:
        """The sea's first row."""
        return self.height - len(self.periods)


def draw_scene(width: int, height: int) -> Scene:
    """Draw what stands still; `width` and `height`, in pixels, are even."""
    horizon = round(HORIZON * height)
    colours = _sky(width, height, horizon) + _sea_base(width, height, horizon)
    _draw_land(colours, width, height)
    planes = [yuv(colour) for colour in colours]
    chroma = [
        bytes(planes[y * width + x][plane] for y in range(0, height, 2) for x in range(0, width, 2))
        for plane in (1, 2)
    ]
    rows = height - horizon
    periods = tuple(max(24.0, 2.0 * width * (row + 1) / rows) for row in range(rows))
    return Scene(
        width,
        height,
        bytes(luma for luma, _, _ in planes),
        (chroma[0], chroma[1]),
        tuple(_sheet(waves, width, periods) for waves in WAVES),
        periods,
        tuple(_glitter(width, height, rows)),
        tuple(_pier(width, height)),
    )


def _sky(width: int, height: int, horizon: int) -> list[Colour]:
    clouds = Noise(7)
    colours: list[Colour] = []
    for y in range(horizon):
        share = y / horizon
        plain = ramp(SKY, share)
        for x in range(width):
            across, down = (x - width / 2) / height, (y - horizon) / height
            distance = math.hypot(across - SUN[0], (down - SUN[1]) * 1.15)
            glow = 0.75 * math.exp(-distance * 4.2)
            density = clouds.at(across * 2.4 + down * 1.5, down * 11.0)
            cloud = max(0.0, density - 0.5) * 2.6 * min(1.0, (1.0 - share) * 3.2)
            lit = mix((96, 92, 128), (255, 190, 140), min(1.0, glow * 1.5 + share * 0.55))
            colour = mix(mix(plain, lit, min(0.85, cloud)), (255, 226, 160), min(1.0, glow))
            disc = min(1.0, max(0.0, (SUN_RADIUS - distance) * height + 0.5))
            colours.append(mix(colour, (255, 250, 224), disc))
    return colours


def _sea_base(width: int, height: int, horizon: int) -> list[Colour]:
    colours: list[Colour] = []
    for y in range(horizon, height):
        depth = (y - horizon) / (height - horizon)
        plain = ramp(SEA, depth)
        for x in range(width):
            off = abs((x - width / 2) / height - SUN[0]) / (0.1 + 0.22 * depth)
            warmth = 0.55 * math.exp(-off * off) * (1 - 0.6 * depth)
            colours.append(mix(plain, (255, 190, 120), warmth))
    return colours


def _draw_land(colours: list[Colour], width: int, height: int) -> None:
    """Draw two ranges of hills, the near one on the left alone, and the lighthouse on it."""
    ridge = Noise(3)
    horizon = round(HORIZON * height)
    for x in range(width):
        across = (x - width / 2) / height
        far = 0.035 + 0.05 * ridge.at(across * 2.2, 0.5) - 0.03 * max(0.0, across)
        near = min(1.0, max(0.0, -0.3 - across) * 2.6) * (0.12 + 0.03 * ridge.at(across * 6, 9.5))
        for top, colour in ((far, FAR_HILLS), (near, NEAR_HILLS)):
            edge = horizon - top * height
            for y in range(math.floor(edge), horizon):
                haze = 0.35 * (y - edge) / max(1.0, horizon - edge)
                hazy = mix(colour, (214, 160, 130), max(0.0, haze))
                covered = min(1.0, y + 1 - edge)
                colours[y * width + x] = mix(colours[y * width + x], hazy, covered)
    for outline, colour in _LIGHTHOUSE:
        for row, left, right in spans(outline, width, height):
            colours[row * width + left : row * width + right] = [colour] * (right - left)


def _sheet(
    waves: Sequence[tuple[float, int, float]], width: int, periods: Sequence[float]
) -> tuple[bytes, ...]:
    rows: list[bytes] = []
    for row, period in enumerate(periods):
        depth = (row + 1) / len(periods)
        height = 0.5 * MAX_WAVE * min(1.0, 0.3 + 0.85 * depth)
        far = 1 / (depth + 0.25)
        pixels = bytearray()
        for x in range(math.ceil(period)):
            turn = math.tau * (x - width / 2) / period
            bend = 1.5 * math.sin(5 * turn + far * 21.0)
            level = sum(a * math.sin(n * turn + m * far + bend) for a, n, m in waves)
            pixels.append(round(height * (1 + level)))
        rows.append(bytes(pixels * (2 + width // len(pixels))))
    return tuple(rows)


def _glitter(width: int, height: int, rows: int) -> Iterator[tuple[int, int, int, int]]:
    ragged = random.Random(5)  # noqa: S311 - a picture
    middle = width / 2 + SUN[0] * height
    for row in range(rows):
        depth = row / rows
        half = height * (0.035 + 0.15 * depth)
        ends = [
            middle - half * ragged.uniform(0.8, 1.2),
            middle - half * ragged.uniform(0.3, 0.6),
            middle + half * ragged.uniform(0.3, 0.6),
            middle + half * ragged.uniform(0.8, 1.2),
        ]
        begin, rise, fall, end = (min(width, max(0, round(x))) for x in ends)
        yield begin, rise, fall, end


def _pier(width: int, height: int) -> Iterator[tuple[Span, bytes]]:
    """Yield the rows of the pier's timber, in luma."""
    grain = random.Random(11)  # noqa: S311 - a picture
    for outline, colour in _PIER:
        luma, _, _ = yuv(colour)
        for span in spans(outline, width, height):
            shade = grain.randint(-2, 2)
            yield span, bytes((luma + shade,)) * (span.right - span.left)
