"""The checks of both buckets."""

import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

import boto3
from botocore.config import Config

from domain.errors import Unavailable
from domain.recording import RecordingSegment
from domain.window import DAY_MS, TimeWindow
from entrypoints.cli.doctor import verdicts
from entrypoints.cli.doctor.check import Deployment, call_s3, check
from entrypoints.cli.doctor.finding import Finding
from entrypoints.cli.doctor.incomplete_uploads import list_uploads, parts_bytes
from entrypoints.cli.doctor.multipart_probe import probe_store
from entrypoints.cli.doctor.probe_verdicts import (
    CHECKSUMS,
    COMPOSE,
    CONDITIONS,
    REQUIRED,
    SUPPORTED,
    judge_probe,
)
from entrypoints.cli.service import call_deadline_s
from entrypoints.cli.times import now_ms
from entrypoints.cli.units import seconds, size
from infrastructure.aws import CONFIG
from infrastructure.camera_api.names import is_recording_name
from infrastructure.s3 import S3RecordingStore
from infrastructure.s3.parts import MIN_PART_BYTES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ORIGIN, DESTINATION = "S3_BUCKET_ORIGIN", "S3_BUCKET_DESTINATION"
LISTING, READING = "s3:ListBucket on it", "s3:GetObject on it"
UPLOADS = "s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts"
PRIVACY = "s3:GetBucketPublicAccessBlock and s3:GetEncryptionConfiguration"
READABLE_S = 300
"""How long an opened recording can be read: the composition comes last."""
MAX_MEASURED_UPLOADS = 50
ABSENT = {code: KeyError(code) for code in ("404", "NoSuchKey")}
EMPTY = {"InvalidRange": Unavailable("The object is empty.")}
UNSET = {
    code: KeyError(code)
    for code in (
        *("NoSuchLifecycleConfiguration", "NoSuchPublicAccessBlockConfiguration"),
        *("ServerSideEncryptionConfigurationNotFoundError", "NotImplemented", "501"),
    )
}


@check("origin", LISTING, ORIGIN, is_first=True)
def origin(deployment: Deployment) -> Iterator[Finding]:
    """Check that the recordings' bucket is reachable, and the clock against S3's."""
    bucket = deployment.aws.origin_bucket
    head = _head(deployment, bucket)
    yield Finding("origin", True, f"{bucket} is reachable")
    date = head["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date:
        yield verdicts.judge_clock(time.time() - parsedate_to_datetime(date).timestamp())


@check("destination", LISTING, DESTINATION, is_first=True)
def destination(deployment: Deployment) -> Iterator[Finding]:
    """Check that the clips' bucket is reachable, and that both buckets are in one region."""
    aws, regions = deployment.aws, deployment.regions
    _head(deployment, aws.destination_bucket)
    yield Finding("destination", True, f"{aws.destination_bucket} is reachable")
    if aws.origin_bucket in regions:
        both = regions[aws.origin_bucket], regions[aws.destination_bucket]
        yield verdicts.judge_regions(*both, compose=deployment.clips.copy_in_s3)


@check("origin listing", LISTING, ORIGIN)
def origin_listing(deployment: Deployment) -> Iterator[Finding]:
    """Check that a missing recording is reported as missing."""
    yield _missing(deployment, "origin listing", deployment.aws.origin_bucket)


@check("destination listing", LISTING, DESTINATION)
def destination_listing(deployment: Deployment) -> Iterator[Finding]:
    """Check that a missing clip is reported as missing."""
    yield _missing(deployment, "destination listing", deployment.aws.destination_bucket)


@check("recording", "s3:ListBucket and s3:GetObject on the origin", ORIGIN)
def recording(deployment: Deployment) -> Iterator[Finding]:
    """Open a recording: the newest of the first thousand keys, over 5 MiB if there is one."""
    aws, s3 = deployment.aws, deployment.s3
    prefix = f"{aws.origin_folder}/" if aws.origin_folder else ""
    listed = call_s3(lambda: s3.list_objects_v2(Bucket=aws.origin_bucket, Prefix=prefix))
    candidates = [
        row
        for row in listed.get("Contents", [])
        if is_recording_name(row["Key"].rpartition("/")[2])
    ]
    if not candidates:
        detail = f"no .mp4 in {aws.origin_bucket}/{prefix}"
        yield Finding("recording", None, detail, "Check S3_BUCKET_ORIGIN_DIR.")
        return
    chosen = max(candidates, key=lambda row: (row["Size"] > MIN_PART_BYTES, row["LastModified"]))
    name = chosen["Key"].removeprefix(prefix)
    store = S3RecordingStore(s3, aws.origin_bucket, aws.origin_folder)
    opened = store.open(
        RecordingSegment(TimeWindow(0, 1), name), TimeWindow(0, 1), time.monotonic() + READABLE_S
    )
    deployment.recordings.append(opened)
    duration = seconds(opened.segment.window.duration_ms)
    yield Finding("recording", True, f"{name}: {duration}, {size(opened.size_bytes)}")


@check("destination reading", READING, DESTINATION)
def destination_reading(deployment: Deployment) -> Iterator[Finding]:
    """Read the first byte of an object in the clips' bucket."""
    bucket, s3 = deployment.aws.destination_bucket, deployment.s3
    listed = call_s3(lambda: s3.list_objects_v2(Bucket=bucket, MaxKeys=1)).get("Contents", [])
    if not listed:
        yield Finding("destination reading", None, "the bucket is still empty")
        return
    key = listed[0]["Key"]
    call_s3(lambda: s3.get_object(Bucket=bucket, Key=key, Range="bytes=0-0"), EMPTY)
    yield Finding("destination reading", True, f"{key} is readable")


@check("lifecycle", "s3:GetLifecycleConfiguration", DESTINATION, doctor_only=True)
def lifecycle(deployment: Deployment) -> Iterator[Finding]:
    """Check the lifecycle rules of the clips' bucket."""
    bucket, s3 = deployment.aws.destination_bucket, deployment.s3
    configured = _if_set(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket))
    rules = configured.get("Rules", [])
    deployment.abort_days = verdicts.abort_days(rules)
    yield verdicts.judge_lifecycle(rules)


@check("uploads", UPLOADS, DESTINATION, doctor_only=True)
def uploads(deployment: Deployment) -> Iterator[Finding]:
    """Check for abandoned uploads; add up the parts of the oldest fifty."""
    bucket, s3, at_ms = deployment.aws.destination_bucket, deployment.s3, now_ms()
    found = list_uploads(s3, bucket, call_deadline_s())
    old = [upload for upload in found if at_ms - upload.begun_ms > DAY_MS]
    total_bytes = sum(
        parts_bytes(s3, bucket, upload, call_deadline_s()) for upload in old[:MAX_MEASURED_UPLOADS]
    )
    yield verdicts.judge_uploads(found, total_bytes, at_ms, deployment.abort_days, bucket)


@check("privacy", PRIVACY, DESTINATION, doctor_only=True)
def privacy(deployment: Deployment) -> Iterator[Finding]:
    """Check whether the clips' bucket blocks public access, and how it encrypts."""
    bucket, s3 = deployment.aws.destination_bucket, deployment.s3
    block = _if_set(lambda: s3.get_public_access_block(Bucket=bucket))
    encryption = _if_set(lambda: s3.get_bucket_encryption(Bucket=bucket))
    rules = encryption.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    kinds = [r.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for r in rules]
    blocked = block.get("PublicAccessBlockConfiguration", {})
    yield verdicts.judge_privacy(blocked, ", ".join(filter(None, kinds)) or "unknown")


@check("composition", "s3:PutObject on the destination", DESTINATION)
def composition(deployment: Deployment) -> Iterator[Finding]:
    """Upload an object that is copied from a recording, and try all that the service relies on."""
    usable = [rec for rec in deployment.recordings if rec.size_bytes > MIN_PART_BYTES]
    if not usable:
        detail = "not checked: no readable recording of more than 5 MiB was found"
        yield Finding("composition", None, detail)
        return
    clips = deployment.clips
    required = deployment.s3.meta.config.request_checksum_calculation  # type: ignore[attr-defined]
    configured = {
        COMPOSE: clips.compose,
        CONDITIONS: clips.s3_conditions,
        CHECKSUMS: required,
    }
    clients = {mode: _client(mode) for mode in (SUPPORTED, REQUIRED)}
    probe = probe_store(clients, usable[0], deployment.aws.destination_bucket)
    yield from judge_probe(probe, configured)


def _client(checksums: Literal["when_supported", "when_required"]) -> "S3Client":
    """Return a client that sends checksums or none, and expects no bucket owner."""
    config = CONFIG.merge(Config(request_checksum_calculation=checksums))
    return call_s3(lambda: boto3.client("s3", config=config))


def _head(deployment: Deployment, bucket: str) -> Mapping[str, Any]:
    s3 = deployment.s3
    head = call_s3(lambda: s3.head_bucket(Bucket=bucket))
    deployment.regions[bucket] = head.get("BucketRegion", "")
    return head


def _missing(deployment: Deployment, name: str, bucket: str) -> Finding:
    """HEAD a missing object: without s3:ListBucket S3 answers 403, and messages are retried."""
    s3, key = deployment.s3, f"camclip-doctor/{uuid4().hex}"
    try:
        call_s3(lambda: s3.head_object(Bucket=bucket, Key=key), ABSENT)
    except KeyError:
        return Finding(name, True, "a missing object is answered with 404")
    detail = "a missing object is not answered with 404"
    return Finding(name, False, detail, "Use an S3-compatible store.")


def _if_set(request: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the response, empty if nothing is configured."""
    try:
        return call_s3(request, UNSET)
    except KeyError:
        return {}
