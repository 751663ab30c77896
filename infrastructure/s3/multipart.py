"""A multipart upload: one object from uploaded and copied parts."""

import io
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from typing import TYPE_CHECKING, Any

from attrs import frozen
from botocore.exceptions import ClientError

from application.ports import AlreadyExists, FilePiece
from domain.errors import DeadlineExceeded, RecordingChanged, Unavailable
from infrastructure.aws import call
from infrastructure.s3.parts import AnyPiece, BytesPiece, CopyPart, Part, UploadPart

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

COPY_CONCURRENCY = 8
UPLOAD_CONCURRENCY = 4
"""Each holds its part in memory, at most 10 MiB, and one read: 60 MiB together."""
READ_BYTES = 5 << 20
GRACE_S = 0.3
"""How long to wait for parts in progress before an upload is aborted."""
ABORT_S = 0.5
"""How long aborting may take after the deadline."""
MAX_ABORT_S = 5

NOT_REJECTIONS = {404, 408, 409, 412, 416, 429}
"""Statuses below 500 that a store answers even if it copies in general."""
NOT_IMPLEMENTED = {405, 501}

LOG = logging.getLogger(__name__)


class CopyRejected(Exception):
    """The store does not copy this range; if `permanent`, it copies none at all."""

    def __init__(self, code: str, *, permanent: bool) -> None:
        super().__init__(code)
        self.permanent = permanent


class NoSuchUpload(Unavailable):
    """There is no such upload: it was completed and the reply lost, or it was aborted."""


def put_multipart(
    client: "S3Client",
    target: Mapping[str, Any],
    parts: Sequence[Part],
    headers: Mapping[str, Any],
    deadline_s: float,
) -> None:
    """Store the parts as one object at `target` (its Bucket and Key).

    AlreadyExists if there is an object; RecordingChanged if a recording was replaced; CopyRejected
    if copied parts must be uploaded instead. Whatever fails, the upload is aborted.
    """
    key = target["Key"]
    what = f"S3, for {key},"

    def create() -> _Upload:
        # It must name the algorithm of the checksums that boto3 sends with the parts.
        made = client.create_multipart_upload(**target, **headers, ChecksumAlgorithm="CRC32")
        upload = _Upload(client, {**target, "UploadId": made["UploadId"]}, what, deadline_s)
        if time.monotonic() > deadline_s:  # the caller has given up
            upload.abort()
        return upload

    upload = call(what, deadline_s, create)
    try:
        upload.complete(upload.fill(parts), sum(part.length for part in parts))
    except BaseException:
        upload.abort()
        raise


@frozen
class _Upload:
    client: "S3Client"
    target: dict[str, Any]
    what: str
    deadline_s: float

    def fill(self, parts: Sequence[Part]) -> "list[CompletedPartTypeDef]":
        """Copy and upload the parts, several at once; the first failure ends it."""
        copiers, uploaders = (
            ThreadPoolExecutor(COPY_CONCURRENCY),
            ThreadPoolExecutor(UPLOAD_CONCURRENCY),
        )
        filled: list[Future[CompletedPartTypeDef]] = []
        try:
            for number, part in enumerate(parts, 1):
                if isinstance(part, CopyPart):
                    filled.append(copiers.submit(self._copy, number, part))
                else:
                    filled.append(uploaders.submit(self._upload, number, part))
            for part_filled in as_completed(filled):
                part_filled.result()
            return [part_filled.result() for part_filled in filled]
        finally:
            copiers.shutdown(wait=False, cancel_futures=True)
            uploaders.shutdown(wait=False, cancel_futures=True)
            wait([part_filled for part_filled in filled if not part_filled.cancelled()], GRACE_S)

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
                _raise_if_rejected(error)
                raise
            return answer.get("CopyPartResult", {})

        expected = {"PreconditionFailed": changed, "NoSuchKey": changed, "InvalidRange": changed}
        return self._part(number, request, expected)

    def _upload(self, number: int, part: UploadPart) -> "CompletedPartTypeDef":
        data = read_bytes(part.pieces)
        return self._part(
            number,
            lambda: self.client.upload_part(**self.target, PartNumber=number, Body=data),
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
        if "ChecksumCRC32" in answer:
            completed["ChecksumCRC32"] = answer["ChecksumCRC32"]
        return completed

    def complete(self, parts: "list[CompletedPartTypeDef]", size_bytes: int) -> None:
        """Complete the upload, unless there is an object of its name."""
        key = self.target["Key"]
        # 409 means that another write or delete of the key was in progress: the upload is lost.
        call(
            self.what,
            self.deadline_s,
            lambda: self.client.complete_multipart_upload(
                **self.target,
                MultipartUpload={"Parts": parts},
                MpuObjectSize=size_bytes,
                IfNoneMatch="*",
            ),
            {
                "PreconditionFailed": AlreadyExists(f"There is an object {key} already."),
                "NoSuchUpload": NoSuchUpload(f"S3 has no such upload of {key}."),
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


def _raise_if_rejected(error: ClientError) -> None:
    """Raise CopyRejected if the store does not copy a range that it may still let us read."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(error.response.get("Error", {}).get("Code", status))
    if status in NOT_IMPLEMENTED:
        raise CopyRejected(code, permanent=True) from error
    if 300 <= status < 500 and status not in NOT_REJECTIONS:  # noqa: PLR2004 - redirects, and rejections
        raise CopyRejected(code, permanent=False) from error


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
        return piece.recording.read(piece.offset + at, length)
    with piece.path.open("rb") as file:
        file.seek(piece.offset + at)
        data = file.read(length)
    if len(data) != length:
        raise Unavailable("The rendered clip was cut off.")
    return data
