"""How S3, SQS and SNS are called, and what their errors mean."""

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TypeVar

import urllib3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, UndefinedModelAttributeError

from domain.errors import AccessDenied, Unavailable
from infrastructure.deadline import run_within

T = TypeVar("T")

DENIALS = {
    "403",
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "KMS.AccessDeniedException",
    "KMSAccessDenied",
    "KMSAccessDeniedException",
    "KmsAccessDenied",
    "SignatureDoesNotMatch",
}
"""Error codes of S3, SQS and SNS (each service's API reference, "Common errors")."""

PLAINER_CODES = {"NoSuchBucket", "NoSuchUpload"}
"""Codes that say more than their status, 404, which means a missing object."""

NOTHING: Mapping[str, Exception] = MappingProxyType({})

CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=3,
    read_timeout=20,
    tcp_keepalive=True,
    max_pool_connections=30,
)
"""For every client; one client per service, made once."""


def code_and_status(error: ClientError) -> tuple[str, int]:
    """Return the error code and the HTTP status; the code of an answer without one is its status.

    Stores other than S3 have codes of their own (OpenStack Swift 2.30 answers 412 as
    `InvalidRequest`): only the status is reliable there.
    """
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return str(error.response.get("Error", {}).get("Code", status or "an error")), status


@contextmanager
def translating_errors(service: str, expected: Mapping[str, Exception] = NOTHING) -> Iterator[None]:
    """Translate every error of the AWS libraries to Unavailable, except `expected` ones.

    `expected` maps error codes and HTTP statuses to what they raise; the code counts first.

    All of them can be temporary, even an expired token, a denied request or a missing bucket: an
    operator fixes them while the message waits. Texts are left out because they quote requests.
    """
    try:
        yield
    except ClientError as error:
        code, status = code_and_status(error)
        for key in (code, "" if code in PLAINER_CODES else str(status)):
            if key in expected:
                raise expected[key] from error
        fault = AccessDenied if code in DENIALS else Unavailable
        raise fault(f"{service} answered {code}.") from error
    except (
        BotoCoreError,
        UndefinedModelAttributeError,
        Boto3Error,
        urllib3.exceptions.HTTPError,
        urllib3.exceptions.ProxySchemeUnsupported,  # a ValueError
        http.client.HTTPException,
    ) as error:
        raise Unavailable(f"{service} could not be called: {type(error).__name__}.") from error


def call(
    service: str,
    deadline_s: float,
    request: Callable[[], T],
    expected: Mapping[str, Exception] = NOTHING,
    abort: Callable[[], None] = lambda: None,
) -> T:
    """Return the service's response.

    `expected` maps error codes and HTTP statuses to what they raise; all others raise Unavailable.
    DeadlineExceeded once the deadline passes; `abort` is then called to end the request.
    """
    with translating_errors(service, expected):
        return run_within(deadline_s, service, request, abort)
