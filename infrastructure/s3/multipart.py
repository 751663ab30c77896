"""A multipart upload: one object from uploaded and copied parts."""

import io
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, Any

from attrs import Factory, frozen
from botocore.exceptions import ClientError

from application.ports import AlreadyExists, FilePiece
from domain.errors import DeadlineExceeded, RecordingChanged, Unavailable
from infrastructure.aws import call, code_and_status
from infrastructure.s3.checksums import Algorithm, algorithm, checksum, checksum_mode
from infrastructure.s3.parts import AnyPiece, BytesPiece, CopyPart, Part, UploadPart
from infrastructure.s3.recordings import S3Recording

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

COPY_CONCURRENCY = 24
"""None holds bytes. With those that are uploaded, as many as a client has connections."""
UPLOAD_CONCURRENCY = 4
"""Each holds its part in memory, at most 10 MiB, and one read: 60 MiB together."""
READ_CONCURRENCY = 2
"""Fewer than are uploaded: else all parts are read at once, and then all sent, and each direction
of the network waits for the other."""
READ_BYTES = 5 << 20
GRACE_S = 0.3
"""How long to wait for parts in progress before an upload is aborted."""
ABORT_S = 0.5
"""How long aborting may take after the deadline."""
MAX_ABORT_S = 5

NOT_REJECTIONS = {404, 408, 409, 412, 416, 429}
"""Statuses below 500 that a store answers even if it copies in general."""
NOT_IMPLEMENTED = {405, 501}
FAILED = 500
NO_COPIES = "COMPOSE=off"
NO_CHECKSUMS = "COMPOSE=off or AWS_REQUEST_CHECKSUM_CALCULATION=when_required"

LOG = logging.getLogger(__name__)


class UploadRejected(Exception):
    """The store does not make an object of these parts; if `permanent`, of no such parts.

    `remedy` is the setting that spares the next process the attempt.
    """

    def __init__(self, code: str, remedy: str, *, permanent: bool) -> None:
        super().__init__(code)
        self.remedy = remedy
        self.permanent = permanent


class NoSuchUpload(Unavailable):
    """There is no such upload: it was completed and the reply lost, or it was aborted."""


@frozen
class Target:
    """An object that is to be stored from parts."""

    client: "S3Client"
    bucket: str
    key: str
    headers: Mapping[str, Any] = Factory(dict)
    is_conditional: bool = True
    """Whether there must be no object of this name."""
    has_checksums: bool = True
    """Whether the checksums of the parts are named, if there are any."""


class Aborted(Exception):
    """The upload was aborted while its parts were filled."""


class MultipartUpload:
    """An upload of parts, begun at once by a thread of its own; no object before `complete`."""

    def __init__(self, target: Target, parts: Sequence[Part], deadline_s: float) -> None:
        self._target, self._parts, self._deadline_s = target, parts, deadline_s
        self._upload: _Upload | None = None
        self._filled: Future[list[CompletedPartTypeDef]] = Future()
        self._stop: Future[None] = Future()
        Thread(target=self._fill, daemon=True).start()

    def _fill(self) -> None:
        target, deadline_s = self._target, self._deadline_s
        try:
            self._upload = call(_service(target), deadline_s, lambda: _create(target, deadline_s))
            self._filled.set_result(self._upload.fill(self._parts, self._stop))
        except BaseException as error:  # noqa: BLE001 - raised again by complete()
            self._filled.set_exception(error)

    def complete(self) -> None:
        """Wait for the parts, and make them an object.

        AlreadyExists if there is an object and there must be none; RecordingChanged if a recording
        was replaced; UploadRejected if all bytes must be uploaded, without checksums.
        """
        filled = self._filled.result()
        assert self._upload  # noqa: S101 - it is filled
        self._upload.complete(filled, sum(part.length for part in self._parts))
        self._upload = None

    def abort(self) -> None:
        """Stop, and remove what was sent; nothing if it is complete, or aborted."""
        if not self._stop.done():
            self._stop.set_exception(Aborted())
        wait([self._filled], MAX_ABORT_S)
        upload, self._upload = self._upload, None
        if upload:
            upload.abort()


def put_multipart(upload: MultipartUpload) -> None:
    """Complete the upload; whatever fails, it is aborted."""
    try:
        upload.complete()
    except BaseException:
        upload.abort()
        raise


def _create(target: Target, deadline_s: float) -> "_Upload":
    client = target.client
    place: dict[str, Any] = {"Bucket": target.bucket, "Key": target.key}
    used = algorithm(client) if target.has_checksums else None
    named: dict[str, Any] = {"ChecksumAlgorithm": used} if used else {}
    made = client.create_multipart_upload(**place, **target.headers, **named)
    named_place = {**place, "UploadId": made["UploadId"]}
    is_conditional = target.is_conditional
    upload = _Upload(client, named_place, _service(target), deadline_s, used, is_conditional)
    if time.monotonic() > deadline_s:  # the caller has given up
        upload.abort()
    return upload


def _service(target: Target) -> str:
    return f"S3, for {target.key},"


@frozen
class _Upload:
    client: "S3Client"
    target: dict[str, Any]
    what: str
    deadline_s: float
    algorithm: Algorithm | None
    """Of the checksums of its parts."""
    is_conditional: bool
    reading: Semaphore = Factory(lambda: Semaphore(READ_CONCURRENCY))
    copied: Event = Factory(Event)
    """Set once a part was copied."""

    def fill(self, parts: Sequence[Part], stop: "Future[None]") -> "list[CompletedPartTypeDef]":
        """Copy and upload the parts, several at once; the first failure ends it, or that of `stop`.

        Once a recording's last part is copied, its ETag is compared: not every store honours the
        condition on the copy (Ceph RGW 16.2 does not).
        """
        copiers, uploaders = (
            ThreadPoolExecutor(COPY_CONCURRENCY),
            ThreadPoolExecutor(UPLOAD_CONCURRENCY),
        )
        filled: list[Future[CompletedPartTypeDef]] = []
        copies: dict[Future[CompletedPartTypeDef], S3Recording] = {}
        pending: set[Future[Any]] = set()
        try:
            for number, part in enumerate(parts, 1):
                if isinstance(part, CopyPart):
                    filled.append(copiers.submit(self._copy, number, part))
                    copies[filled[-1]] = part.recording
                else:
                    filled.append(uploaders.submit(self._upload, number, part))
            pending.update(filled)
            while pending:
                done, pending = wait({*pending, stop}, return_when=FIRST_COMPLETED)
                pending.discard(stop)
                for ended in done:
                    ended.result()
                for recording in {id(r): r for r in map(copies.get, done) if r}.values():
                    if not any(copies.get(other) is recording for other in pending):
                        pending.add(copiers.submit(self._require_unchanged, recording))
            return [part_filled.result() for part_filled in filled]
        finally:
            copiers.shutdown(wait=False, cancel_futures=True)
            uploaders.shutdown(wait=False, cancel_futures=True)
            wait([ended for ended in pending if not ended.cancelled()], GRACE_S)

    def _require_unchanged(self, recording: S3Recording) -> None:
        changed = RecordingChanged(f"{recording.segment.name} was replaced while it was copied.")
        found = call(
            f"S3, for {recording.segment.name},",
            self.deadline_s,
            lambda: self.client.head_object(
                Bucket=recording.bucket, Key=recording.key, **checksum_mode(self.client)
            ),
            {"404": changed},
        )
        if found["ETag"] != recording.version:
            raise changed
        recording.note_checksum(found)

    def _copy(self, number: int, part: CopyPart) -> "CompletedPartTypeDef":
        recording = part.recording
        changed = RecordingChanged(f"{recording.segment.name} was replaced before it was copied.")

        def request() -> Mapping[str, Any]:
            try:
                answer = self.client.upload_part_copy(
                    **self.target,
                    PartNumber=number,
                    CopySource={"Bucket": recording.bucket, "Key": recording.key},
                    CopySourceRange=f"bytes={part.offset}-{part.offset + part.length - 1}",
                    CopySourceIfMatch=recording.version,
                )
            except ClientError as error:
                self._raise_if_rejected(error)
                raise
            return answer.get("CopyPartResult", {})

        expected = {"412": changed, "404": changed, "416": changed}
        part_copied = self._part(number, request, expected)
        self.copied.set()
        return part_copied

    def _raise_if_rejected(self, error: ClientError) -> None:
        """Raise UploadRejected if the store does not copy what it may still let us read."""
        code, status = code_and_status(error)
        never = status in NOT_IMPLEMENTED or (status == FAILED and not self.copied.is_set())
        if never:
            raise UploadRejected(code, NO_COPIES, permanent=True) from error
        if 300 <= status < 500 and status not in NOT_REJECTIONS:  # noqa: PLR2004 - redirects, and rejections
            raise UploadRejected(code, NO_COPIES, permanent=False) from error

    def _upload(self, number: int, part: UploadPart) -> "CompletedPartTypeDef":
        with self.reading:
            data = read_bytes(part.pieces)
        return self._part(
            number,
            lambda: self.client.upload_part(
                **self.target, PartNumber=number, Body=data, **checksum(self.client, data)
            ),
            {},
        )

    def _part(
        self,
        number: int,
        request: Callable[[], Mapping[str, Any]],
        expected: Mapping[str, Exception],
    ) -> "CompletedPartTypeDef":
        answer = call(self.what, self.deadline_s, request, expected)
        if "ETag" not in answer:
            raise Unavailable(f"{self.what} answered without the ETag of a part.")
        completed: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        if self.algorithm and "ChecksumCRC32" in answer:
            completed["ChecksumCRC32"] = answer["ChecksumCRC32"]
        return completed

    def complete(self, parts: "list[CompletedPartTypeDef]", size_bytes: int) -> None:
        """Complete the upload; if it is conditional, unless there is an object of its name."""
        key = self.target["Key"]
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if self.is_conditional else {}
        # 409 means that another write or delete of the key was in progress: the upload is lost.
        call(
            self.what,
            self.deadline_s,
            lambda: self.client.complete_multipart_upload(
                **self.target,
                MultipartUpload={"Parts": parts},
                MpuObjectSize=size_bytes,
                **condition,
            ),
            {
                "412": AlreadyExists(f"There is an object {key} already."),
                "NoSuchUpload": NoSuchUpload(f"S3 has no such upload of {key}."),
                "InvalidPart": UploadRejected("InvalidPart", NO_CHECKSUMS, permanent=True),
            },
        )

    def abort(self) -> None:
        """Abort the upload. If that fails, the bucket's lifecycle rule removes its parts."""
        now_s = time.monotonic()
        until_s = max(now_s + ABORT_S, min(self.deadline_s, now_s + MAX_ABORT_S))
        try:
            call(
                self.what,
                until_s,
                lambda: self.client.abort_multipart_upload(**self.target),
                {"NoSuchUpload": NoSuchUpload()},
            )
        except NoSuchUpload:
            return
        except (Unavailable, DeadlineExceeded) as error:
            LOG.warning(
                "An incomplete upload of %s may be left behind: %s", self.target["Key"], error
            )


def read_bytes(pieces: Iterable[AnyPiece]) -> bytes:
    """Return the bytes of the pieces, each read once."""
    data = io.BytesIO()
    for piece in pieces:
        for at in range(0, piece.length, READ_BYTES):
            data.write(read(piece, at, min(READ_BYTES, piece.length - at)))
    return data.getvalue()


def read(piece: AnyPiece, at: int, length: int) -> bytes:
    """Return `length` bytes of the piece, from its byte `at` on."""
    if isinstance(piece, BytesPiece):
        return piece.data[piece.offset + at : piece.offset + at + length]
    if not isinstance(piece, FilePiece):
        return piece.recording.read_once(piece.offset + at, length)
    with piece.path.open("rb") as file:
        file.seek(piece.offset + at)
        data = file.read(length)
    if len(data) != length:
        raise Unavailable("The rendered clip was cut off.")
    return data
