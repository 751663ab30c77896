"""A bucket whose readers pay: the header that S3 receives."""

from typing import Any

import boto3
import pytest

from entrypoints.settings import read_settings
from infrastructure.s3 import pay_for_requests
from tests.integration.s3.test_owners import Wire
from tests.unit.entrypoints.test_settings import REQUIRED

HEADER = "x-amz-request-payer"
COPIES: dict[str, dict[str, Any]] = {
    "upload_part_copy": {"Bucket": "clips", "Key": "c1.mp4", "UploadId": "u", "PartNumber": 1},
    "copy_object": {"Bucket": "clips", "Key": "c1.mp4"},
}


def client(wire: Wire, bucket: str | None) -> Any:  # noqa: ANN401 - operations are named by text
    s3 = boto3.Session("test", "test", region_name="eu-west-1").client("s3")
    s3.meta.events.register("before-send.s3", wire.send)  # type: ignore[arg-type]
    return pay_for_requests(s3, bucket)


@pytest.mark.parametrize("operation", ["get_object", "head_object", "get_object_attributes"])
def test_reading_agrees_to_pay(operation: str) -> None:
    """Whatever operation it is; other buckets are not paid for."""
    wire = Wire()
    extra = {"ObjectAttributes": ["ETag"]} if operation == "get_object_attributes" else {}
    for bucket, sent in (("recordings", "requester"), ("clips", None)):
        getattr(client(wire, "recordings"), operation)(Bucket=bucket, Key="pier.mp4", **extra)
        assert wire.headers.get(HEADER) == sent


@pytest.mark.parametrize("operation", COPIES)
def test_a_copy_agrees_to_pay_for_its_source(operation: str) -> None:
    """The header concerns the source although the request names another bucket."""
    wire = Wire()
    for bucket, sent in (("recordings", "requester"), ("others", None)):
        source = {"Bucket": bucket, "Key": "pier.mp4"}
        getattr(client(wire, "recordings"), operation)(**COPIES[operation], CopySource=source)
        assert wire.headers.get(HEADER) == sent
        assert wire.headers["x-amz-copy-source"] == f"{bucket}/pier.mp4"


def test_an_operation_that_cannot_say_it_is_left_alone() -> None:
    """Such as the one that asks for a bucket's region."""
    wire = Wire()
    client(wire, "recordings").head_bucket(Bucket="recordings")
    assert HEADER not in wire.headers


def test_nothing_is_paid_unless_it_is_set() -> None:
    """An owner's own requests need no such header, and others may be charged by mistake."""
    wire = Wire()
    client(wire, None).get_object(Bucket="recordings", Key="pier.mp4")
    assert HEADER not in wire.headers
    assert read_settings(REQUIRED).aws.paid_bucket is None
    given = {**REQUIRED, "S3_BUCKET_ORIGIN_REQUESTER_PAYS": "true"}
    assert read_settings(given).aws.paid_bucket == "recordings"
