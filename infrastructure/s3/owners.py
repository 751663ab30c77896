"""Buckets that must belong to an account: S3 then refuses those that a stranger took over."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_s3 import S3Client


def expect_owners(client: "S3Client", owners: Mapping[str, str]) -> "S3Client":
    """Let every request of the client say who must own the buckets it names; return the client.

    `owners` is account id by bucket. S3 answers 403 if another account owns one. It is done here
    because a request that forgot to say it would not be noticed.
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
        # First, since boto3 makes text of the source.
        client.meta.events.register_first("before-parameter-build.s3.UploadPartCopy", source)
    return client
