"""What a movie says of itself: when it was recorded, its title, a comment, and its chapters.

::

    moov
    ├── mvhd             8.2.2   creation_time, as in each track's tkhd and mdhd
    └── udta             8.10.1
        ├── meta                 "iTunes-style", which players show; not in the standard
        │   ├── hdlr             "mdir", of "appl"
        │   └── ilst
        │       ├── ©nam / data  the title
        │       └── ©cmt / data  the comment
        └── chpl                 chapters, as Nero's programs write them; not in the standard

ffmpeg reads and writes these boxes: mov_read_udta_string and mov_read_chpl in libavformat/mov.c,
mov_write_meta_tag and mov_write_chpl_tag in libavformat/movenc.c (FFmpeg/FFmpeg at edf5e88).
"""

import struct
from collections.abc import Sequence

from attrs import frozen

from infrastructure.mp4.boxes import box, full_box

SECONDS_FROM_1904 = 2_082_844_800
"""From the standard's epoch, midnight of 1904-01-01 UTC (8.2.2.3), to Unix's: 24,107 days."""
CHAPTER_UNITS_PER_MS = 10_000
UTF_8 = 1
"""The type of a data box that holds text."""


@frozen
class MovieInfo:
    """When a movie's first frame was seen, in s since the Unix epoch, and what it is called."""

    created_s: int
    title: str
    comment: str
    chapters: Sequence[tuple[int, str]] = ()
    """Where each begins, in ms, and its title: at most 255, of at most 255 bytes as UTF-8."""

    @property
    def creation_time(self) -> int:
        """In seconds since 1904; 0, which means unknown, if it was before."""
        return max(0, self.created_s + SECONDS_FROM_1904)

    @property
    def user_data(self) -> bytes:
        """The udta box."""
        items = box(
            b"ilst", _text_item(b"\xa9nam", self.title), _text_item(b"\xa9cmt", self.comment)
        )
        handler = full_box(b"hdlr", 0, 0, bytes(4), b"mdirappl", bytes(9))
        meta = full_box(b"meta", 0, 0, handler, items)
        return box(b"udta", meta, *([_chapter_list(self.chapters)] if self.chapters else []))


def _text_item(kind: bytes, text: str) -> bytes:
    return box(kind, box(b"data", struct.pack(">II", UTF_8, 0), text.encode()))


def _chapter_list(chapters: Sequence[tuple[int, str]]) -> bytes:
    """Write the chapters: after four reserved bytes their number, and of each start and title."""
    entries = [
        struct.pack(">QB", start_ms * CHAPTER_UNITS_PER_MS, len(data := title.encode())) + data
        for start_ms, title in chapters
    ]
    return full_box(b"chpl", 1, 0, struct.pack(">4xB", len(entries)), *entries)
