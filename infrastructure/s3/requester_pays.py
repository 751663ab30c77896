"""A bucket whose readers pay: S3 answers 403 to requests that do not agree to that."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_s3 import S3Client

COPIES = ("CopyObject", "UploadPartCopy")


def pay_for_requests(client: "S3Client", bucket: str | None) -> "S3Client":
    """Agree to pay for every request of the client that concerns `bucket`; return the client.

    Without a bucket nothing changes. A copy agrees to it if the source or the destination is this
    bucket: its one header speaks for both (S3 API reference, UploadPartCopy, "RequestPayer"). A
    hook does this for all requests, because one that lacked it would fail as a denial (S3 user
    guide, "Downloading objects from Requester Pays buckets").
    """

    def agree(params: dict[str, Any], model: "OperationModel", **_: object) -> None:
        known = model.input_shape.members if model.input_shape else {}
        if "RequestPayer" in known and params.get("Bucket") == bucket:
            params["RequestPayer"] = "requester"

    def agree_to_copy(params: dict[str, Any], **_: object) -> None:
        if params["CopySource"]["Bucket"] == bucket:
            params["RequestPayer"] = "requester"

    if bucket:
        client.meta.events.register("before-parameter-build.s3", agree)
        for operation in COPIES:
            # First, because boto3 then turns the source into text.
            event = f"before-parameter-build.s3.{operation}"
            client.meta.events.register_first(event, agree_to_copy)
    return client
