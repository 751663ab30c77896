"""The container: three families of adapters in the same service."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dependency_injector import errors, providers

from domain.clip import ClipName, ClipRequest, ClipStatus
from domain.errors import UnusableFootage
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.container import InMemoryService, Service, aws_service, folder_service
from entrypoints.log_line import DeliveryOutcome
from entrypoints.settings import ClipSettings, InvalidSettings
from infrastructure.camera_api.client import HttpCameraService
from infrastructure.folder.cameras import FolderCameraService
from infrastructure.folder.clips import FolderClipStore
from infrastructure.folder.notifier import FolderNotifier
from infrastructure.folder.queue import FolderRetryQueue
from infrastructure.folder.recordings import FolderRecordingStore
from infrastructure.in_memory import (
    InMemoryCameraService,
    InMemoryClipStore,
    InMemoryRecordingStore,
    InMemoryTranscoder,
    StoredFile,
)
from infrastructure.s3 import S3ClipStore, S3RecordingStore
from infrastructure.sns import SnsNotifier
from infrastructure.sqs.queue import SqsRetryQueue
from infrastructure.transcoder.transcoder import FfmpegTranscoder

AWS = {
    "CAM_SERVICES_URL": "https://cameras.example.com",
    "RECORDINGS_URL": "https://cameras.example.com/v2",
    "CLIP_URL": "https://clips.example.com",
    "S3_BUCKET_ORIGIN": "recordings",
    "S3_BUCKET_DESTINATION": "clips",
    "AWS_SNS_TOPIC": "arn:aws:sns:us-west-1:123456789012:clips",
    "AWS_SQS_QUEUE_URL": "https://sqs.us-west-1.amazonaws.com/123456789012/requests",
}
NOW_MS = time.time_ns() // 1_000_000
REQUEST = ClipRequest("clip", "pier", NOW_MS - 60_000, NOW_MS - 50_000)
EVENT = {
    "Records": [
        {
            "eventSource": "aws:sqs",
            "messageId": "m",
            "receiptHandle": "r",
            "body": json.dumps(
                {
                    "clipId": "clip",
                    "cameraId": "pier",
                    "startTimestampInMs": REQUEST.start_ms,
                    "endTimestampInMs": REQUEST.end_ms,
                }
            ),
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(NOW_MS)},
        }
    ]
}
PORTS = ("cameras", "recordings", "transcoder", "clips", "queue", "notifier")


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-1")


def in_memory(scratch: Path, outcomes: list[DeliveryOutcome]) -> InMemoryService:
    return InMemoryService(
        settings=ClipSettings(),
        scratch=providers.Object(scratch),
        environ=providers.Object({}),
        on_outcome=providers.Object(outcomes.append),
    )


def adapters(service: Service) -> Iterator[type]:
    for port in PORTS:
        yield type(service.providers[port]())


def test_a_service_in_memory_makes_a_clip_of_an_sqs_event(tmp_path: Path) -> None:
    """A message and a recording go in; a clip, its status and a log line come out."""
    outcomes: list[DeliveryOutcome] = []
    service = in_memory(tmp_path, outcomes)
    cameras, recordings, clips = service.cameras(), service.recordings(), service.clips()
    assert isinstance(cameras, InMemoryCameraService)
    assert isinstance(recordings, InMemoryRecordingStore)
    assert isinstance(clips, InMemoryClipStore)
    window = TimeWindow(NOW_MS - 100_000, NOW_MS)
    cameras.segments["pier"] = [RecordingSegment(window, "a")]
    recordings.files["a"] = StoredFile(b"a", window.duration_ms)
    assert service.handle_batch()(EVENT, lambda: 300_000) == {"batchItemFailures": []}
    clip, data = clips.objects[ClipName("pier", "clip")]
    assert clip.writer == "m#1"
    frames, label, _ = data.rpartition(b"label ")
    assert frames.count(b"\n") == 250
    assert label
    assert [report.status for report in cameras.reports] == [ClipStatus.AVAILABLE]
    (outcome,) = outcomes
    assert outcome.line()["frames"] == 250
    assert {"findSegmentsInMs", "renderInMs", "commitInMs"} <= outcome.line().keys()


def test_a_failure_returns_the_message(tmp_path: Path) -> None:
    """SQS gets the message's id, and the outcome holds the error."""
    outcomes: list[DeliveryOutcome] = []
    service = in_memory(tmp_path, outcomes)
    cameras, recordings = service.cameras(), service.recordings()
    assert isinstance(cameras, InMemoryCameraService)
    assert isinstance(recordings, InMemoryRecordingStore)
    window = TimeWindow(NOW_MS - 100_000, NOW_MS)
    cameras.segments["pier"] = [RecordingSegment(window, "a")]
    recordings.files["a"] = StoredFile(b"a", window.duration_ms)
    transcoder = service.transcoder()
    assert isinstance(transcoder, InMemoryTranscoder)
    transcoder.broken = True
    failures = service.handle_batch()(EVENT, lambda: 300_000)
    assert failures == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert [type(outcome.error) for outcome in outcomes] == [UnusableFootage]


def test_a_service_without_adapters_names_the_port_to_override() -> None:
    """The error says which provider is missing."""
    service = Service(settings=ClipSettings())
    with pytest.raises(errors.Error, match="CameraService"):
        service.cameras()
    with pytest.raises(errors.Error, match="RecordingStore"):
        service.recordings()


def test_a_service_in_aws_has_the_adapters_of_aws() -> None:
    """Making them contacts nothing."""
    service = aws_service({**AWS, "FFMPEG": "/bin/true"})
    assert tuple(adapters(service)) == (
        HttpCameraService,
        S3RecordingStore,
        FfmpegTranscoder,
        S3ClipStore,
        SqsRetryQueue,
        SnsNotifier,
    )


def test_a_service_on_a_folder_has_the_adapters_of_a_folder(tmp_path: Path) -> None:
    """It needs no setting at all, and its scratch folder is within the folder."""
    service = folder_service(tmp_path, {"FFMPEG": "/bin/true"}, lambda _: None)
    assert tuple(adapters(service)) == (
        FolderCameraService,
        FolderRecordingStore,
        FfmpegTranscoder,
        FolderClipStore,
        FolderRetryQueue,
        FolderNotifier,
    )
    assert service.scratch() == tmp_path / ".scratch"


def test_a_service_in_aws_needs_its_settings() -> None:
    """An empty environment is rejected before anything is made."""
    with pytest.raises(InvalidSettings, match="S3_BUCKET_ORIGIN is not set"):
        aws_service({})


def test_two_services_share_nothing(tmp_path: Path) -> None:
    """Each has adapters of its own, and an override of one leaves the other alone."""
    one, other = in_memory(tmp_path, []), in_memory(tmp_path, [])
    for port in PORTS:
        assert one.providers[port]() is one.providers[port]()
        assert one.providers[port]() is not other.providers[port]()
    original = other.recordings()
    one.recordings.override(providers.Singleton(InMemoryRecordingStore, {"a": StoredFile(b"", 1)}))
    assert one.recordings() == InMemoryRecordingStore({"a": StoredFile(b"", 1)})
    assert other.recordings() is original
    with pytest.raises(errors.Error, match="RecordingStore"):
        Service(settings=ClipSettings()).recordings()
