"""A check of the deployment: it fetches facts and yields the verdicts on them."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from attrs import Factory, define, frozen

from domain.errors import ClipError
from entrypoints.cli.doctor.finding import Finding, failure
from entrypoints.cli.service import call_deadline_s
from entrypoints.container import AwsService
from entrypoints.settings import AwsSettings, ClipSettings
from infrastructure.aws import NOTHING, call
from infrastructure.s3 import S3Recording

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

T = TypeVar("T")


@define
class Deployment:
    """The service's resources in AWS, and the facts that earlier checks fetched."""

    service: AwsService
    camera_id: str | None = None
    """The camera to request, if any."""
    function: str | None = None
    """The Lambda function's name or ARN, if there is one to check."""
    regions: dict[str, str] = Factory(dict)
    """By bucket; empty if the store does not return it."""
    recordings: list[S3Recording] = Factory(list)
    queue: Mapping[str, str] = Factory(dict)
    """The queue's attributes."""
    abort_days: int | None = None
    """After how many days the destination aborts incomplete uploads, if it does."""
    aws: AwsSettings = Factory(lambda self: self.service.aws(), takes_self=True)
    clips: ClipSettings = Factory(lambda self: self.service.settings(), takes_self=True)

    @property
    def s3(self) -> "S3Client":
        """The client; Unavailable if it cannot be made."""
        client: S3Client = call("S3", call_deadline_s(), self.service.s3)
        return client

    @property
    def sqs(self) -> "SQSClient":
        """The client; Unavailable if it cannot be made."""
        client: SQSClient = call("SQS", call_deadline_s(), self.service.sqs)
        return client


@frozen
class Check:
    """A check, the permission it needs, and the setting that names what it calls."""

    name: str
    permission: str
    setting: str
    run: Callable[[Deployment], Iterator[Finding]]
    is_first: bool = False
    """Whether no other check of that setting can succeed if this one fails."""
    doctor_only: bool = False
    """Whether only the doctor needs the permission, and not the service."""

    def __call__(self, deployment: Deployment) -> Iterator[Finding]:
        """Run the check; a call that fails is a fault."""
        try:
            yield from self.run(deployment)
        except ClipError as error:
            yield failure(
                self.name, error, self.permission, self.setting, doctor_only=self.doctor_only
            )


def check(
    name: str, permission: str, setting: str, **flags: bool
) -> Callable[[Callable[[Deployment], Iterator[Finding]]], Check]:
    """Return a decorator that makes a Check of a function."""
    return lambda run: Check(name, permission, setting, run, **flags)


def call_s3(request: Callable[[], T], expected: Mapping[str, Exception] = NOTHING) -> T:
    """Return S3's response; raise those errors whose codes are `expected`, else Unavailable."""
    return call("S3", call_deadline_s(), request, expected)
