"""Every kind of request, handled by the service with the environment that the template gives it.

moto stands for AWS and a loopback server for the camera API; every call to AWS is recorded.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, frozen
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from devtools.footage import Recording, cached_recording, constant_bitrate
from devtools.footage.recording import FFMPEG
from devtools.local_aws.camera_api import CameraStandIn
from devtools.local_aws.cloud import moto_server
from devtools.local_aws.http_server import serve
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.container import AwsService, aws_service
from entrypoints.log_line import DeliveryOutcome
from infrastructure.in_memory import InMemoryCameraService
from tests.integration.deploy.calls import Call, Recorder
from tests.integration.deploy.packaged import alone
from tests.integration.deploy.template import REGION, Stack
from tests.support.service import clip_body, sqs_record

SMALL = Recording(first_number=0, frames=120, size=(160, 90))
LARGE = constant_bitrate(Recording(first_number=0, frames=120), 56_000)
"""Large enough for S3 to copy: 7 MB for each second."""
ANOTHER_ACCOUNT = "444455556666"

GIVEN = {
    "CamServicesUrl": "https://cameras.invalid",
    "RecordingsUrl": "https://cameras.invalid",
    "ClipUrl": "https://clips.invalid",
    "OriginBucket": "policy-recordings",
    "OriginFolder": "rewinds",
    "OriginBucketOwner": ANOTHER_ACCOUNT,
    "OriginRequesterPays": "true",
    "DestinationBucket": "policy-clips",
}
WITHOUT_API = {
    **{name: value for name, value in GIVEN.items() if value != "https://cameras.invalid"},
    "Cameras": "bucket",
    "RecordingPattern": "{camera}/%s",
}


@frozen
class Played:
    """The calls to AWS, and each clip's result: its status or the error."""

    calls: list[Call]
    results: dict[str, str]


@pytest.fixture(scope="session")
def played(run_folder: Path, films: Path) -> Played:
    """Play all requests, once for all the processes of a test run."""
    folder = run_folder / "policy"
    done = folder / "played.json"
    with alone(folder, "played"):
        if not done.exists():
            fresh = _play_on_moto(films, folder)
            done.write_text(json.dumps(asdict(fresh)))
    recorded = json.loads(done.read_text())
    return Played([Call(**call) for call in recorded["calls"]], recorded["results"])


def _play_on_moto(footage: Path, folder: Path) -> Played:
    segments: dict[str, list[RecordingSegment]] = {}
    cameras = CameraStandIn(InMemoryCameraService(segments))
    with moto_server() as url, serve(cameras) as cameras_url, pytest.MonkeyPatch.context() as env:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "made-up-secret",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": url,
        }.items():
            env.setenv(name, value)
        return _play(segments, cameras_url, footage, folder / "scratch")


def _play(
    segments: dict[str, list[RecordingSegment]], cameras_url: str, footage: Path, scratch: Path
) -> Played:
    stack = Stack(GIVEN)
    now_ms = time.time_ns() // 1_000_000
    start_ms = now_ms // 1000 * 1000 - 300_000  # names of recordings hold whole seconds
    recordings = {"small": SMALL, "large": LARGE, "not-stored": SMALL}
    for camera, recording in recordings.items():
        window = TimeWindow(start_ms, start_ms + round(recording.duration_ms))
        segments[camera] = [RecordingSegment(window, _name(camera))]
    scratch.mkdir()
    results: dict[str, str] = {}

    def note(outcome: DeliveryOutcome) -> None:
        status = outcome.result.report.status.value if outcome.result else repr(outcome.error)
        results[getattr(outcome.request, "clip_id", "")] = status

    here = {"CLIP_DOWNLOAD_DEST": str(scratch), "CAMCLIP_FFMPEG": FFMPEG}
    urls = {"CAM_SERVICES_URL": cameras_url, "RECORDINGS_URL": cameras_url}
    service = aws_service({**stack.environment(), **urls, **here}, note)
    without_api = aws_service({**Stack(WITHOUT_API).environment(), **here}, note)
    s3, sqs, sns = service.s3(), service.sqs(), service.sns()
    where: Any = {"LocationConstraint": REGION}
    for bucket in (GIVEN["OriginBucket"], GIVEN["DestinationBucket"]):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    stored = {_name(camera): recordings[camera] for camera in ("small", "large")}
    stored[f"listed/{start_ms // 1000}.mp4"] = SMALL
    for name, recording in stored.items():
        path = cached_recording(footage, recording)
        s3.upload_file(str(path), GIVEN["OriginBucket"], f"{GIVEN['OriginFolder']}/{name}")
    sqs.create_queue(QueueName=stack.properties("Requests")["QueueName"])
    sns.create_topic(Name=stack.properties("Topic")["TopicName"])
    calls = Recorder()
    for client in (s3, sqs, sns, without_api.s3()):
        calls.listen(client)

    def ask(
        clip_id: str,
        camera: str,
        duration_ms: int,
        at_ms: int = start_ms + 1_234,
        service: AwsService = service,
    ) -> None:
        body = clip_body(clip_id, camera, at_ms, at_ms + duration_ms)
        record: Any = sqs_record(body, now_ms, receiptHandle=f"receipt-{clip_id}")
        service.handle_batch()({"Records": [record]}, lambda: 120_000)

    ask("made", "small", 2_000)
    ask("made-again", "small", 2_000)
    ask("made", "small", 2_500)  # the name is taken: returned to the queue
    ask("waiting", "small", 2_000, now_ms - 2_000)
    ask("not-stored", "not-stored", 2_000)
    ask("too-long", "small", 300_001)
    ask("listed", "listed", 2_000, service=without_api)
    ask("composed", "large", 2_500)
    s3.meta.events.register("before-call.s3.UploadPartCopy", _refuse)  # type: ignore[arg-type]
    ask("sent-instead", "large", 2_500)
    return Played(calls.made, results)


def _refuse(**_: object) -> tuple[AWSResponse, dict[str, Any]]:
    """Answer AccessDenied instead of S3."""
    answer = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    return AWSResponse("", 403, HTTPHeaders(), None), answer


def _name(camera: str) -> str:
    return f"{camera}.stream.20260101T000000000.mp4"
