"""Objects that may be missing."""

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import frozen

from domain.errors import Unavailable
from infrastructure.aws import call
from infrastructure.s3.bodies import BodyReader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef


MAX_OBJECT_BYTES = 64 << 20
"""Of an object that is read whole into memory: what camclip writes is far smaller."""


class _Missing(Exception):
    """There is no such object."""


def head_if_any(
    client: "S3Client", bucket: str, key: str, deadline_s: float
) -> "HeadObjectOutputTypeDef | None":
    """Return what S3 says of an object; None if there is none."""
    try:
        return call(
            f"S3, for {key},",
            deadline_s,
            lambda: client.head_object(Bucket=bucket, Key=key),
            {"404": _Missing()},
        )
    except _Missing:
        return None


@frozen
class DatedBytes:
    """An object's bytes, and when it was stored, in ms since the epoch."""

    data: bytes
    written_ms: int


def read_if_any(client: "S3Client", bucket: str, key: str, deadline_s: float) -> bytes | None:
    """Return an object's bytes; None if there is none."""
    found = _read_if_any(client, bucket, key, deadline_s)
    return found[1] if found else None


def read_dated_if_any(
    client: "S3Client", bucket: str, key: str, deadline_s: float
) -> DatedBytes | None:
    """Return an object's bytes and date; None if there is none."""
    found = _read_if_any(client, bucket, key, deadline_s)
    if found is None:
        return None
    answer, data = found
    if "LastModified" not in answer:
        raise Unavailable(f"S3, for {key}, answered without a date.")
    return DatedBytes(data, written_ms(answer["LastModified"]))


def _read_if_any(
    client: "S3Client", bucket: str, key: str, deadline_s: float
) -> "tuple[GetObjectOutputTypeDef, bytes] | None":
    reader = BodyReader()

    def get() -> "tuple[GetObjectOutputTypeDef, bytes]":
        answer = client.get_object(Bucket=bucket, Key=key)
        if answer["ContentLength"] > MAX_OBJECT_BYTES:
            answer["Body"].close()
            raise Unavailable(f"S3, for {key}, answered {answer['ContentLength']:,} bytes.")
        return answer, reader.read(answer["Body"])

    try:
        return call(f"S3, for {key},", deadline_s, get, {"404": _Missing()}, reader.abort)
    except _Missing:
        return None


def written_ms(last_modified: datetime) -> int:
    """Return S3's date of an object, which it gives in whole seconds, in ms since the epoch."""
    return round(last_modified.timestamp() * 1000)
