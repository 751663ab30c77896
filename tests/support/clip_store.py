"""The clip store of S3, where the store is known to be as AWS is."""

from typing import TYPE_CHECKING

from infrastructure.s3 import NewObjects, S3ClipStore
from infrastructure.s3.conditions import BOTH, Conditions
from infrastructure.s3.parts import MIN_PART_BYTES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def clip_store(
    client: "S3Client",
    bucket: str,
    conditions: Conditions | None = BOTH,
    *,
    copy_in_s3: bool = True,
    min_part_bytes: int = MIN_PART_BYTES,
) -> S3ClipStore:
    """Return the store of a bucket, whose store honours `conditions`."""
    return S3ClipStore(NewObjects(client, bucket, copy_in_s3, conditions, min_part_bytes))
