"""What is plugged into what. The only module that knows dependency_injector.

Each provider is annotated with its port, so that mypy sees a wrong adapter. Nothing is made before
it is used for the first time.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
from attrs import frozen
from dependency_injector import containers, providers

from application.make_clip import MakeClip
from application.ports import (
    CameraService,
    ClipStore,
    Notifier,
    RecordingStore,
    RetryQueue,
    Transcoder,
)
from entrypoints.settings import ClipSettings, Settings, read_clip_settings, read_settings
from entrypoints.sqs_batch import DeliveryOutcome, HandleBatch
from entrypoints.timing import timed
from infrastructure.aws import CONFIG
from infrastructure.camera_api.client import HttpCameraService
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.folder.cameras import FolderCameraService
from infrastructure.folder.clips import FolderClipStore
from infrastructure.folder.notifier import FolderNotifier
from infrastructure.folder.queue import FolderRetryQueue
from infrastructure.folder.recordings import FolderRecordingStore
from infrastructure.formats.reports import ReportFormat
from infrastructure.s3 import S3ClipStore, S3RecordingStore, expect_owners
from infrastructure.sns import SnsNotifier
from infrastructure.sqs import SqsRetryQueue
from infrastructure.transcoder.transcoder import FfmpegTranscoder

Progress = Callable[[int, int], None]
"""Is told how many frames are done, and of how many."""


def _use_case(  # noqa: PLR0913, PLR0917 - the ports
    rules: ClipSettings,
    cameras: CameraService,
    recordings: RecordingStore,
    transcoder: Transcoder,
    clips: ClipStore,
    queue: RetryQueue,
    notifier: Notifier,
) -> MakeClip:
    return MakeClip(
        timed(CameraService, cameras),
        timed(RecordingStore, recordings),
        timed(Transcoder, transcoder),
        timed(ClipStore, clips),
        timed(RetryQueue, queue),
        timed(Notifier, notifier),
        rules.policy,
        rules.thumbnails,
        rules.seam_tolerance_ms,
        rules.function_timeout_ms,
    )


class Aws(containers.DeclarativeContainer):
    """The service in AWS: the camera HTTP API, S3, SQS and SNS."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    ffmpeg = providers.Dependency(instance_of=Path)
    tell: providers.Dependency[Callable[[DeliveryOutcome], None]] = providers.Dependency()

    rules = settings.provided.rules
    places = settings.provided.places
    s3 = providers.ThreadSafeSingleton(
        expect_owners,
        providers.Factory(boto3.client, "s3", config=CONFIG),
        places.bucket_owners,
    )
    sqs = providers.ThreadSafeSingleton(boto3.client, "sqs", config=CONFIG)
    sns = providers.ThreadSafeSingleton(boto3.client, "sns", config=CONFIG)
    report_format = providers.Singleton(
        ReportFormat, places.destination_bucket, places.clip_url, rules.thumbnails
    )
    cameras: providers.Provider[CameraService] = providers.Singleton(
        HttpCameraService,
        places.cam_services_url,
        places.recordings_url,
        report_format,
        rules.naming,
    )
    recordings: providers.Provider[RecordingStore] = providers.Singleton(
        S3RecordingStore, s3, places.origin_bucket, places.origin_folder, rules.seam_tolerance_ms
    )
    transcoder: providers.Provider[Transcoder] = providers.Singleton(
        FfmpegTranscoder, ffmpeg, verify=rules.verify
    )
    clips: providers.Provider[ClipStore] = providers.Singleton(
        S3ClipStore, s3, places.destination_bucket, rules.compose
    )
    queue: providers.Provider[RetryQueue] = providers.Singleton(
        SqsRetryQueue, sqs, places.queue_url
    )
    notifier: providers.Provider[Notifier] = providers.Singleton(
        SnsNotifier, sns, places.topic_arn, report_format
    )
    handle = providers.Singleton(
        HandleBatch,
        providers.Singleton(
            _use_case, rules, cameras, recordings, transcoder, clips, queue, notifier
        ),
        places.scratch,
        rules.max_receive_count,
        tell,
        rules.backoff_base_s,
        queue.provided.delay_redelivery,
    )


class Folder(containers.DeclarativeContainer):
    """The service on a plain folder."""

    root = providers.Dependency(instance_of=Path)
    rules = providers.Dependency(instance_of=ClipSettings)
    ffmpeg = providers.Dependency(instance_of=Path)
    progress: providers.Dependency[Progress | None] = providers.Dependency()
    tell: providers.Dependency[Callable[[DeliveryOutcome], None]] = providers.Dependency()

    clips_url = providers.Callable(lambda root: (root / "clips").as_uri(), root)
    report_format = providers.Singleton(ReportFormat, "clips", clips_url, rules.provided.thumbnails)
    cameras: providers.Provider[FolderCameraService] = providers.Singleton(
        FolderCameraService, root, report_format, rules.provided.naming
    )
    recordings: providers.Provider[RecordingStore] = providers.Singleton(
        FolderRecordingStore, root, rules.provided.seam_tolerance_ms
    )
    transcoder: providers.Provider[Transcoder] = providers.Singleton(
        FfmpegTranscoder, ffmpeg, progress, rules.provided.verify
    )
    clips: providers.Provider[FolderClipStore] = providers.Singleton(FolderClipStore, root)
    queue: providers.Provider[FolderRetryQueue] = providers.Singleton(
        FolderRetryQueue, root, rules.provided.max_receive_count
    )
    notifier: providers.Provider[Notifier] = providers.Singleton(
        FolderNotifier, root, report_format
    )
    make_clip: providers.Provider[MakeClip] = providers.Singleton(
        _use_case, rules, cameras, recordings, transcoder, clips, queue, notifier
    )
    handle = providers.Singleton(
        HandleBatch,
        make_clip,
        providers.Callable(Path.joinpath, root, ".scratch"),
        rules.provided.max_receive_count,
        tell,
    )


def aws(environ: Mapping[str, str], tell: Callable[[DeliveryOutcome], None]) -> Aws:
    """Wire the service in AWS; InvalidSettings if `environ` makes no sense."""
    return Aws(
        settings=read_settings(environ),
        ffmpeg=find_ffmpeg(environ),
        tell=providers.Object(tell),
    )


@frozen
class LocalApp:
    """The service on a plain folder, put together."""

    make_clip: MakeClip
    cameras: FolderCameraService
    clips: FolderClipStore
    queue: FolderRetryQueue
    report_format: ReportFormat
    handle_batch: HandleBatch
    outcomes: list[DeliveryOutcome]
    """What the last batch came to, a message each."""

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Handle a batch as the Lambda function does, with an hour's time."""
        self.outcomes.clear()
        return self.handle_batch(event, lambda: 3_600_000)


def local_app(
    root: Path, progress: Progress | None = None, environ: Mapping[str, str] | None = None
) -> LocalApp:
    """Put the service on the folder `root` together; InvalidSettings if `environ` makes no sense."""
    rules = read_clip_settings(environ or {})
    outcomes: list[DeliveryOutcome] = []
    container = Folder(
        root=root.absolute(),
        rules=rules,
        ffmpeg=find_ffmpeg(environ or {}),
        progress=providers.Object(progress),
        tell=providers.Object(outcomes.append),
    )
    return LocalApp(
        container.make_clip(),
        container.cameras(),
        container.clips(),
        container.queue(),
        container.report_format(),
        container.handle(),
        outcomes,
    )
