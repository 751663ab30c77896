"""Objects that are stored only if there are none of their names, on stores of every kind.

AWS makes each write conditional. What another store lacks is replaced by the next best: see
docs/stores.md.
"""

import io
import logging
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, Any

from attrs import Factory, define, evolve, field, frozen

from application.ports import AlreadyExists, FilePiece, RecordingPiece
from domain.errors import Unavailable
from infrastructure.aws import call
from infrastructure.s3.checksums import checksum
from infrastructure.s3.conditions import Conditions, find_conditions, name_of
from infrastructure.s3.multipart import (
    MultipartUpload,
    NoSuchUpload,
    Target,
    UploadRejected,
    put_multipart,
    read,
    read_bytes,
)
from infrastructure.s3.parts import (
    MIN_PART_BYTES,
    AnyPiece,
    BytesPiece,
    Part,
    UploadPart,
    plan_parts,
)
from infrastructure.s3.reading import head_if_any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 2 << 20

LOG = logging.getLogger(__name__)


class ConditionNotSupported(Exception):
    """The store does not know the condition of a PUT."""


@define
class _Learned:
    """What the store has shown, for the rest of the process."""

    conditions: Conditions | None
    copies: bool
    lock: Any = Factory(Lock)


@frozen
class NewObjects:
    """Writes objects of a bucket."""

    client: "S3Client"
    bucket: str
    copy_in_s3: bool = True
    """Whether S3 is to copy ranges of its own recordings."""
    known_conditions: Conditions | None = None
    """Which conditions the store honours; None to find out."""
    min_part_bytes: int = MIN_PART_BYTES
    """The store's minimum part size."""
    _learned: _Learned = field(init=False, eq=False, repr=False)

    @_learned.default
    def _nothing_learned(self) -> _Learned:
        return _Learned(self.known_conditions, self.copy_in_s3)

    def conditions(self, deadline_s: float) -> Conditions:
        """Return which conditions the store honours; the first call finds out."""
        with self._learned.lock:
            found = self._learned.conditions or find_conditions(
                self.client, self.bucket, deadline_s
            )
            self._learned.conditions = found
        return found

    def send(
        self, key: str, pieces: Sequence[AnyPiece], headers: Mapping[str, Any], deadline_s: float
    ) -> "SentObject | None":
        """Begin to send the parts of an object; None if it is stored by a single request.

        None, too, where it is not known that the store honours the condition to complete an upload.
        """
        conditions, parts = self._learned.conditions, self._parts(pieces)
        if not (conditions and conditions.on_complete) or _is_one_request(pieces, parts):
            return None
        target = Target(self.client, self.bucket, key, headers)
        return SentObject(pieces, headers, MultipartUpload(target, parts, deadline_s))

    def store(
        self,
        key: str,
        pieces: Sequence[AnyPiece],
        headers: Mapping[str, Any],
        deadline_s: float,
        sent: "SentObject | None" = None,
    ) -> None:
        """Store the pieces as one object; AlreadyExists if there is one.

        `sent` is used if it is of the same pieces and headers.

        Where the store honours no condition on this kind of write, an object that another process
        stores in the same moment is replaced.
        """
        conditions = self.conditions(deadline_s)
        parts = self._parts(pieces)
        body = _body_of_one_request(pieces, parts)
        if not (conditions.on_put if body else conditions.on_complete):
            self._require_none(key, deadline_s)
        if body and conditions.on_put:
            try:
                self._put(key, body, headers, deadline_s, IfNoneMatch="*")
            except ConditionNotSupported:
                self._learned.conditions = evolve(conditions, on_put=False)
                LOG.warning(
                    "The store does not support conditions on PUT: S3_CONDITIONS=%s spares the"
                    " attempt.",
                    name_of(self._learned.conditions),
                )
                self.store(key, pieces, headers, deadline_s)
        elif body and not conditions.on_complete:
            self._put(key, body, headers, deadline_s)
        else:
            target = Target(self.client, self.bucket, key, headers, conditions.on_complete)
            upload = sent.upload if sent and sent.is_of(pieces, headers) else None
            self._put_multipart(target, pieces, parts, deadline_s, upload)

    def put(self, key: str, body: bytes, headers: Mapping[str, Any], deadline_s: float) -> None:
        """Store a small object, in place of any that is there."""
        self._put(key, body, headers, deadline_s)

    def _put_multipart(
        self,
        target: Target,
        pieces: Sequence[AnyPiece],
        parts: Sequence[Part],
        deadline_s: float,
        sent: MultipartUpload | None,
    ) -> None:
        try:
            try:
                put_multipart(sent or MultipartUpload(target, parts, deadline_s))
            except UploadRejected as rejection:
                self._learn(rejection)
                parts = plan_parts(pieces, copy=False, min_part_bytes=self.min_part_bytes)
                target = evolve(target, has_checksums=False)
                put_multipart(MultipartUpload(target, parts, deadline_s))
        except UploadRejected as rejection:
            message = f"S3, for {target.key}, answered {rejection} to an upload."
            raise Unavailable(message) from rejection
        except NoSuchUpload:
            # It may be complete, and only the answer was lost.
            self._require_none(target.key, deadline_s)
            raise

    def _learn(self, rejection: UploadRejected) -> None:
        """Remember that the store does not copy, and name the setting for it."""
        if rejection.permanent:
            self._learned.copies = False
        LOG.warning(
            "S3 did not make a clip of copied parts (%s): all bytes are uploaded, %s. %s spares the"
            " attempt.",
            rejection,
            "from now on" if rejection.permanent else "this time",
            rejection.remedy,
        )

    def _parts(self, pieces: Sequence[AnyPiece]) -> list[Part]:
        copy = self._learned.copies
        return plan_parts(pieces, copy=copy, min_part_bytes=self.min_part_bytes)

    def _require_none(self, key: str, deadline_s: float) -> None:
        """Raise AlreadyExists if there is an object."""
        if head_if_any(self.client, self.bucket, key, deadline_s):
            raise AlreadyExists(f"There is an object {key} already.")

    def _put(
        self,
        key: str,
        body: Any,  # noqa: ANN401 - boto3's
        headers: Mapping[str, Any],
        deadline_s: float,
        **condition: Any,  # noqa: ANN401 - boto3's
    ) -> None:
        # 409 means that another write or delete of the key was in progress; the result is unknown.
        expected: dict[str, Exception] = {
            "412": AlreadyExists(f"There is an object {key} already.")
        }
        if condition:
            expected["501"] = ConditionNotSupported()
        call(
            f"S3, for {key},",
            deadline_s,
            lambda: self.client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                **checksum(self.client, body),
                **headers,
                **condition,
            ),
            expected,
        )


@frozen
class SentObject:
    """An object whose parts are on their way."""

    pieces: Sequence[AnyPiece]
    headers: Mapping[str, Any]
    upload: MultipartUpload

    def is_of(self, pieces: Sequence[AnyPiece], headers: Mapping[str, Any]) -> bool:
        """Return whether it will be the object of these pieces and headers."""
        return self.pieces == pieces and self.headers == headers

    def abort(self) -> None:
        """Remove what was sent, if it has not become an object."""
        self.upload.abort()


def _is_one_request(pieces: Sequence[AnyPiece], parts: Sequence[Part]) -> bool:
    """Return whether the bytes are one uploaded part, or need no recording."""
    is_one_part = len(parts) == 1 and isinstance(parts[0], UploadPart)
    return is_one_part or not any(isinstance(piece, RecordingPiece) for piece in pieces)


def _body_of_one_request(
    pieces: Sequence[AnyPiece], parts: Sequence[Part]
) -> bytes | io.BufferedReader | None:
    """Return the bytes of an object that one request stores; else None."""
    if not _is_one_request(pieces, parts):
        return None
    if len(parts) == 1:
        return read_bytes(pieces)
    local = [piece for piece in pieces if not isinstance(piece, RecordingPiece)]
    return io.BufferedReader(_JoinedPieces(local), CHUNK_BYTES)


class _JoinedPieces(io.RawIOBase):
    """Local bytes as one file, read on demand: once for the checksum, once to be sent."""

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
