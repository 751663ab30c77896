"""The deployment that the checks examine, and how they call it."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from attrs import Factory, define

from application.ports import CameraService
from entrypoints.container import Aws
from entrypoints.settings import AwsSettings, ClipSettings
from infrastructure.aws import NOTHING, call
from infrastructure.s3 import S3Recording

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

T = TypeVar("T")
CALL_S = 20


@define
class Deployment:
    """The service's resources in AWS, and the facts that earlier checks fetched."""

    places: AwsSettings
    rules: ClipSettings
    cameras: CameraService
    open_s3: "Callable[[], S3Client]"
    open_sqs: "Callable[[], SQSClient]"
    open_sns: "Callable[[], SNSClient]"
    camera_id: str | None = None
    """The camera to request, if any."""
    regions: dict[str, str] = Factory(dict)
    """By bucket; empty if the store does not return it."""
    recordings: list[S3Recording] = Factory(list)
    queue: Mapping[str, str] = Factory(dict)
    """The queue's attributes."""
    abort_days: int | None = None
    """After how many days the destination aborts incomplete uploads, if it does."""

    @property
    def s3(self) -> "S3Client":
        """The client; Unavailable if it cannot be made."""
        return call("S3", deadline_s(), self.open_s3)

    @property
    def sqs(self) -> "SQSClient":
        """The client; Unavailable if it cannot be made."""
        return call("SQS", deadline_s(), self.open_sqs)

    @property
    def sns(self) -> "SNSClient":
        """The client; Unavailable if it cannot be made."""
        return call("SNS", deadline_s(), self.open_sns)


def deployment_of(service: Aws, camera_id: str | None) -> Deployment:
    """Return the deployment of a service."""
    settings = service.settings()
    return Deployment(
        settings.places,
        settings.rules,
        service.cameras(),
        service.s3,
        service.sqs,
        service.sns,
        camera_id,
    )


def call_s3(request: Callable[[], T], expected: Mapping[str, Exception] = NOTHING) -> T:
    """Return S3's response; raise those errors whose codes are `expected`, else Unavailable."""
    return call("S3", deadline_s(), request, expected)


def deadline_s() -> float:
    """Return when a call that begins now must have ended, on the monotonic clock."""
    return time.monotonic() + CALL_S
