"""One object out of parts, some of which S3 copies by itself: a multipart upload."""

import io
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from typing import TYPE_CHECKING, Any

from attrs import frozen
from botocore.exceptions import ClientError

from application.ports import AlreadyExists, FilePiece, Piece
from domain.errors import DeadlineExceeded, RecordingChanged, Unavailable
from infrastructure.aws import call
from infrastructure.s3.parts import CopyPart, Part, UploadPart

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

COPY_CONCURRENCY = 8
UPLOAD_CONCURRENCY = 4
"""Each holds its part, of at most 10 MiB, and one read: 60 MiB together."""
READ_BYTES = 5 << 20
SETTLE_S = 0.3
"""How long parts under way are waited for before an upload is aborted."""
ABORT_S = 0.5
"""What aborting may take when the deadline is over."""
MAX_ABORT_S = 5

NO_REFUSAL = {404, 408, 409, 412, 416, 429}
"""Statuses below 500 that a store which copies answers too."""
UNKNOWN_TO_THE_STORE = {405, 501}

LOG = logging.getLogger(__name__)


class CopyRejected(Exception):
    """The store does not copy this range, or none at all: `permanent`."""

    def __init__(self, code: str, *, permanent: bool) -> None:
        super().__init__(code)
        self.permanent = permanent


class NoSuchUpload(Unavailable):
    """There is no such upload: it was completed and the reply lost, or others aborted it."""


def put_multipart(
    client: "S3Client",
    target: Mapping[str, Any],
    parts: Sequence[Part],
    about: Mapping[str, Any],
    deadline_s: float,
) -> None:
    """Store the parts as one object at `target`, its Bucket and Key, unless there is one already.

    Then, AlreadyExists; RecordingChanged where a recording is not what it was; CopyRejected where parts
    must be sent instead. Whatever fails, the upload is aborted.
    """
    key = target["Key"]
    what = f"S3, for {key},"

    def create() -> _Upload:
        # Its algorithm must be named at once: that of the checksums which boto3 sends with parts.
        made = client.create_multipart_upload(**target, **about, ChecksumAlgorithm="CRC32")
        upload = _Upload(client, {**target, "UploadId": made["UploadId"]}, what, deadline_s)
        if time.monotonic() > deadline_s:  # nobody waits for it any more
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
        """Copy and send the parts, some at once; the first failure ends it."""
        copiers, senders = (
            ThreadPoolExecutor(COPY_CONCURRENCY),
            ThreadPoolExecutor(UPLOAD_CONCURRENCY),
        )
        filled: list[Future[CompletedPartTypeDef]] = []
        try:
            for number, part in enumerate(parts, 1):
                if isinstance(part, CopyPart):
                    filled.append(copiers.submit(self._copy, number, part))
                else:
                    filled.append(senders.submit(self._send, number, part))
            for part_filled in as_completed(filled):
                part_filled.result()
            return [part_filled.result() for part_filled in filled]
        finally:
            copiers.shutdown(wait=False, cancel_futures=True)
            senders.shutdown(wait=False, cancel_futures=True)
            wait([part_filled for part_filled in filled if not part_filled.cancelled()], SETTLE_S)

    def _copy(self, number: int, part: CopyPart) -> "CompletedPartTypeDef":
        recording = part.recording
        changed = RecordingChanged(f"{recording.segment.name} was replaced before it was copied.")

        def ask() -> Mapping[str, Any]:
            try:
                answer = self.client.upload_part_copy(
                    **self.target,
                    PartNumber=number,
                    CopySource={"Bucket": recording.bucket, "Key": recording.key},
                    CopySourceRange=f"bytes={part.offset}-{part.offset + part.length - 1}",
                    CopySourceIfMatch=recording.version,
                )
            except ClientError as error:
                _check_refusal(error)
                raise
            return answer.get("CopyPartResult", {})

        meant = {"PreconditionFailed": changed, "NoSuchKey": changed, "InvalidRange": changed}
        return self._ask(number, ask, meant)

    def _send(self, number: int, part: UploadPart) -> "CompletedPartTypeDef":
        data = read_bytes(part.pieces)
        return self._ask(
            number,
            lambda: self.client.upload_part(**self.target, PartNumber=number, Body=data),
            {},
        )

    def _ask(
        self, number: int, ask: Callable[[], Mapping[str, Any]], meant: Mapping[str, Exception]
    ) -> "CompletedPartTypeDef":
        answer = call(self.what, self.deadline_s, ask, meant)
        if "ETag" not in answer:
            raise Unavailable(f"{self.what} gave no ETag of a part.")
        completed: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        if "ChecksumCRC32" in answer:
            completed["ChecksumCRC32"] = answer["ChecksumCRC32"]
        return completed

    def complete(self, parts: "list[CompletedPartTypeDef]", size_bytes: int) -> None:
        """Make the parts an object, if there is none of its name."""
        key = self.target["Key"]
        # 409 means that another write or delete of the key was under way: the upload is no good.
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
                "NoSuchUpload": NoSuchUpload(f"S3 knows no upload of {key} any more."),
            },
        )

    def abort(self) -> None:
        """Let S3 drop the parts. If that fails, its lifecycle rule is what is left."""
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
            LOG.warning("An upload of %s may be left behind: %s", self.target["Key"], error)


def _check_refusal(error: ClientError) -> None:
    """CopyRejected if the store does not copy what it may well give out."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(error.response.get("Error", {}).get("Code", status))
    if status in UNKNOWN_TO_THE_STORE:
        raise CopyRejected(code, permanent=True) from error
    if 300 <= status < 500 and status not in NO_REFUSAL:  # noqa: PLR2004 - redirects, and refusals
        raise CopyRejected(code, permanent=False) from error


def read_bytes(pieces: Iterable[Piece]) -> bytes:
    """Read the pieces into memory, each byte once."""
    data = io.BytesIO()
    for piece in pieces:
        for at in range(0, piece.length, READ_BYTES):
            data.write(read(piece, at, min(READ_BYTES, piece.length - at)))
    return data.getvalue()


def read(piece: Piece, at: int, length: int) -> bytes:
    """Return `length` bytes of the piece, from its byte `at` on."""
    if not isinstance(piece, FilePiece):
        return piece.recording.read(piece.offset + at, length)
    with piece.path.open("rb") as file:
        file.seek(piece.offset + at)
        data = file.read(length)
    if len(data) != length:
        raise Unavailable("The rendered clip is shorter than it was.")
    return data
