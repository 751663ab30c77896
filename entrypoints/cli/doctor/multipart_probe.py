"""Test objects that show what a store supports of what the service relies on.

They are made by the service's own code where it is the store's answer to that code that matters.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from attrs import Factory, evolve, frozen

from application.ports import AlreadyExists
from domain.errors import AccessDenied, ClipError, RecordingChanged, Unavailable
from infrastructure.aws import call
from infrastructure.s3.checksums import checksum
from infrastructure.s3.conditions import Conditions, try_conditions
from infrastructure.s3.multipart import MultipartUpload, Target, UploadRejected, put_multipart
from infrastructure.s3.parts import (
    MAX_COPY_PART_BYTES,
    MIN_PART_BYTES,
    BytesPiece,
    CopyPart,
    UploadPart,
)
from infrastructure.s3.recordings import S3Recording

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

FOLDER = ".camclip-doctor"
OWN_BYTES = MIN_PART_BYTES + 1000
"""Of the uploaded part in front of the copied one: as in a clip, they differ in size."""
TAIL_BYTES = 1000
COMPARED_BYTES = 1000
ANOTHER_ETAG = f'"{"0" * 32}"'
NO_ACCOUNT = "000000000000"
WRONG_CRC32 = "AAAAAA=="
"""That of no bytes."""
HEADERS = {"ContentType": "video/mp4", "Metadata": {"camclip-doctor": "reads this back"}}
STEP_S = 60

Clients = Mapping[str, "S3Client"]
"""By the value of AWS_REQUEST_CHECKSUM_CALCULATION: `when_supported`, `when_required`."""


@frozen
class UploadResult:
    """What came of the uploads with or without checksums: None for success, else the error."""

    stored: Exception | None
    """A PUT."""
    composed: Exception | None
    """Making one object of an uploaded, a copied and another uploaded part."""
    compared: Exception | None
    """Reading that object, and finding the parts' bytes in it."""
    described: Exception | None
    """Finding the Content-Type and metadata of that object, or else of the one that was PUT."""
    duration_s: float = 0
    """From creating the multipart upload to the complete object."""


@frozen
class ProbeResult:
    """What the store did."""

    copied_bytes: int
    uploads: Mapping[str, UploadResult]
    """By the value of AWS_REQUEST_CHECKSUM_CALCULATION; `when_required` only if it was needed."""
    conditions: Conditions | ClipError
    """The conditional writes that it honours."""
    source_compared: Exception | None
    """Copying from a recording that has another ETag: RecordingChanged if that is refused, None if
    the condition is ignored."""
    owner_compared: bool
    """Whether it refuses a bucket that another account should own."""
    checksum_compared: bool
    """Whether it refuses bytes that have another checksum than their header says."""
    undeleted: tuple[tuple[str, Exception], ...] = ()
    """The keys of objects that could not be deleted, and why."""


def probe_store(clients: Clients, recording: S3Recording, bucket: str) -> ProbeResult:
    """Store test objects in `bucket`, copied from a recording of over 5 MiB, and delete them.

    At most 32 MiB are copied and 6 MB uploaded, and as much again without checksums if that fails.
    ClipError if nothing can be stored.
    """
    probe = _Probe(clients["when_supported"], recording, bucket)
    plain = evolve(probe, client=clients["when_required"])
    try:
        uploads = {"when_supported": probe.upload()}
        if uploads["when_supported"].composed:
            uploads["when_required"] = plain.upload()
        usable = plain if uploads["when_supported"].stored else probe
        last = list(uploads.values())[-1]
        if last.stored and last.composed:
            raise last.stored
        result = ProbeResult(
            probe.copied_bytes,
            uploads,
            usable.conditions(),
            usable.compares_source(),
            usable.compares_owner(),
            usable.compares_checksum(),
        )
    finally:
        undeleted = plain.delete()
    return evolve(result, undeleted=undeleted)


@frozen
class _Probe:
    client: "S3Client"
    recording: S3Recording
    bucket: str
    keys: list[str] = Factory(list)
    """Of everything that may have been stored."""

    @property
    def copied_bytes(self) -> int:
        return min(self.recording.size_bytes, MAX_COPY_PART_BYTES)

    def new_key(self) -> str:
        self.keys.append(f"{FOLDER}/{uuid4().hex}")
        return self.keys[-1]

    def call(self, method: Callable[..., T], **parameters: Any) -> T:  # noqa: ANN401 - boto3's
        return call("S3", _step_ends_s(), lambda: method(Bucket=self.bucket, **parameters))

    def upload(self) -> UploadResult:
        """Store an object by a PUT, and another of parts."""
        body, key, composed_key = bytes(TAIL_BYTES), self.new_key(), self.new_key()
        put = partial(self.call, self.client.put_object, Key=key, Body=body, **HEADERS)
        stored = _error_of(partial(put, **checksum(self.client, body)))
        began_s = time.monotonic()
        composed = _error_of(lambda: self._compose(composed_key))
        duration_s = time.monotonic() - began_s
        compared = composed or _error_of(lambda: self._compare(composed_key))
        found_key = key if composed else composed_key
        described = _error_of(lambda: self._read_headers(found_key))
        return UploadResult(stored, composed, compared, described, duration_s)

    def _compose(self, key: str) -> None:
        target = Target(self.client, self.bucket, key, HEADERS, is_conditional=False)
        copied = CopyPart(self.recording, 0, self.copied_bytes)
        parts = (_own(OWN_BYTES), copied, _own(TAIL_BYTES))
        put_multipart(MultipartUpload(target, parts, _step_ends_s()))

    def _compare(self, key: str) -> None:
        """Compare both ends of the copied range, with what is around them."""
        end = OWN_BYTES + self.copied_bytes
        first = self.recording.read(0, COMPARED_BYTES)
        last = self.recording.read(self.copied_bytes - COMPARED_BYTES, COMPARED_BYTES)
        expected = {OWN_BYTES - TAIL_BYTES: bytes(TAIL_BYTES) + first, end - len(last): last}
        expected[end - len(last)] += bytes(TAIL_BYTES)
        for offset, data in expected.items():
            bounds = f"bytes={offset}-{offset + len(data) - 1}"
            if self.call(partial(_read, self.client), Key=key, Range=bounds) != data:
                raise Unavailable(
                    f"The object's bytes from {offset} on are not those of its parts."
                )

    def _read_headers(self, key: str) -> None:
        head = self.call(self.client.head_object, Key=key)
        dropped = [name for name, value in HEADERS.items() if head.get(name) != value]
        if dropped:
            raise Unavailable(f"{' and '.join(dropped)} are not kept.")

    def conditions(self) -> Conditions | ClipError:
        """Try If-None-Match, with the service's own code."""
        try:
            return try_conditions(self.client, self.bucket, self.new_key(), _step_ends_s())
        except ClipError as error:
            return error

    def compares_source(self) -> Exception | None:
        """Copy on the condition of another ETag; None if that has no effect."""
        key = self.new_key()

        def copy() -> None:
            made = self.call(self.client.create_multipart_upload, Key=key)
            upload: dict[str, Any] = {"Key": key, "UploadId": made["UploadId"]}
            try:
                call(
                    "S3",
                    _step_ends_s(),
                    lambda: self.client.upload_part_copy(
                        Bucket=self.bucket,
                        PartNumber=1,
                        CopySource={"Bucket": self.recording.bucket, "Key": self.recording.key},
                        CopySourceRange=f"bytes=0-{MIN_PART_BYTES - 1}",
                        CopySourceIfMatch=ANOTHER_ETAG,
                        **upload,
                    ),
                    {"412": RecordingChanged("The ETag differs.")},
                )
            finally:
                self.call(self.client.abort_multipart_upload, **upload)

        return _error_of(copy)

    def compares_owner(self) -> bool:
        """Name an account that owns nothing."""
        head = partial(self.call, self.client.head_bucket, ExpectedBucketOwner=NO_ACCOUNT)
        return isinstance(_error_of(head), AccessDenied)

    def compares_checksum(self) -> bool:
        """Send bytes with the checksum of others."""
        put = partial(self.call, self.client.put_object, Key=self.new_key(), Body=b"bytes")
        return _error_of(partial(put, ChecksumCRC32=WRONG_CRC32)) is not None

    def delete(self) -> tuple[tuple[str, Exception], ...]:
        """Delete all objects; return the keys and errors of those that stay."""
        delete = partial(self.call, self.client.delete_object)
        failures = [(key, _error_of(partial(delete, Key=key))) for key in self.keys]
        return tuple((key, error) for key, error in failures if error)


def _own(length: int) -> UploadPart:
    return UploadPart((BytesPiece(bytes(length), 0, length),))


def _read(client: "S3Client", **parameters: Any) -> bytes:  # noqa: ANN401 - boto3's
    with client.get_object(**parameters)["Body"] as body:
        return body.read()


def _step_ends_s() -> float:
    return time.monotonic() + STEP_S


def _error_of(step: Callable[[], object]) -> Exception | None:
    try:
        step()
    except (ClipError, AlreadyExists, UploadRejected) as error:
        return error
    return None
