"""Buckets that must belong to an account: the headers that S3 receives."""

from io import BytesIO
from typing import Any

import boto3
import pytest
from attrs import Factory, define
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from entrypoints.settings import InvalidSettings, read_settings
from infrastructure.s3 import expect_owners
from tests.unit.entrypoints.test_settings import REQUIRED

OWNERS = {"recordings": "111122223333", "clips": "444455556666"}


@define
class Wire:
    """Takes the place of the network: every request is answered, and its headers are kept."""

    headers: dict[str, str] = Factory(dict)

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent = dict[str, object](request.headers.items())
        self.headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in sent.items()
        }
        return AWSResponse(
            request.url, 200, HTTPHeaders(), HTTPResponse(BytesIO(), preload_content=False)
        )


def client(wire: Wire, owners: dict[str, str]) -> Any:  # noqa: ANN401 - operations are named by text
    s3 = boto3.Session("test", "test", region_name="eu-west-1").client("s3")
    s3.meta.events.register("before-send.s3", wire.send)  # type: ignore[arg-type]
    return expect_owners(s3, owners)


OBJECT = {"Bucket": "clips", "Key": "pier/c1.mp4"}
CALLS: dict[str, dict[str, Any]] = {
    "put_object": OBJECT,
    "head_object": OBJECT,
    "create_multipart_upload": OBJECT,
    "upload_part": {**OBJECT, "UploadId": "u", "PartNumber": 1},
    "abort_multipart_upload": {**OBJECT, "UploadId": "u"},
    "list_multipart_uploads": {"Bucket": "clips"},
    "head_bucket": {"Bucket": "clips"},
    "delete_object": OBJECT,
}
"""What the service asks, and what its commands for people do."""


@pytest.mark.parametrize("operation", CALLS)
def test_every_request_says_who_must_own_the_bucket(operation: str) -> None:
    """The header is the one that S3 looks at."""
    wire = Wire()
    getattr(client(wire, OWNERS), operation)(**CALLS[operation])
    assert wire.headers["x-amz-expected-bucket-owner"] == "444455556666"


def test_a_copy_says_it_of_both_buckets() -> None:
    """The source's owner has a header of its own."""
    wire = Wire()
    source = {"Bucket": "recordings", "Key": "rewinds/pier.mp4"}
    copying = {**OBJECT, "UploadId": "u", "PartNumber": 1, "CopySource": source}
    client(wire, OWNERS).upload_part_copy(**copying)
    assert wire.headers["x-amz-expected-bucket-owner"] == "444455556666"
    assert wire.headers["x-amz-source-expected-bucket-owner"] == "111122223333"
    assert wire.headers["x-amz-copy-source"] == "recordings/rewinds/pier.mp4"
    assert source == {"Bucket": "recordings", "Key": "rewinds/pier.mp4"}


@pytest.mark.parametrize("owners", [{}, {"recordings": "111122223333"}])
def test_a_bucket_without_a_known_owner_may_be_anybodys(owners: dict[str, str]) -> None:
    """As it was before there was such a setting."""
    wire = Wire()
    client(wire, owners).head_object(**OBJECT)
    assert not [name for name in wire.headers if "owner" in name]


def test_an_operation_that_cannot_say_it_is_left_alone() -> None:
    """Such as the one that makes a bucket."""
    wire = Wire()
    client(wire, OWNERS).create_bucket(
        Bucket="clips", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    assert not [name for name in wire.headers if "owner" in name]


@pytest.mark.parametrize("text", ["11112222333", "1111222233334", "11112222333x", "me"])
def test_an_owner_is_an_account(text: str) -> None:
    """Of twelve digits; S3 would refuse every request otherwise."""
    with pytest.raises(InvalidSettings, match=r"S3_BUCKET_ORIGIN_OWNER=.* twelve digits"):
        read_settings({**REQUIRED, "S3_BUCKET_ORIGIN_OWNER": text})


def test_owners_are_known_by_their_buckets() -> None:
    """Those that are given."""
    given = {**REQUIRED, "S3_BUCKET_DESTINATION_OWNER": "111122223333"}
    assert read_settings(given).aws.bucket_owners == {"clips": "111122223333"}
    assert read_settings(REQUIRED).aws.bucket_owners == {}
