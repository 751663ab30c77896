"""What S3, SQS and SNS have in common: how they are called, and what their errors mean."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import urllib3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from domain.errors import Unavailable
from infrastructure.deadline import within

T = TypeVar("T")

CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=3,
    read_timeout=20,
    tcp_keepalive=True,
    max_pool_connections=20,
)
"""For every client; one client per service, made once."""


def code_of(error: ClientError) -> str:
    """Return the service's own name for the error; of a HEAD it is only the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def status_of(error: ClientError) -> int:
    """Return the HTTP status of the error's answer, 0 if there was none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def translate(what: str) -> Iterator[None]:
    """Turn every error of the AWS libraries into Unavailable: all of them may pass.

    An expired token, a denied request and a missing bucket too: people can put them right while
    the message waits. The texts are left out, since they quote addresses and parameters.
    """
    try:
        yield
    except ClientError as error:
        raise Unavailable(f"{what} answered {code_of(error)}.") from error
    except (
        BotoCoreError,
        Boto3Error,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
    ) as error:
        raise Unavailable(f"{what} could not be asked: {type(error).__name__}.") from error


def call(what: str, deadline_s: float, ask: Callable[[], T]) -> T:
    """Return what the service answers; Unavailable, or OutOfTime once the deadline passes."""
    with translate(what):
        return within(deadline_s, what, ask)
