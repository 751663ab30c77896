"""Buckets that must belong to an account: S3 refuses one that another account has created."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_s3 import S3Client


def expect_owners(client: "S3Client", owners: Mapping[str, str]) -> "S3Client":
    """Add the expected bucket owner to every request of the client; return the client.

    `owners` maps buckets to account ids. S3 answers 403 if another account owns one. A hook does
    this for all requests, because one that lacked it would go unnoticed.
    """

    def own(params: dict[str, Any], model: "OperationModel", **_: object) -> None:
        known = model.input_shape.members if model.input_shape else {}
        if "ExpectedBucketOwner" in known and params.get("Bucket") in owners:
            params["ExpectedBucketOwner"] = owners[params["Bucket"]]

    def source(params: dict[str, Any], **_: object) -> None:
        if params["CopySource"]["Bucket"] in owners:
            params["ExpectedSourceBucketOwner"] = owners[params["CopySource"]["Bucket"]]

    if owners:
        client.meta.events.register("before-parameter-build.s3", own)
        # First, because boto3 then turns the source into text.
        client.meta.events.register_first("before-parameter-build.s3.UploadPartCopy", source)
    return client
