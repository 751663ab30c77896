"""Multipart uploads that nobody completed or aborted: their parts are paid for until they are."""

from typing import TYPE_CHECKING

from attrs import frozen

from infrastructure.aws import call

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGES = 10
"""Of 1,000 uploads each."""


@frozen
class Upload:
    """An upload under way, or left behind."""

    key: str
    upload_id: str
    begun_ms: int
    """Since the epoch, by the store's clock."""


def list_uploads(client: "S3Client", bucket: str, deadline_s: float) -> list[Upload]:
    """Return the bucket's incomplete uploads, the oldest first, and at most 10,000 of them.

    Unavailable if S3 does not say.
    """
    pages = client.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, PaginationConfig={"MaxItems": 1000 * PAGES}
    )
    listed = call("S3", deadline_s, lambda: [row for p in pages for row in p.get("Uploads", [])])
    uploads = [
        Upload(row["Key"], row["UploadId"], round(row["Initiated"].timestamp() * 1000))
        for row in listed
    ]
    return sorted(uploads, key=lambda upload: upload.begun_ms)


def parts_bytes(client: "S3Client", bucket: str, upload: Upload, deadline_s: float) -> int:
    """Return the size of the parts that were stored; 0 if the upload is gone meanwhile."""
    pages = client.get_paginator("list_parts").paginate(
        Bucket=bucket, Key=upload.key, UploadId=upload.upload_id
    )
    try:
        return call(
            "S3",
            deadline_s,
            lambda: sum(part["Size"] for page in pages for part in page.get("Parts", [])),
            {"NoSuchUpload": _Gone()},
        )
    except _Gone:
        return 0


class _Gone(Exception):
    """The upload was completed or aborted."""
