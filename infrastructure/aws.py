"""What S3, SQS and SNS have in common: how they are called, and what their errors mean."""

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
    "KMSAccessDeniedException",
    "SignatureDoesNotMatch",
}
"""Error codes of S3, SQS and SNS (each service's API reference, "Common errors")."""

NOTHING: Mapping[str, Exception] = MappingProxyType({})

CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=3,
    read_timeout=20,
    tcp_keepalive=True,
    max_pool_connections=20,
)
"""For every client; one client per service, made once."""


@contextmanager
def translating_errors(what: str, meant: Mapping[str, Exception] = NOTHING) -> Iterator[None]:
    """Turn every error of the AWS libraries into Unavailable, but those whose codes are `meant`.

    All of them may pass. An expired token, a denied request and a missing bucket too: people put
    them right while the message waits. Texts are left out, since they quote what was sent.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "an error"))
        if code in meant:
            raise meant[code] from error
        fault = AccessDenied if code in DENIALS else Unavailable
        raise fault(f"{what} answered {code}.") from error
    except (
        BotoCoreError,
        UndefinedModelAttributeError,
        Boto3Error,
        urllib3.exceptions.HTTPError,
        urllib3.exceptions.ProxySchemeUnsupported,  # a ValueError
        http.client.HTTPException,
    ) as error:
        raise Unavailable(f"{what} could not be asked: {type(error).__name__}.") from error


def call(
    what: str,
    deadline_s: float,
    ask: Callable[[], T],
    meant: Mapping[str, Exception] = NOTHING,
) -> T:
    """Return what the service answers.

    Its error codes that are `meant` raise what stands beside them (of a HEAD, the code is only
    the HTTP status), all others Unavailable; DeadlineExceeded once the deadline passes.
    """
    with translating_errors(what, meant):
        return run_within(deadline_s, what, ask)
