"""Incomplete multipart uploads: their parts are charged for until they are completed or aborted."""

from typing import TYPE_CHECKING

from attrs import frozen

from infrastructure.aws import call

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_UPLOADS = 10_000


@frozen
class Upload:
    """An incomplete upload, in progress or abandoned."""

    key: str
    upload_id: str
    begun_ms: int
    """Since the epoch, by the store's clock."""


def list_uploads(client: "S3Client", bucket: str, deadline_s: float) -> list[Upload]:
    """Return up to 10,000 incomplete uploads of the bucket, the oldest first, or raise Unavailable.

    S3 lists them by key, so of more than that some older ones may be missing.
    """
    pages = client.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, PaginationConfig={"MaxItems": MAX_UPLOADS}
    )
    listed = call("S3", deadline_s, lambda: [row for p in pages for row in p.get("Uploads", [])])
    uploads = [
        Upload(row["Key"], row["UploadId"], round(row["Initiated"].timestamp() * 1000))
        for row in listed
    ]
    return sorted(uploads, key=lambda upload: upload.begun_ms)


def parts_bytes(client: "S3Client", bucket: str, upload: Upload, deadline_s: float) -> int:
    """Return the total size of an upload's parts; 0 if it has ended since it was listed."""
    pages = client.get_paginator("list_parts").paginate(
        Bucket=bucket, Key=upload.key, UploadId=upload.upload_id
    )
    try:
        return call(
            "S3",
            deadline_s,
            lambda: sum(part["Size"] for page in pages for part in page.get("Parts", [])),
            {"NoSuchUpload": KeyError("NoSuchUpload")},
        )
    except KeyError:
        return 0
