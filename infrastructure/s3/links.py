"""Links to objects, which whoever has them may read until they expire.

A link is signed for one method and for the headers that a browser sends. So it is not made by the
client of all other calls: `expect_owners` would have it need a header that no browser sends.
"""

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from attrs import frozen
from botocore.config import Config

from infrastructure.aws import CONFIG, translating_errors
from infrastructure.s3.conditions import is_aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

METHODS: dict[str, Literal["get_object", "head_object"]] = {
    "GET": "get_object",
    "HEAD": "head_object",
}


def link_config(client: "S3Client") -> Config:
    """Return how the client of links is made, for the store that `client` calls.

    By default boto3 signs links by version 2, which S3 refuses for objects with a KMS key ("require
    AWS Signature Version 4"), and for a bucket's host in no region. S3 redirects that host's
    requests while a bucket is new (S3 user guide, "Request routing", "Temporary request
    redirection"), and no link is signed for the host that it redirects to.
    """
    style: Literal["virtual", "path"] = "virtual" if is_aws(client) else "path"
    return CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": style}))


@frozen
class S3Links:
    """Links to the objects of a bucket."""

    client: "S3Client"
    bucket: str

    def link(self, key: str, method: str, expires_s: int, **headers: str) -> str:
        """Return the address of an object for GET or HEAD; nothing is contacted.

        `headers` are those of S3's answer, such as ResponseContentDisposition. The link expires
        earlier if the credentials do. Unavailable without credentials.
        """
        with translating_errors("S3"):
            return self.client.generate_presigned_url(
                METHODS[method],
                Params={"Bucket": self.bucket, "Key": key, **headers},
                ExpiresIn=expires_s,
            )

    @property
    def origin(self) -> str:
        """The scheme, host and port of all links."""
        parts = urlsplit(self.link("any", "GET", 1))
        return f"{parts.scheme}://{parts.netloc}"
