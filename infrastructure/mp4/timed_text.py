"""Tracks of timed text: plain text that a player shows over the picture (3GPP TS 26.245).

::

    trak                         8.3.1 of ISO/IEC 14496-12
    ├── tkhd                     8.3.2   alternate group 3, of subtitles
    └── mdia
        ├── hdlr                 8.4.3   "sbtl"
        └── minf
            ├── nmhd             8.4.5.2 no header of a kind of media
            └── stbl/stsd/tx3g   "Sample Description Format" of TS 26.245 (5.16 in 6.1.0 and in
                                 11.0.0): region, style, and ftab, the fonts

A sample is the text's number of bytes, in 16 bits, and the text as UTF-8 ("Sample Format"). ffmpeg,
which calls the codec mov_text, writes the same: mov_write_hdlr_tag and mov_write_tkhd_tag in
libavformat/movenc.c, libavcodec/movtextenc.c (FFmpeg/FFmpeg).
"""

# ruff: noqa: PLR2004 - the numbers are the specification's own

import struct
from collections.abc import Sequence

from attrs import field, frozen

from infrastructure.mp4.boxes import box, children, require
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.sample_tables import SizeTable, read_columns, read_timescale

SUBTITLES = "sbtl"
FONT = b"Arial"
CENTRE, BOTTOM = 1, -1
FONT_POINTS = 16
BLACK, WHITE = 0x000000FF, 0xFFFFFFFF
"""Red, green, blue and opacity, a byte each."""


@frozen(eq=False)
class TextSamples:
    """A track of text as stored."""

    timescale: int
    offsets: Sequence[int] = field(repr=False)
    """In bytes from the start of the file."""
    sizes: Sequence[int] = field(repr=False)
    durations: Sequence[int] = field(repr=False)
    """In ticks."""


def text_sample_entry() -> bytes:
    """Return the sample entry of white text on black, centred at the bottom of the picture."""
    region = struct.pack(">4H", 0, 0, 0, 0)
    style = struct.pack(">HHHBBI", 0, 0, 1, 0, FONT_POINTS, WHITE)
    fonts = box(b"ftab", struct.pack(">HHB", 1, 1, len(FONT)), FONT)
    look = struct.pack(">IbbI", 0, CENTRE, BOTTOM, BLACK)
    return box(b"tx3g", struct.pack(">6xH", 1), look, region, style, fonts)


def text_sample(text: str) -> bytes:
    """Return the sample of a text of less than 64 KiB."""
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def sample_text(sample: bytes) -> str:
    """Return the text of a sample, without its styles; InvalidMp4 if it is none."""
    length = int.from_bytes(sample[:2])
    text = sample[2 : 2 + length]
    if len(sample) < 2 or len(text) < length:
        raise InvalidMp4("a text is longer than its sample")
    return text.decode(errors="replace")


def read_text_samples(moov: memoryview, size_bytes: int) -> TextSamples | None:
    """Read the first track of text of a file of *size_bytes*; None if there is none.

    InvalidMp4 if its tables contradict themselves.
    """
    for kind, trak in children(moov):
        if kind != b"trak" or bytes(require(trak, b"mdia", b"hdlr")[8:12]) != SUBTITLES.encode():
            continue
        stbl = require(trak, b"mdia", b"minf", b"stbl")
        listed = SizeTable.read(stbl, 0, size_bytes)
        columns = read_columns(stbl, listed, SUBTITLES, size_bytes)
        return TextSamples(read_timescale(require(trak, b"mdia", b"mdhd"), SUBTITLES), *columns)
    return None
