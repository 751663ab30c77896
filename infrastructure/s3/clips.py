"""Finished clips in S3, with their thumbnails and manifests."""

import io
import logging
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from application.ports import AlreadyExists, ClipStore, FilePiece, RecordingPiece, Rendition
from domain.clip import ClipName, ClipRequest
from domain.coverage import Coverage
from domain.errors import Unavailable
from domain.manifest import Manifest, StoredClip
from infrastructure.aws import call
from infrastructure.formats.manifests import manifest_json, read_manifest
from infrastructure.formats.object_keys import (
    clip_key,
    manifest_key,
    metadata,
    stored_clip,
    thumbnail_key,
)
from infrastructure.s3.bodies import BodyReader
from infrastructure.s3.coverage_box import with_box, without_box
from infrastructure.s3.multipart import CopyRejected, NoSuchUpload, put_multipart, read, read_bytes
from infrastructure.s3.parts import (
    MIN_PART_BYTES,
    AnyPiece,
    BytesPiece,
    Part,
    UploadPart,
    plan_parts,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 2 << 20
THUMBNAIL_CONCURRENCY = 4

CACHE_IMMUTABLE = "public, max-age=31536000, immutable"
"""A finished clip never changes."""
CACHE_ONE_HOUR = "public, max-age=3600"
"""Another delivery of the request may store the thumbnails again."""
THUMBNAIL_CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}

LOG = logging.getLogger(__name__)


@frozen
class S3ClipStore(ClipStore):
    """The destination bucket."""

    client: "S3Client"
    bucket: str
    copy_in_s3: bool = True
    """Whether S3 is to copy ranges of its own recordings."""
    min_part_bytes: int = MIN_PART_BYTES
    """The store's minimum part size."""
    _copy_unsupported: Event = field(factory=Event, init=False, eq=False, repr=False)
    """Set once the store has answered that it does not support copying."""

    def find(self, name: ClipName, deadline_s: float) -> StoredClip | None:
        """Read the clip's metadata, and the box at its end if the metadata name one."""
        key = clip_key(name)
        try:
            head = call(
                f"S3, for {key},",
                deadline_s,
                lambda: self.client.head_object(Bucket=self.bucket, Key=key),
                {"404": _Missing()},
            )
        except _Missing:
            return None
        stored_at_ms = int(head["LastModified"].timestamp() * 1000)

        def read_last(length: int) -> bytes:
            size_bytes = head["ContentLength"]
            if not 0 < length <= size_bytes:
                raise ValueError(f"{length} of {size_bytes} bytes are no box")
            return self._read_last(key, head["ETag"], size_bytes, length, deadline_s)

        try:
            metadata = without_box(head["Metadata"], read_last)
        except ValueError:
            return stored_clip({}, stored_at_ms)
        return stored_clip(metadata, stored_at_ms)

    def _read_last(
        self, key: str, etag: str, size_bytes: int, length: int, deadline_s: float
    ) -> bytes:
        reader = BodyReader()

        def get() -> bytes:
            bounds = f"bytes={size_bytes - length}-{size_bytes - 1}"
            answer = self.client.get_object(Bucket=self.bucket, Key=key, Range=bounds, IfMatch=etag)
            return reader.read(answer["Body"])

        data = call(f"S3, for {key},", deadline_s, get, abort=reader.abort)
        if len(data) != length:
            raise Unavailable(f"S3, for {key}, answered {len(data)} bytes instead of {length}.")
        return data

    def store_thumbnails(
        self, name: ClipName, thumbnails: Mapping[int, Path], deadline_s: float
    ) -> None:
        """Store each picture under its width, in the format that its file's name says."""

        def store(width: int) -> None:
            image_format = thumbnails[width].suffix.removeprefix(".")
            self._put(
                thumbnail_key(name, width, image_format),
                thumbnails[width].read_bytes(),
                deadline_s,
                ContentType=THUMBNAIL_CONTENT_TYPES[image_format],
                CacheControl=CACHE_ONE_HOUR,
            )

        with ThreadPoolExecutor(THUMBNAIL_CONCURRENCY) as several:
            list(several.map(store, thumbnails))

    def commit(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        coverage: Coverage,
        deadline_s: float,
    ) -> None:
        """Assemble the pieces inside S3, as far as they are ranges of its own recordings.

        All other bytes are uploaded: as parts of the same multipart upload, or in a single request
        if that is all, or less than 10 MiB. If the store does not copy, the ranges are uploaded,
        too.
        """
        key = clip_key(request.name)
        described, box = with_box(metadata(request, rendition.media, writer, coverage))
        headers = {
            "ContentType": "video/mp4",
            "CacheControl": CACHE_IMMUTABLE,
            "Metadata": described,
        }
        pieces = (*rendition.pieces, BytesPiece(box, 0, len(box)))
        local = [piece for piece in pieces if not isinstance(piece, RecordingPiece)]
        copy = self.copy_in_s3 and not self._copy_unsupported.is_set()
        parts = self._parts(pieces, copy=copy)
        if len(parts) == 1 and isinstance(parts[0], UploadPart):
            data = read_bytes(parts[0].pieces)
            self._put(key, data, deadline_s, IfNoneMatch="*", **headers)
        elif len(local) == len(pieces):
            body = io.BufferedReader(_JoinedPieces(local), CHUNK_BYTES)
            size = sum(piece.length for piece in pieces)
            self._put(key, body, deadline_s, ContentLength=size, IfNoneMatch="*", **headers)
        else:
            self._put_multipart(request.name, pieces, parts, headers, deadline_s)

    def _put_multipart(
        self,
        name: ClipName,
        pieces: Sequence[AnyPiece],
        parts: Sequence[Part],
        headers: Mapping[str, Any],
        deadline_s: float,
    ) -> None:
        target = {"Bucket": self.bucket, "Key": clip_key(name)}
        try:
            try:
                put_multipart(self.client, target, parts, headers, deadline_s)
            except CopyRejected as rejection:
                if rejection.permanent:
                    self._copy_unsupported.set()
                LOG.warning(
                    "S3 did not copy a recording's range (%s): it is uploaded instead, %s.",
                    rejection,
                    "from now on" if rejection.permanent else "this time",
                )
                parts = self._parts(pieces, copy=False)
                put_multipart(self.client, target, parts, headers, deadline_s)
        except NoSuchUpload as gone:
            if self.find(name, deadline_s):
                raise AlreadyExists(f"There is an object {target['Key']} already.") from gone
            raise

    def _parts(self, pieces: Sequence[AnyPiece], *, copy: bool) -> list[Part]:
        return plan_parts(pieces, copy=copy, min_part_bytes=self.min_part_bytes)

    def read_manifest(self, name: ClipName, deadline_s: float) -> Manifest | None:
        """Get the manifest's JSON."""
        key, reader = manifest_key(name), BodyReader()

        def get() -> bytes:
            return reader.read(self.client.get_object(Bucket=self.bucket, Key=key)["Body"])

        try:
            expected = {"NoSuchKey": _Missing()}
            text = call(f"S3, for {key},", deadline_s, get, expected, reader.abort)
        except _Missing:
            return None
        try:
            return read_manifest(text.decode())
        except ValueError as error:
            raise Unavailable(f"In {key}, {error}.") from error

    def write_manifest(
        self, name: ClipName, manifest: Manifest, deadline_s: float, *, replace: bool
    ) -> None:
        """Put the manifest's JSON, under If-None-Match where it may not replace one."""
        conditions = {} if replace else {"IfNoneMatch": "*"}
        self._put(
            manifest_key(name),
            manifest_json(manifest).encode(),
            deadline_s,
            ContentType="application/json",
            CacheControl="no-cache",
            **conditions,
        )

    def _put(self, key: str, body: Any, deadline_s: float, **headers: Any) -> None:  # noqa: ANN401 - boto3's
        # 409 means that another write or delete of the key was in progress; the result is unknown.
        call(
            f"S3, for {key},",
            deadline_s,
            lambda: self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **headers),
            {"PreconditionFailed": AlreadyExists(f"There is an object {key} already.")},
        )


class _Missing(Exception):
    """There is no such object."""


class _JoinedPieces(io.RawIOBase):
    """Local bytes as one file, read on demand.

    With TLS each byte is read once (a trailing checksum follows it); without, as with a local
    stand-in for S3, three times.
    """

    def __init__(self, pieces: Sequence[FilePiece | BytesPiece]) -> None:
        self._pieces = [piece for piece in pieces if piece.length]
        self._ends = list(accumulate(piece.length for piece in self._pieces))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        size = self._ends[-1] if self._ends else 0
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - typeshed's WriteableBuffer
        number = bisect_right(self._ends, self._at)
        if number == len(self._pieces):
            return 0
        piece, left = self._pieces[number], self._ends[number] - self._at
        length = min(left, len(buffer))
        buffer[:length] = read(piece, piece.length - left, length)
        self._at += length
        return length
