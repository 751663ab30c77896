"""The adapters for AWS and the camera HTTP API, made by functions that import them.

Importing them takes boto3, requests and Powertools, a third of a second, which commands on folders
do not need. The functions pass their arguments on; they are annotated with what they return.
"""
# ruff: noqa: ANN401, PLC0415 - any arguments; imports at the first use

from typing import TYPE_CHECKING, Any

from application.ports import CameraService, ClipStore, Notifier, RecordingStore, RetryQueue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from entrypoints.sqs_batch import ProcessRecords


def client(service: str) -> Any:
    """Return a client of one of AWS's services."""
    import boto3

    from infrastructure.aws import CONFIG

    make: Any = boto3.client
    return make(service, config=CONFIG)


def s3_client(bucket_owners: Any, paid_bucket: Any) -> "S3Client":
    """Return a client of S3 that expects the buckets' owners, and pays for requests."""
    from infrastructure.s3 import expect_owners, pay_for_requests

    return pay_for_requests(expect_owners(client("s3"), bucket_owners), paid_bucket)


def process_records() -> "ProcessRecords":
    """Return how the function handles the messages of a batch."""
    from entrypoints.partial_batch import process_partially

    return process_partially


def network_faults(*arguments: Any) -> "Iterator[str]":
    """Return what is wrong with the proxies and authorities on the way to the camera API."""
    from infrastructure.camera_api import network

    return network.network_faults(*arguments)


def http_cameras(  # noqa: PLR0913, PLR0917 - those of the adapter, and of its session
    cam_services_url: Any,
    recordings_url: Any,
    report_format: Any,
    naming: Any,
    addresses: Any,
    environ: Any,
) -> CameraService:
    """Return the cameras of the HTTP API at these addresses."""
    from infrastructure.camera_api.client import HttpCameraService
    from infrastructure.camera_api.session import open_session

    session = open_session(addresses, environ)
    return HttpCameraService(
        cam_services_url, recordings_url, report_format, naming, session=session
    )


def s3_cameras(*arguments: Any) -> CameraService:
    """Return the cameras that a bucket's listing shows."""
    from infrastructure.s3 import S3CameraService

    return S3CameraService(*arguments)


def s3_recordings(*arguments: Any) -> RecordingStore:
    """Return the recordings in a bucket."""
    from infrastructure.s3 import S3RecordingStore

    return S3RecordingStore(*arguments)


def s3_clips(new_objects: Any, *arguments: Any) -> ClipStore:
    """Return the clips in a bucket, stored as `new_objects` are."""
    from infrastructure.s3 import S3ClipStore

    return S3ClipStore(new_objects, *arguments)


def new_objects(*arguments: Any) -> Any:
    """Return how objects are stored in a bucket."""
    from infrastructure.s3 import NewObjects

    return NewObjects(*arguments)


def uploaded_bytes(copies: bool) -> int:  # noqa: FBT001 - a setting
    """Return how many bytes of a copied range the store uploads itself."""
    from infrastructure.s3.parts import MIN_PART_BYTES

    return MIN_PART_BYTES if copies else 0


def sqs_queue(*arguments: Any) -> RetryQueue:
    """Return a queue of SQS."""
    from infrastructure.sqs.queue import SqsRetryQueue

    return SqsRetryQueue(*arguments)


def sns_notifier(*arguments: Any) -> Notifier:
    """Return a topic of SNS."""
    from infrastructure.sns import SnsNotifier

    return SnsNotifier(*arguments)
