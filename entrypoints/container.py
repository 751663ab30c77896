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
from entrypoints.batch import HandleBatch, Outcome
from entrypoints.settings import Rules, Settings, read_rules, read_settings
from entrypoints.stages import timed
from infrastructure.aws import CONFIG
from infrastructure.camera_api import CameraApi
from infrastructure.ffmpeg.binary import find_ffmpeg
from infrastructure.ffmpeg.transcoder import FfmpegTranscoder
from infrastructure.filesystem import (
    FolderCameras,
    FolderClips,
    FolderNotifier,
    FolderQueue,
    FolderRecordings,
)
from infrastructure.s3 import S3Clips, S3Recordings, expect_owners
from infrastructure.sns import SnsNotifier
from infrastructure.sqs import SqsRetryQueue
from infrastructure.wire import ReportFormat

Progress = Callable[[int, int], None]
"""Is told how many frames are done, and of how many."""


def _use_case(  # noqa: PLR0913, PLR0917 - the ports
    rules: Rules,
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
        rules.stills,
        rules.seam_tolerance_ms,
        rules.function_timeout_ms,
    )


class Aws(containers.DeclarativeContainer):
    """The service in AWS: the camera HTTP API, S3, SQS and SNS."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    ffmpeg = providers.Dependency(instance_of=Path)
    tell: providers.Dependency[Callable[[Outcome], None]] = providers.Dependency()

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
        ReportFormat, places.destination_bucket, places.clip_url, rules.stills
    )
    cameras: providers.Provider[CameraService] = providers.Singleton(
        CameraApi,
        places.cam_services_url,
        places.recordings_url,
        report_format,
        rules.naming,
    )
    recordings: providers.Provider[RecordingStore] = providers.Singleton(
        S3Recordings, s3, places.origin_bucket, places.origin_folder, rules.seam_tolerance_ms
    )
    transcoder: providers.Provider[Transcoder] = providers.Singleton(
        FfmpegTranscoder, ffmpeg, verify=rules.verify
    )
    clips: providers.Provider[ClipStore] = providers.Singleton(
        S3Clips, s3, places.destination_bucket, rules.compose
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
        rules.first_rest_s,
        queue.provided.let_rest,
    )


class Folder(containers.DeclarativeContainer):
    """The service on a plain folder."""

    root = providers.Dependency(instance_of=Path)
    rules = providers.Dependency(instance_of=Rules)
    ffmpeg = providers.Dependency(instance_of=Path)
    progress: providers.Dependency[Progress | None] = providers.Dependency()
    tell: providers.Dependency[Callable[[Outcome], None]] = providers.Dependency()

    clips_url = providers.Callable(lambda root: (root / "clips").as_uri(), root)
    report_format = providers.Singleton(ReportFormat, "clips", clips_url, rules.provided.stills)
    cameras: providers.Provider[FolderCameras] = providers.Singleton(
        FolderCameras, root, report_format, rules.provided.naming
    )
    recordings: providers.Provider[RecordingStore] = providers.Singleton(
        FolderRecordings, root, rules.provided.seam_tolerance_ms
    )
    transcoder: providers.Provider[Transcoder] = providers.Singleton(
        FfmpegTranscoder, ffmpeg, progress, rules.provided.verify
    )
    clips: providers.Provider[FolderClips] = providers.Singleton(FolderClips, root)
    queue: providers.Provider[FolderQueue] = providers.Singleton(
        FolderQueue, root, rules.provided.max_receive_count
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


def aws(environ: Mapping[str, str], tell: Callable[[Outcome], None]) -> Aws:
    """Wire the service in AWS; BadSettings if `environ` makes no sense."""
    return Aws(
        settings=read_settings(environ),
        ffmpeg=find_ffmpeg(environ),
        tell=providers.Object(tell),
    )


@frozen
class LocalApp:
    """The service on a plain folder, put together."""

    make_clip: MakeClip
    cameras: FolderCameras
    clips: FolderClips
    queue: FolderQueue
    report_format: ReportFormat
    handle_batch: HandleBatch
    outcomes: list[Outcome]
    """What the last batch came to, a message each."""

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Handle a batch as the Lambda function does, with an hour's time."""
        self.outcomes.clear()
        return self.handle_batch(event, lambda: 3_600_000)


def local_app(
    root: Path, progress: Progress | None = None, environ: Mapping[str, str] | None = None
) -> LocalApp:
    """Put the service on the folder `root` together; BadSettings if `environ` makes no sense."""
    rules = read_rules(environ or {})
    outcomes: list[Outcome] = []
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
