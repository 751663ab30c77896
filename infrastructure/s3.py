"""Recordings read from S3 by ranges, and clips stored there."""

import io
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from attrs import evolve, frozen
from botocore.exceptions import BotoCoreError

from application.ports import AlreadyStored, ClipStore, FilePiece, Piece, RecordingStore, Rendition
from domain.clip import ClipName, ClipRequest
from domain.errors import NotRecordedYet, SourceChanged, Unavailable
from domain.recording import RecordingSegment
from domain.standing import Manifest, StoredClip
from domain.window import TimeWindow
from infrastructure import wire
from infrastructure.aws import call
from infrastructure.mp4.index import FIRST_READ_BYTES
from infrastructure.mp4.recording import Mp4Recording, open_mp4

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READS = 3
"""How often a range is asked for whose bytes break off."""
CHUNK_BYTES = 2 << 20

FOR_EVER = "public, max-age=31536000, immutable"
"""A finished clip never changes."""
FOR_AN_HOUR = "public, max-age=3600"
"""Another delivery of the request may store the stills once more."""
STILL_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@frozen
class _Range:
    """Bytes of an object, and what the object was then."""

    data: bytes
    size_bytes: int
    etag: str


@frozen
class S3Recordings(RecordingStore):
    """The recorder's bucket."""

    client: "S3Client"
    bucket: str
    folder: str = ""
    tolerance_ms: int = 1000

    def open(self, segment: RecordingSegment, deadline_s: float) -> Mp4Recording:
        """Read the index; the first read, which it needs anyway, also tells size and ETag."""
        name = segment.name
        key = "/".join(filter(None, [self.folder.strip("/"), name]))
        first = call(
            f"S3, for {name},",
            deadline_s,
            lambda: self._get(key, 0, FIRST_READ_BYTES),
            {
                "NoSuchKey": NotRecordedYet(f"{name} is not stored yet."),
                "InvalidRange": NotRecordedYet(f"{name} is still empty."),
            },
        )
        if first.size_bytes == 0:
            raise NotRecordedYet(f"{name} is still empty.")
        changed = SourceChanged(f"{name} was replaced while it was read.")

        def fetch(offset: int, length: int) -> bytes:
            if length == 0:
                return b""
            found = call(
                f"S3, for {name},",
                deadline_s,
                lambda: self._get(key, offset, length, IfMatch=first.etag),
                {"PreconditionFailed": changed, "NoSuchKey": changed, "InvalidRange": changed},
            )
            if found.etag != first.etag:  # some S3 clones ignore If-Match
                raise changed
            if len(found.data) != length:
                raise Unavailable(f"S3 gave {len(found.data)} of {length} bytes of {name}.")
            return found.data

        def fetch_index(offset: int, length: int) -> bytes:
            known = first.data[offset : offset + length]
            return known if len(known) == length else fetch(offset, length)

        opened = open_mp4(segment, first.size_bytes, first.etag, fetch_index, self.tolerance_ms)
        return evolve(opened, fetch=fetch)

    def _get(self, key: str, offset: int, length: int, **conditions: str) -> _Range:
        """Get up to `length` bytes, once more where the stream breaks off."""
        for read in range(1, READS + 1):
            answer = self.client.get_object(
                Bucket=self.bucket,
                Key=key,
                Range=f"bytes={offset}-{offset + length - 1}",
                **conditions,  # type: ignore[arg-type]
            )
            with answer["Body"] as body:
                if answer["ContentLength"] == 0:
                    return _Range(b"", 0, answer["ETag"])
                size = answer.get("ContentRange", "").rpartition("/")[2]
                if not size.isdecimal():
                    raise Unavailable("S3 does not answer ranges.")
                try:
                    return _Range(body.read(), int(size), answer["ETag"])
                except (BotoCoreError, urllib3.exceptions.HTTPError):
                    if read == READS:
                        raise
        raise AssertionError


@frozen
class S3Clips(ClipStore):
    """The destination bucket."""

    client: "S3Client"
    bucket: str

    def find(self, name: ClipName, deadline_s: float) -> StoredClip | None:
        """Read the clip's metadata."""
        key = wire.clip_key(name)
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
        return wire.stored_clip(head["Metadata"], stored_at_ms)

    def store_stills(self, name: ClipName, stills: Mapping[int, Path], deadline_s: float) -> None:
        """Store each picture under its width, in the format that its file's name says."""
        for width, picture in stills.items():
            picture_format = picture.suffix.removeprefix(".")
            self._put(
                wire.still_key(name, width, picture_format),
                picture.read_bytes(),
                deadline_s,
                ContentType=STILL_TYPES[picture_format],
                CacheControl=FOR_AN_HOUR,
            )

    def commit(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        gaps: Sequence[TimeWindow],
        deadline_s: float,
    ) -> None:
        """Stream the pieces as one object, under If-None-Match.

        Within TLS each byte is read once (its checksum follows it); without, as with a local
        stand-in for S3, three times.
        """
        try:
            self._put(
                wire.clip_key(request.name),
                io.BufferedReader(_Pieces(rendition.pieces), CHUNK_BYTES),
                deadline_s,
                ContentLength=rendition.size_bytes,
                ContentType="video/mp4",
                CacheControl=FOR_EVER,
                Metadata=wire.metadata(request, rendition.footage, writer, gaps),
                IfNoneMatch="*",
            )
        except _BrokenPiece as broken:
            raise broken.error from broken.error.__cause__

    def read_manifest(self, name: ClipName, deadline_s: float) -> Manifest | None:
        """Get the manifest's JSON."""
        key = wire.manifest_key(name)

        def get() -> bytes:
            with self.client.get_object(Bucket=self.bucket, Key=key)["Body"] as body:
                return body.read()

        try:
            text = call(f"S3, for {key},", deadline_s, get, {"NoSuchKey": _Missing()})
        except _Missing:
            return None
        try:
            return wire.read_manifest(text.decode())
        except ValueError as error:
            raise Unavailable(f"In {key}, {error}.") from error

    def write_manifest(
        self, name: ClipName, manifest: Manifest, deadline_s: float, *, replace: bool
    ) -> None:
        """Put the manifest's JSON, under If-None-Match where it may not replace one."""
        conditions = {} if replace else {"IfNoneMatch": "*"}
        self._put(
            wire.manifest_key(name),
            wire.manifest_json(manifest).encode(),
            deadline_s,
            ContentType="application/json",
            CacheControl="no-cache",
            **conditions,
        )

    def _put(self, key: str, body: Any, deadline_s: float, **about: Any) -> None:  # noqa: ANN401 - boto3's
        # 409 means that another write or delete of the key was under way and nothing is known yet.
        call(
            f"S3, for {key},",
            deadline_s,
            lambda: self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **about),
            {"PreconditionFailed": AlreadyStored(f"There is an object {key} already.")},
        )


class _Missing(Exception):
    """There is no such object."""


class _BrokenPiece(BaseException):
    """A piece could not be read. No Exception: botocore would take it for S3's and try again."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class _Pieces(io.RawIOBase):
    """The pieces' bytes as one file, read as it is asked for."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
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
        try:
            data = _read(piece, piece.offset + piece.length - left, length)
        except Exception as error:
            raise _BrokenPiece(error) from error
        buffer[:length] = data
        self._at += length
        return length


def _read(piece: Piece, offset: int, length: int) -> bytes:
    if not isinstance(piece, FilePiece):
        return piece.recording.read(offset, length)
    with piece.path.open("rb") as file:
        file.seek(offset)
        data = file.read(length)
    if len(data) != length:
        raise Unavailable("The rendered clip is shorter than it was.")
    return data
