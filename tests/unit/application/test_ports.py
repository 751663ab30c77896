"""The values that ports exchange."""

from pathlib import Path

from application.ports import FilePiece, Rendition
from domain.manifest import MediaInfo


def test_a_renditions_size_is_that_of_its_pieces() -> None:
    """In bytes; pieces may be parts of one file."""
    pieces = (FilePiece(Path("clip"), 0, 40), FilePiece(Path("clip"), 100, 2))
    media = MediaInfo(1, 0, 0, 40, "h264", 16, 9)
    assert Rendition(pieces, {}, media).size_bytes == 42
