"""Checksums of what is sent to S3, in headers."""

import base64
import io
import zlib
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READ_BYTES = 2 << 20
Algorithm = Literal["CRC32"]


def algorithm(client: "S3Client") -> Algorithm | None:
    """Return the algorithm of the checksums that are sent; None if none are.

    boto3 sends checksums unless AWS_REQUEST_CHECKSUM_CALCULATION is `when_required`. A multipart
    upload must name the algorithm of its parts' checksums, and none if they have none (S3 API
    reference, CreateMultipartUpload).
    """
    required = client.meta.config.request_checksum_calculation  # type: ignore[attr-defined]
    return None if required == "when_required" else "CRC32"


def checksum(client: "S3Client", body: bytes | io.BufferedReader) -> dict[str, Any]:
    """Return the header with the body's checksum, if any are sent; a file is rewound.

    Over TLS boto3 would send its own as a trailer, to which some stores answer 411 (seen with Ceph
    RGW 16.2).
    """
    return {"ChecksumCRC32": _crc32(body)} if algorithm(client) else {}


def checksum_mode(client: "S3Client") -> dict[str, Any]:
    """Return the argument that asks for an object's checksum, unless none are to be asked for.

    boto3 asks with every read unless AWS_RESPONSE_CHECKSUM_VALIDATION is `when_required`.
    """
    required = client.meta.config.response_checksum_validation  # type: ignore[attr-defined]
    return {} if required == "when_required" else {"ChecksumMode": "ENABLED"}


def _crc32(body: bytes | io.BufferedReader) -> str:
    value = 0
    if isinstance(body, bytes):
        value = zlib.crc32(body)
    else:
        while chunk := body.read(READ_BYTES):
            value = zlib.crc32(chunk, value)
        body.seek(0)
    return base64.b64encode(value.to_bytes(4, "big")).decode()
