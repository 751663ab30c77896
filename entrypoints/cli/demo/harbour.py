"""A drawn harbour at sunset, as a camera on a pier sees it, with the wall clock in the picture.

All that stands still is drawn once. The sea is the sum of two sheets of waves in perspective that
drift apart: a row of a picture is a slice of a longer one, and a table makes luma of the sum.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache

from attrs import frozen

from entrypoints.cli.demo.drawing import Colour, Point, Span, box, disc, spans, yuv
from entrypoints.cli.demo.scene import Scene, draw_scene
from entrypoints.cli.times import utc
from infrastructure.pictures.letters import ADVANCE, lettering

SAIL, HULL = (250.0, 232.0, 212.0), (52.0, 34.0, 38.0)
DRIFT_PX_S = (11.0, -8.0)
"""How fast each sheet drifts at the bottom of a picture 270 pixels high."""
BOAT_SPEED = 0.042
"""In picture heights per second."""
LIGHTHOUSE_PERIOD_S = 4.0
BLINK_S = 0.5

_MAST = box(-0.003, -0.235, 0.003, -0.01)
_MAIN_SAIL: list[Point] = [(0.006, -0.225), (0.105, -0.035), (0.006, -0.035)]
_JIB: list[Point] = [(-0.007, -0.195), (-0.007, -0.035), (-0.085, -0.03)]
_HULL: list[Point] = [(-0.115, -0.022), (0.115, -0.022), (0.085, 0.012), (-0.09, 0.012)]
_BOAT: Sequence[tuple[list[Point], Colour, bool]] = (
    (_MAIN_SAIL, SAIL, True),
    (_JIB, SAIL, True),
    (_HULL, HULL, True),
    (_MAST, HULL, False),
    (_MAIN_SAIL, SAIL, False),
    (_JIB, (236.0, 206.0, 184.0), False),
    (_HULL, HULL, False),
)
"""Outlines around the middle of the water line, colours, and whether the water mirrors them."""


@frozen(eq=False)
class Harbour:
    """Draws the pictures of one camera."""

    scene: Scene

    def picture(self, elapsed_ms: int, instant_ms: int) -> bytes:
        """Return the picture `elapsed_ms` after the first; its clock shows `instant_ms`."""
        elapsed_s = elapsed_ms / 1000
        luma = bytearray(self.scene.luma)
        luma[self.scene.horizon * self.scene.width :] = self._sea(elapsed_s)
        planes = [luma, *map(bytearray, self.scene.chroma)]
        self._draw_light(luma, elapsed_s)
        self._draw_boat(planes, elapsed_s)
        for span, pixels in self.scene.pier:
            start = span.row * self.scene.width
            luma[start + span.left : start + span.right] = pixels
        self._draw_clock(planes, instant_ms)
        return b"".join(planes)

    def _sea(self, elapsed_s: float) -> bytes:
        first, second = (
            int.from_bytes(b"".join(self._drifted(sheet, drift * elapsed_s)), "little")
            for sheet, drift in zip(self.scene.sheets, DRIFT_PX_S, strict=True)
        )
        base = self.scene.luma[self.scene.horizon * self.scene.width :]
        size_bytes = len(base)
        waves = (first + second).to_bytes(size_bytes, "little")
        dull, bright, brightest = (waves.translate(table) for table in TONES)
        rows: list[bytes] = []
        for row, (begin, rise, fall, end) in enumerate(self.scene.glitter):
            at = row * self.scene.width
            rows += (
                dull[at : at + begin],
                bright[at + begin : at + rise],
                brightest[at + rise : at + fall],
                bright[at + fall : at + end],
                dull[at + end : at + self.scene.width],
            )
        lit = int.from_bytes(b"".join(rows), "little") + int.from_bytes(base, "little")
        return lit.to_bytes(size_bytes, "little")

    def _drifted(self, sheet: Sequence[bytes], drift_px: float) -> Iterator[bytes]:
        scale = self.scene.height / 270
        for row, (pixels, period) in enumerate(zip(sheet, self.scene.periods, strict=True)):
            depth = (row + 1) / len(self.scene.periods)
            start = int(drift_px * scale * depth % period)
            yield pixels[start : start + self.scene.width]

    def _draw_light(self, luma: bytearray, elapsed_s: float) -> None:
        if elapsed_s % LIGHTHOUSE_PERIOD_S < BLINK_S:
            for span in self._spans(disc((-0.6, -0.172), 0.011)):
                self._fill(luma, span, 235)

    def _draw_boat(self, planes: Sequence[bytearray], elapsed_s: float) -> None:
        reach = self.scene.width / self.scene.height + 0.5
        across = (elapsed_s * BOAT_SPEED + 0.62) % reach - reach / 2
        down = 0.1 + 0.0035 * math.sin(elapsed_s * 1.9)
        lean = 0.02 * math.sin(elapsed_s * 1.3)
        for outline, colour, mirrored in _BOAT:
            turned = [
                (across + x + lean * y, down + (-0.5 * y if mirrored else y)) for x, y in outline
            ]
            luma, blue, red = yuv(colour)
            for number, span in enumerate(self._spans(turned)):
                if mirrored:
                    ripple = round(1.4 * math.sin(1.7 * number + 5.0 * elapsed_s))
                    self._mirror(planes[0], span, ripple, _mirror_table(luma, number))
                else:
                    self._fill(planes[0], span, luma)
                    self._fill_chroma(planes, span, (blue, red))

    def _mirror(self, luma: bytearray, span: Span, ripple: int, table: bytes) -> None:
        left, right = (min(self.scene.width, max(0, x + ripple)) for x in (span.left, span.right))
        start = span.row * self.scene.width
        part = slice(start + left, start + right)
        luma[part] = luma[part].translate(table)

    def _draw_clock(self, planes: Sequence[bytearray], instant_ms: int) -> None:
        scale = max(1, self.scene.width // 480)
        text = f"PIER {utc(instant_ms)} UTC"
        if (len(text) + 3) * ADVANCE * scale > self.scene.width:
            text = utc(instant_ms).split()[1]
        left, top = 4 * scale, 4 * scale
        for row, pixels in enumerate(lettering(text, scale), top):
            span = Span(row, left, min(left + len(pixels), self.scene.width))
            start = row * self.scene.width
            planes[0][start + span.left : start + span.right] = pixels[: span.right - span.left]
            self._fill_chroma(planes, span, (128, 128))

    def _fill(self, plane: bytearray, span: Span, value: int) -> None:
        start = span.row * self.scene.width
        plane[start + span.left : start + span.right] = bytes((value,)) * (span.right - span.left)

    def _fill_chroma(
        self, planes: Sequence[bytearray], span: Span, values: tuple[int, int]
    ) -> None:
        start = span.row // 2 * (self.scene.width // 2)
        left, right = (span.left + 1) // 2, (span.right + 1) // 2
        for plane, value in zip(planes[1:], values, strict=True):
            plane[start + left : start + right] = bytes((value,)) * (right - left)

    def _spans(self, outline: Sequence[Point]) -> Iterator[Span]:
        return spans(outline, self.scene.width, self.scene.height)


def _tones(threshold: int, sparkle: float, most: int) -> bytes:
    return bytes(
        min(most, round(0.42 * wave + sparkle * max(0, wave - threshold))) for wave in range(256)
    )


TONES = (_tones(92, 0.35, 70), _tones(66, 1.3, 92), _tones(48, 2.0, 104))
"""The tables from the sum of both sheets to added luma: away from the sun's reflection, at its
edges, and in its middle."""


@cache
def _mirror_table(luma: int, row: int) -> bytes:
    """Return the table that mixes water and what it mirrors, the less the farther down the row."""
    share = 0.5 * math.exp(-row / 14)
    return bytes(round((1 - share) * water + share * luma) for water in range(256))


@cache
def harbour(width: int, height: int) -> Harbour:
    """Return a harbour in pictures of `width` and `height` pixels, both even."""
    return Harbour(draw_scene(width, height))
