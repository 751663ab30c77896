"""Recordings read from S3 by ranges, and clips stored there."""

import io
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from attrs import frozen
from botocore.exceptions import ClientError
from mypy_boto3_s3 import S3Client

from application.ports import (
    AlreadyStored,
    ClipStore,
    FilePiece,
    Piece,
    RecordingStore,
    Rendition,
)
from domain.clip import ClipName, ClipRequest
from domain.errors import NotRecordedYet, SourceChanged, Unavailable
from domain.recording import RecordingSegment
from domain.standing import Manifest, StoredClip
from domain.window import TimeWindow
from infrastructure import wire
from infrastructure.aws import call, code_of, status_of
from infrastructure.mp4.index import FIRST_READ_BYTES
from infrastructure.mp4.recording import Mp4Recording, open_mp4

READS = 3
"""How often a range is asked for whose bytes break off."""
CHUNK_BYTES = 2 << 20
NOT_FOUND, PRECONDITION_FAILED, RANGE_NOT_SATISFIABLE = 404, 412, 416

FOR_EVER = "public, max-age=31536000, immutable"
"""A finished clip never changes."""
FOR_AN_HOUR = "public, max-age=3600"
"""Another delivery may store the stills once more."""
STILL_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@frozen
class S3Recordings(RecordingStore):
    """The recorder's bucket."""

    client: S3Client
    bucket: str
    folder: str = ""
    tolerance_ms: int = 1000

    def open(self, segment: RecordingSegment, deadline_s: float) -> Mp4Recording:
        """Ask for the file's first bytes, which also tell its size and ETag, then for its index."""
        key = "/".join(filter(None, [self.folder.strip("/"), segment.name]))

        def ask(byte_range: str, etag: str = "") -> tuple[bytes, str, str]:
            return self._ask(key, byte_range, etag)

        try:
            first, content_range, etag = _retried(
                segment.name, deadline_s, lambda: ask(f"bytes=0-{FIRST_READ_BYTES - 1}")
            )
        except ClientError as error:
            if code_of(error) == "NoSuchKey":
                raise NotRecordedYet(f"{segment.name} is not stored yet.") from error
            if status_of(error) == RANGE_NOT_SATISFIABLE:
                raise NotRecordedYet(f"{segment.name} is still empty.") from error
            raise Unavailable(f"S3 answered {code_of(error)} for {segment.name}.") from error
        size_bytes = _size(content_range, len(first))
        if size_bytes == 0:
            raise NotRecordedYet(f"{segment.name} is still empty.")

        def fetch(offset: int, length: int) -> bytes:
            if offset + length <= len(first):
                return first[offset : offset + length]
            return read(offset, length)
