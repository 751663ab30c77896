"""Objects that may be missing."""

from typing import TYPE_CHECKING

from infrastructure.aws import call
from infrastructure.s3.bodies import BodyReader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef


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


def read_if_any(client: "S3Client", bucket: str, key: str, deadline_s: float) -> bytes | None:
    """Return an object's bytes; None if there is none."""
    reader = BodyReader()
    try:
        return call(
            f"S3, for {key},",
            deadline_s,
            lambda: reader.read(client.get_object(Bucket=bucket, Key=key)["Body"]),
            {"404": _Missing()},
            reader.abort,
        )
    except _Missing:
        return None
