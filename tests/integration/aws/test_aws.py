"""What the errors of the AWS libraries mean, and how long a call may take."""

import http.client
import inspect
import time
from collections.abc import Callable

import boto3.exceptions
import botocore.exceptions
import pytest
import urllib3.exceptions
from botocore.exceptions import ClientError

from domain.errors import AccessDenied, DeadlineExceeded, NotRecordedYet, Unavailable
from infrastructure.aws import call, translating_errors
from infrastructure.deadline import run_within
from infrastructure.sqs.queue import SqsRetryQueue
from tests.contract.real import Aws, clients_of
from tests.contract.test_retry_queue import REQUEST
from tests.support.loopback import Script, answer, drip, head, loopback, stall

MODULES = (botocore.exceptions, boto3.exceptions, urllib3.exceptions, http.client)
ERRORS = [
    kind
    for module in MODULES
    for kind in vars(module).values()
    if inspect.isclass(kind)
    and issubclass(kind, Exception)
    and not issubclass(kind, Warning)
    and kind.__module__.partition(".")[0] in {"botocore", "boto3", "urllib3", "http"}
]

KMS_DENIALS = ["KMSAccessDenied", "KmsAccessDenied", "KMS.AccessDeniedException"]
"""What SNS and SQS answer, the latter in two forms (their models in botocore)."""


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_error_of_the_libraries_is_translated(kind: type[Exception]) -> None:
    """One that a new version brings makes this fail."""
    error = kind.__new__(kind)
    if isinstance(error, ClientError):
        error.response = {"Error": {"Code": "SlowDown"}}
    with pytest.raises(Unavailable, match=r"^S3 ") as caught, translating_errors("S3"):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "code", ["ExpiredToken", "AccessDenied", *KMS_DENIALS, "NoSuchBucket", "400", "SlowDown"]
)
def test_what_people_can_put_right_is_unavailable(code: str) -> None:
    """Its code is reported; its text is not, because it may quote the request."""
    error = ClientError({"Error": {"Code": code, "Message": "secret"}}, "PutObject")
    with (
        pytest.raises(Unavailable, match=rf"^S3 answered {code}\.$") as caught,
        translating_errors("S3"),
    ):
        raise error
    assert isinstance(caught.value, AccessDenied) == (
        code in {"ExpiredToken", "AccessDenied", *KMS_DENIALS}
    )


def test_a_code_may_have_a_meaning() -> None:
    """That of the caller."""
    error = ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
    with (
        pytest.raises(NotRecordedYet, match="absent"),
        translating_errors("S3", {"NoSuchKey": NotRecordedYet("absent")}),
    ):
        raise error


@pytest.mark.parametrize("error", [KeyError("x"), DeadlineExceeded("x"), OSError("x")])
def test_other_errors_pass(error: Exception) -> None:
    """A defect is no fault of a service's."""
    with pytest.raises(type(error)) as caught, translating_errors("S3"):
        raise error
    assert caught.value is error


def test_a_call_returns_what_it_is_answered() -> None:
    """Or raises what it raises."""
    assert call("S3", time.monotonic() + 5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        run_within(time.monotonic() + 5, "S3", lambda: 1 / 0)


def test_a_call_is_not_begun_when_hardly_any_time_is_left() -> None:
    """The caller would rarely learn of its effect."""
    begun: list[int] = []
    with pytest.raises(DeadlineExceeded):
        run_within(time.monotonic() + 0.1, "S3", lambda: begun.append(1))
    assert begun == []


def test_a_call_is_not_waited_for_beyond_the_deadline() -> None:
    """It is aborted, once."""
    ended: list[int] = []
    began_s = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        run_within(began_s + 0.3, "S3", lambda: time.sleep(5), lambda: ended.append(1))
    assert time.monotonic() - began_s < 1.3
    assert ended == [1]


def test_an_endless_deadline_is_one() -> None:
    """As the command line has it."""
    assert run_within(float("inf"), "S3", lambda: 7) == 7


def send(aws: Aws, left_s: float) -> None:
    SqsRetryQueue(aws.sqs, "https://sqs.example/queue").send(REQUEST, 1, time.monotonic() + left_s)


BUSY = answer("503 Service Unavailable")


def test_a_passing_fault_is_retried() -> None:
    """Four attempts, then the message goes back."""
    with loopback(BUSY) as server, pytest.raises(Unavailable, match=r"^SQS answered 503\.$"):
        send(clients_of(server.url), 30)
    assert len(server.requests) == 4


def test_nobody_there_is_unavailable() -> None:
    """No status is ever decided by that."""
    with loopback(BUSY) as server:
        pass
    with pytest.raises(Unavailable, match="EndpointConnectionError"):
        send(clients_of(server.url), 30)


TRICKLES: dict[str, Callable[[], Script]] = {
    "retries": lambda: BUSY,
    "a stall": stall,
    "a dripped head": lambda: drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "a dripped body": lambda: drip(head("200 OK", 1000), b"x"),
}


@pytest.mark.parametrize("name", TRICKLES)
def test_the_deadline_holds_whatever_trickles_in(name: str) -> None:
    """The library's own timeouts and retries go on for minutes."""
    with loopback(TRICKLES[name]()) as server:
        aws = clients_of(server.url)
        began_s = time.monotonic()
        with pytest.raises((DeadlineExceeded, Unavailable)):
            send(aws, 0.4)
        assert time.monotonic() - began_s < 1.4
