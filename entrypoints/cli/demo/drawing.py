"""Colours, outlines and noise, to draw pictures with."""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 255."""
Point = tuple[float, float]
"""Across and down, as shares of the picture's height, from the middle of the horizon."""
HORIZON = 0.48
"""Where the horizon is, as a share of the picture's height."""


class Span(NamedTuple):
    """Pixels of one row, from `left` on and before `right`."""

    row: int
    left: int
    right: int


def spans(outline: Sequence[Point], width: int, height: int) -> Iterator[Span]:
    """Yield the rows of a convex outline, as far as they are in the picture."""
    points = [(width / 2 + x * height, (HORIZON + y) * height) for x, y in outline]
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    for row in range(max(0, round(top)), min(height, round(bottom))):
        middle = row + 0.5
        crossings = [
            x + (middle - y) * (next_x - x) / (next_y - y)
            for (x, y), (next_x, next_y) in zip(points, points[1:] + points[:1], strict=True)
            if (y <= middle) != (next_y <= middle)
        ]
        if crossings:
            left, right = max(0, round(min(crossings))), min(width, round(max(crossings)))
            if left < right:
                yield Span(row, left, right)


def disc(centre: Point, radius: float) -> list[Point]:
    """Return the outline of a disc."""
    angles = (math.tau * step / 16 for step in range(16))
    return [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles]


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """Return the outline of a rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


class Noise:
    """Smooth noise from 0 to 1, of three octaves."""

    def __init__(self, seed: int) -> None:
        numbers = random.Random(seed)  # noqa: S311 - a picture
        self._values = [numbers.random() for _ in range(4096)]

    def at(self, x: float, y: float) -> float:
        """Return the noise at a point."""
        return (
            0.57 * self._smooth(x, y)
            + 0.29 * self._smooth(2 * x, 2 * y)
            + (0.14 * self._smooth(4 * x, 4 * y))
        )

    def _smooth(self, x: float, y: float) -> float:
        left, top = math.floor(x), math.floor(y)
        u, v = x - left, y - top
        u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
        here, right = self._value(left, top), self._value(left + 1, top)
        below, across = self._value(left, top + 1), self._value(left + 1, top + 1)
        upper = here + u * (right - here)
        return upper + v * (below + u * (across - below) - upper)

    def _value(self, x: int, y: int) -> float:
        return self._values[(x * 73 + y * 1259) % 4096]


def ramp(stops: Sequence[tuple[float, Colour]], share: float) -> Colour:
    """Return the colour at `share` of the way along the stops."""
    for (low, before), (high, after) in pairwise(stops):
        if share <= high:
            return mix(before, after, (share - low) / (high - low))
    return stops[-1][1]


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the first colour with `share` of the second."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


def yuv(colour: Colour) -> tuple[int, int, int]:
    """Return luma and both chroma components (ITU-R BT.601, limited range)."""
    red, green, blue = colour
    return (
        round(16 + 0.2568 * red + 0.5041 * green + 0.0979 * blue),
        round(128 - 0.1482 * red - 0.2910 * green + 0.4392 * blue),
        round(128 + 0.4392 * red - 0.3678 * green - 0.0714 * blue),
    )
