"""A clip in a local file, and what S3 had no room for at its end."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import Factory, frozen

from application.verify_clip import ClipFile, said_evidence
from domain.manifest import Manifest
from domain.proof import ByteRange, ShownFrame
from infrastructure.formats.coverage_box import texts_in_boxes
from infrastructure.formats.coverages import read_coverage
from infrastructure.formats.evidence import read_evidence
from infrastructure.formats.object_keys import COVERAGE, EVIDENCE
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import read_index

MAX_BOXES_BYTES = 64 << 20
MAX_PICTURE_BYTES = 64 << 20
"""No picture that camclip makes has as many: one that has more is another."""


@frozen
class LocalClipFile(ClipFile):
    """The clip at `path`."""

    path: Path
    thumbnails: Mapping[int, Path]
    """By width."""
    sidecars: Mapping[str, Path] = Factory(dict)
    """By the ends of their names."""
    size_bytes: int = Factory(lambda self: self.path.stat().st_size, takes_self=True)

    def read(self, offset: int, length: int) -> bytes:
        """Read from the file."""
        if offset >= self.size_bytes:
            return b""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def shown_frames(self) -> Sequence[ShownFrame]:
        """Read the sample tables."""
        try:
            video = read_index(self.read, self.size_bytes).video
        except InvalidMp4:
            return ()
        if video is None:
            return ()
        rows = zip(video.offsets, video.sizes, video.pts, strict=True)
        frames = (ShownFrame(ByteRange(offset, size), pts) for offset, size, pts in rows)
        return sorted(frames, key=lambda frame: frame.time)

    def is_said_at_end(self, offset: int, manifest: Manifest) -> bool:
        """Read the boxes that the S3 store appends."""
        if self.size_bytes - offset > MAX_BOXES_BYTES:
            return False
        try:
            texts = texts_in_boxes(self.read(offset, self.size_bytes - offset))
            is_coverage = COVERAGE not in texts or (
                read_coverage(texts[COVERAGE]) == manifest.report.coverage
            )
            evidence = said_evidence(manifest)
            return is_coverage and (
                EVIDENCE not in texts or read_evidence(texts[EVIDENCE]) == evidence
            )
        except ValueError:
            return False

    def thumbnail(self, width: int) -> bytes | None:
        """Read a thumbnail's file."""
        return _if_any(self.thumbnails.get(width))

    def sidecar(self, name: str) -> bytes | None:
        """Read the file of a sidecar."""
        return _if_any(self.sidecars.get(name))


def _if_any(path: Path | None) -> bytes | None:
    """Read a picture or a text next to the clip."""
    if path is None or not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(MAX_PICTURE_BYTES)
