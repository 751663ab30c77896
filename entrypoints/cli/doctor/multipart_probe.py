"""One real composition, to learn whether a store keeps the rules that clips are made by."""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from attrs import evolve, frozen

from application.ports import AlreadyExists, RecordingPiece
from domain.errors import ClipError, Unavailable
from infrastructure.aws import call
from infrastructure.s3.multipart import CopyRejected, put_multipart
from infrastructure.s3.parts import MAX_COPY_PART_BYTES, MIN_PART_BYTES, CopyPart, UploadPart
from infrastructure.s3.recordings import S3Recording

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = ".camclip-doctor"
OWN_BYTES = 1000
ANOTHER_ETAG = f'"{"0" * 32}"'
STEP_S = 60


@frozen
class ProbeResult:
    """What the store answered to each step: None if it did it, else the error."""

    copied_bytes: int
    took_s: float
    """How long the composition took, from creating the upload to the finished object."""
    composed: Exception | None
    """A copied range and a sent part as one object."""
    alike: Exception | None
    """Reading that object, and finding the recording's bytes in it."""
    changed: Exception | None
    """Copying from a recording that has another ETag: RecordingChanged is right."""
    completed_again: Exception | None
    """Completing another upload of the same key: AlreadyExists is right."""
    put_again: Exception | None
    """A conditional PUT of the same key: AlreadyExists is right."""
    left: tuple[tuple[str, Exception], ...]
    """The keys of objects that could not be deleted."""


class ProbeFailed(Exception):
    """Nothing could be stored to begin with; the cause says why."""


def probe_multipart(client: "S3Client", recording: S3Recording, bucket: str) -> ProbeResult:
    """Compose an object in `bucket` of a recording of more than 5 MiB, and delete it again.

    At most 32 MiB are copied and a few KB sent. ProbeFailed if no object can be stored at all.
    """
    name = uuid4().hex
    key, other = f"{FOLDER}/{name}", f"{FOLDER}/{name}-changed"
    target, elsewhere = {"Bucket": bucket, "Key": key}, {"Bucket": bucket, "Key": other}
    length = min(recording.size_bytes, MAX_COPY_PART_BYTES)
    own = UploadPart((RecordingPiece(recording, 0, OWN_BYTES),))
    of_another = CopyPart(evolve(recording, version=ANOTHER_ETAG), 0, MIN_PART_BYTES)
    stored = [key]  # deleting what is not there is no error

    def put() -> None:
        call(
            f"S3, for {key},",
            time.monotonic() + STEP_S,
            lambda: client.put_object(Bucket=bucket, Key=key, Body=b"", IfNoneMatch="*"),
            {"PreconditionFailed": AlreadyExists(f"There is an object {key} already.")},
        )

    def make(where: dict[str, str], *parts: CopyPart | UploadPart) -> None:
        put_multipart(client, where, parts, {}, time.monotonic() + STEP_S)

    try:
        began_s = time.monotonic()
        composed = _step(lambda: make(target, CopyPart(recording, 0, length), own))
        took_s = time.monotonic() - began_s
        if composed and (refused := _step(put)):
            raise ProbeFailed(str(refused)) from refused
        alike = composed or _step(lambda: _compare(client, bucket, key, recording, length))
        changed = composed or _step(lambda: make(elsewhere, of_another))
        stored += [] if changed else [other]
        again = _step(lambda: make(target, own))
        put_again = _step(put)
    finally:
        left = _deleted(client, bucket, stored)
    return ProbeResult(length, took_s, composed, alike, changed, again, put_again, left)


def _step(act: Callable[[], None]) -> Exception | None:
    try:
        act()
    except (ClipError, AlreadyExists, CopyRejected) as error:
        return error
    return None


def _compare(
    client: "S3Client", bucket: str, key: str, recording: S3Recording, length: int
) -> None:
    """Compare both ends of the copied range, and what was sent; Unavailable if they differ."""
    tail = length - OWN_BYTES
    for at, source in ((0, 0), (tail, tail), (length, 0)):
        span = f"bytes={at}-{at + OWN_BYTES - 1}"
        ask = partial(client.get_object, Bucket=bucket, Key=key, Range=span)
        found = call("S3", time.monotonic() + STEP_S, lambda ask=ask: ask()["Body"].read())  # type: ignore[misc]
        if found != recording.read(source, OWN_BYTES):
            raise Unavailable(f"The object's bytes from {at} on are not the recording's.")


def _deleted(client: "S3Client", bucket: str, keys: list[str]) -> tuple[tuple[str, Exception], ...]:
    failures = []
    for key in keys:
        delete = partial(client.delete_object, Bucket=bucket, Key=key)
        error = _step(lambda delete=delete: _called(delete))  # type: ignore[misc]
        failures += [(key, error)] if error else []
    return tuple(failures)


def _called(ask: Callable[[], object]) -> None:
    call("S3", time.monotonic() + STEP_S, ask)
