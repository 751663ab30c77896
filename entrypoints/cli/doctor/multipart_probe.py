"""A test upload that shows whether a store supports what the service relies on."""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from attrs import evolve, frozen

from application.ports import AlreadyExists, RecordingPiece
from domain.errors import ClipError, Unavailable
from infrastructure.aws import call
from infrastructure.s3.multipart import Target, UploadRejected, put_multipart
from infrastructure.s3.parts import MAX_COPY_PART_BYTES, MIN_PART_BYTES, CopyPart, UploadPart
from infrastructure.s3.recordings import S3Recording

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = ".camclip-doctor"
UPLOADED_BYTES = 1000
ANOTHER_ETAG = f'"{"0" * 32}"'
STEP_S = 60


@frozen
class ProbeResult:
    """The store's response to each step: None if the step succeeded, else the error."""

    copied_bytes: int
    duration_s: float
    """From creating the multipart upload to the complete object."""
    composed: Exception | None
    """Making one object of a copied part and an uploaded part."""
    compared: Exception | None
    """Reading that object, and finding the recording's bytes in it."""
    changed: Exception | None
    """Copying from a recording that has another ETag: must fail with RecordingChanged."""
    completed_again: Exception | None
    """Completing another upload of the same key: must fail with AlreadyExists."""
    put_again: Exception | None
    """A conditional PUT of the same key: must fail with AlreadyExists."""
    undeleted: tuple[tuple[str, Exception], ...]
    """The keys of objects that could not be deleted, and why."""


def probe_multipart(client: "S3Client", recording: S3Recording, bucket: str) -> ProbeResult:
    """Upload test objects to `bucket`, copied from a recording of over 5 MiB, and delete them.

    At most 32 MiB are copied and a few KB uploaded. ClipError if no object can be stored.
    """
    name = uuid4().hex
    key, changed_key = f"{FOLDER}/{name}", f"{FOLDER}/{name}-changed"
    length = min(recording.size_bytes, MAX_COPY_PART_BYTES)
    upload = UploadPart((RecordingPiece(recording, 0, UPLOADED_BYTES),))
    copy_of_changed = CopyPart(evolve(recording, version=ANOTHER_ETAG), 0, MIN_PART_BYTES)
    to_delete = [key]  # deleting a missing object succeeds

    def put() -> None:
        call(
            f"S3, for {key},",
            time.monotonic() + STEP_S,
            lambda: client.put_object(Bucket=bucket, Key=key, Body=b"", IfNoneMatch="*"),
            {"PreconditionFailed": AlreadyExists(f"There is an object {key} already.")},
        )

    def make(key: str, *parts: CopyPart | UploadPart) -> None:
        put_multipart(Target(client, bucket, key), parts, time.monotonic() + STEP_S)

    try:
        began_s = time.monotonic()
        composed = _error_of(lambda: make(key, CopyPart(recording, 0, length), upload))
        duration_s = time.monotonic() - began_s
        if composed and (error := _error_of(put)):
            raise error if isinstance(error, ClipError) else Unavailable(str(error))
        compared = composed or _error_of(lambda: _compare(client, bucket, key, recording, length))
        changed = composed or _error_of(lambda: make(changed_key, copy_of_changed))
        to_delete += [] if changed else [changed_key]
        completed_again = _error_of(lambda: make(key, upload))
        put_again = _error_of(put)
    finally:
        undeleted = _delete(client, bucket, to_delete)
    return ProbeResult(
        length, duration_s, composed, compared, changed, completed_again, put_again, undeleted
    )


def _error_of(step: Callable[[], object]) -> Exception | None:
    try:
        step()
    except (ClipError, AlreadyExists, UploadRejected) as error:
        return error
    return None


def _compare(
    client: "S3Client", bucket: str, key: str, recording: S3Recording, length: int
) -> None:
    """Compare both ends of the copied range, and the uploaded part; Unavailable if they differ."""
    tail = length - UPLOADED_BYTES
    for offset, source in ((0, 0), (tail, tail), (length, 0)):
        byte_range = f"bytes={offset}-{offset + UPLOADED_BYTES - 1}"
        get = partial(client.get_object, Bucket=bucket, Key=key, Range=byte_range)
        found = call("S3", time.monotonic() + STEP_S, lambda get=get: get()["Body"].read())  # type: ignore[misc]
        if found != recording.read(source, UPLOADED_BYTES):
            raise Unavailable(f"The object's bytes from {offset} on are not the recording's.")


def _delete(client: "S3Client", bucket: str, keys: list[str]) -> tuple[tuple[str, Exception], ...]:
    """Delete the objects; return the keys and errors of those that stay."""
    failures = []
    for key in keys:
        delete = partial(client.delete_object, Bucket=bucket, Key=key)
        error = _error_of(partial(call, "S3", time.monotonic() + STEP_S, delete))
        failures += [(key, error)] if error else []
    return tuple(failures)
