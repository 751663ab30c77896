"""ffmpeg's filters that make filler of a picture: the picture itself, black, or a slate.

Filler is made of a neighbour's picture, so that it has the size, the pixel shape, the range and the
colours of the frames around it, whatever they are.
"""

from collections.abc import Iterator, Sequence

from attrs import field, frozen

from domain.options import Filler
from infrastructure.mp4.index import Track
from infrastructure.pictures.letters import ADVANCE, HEIGHT, strokes
from infrastructure.splicing.picture_format import PictureFormat, upright_size

BLACK = 16
"""Luma where not all values are used."""
NO_COLOUR = 128
BYTE_BITS = 8
LINE = HEIGHT + 5
"""From one line of text to the next, in pixels of the letters."""
WIDTH_SHARE, HEIGHT_SHARE = (3, 4), (1, 2)
"""Of the picture, that the text has at most, if one pixel is not more."""


@frozen
class FillerDrawing:
    """A picture that is shown several times: how often, and what it is made of."""

    count: int
    kind: Filler
    lines: Sequence[str] = field(default=())
    """The text of a slate."""

    def filters(self, picture_format: PictureFormat, video: Track) -> str:
        """Return the filters that follow those of the format, for one frame of `video`."""
        again = f"loop=loop={self.count - 1}:size=1:start=0,setpts=N/TB"
        return ",".join([*self._drawing(picture_format, video), again])

    def _drawing(self, picture_format: PictureFormat, video: Track) -> Iterator[str]:
        if self.kind == "hold":
            return
        more_bits = picture_format.sample_bits - BYTE_BITS
        black, grey = 0 if picture_format.full_range else BLACK << more_bits, NO_COLOUR << more_bits
        yield f"lutyuv=y={black}:u={grey}:v={grey}"
        if self.kind == "slate":
            # A box is drawn into samples of 8 bits only.
            yield f"format={'yuvj420p' if picture_format.full_range else 'yuv420p'}"
            yield from _boxes(self.lines, *(picture_format.size or upright_size(video)))
            yield f"format={picture_format.pixels}"


def _boxes(lines: Sequence[str], width: int, height: int) -> Iterator[str]:
    """Yield a filter for each stroke of the text, which is in the middle of the picture."""
    columns, rows = max(map(len, lines)) * ADVANCE - 1, len(lines) * LINE - (LINE - HEIGHT)
    widest = width * WIDTH_SHARE[0] // WIDTH_SHARE[1] // columns
    highest = height * HEIGHT_SHARE[0] // HEIGHT_SHARE[1] // rows
    scale = max(1, min(widest, highest))
    top = (height - rows * scale) // 2
    for number, line in enumerate(lines):
        left = (width - (len(line) * ADVANCE - 1) * scale) // 2
        for x, y, length in strokes(line):
            at = left + x * scale, top + (number * LINE + y) * scale
            yield f"drawbox={at[0]}:{at[1]}:{length * scale}:{scale}:white:fill"
