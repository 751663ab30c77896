"""Finished clips in S3, with their stills and manifests."""

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

from application.ports import AlreadyStored, ClipStore, FilePiece, Piece, Rendition
from domain.clip import ClipName, ClipRequest
from domain.errors import Unavailable
from domain.standing import Manifest, StoredClip
from domain.window import TimeWindow
from infrastructure import wire
from infrastructure.aws import call
from infrastructure.s3.compose import CopyRefused, UploadGone, compose, read, read_bytes
from infrastructure.s3.parts import LEAST_BYTES, Own, Part, plan_parts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 2 << 20
STILLS_AT_ONCE = 4

FOR_EVER = "public, max-age=31536000, immutable"
"""A finished clip never changes."""
FOR_AN_HOUR = "public, max-age=3600"
"""Another delivery of the request may store the stills once more."""
STILL_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}

LOG = logging.getLogger(__name__)


@frozen
class S3Clips(ClipStore):
    """The destination bucket."""

    client: "S3Client"
    bucket: str
    compose: bool = True
    """Whether S3 is to copy what is a range of its own recordings."""
    least_bytes: int = LEAST_BYTES
    """What the store wants a part to have at least."""
    _never: Event = field(factory=Event, init=False, eq=False, repr=False)
    """Set once the store has said that it knows no such thing."""

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

        def store(width: int) -> None:
            picture_format = stills[width].suffix.removeprefix(".")
            self._put(
                wire.still_key(name, width, picture_format),
                stills[width].read_bytes(),
                deadline_s,
                ContentType=STILL_TYPES[picture_format],
                CacheControl=FOR_AN_HOUR,
            )

        with ThreadPoolExecutor(STILLS_AT_ONCE) as several:
            list(several.map(store, stills))

    def commit(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        gaps: Sequence[TimeWindow],
        deadline_s: float,
    ) -> None:
        """Put the pieces together inside S3, as far as they are ranges of its own recordings.

        Everything but those ranges is sent: as parts of the same upload, or in a single request if
        that is all, or less than 10 MiB. A store that does not copy gets the ranges sent too.
        """
        key = wire.clip_key(request.name)
        about = {
            "ContentType": "video/mp4",
            "CacheControl": FOR_EVER,
            "Metadata": wire.metadata(request, rendition.footage, writer, gaps),
        }
        files = [piece for piece in rendition.pieces if isinstance(piece, FilePiece)]
        copy = self.compose and not self._never.is_set()
        parts = self._parts(rendition.pieces, copy=copy)
        if len(parts) == 1 and isinstance(parts[0], Own):
            data = read_bytes(parts[0].pieces)
            self._put(key, data, deadline_s, IfNoneMatch="*", **about)
        elif len(files) == len(rendition.pieces):
            body = io.BufferedReader(_Files(files), CHUNK_BYTES)
            size = rendition.size_bytes
            self._put(key, body, deadline_s, ContentLength=size, IfNoneMatch="*", **about)
        else:
            self._compose(request.name, rendition.pieces, parts, about, deadline_s)

    def _compose(
        self,
        name: ClipName,
        pieces: Sequence[Piece],
        parts: Sequence[Part],
        about: Mapping[str, Any],
        deadline_s: float,
    ) -> None:
        target = {"Bucket": self.bucket, "Key": wire.clip_key(name)}
        try:
            try:
                compose(self.client, target, parts, about, deadline_s)
            except CopyRefused as refused:
                if refused.for_good:
                    self._never.set()
                LOG.warning(
                    "S3 does not copy recordings into clips, %s: they are sent instead, %s.",
                    refused,
                    "from now on" if refused.for_good else "this once",
                )
                parts = self._parts(pieces, copy=False)
                compose(self.client, target, parts, about, deadline_s)
        except UploadGone as gone:
            if self.find(name, deadline_s):
                raise AlreadyStored(f"There is an object {target['Key']} already.") from gone
            raise

    def _parts(self, pieces: Sequence[Piece], *, copy: bool) -> list[Part]:
        return plan_parts(pieces, copy=copy, least_bytes=self.least_bytes)

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


class _Files(io.RawIOBase):
    """Parts of local files as one file, read as it is asked for.

    Within TLS each byte is read once (its checksum follows it); without, as with a local stand-in
    for S3, three times.
    """

    def __init__(self, pieces: Sequence[FilePiece]) -> None:
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
