"""Which conditional writes a store honours.

`If-None-Match: *` makes a write fail with 412 if there is an object (S3 User Guide, "Conditional
writes"). Ceph RGW 16.2 ignores it when a multipart upload is completed, OpenStack Swift 2.30
answers 501 to a PUT that has it, and some small servers ignore both: see docs/stores.md.
"""

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import frozen
from botocore.exceptions import ClientError

from application.ports import AlreadyExists
from domain.errors import Unavailable
from infrastructure.aws import call, code_and_status
from infrastructure.s3.checksums import checksum
from infrastructure.s3.multipart import MultipartUpload, Target, put_multipart
from infrastructure.s3.parts import BytesPiece, UploadPart

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn")
PROBE_KEY = ".camclip-conditions"
"""The object that conditional writes are tried on: always the same, and a few bytes long."""
PROBE_BODY = b"camclip tries on this object which conditions the store honours."
NOT_SUPPORTED = {400, 405, 501}


@frozen
class Conditions:
    """Whether `If-None-Match: *` is honoured."""

    on_put: bool
    """By PutObject."""
    on_complete: bool
    """By CompleteMultipartUpload."""


BOTH = Conditions(on_put=True, on_complete=True)
NAMED = {
    "both": BOTH,
    "put": Conditions(on_put=True, on_complete=False),
    "complete": Conditions(on_put=False, on_complete=True),
    "none": Conditions(on_put=False, on_complete=False),
}
"""By the value of S3_CONDITIONS."""


def name_of(conditions: Conditions) -> str:
    """Return the value of S3_CONDITIONS for them."""
    return next(name for name, named in NAMED.items() if named == conditions)


def is_aws(client: "S3Client") -> bool:
    """Return whether the client calls AWS's own S3, which honours both."""
    return (urlsplit(client.meta.endpoint_url).hostname or "").endswith(AWS_DOMAINS)


def find_conditions(client: "S3Client", bucket: str, deadline_s: float) -> Conditions:
    """Return what the bucket's store honours: by trying, unless it is AWS.

    PROBE_KEY is written for it, and stays. Unavailable if the store fails.
    """
    return BOTH if is_aws(client) else try_conditions(client, bucket, PROBE_KEY, deadline_s)


def try_conditions(client: "S3Client", bucket: str, key: str, deadline_s: float) -> Conditions:
    """Return what the bucket's store honours, by writing an object `key`, which stays.

    Unavailable if the store fails.
    """
    target = Target(client, bucket, key)
    on_put = _honours_put(target, deadline_s)
    return Conditions(on_put, _honours_complete(target, deadline_s))


def _honours_put(target: Target, deadline_s: float) -> bool:
    client = target.client
    place: dict[str, Any] = {"Bucket": target.bucket, "Key": target.key}
    body: dict[str, Any] = {"Body": PROBE_BODY, **checksum(client, PROBE_BODY)}
    answers: dict[str, Exception] = dict.fromkeys(map(str, NOT_SUPPORTED), _NotSupported())
    answers["412"] = AlreadyExists()
    for _ in range(2):  # the first may be the one that makes the object
        try:
            request = partial(client.put_object, **place, **body, IfNoneMatch="*")
            call("S3", deadline_s, request, answers)
        except AlreadyExists:
            return True
        except _NotSupported:
            call("S3", deadline_s, partial(client.put_object, **place, **body))
            return False
    return False


def _honours_complete(target: Target, deadline_s: float) -> bool:
    """Return the same of a conditional completion; there is an object by now."""
    part = UploadPart((BytesPiece(PROBE_BODY, 0, len(PROBE_BODY)),))
    try:
        put_multipart(MultipartUpload(target, [part], deadline_s))
    except AlreadyExists:
        return True
    except Unavailable as error:
        cause = error.__cause__
        if not isinstance(cause, ClientError) or code_and_status(cause)[1] not in NOT_SUPPORTED:
            raise
    return False


class _NotSupported(Exception):
    """The store does not know the condition."""
