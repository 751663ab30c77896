"""How the service is put together: one graph, and three families of adapters to put into it.

The only module that imports dependency_injector. Each provider is annotated with its port, so that
mypy reports an adapter that does not fit. Nothing is made before its first use.
"""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve

from application.make_clip import MakeClip
from application.ports import (
    CameraService,
    ClipStore,
    Notifier,
    RecordingStore,
    RetryQueue,
    Transcoder,
)
from entrypoints import aws_adapters, in_memory_adapters
from entrypoints.hidden_libraries import hidden
from entrypoints.log_line import DeliveryOutcome
from entrypoints.settings import (
    AwsSettings,
    ClipSettings,
    InvalidSettings,
    read_clip_settings,
    read_settings,
    with_new_defaults,
)
from entrypoints.sqs_batch import HandleBatch, ProcessRecords, process_each
from entrypoints.timing import timed
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.folder.alias_folders import AliasFolders
from infrastructure.folder.camera_files import RecordingFiles
from infrastructure.folder.cameras import FolderCameraService
from infrastructure.folder.clips import FolderClipStore
from infrastructure.folder.known_indexes import KnownIndexes
from infrastructure.folder.notifier import FolderNotifier
from infrastructure.folder.queue import FolderRetryQueue
from infrastructure.folder.recording_tree import RecordingTree, TreeRecordingStore
from infrastructure.folder.recordings import FolderRecordingStore
from infrastructure.formats.reports import ReportFormat
from infrastructure.transcoder.memory import available_memory_bytes
from infrastructure.transcoder.transcoder import FfmpegTranscoder

with hidden("fastapi", "pydantic", "pydantic_settings", "starlette", "werkzeug", "yaml"):
    # It would inject into them, and their import takes three times as long as its own. Lambda has
    # none of them.
    from dependency_injector import containers, providers

P = TypeVar("P")


class Service(containers.DeclarativeContainer):
    """The service, without its adapters."""

    settings: providers.Dependency[ClipSettings] = providers.Dependency(instance_of=ClipSettings)
    environ: providers.Dependency[Mapping[str, str]] = providers.Dependency()
    on_outcome: providers.Dependency[Callable[[DeliveryOutcome], None]] = providers.Dependency()
    ffmpeg: providers.Provider[Path] = providers.Singleton(find_ffmpeg, environ)
    on_progress: providers.Provider[Any] = providers.Object(None)
    """Called with how many frames are encoded, and of how many."""
    uploaded_bytes: providers.Provider[Any] = providers.Object(0)
    """How many bytes of a copied range the clip store uploads itself."""
    scratch: providers.Provider[Path] = providers.Dependency(instance_of=Path)
    report_format: providers.Provider[ReportFormat] = providers.AbstractSingleton(ReportFormat)
    delay_redelivery: providers.Provider[Any] = providers.Object(None)
    process_records: providers.Provider[ProcessRecords] = providers.Object(process_each)

    cameras: providers.Provider[CameraService] = providers.AbstractSingleton(CameraService)
    recordings: providers.Provider[RecordingStore] = providers.AbstractSingleton(RecordingStore)
    transcoder: providers.Provider[Transcoder] = providers.Singleton(
        FfmpegTranscoder,
        ffmpeg,
        on_progress,
        settings.provided.verify,
        hevc=settings.provided.hevc,
        memory_bytes=providers.Callable(available_memory_bytes, environ),
        uploaded_bytes=uploaded_bytes,
    )
    clips: providers.Provider[ClipStore] = providers.AbstractSingleton(ClipStore)
    queue: providers.Provider[RetryQueue] = providers.AbstractSingleton(RetryQueue)
    notifier: providers.Provider[Notifier] = providers.AbstractSingleton(Notifier)

    make_clip: providers.Provider[MakeClip] = providers.Singleton(
        MakeClip,
        providers.Singleton(timed, CameraService, cameras),
        providers.Singleton(timed, RecordingStore, recordings),
        providers.Singleton(timed, Transcoder, transcoder),
        providers.Singleton(timed, ClipStore, clips),
        providers.Singleton(timed, RetryQueue, queue),
        providers.Singleton(timed, Notifier, notifier),
        settings.provided.policy,
        settings.provided.thumbnails,
        settings.provided.seam_tolerance_ms,
        settings.provided.function_timeout_ms,
        settings.provided.zone,
    )
    handle_batch: providers.Provider[HandleBatch] = providers.Singleton(
        HandleBatch,
        make_clip,
        scratch,
        settings.provided.max_receive_count,
        on_outcome,
        settings.provided.backoff_base_s,
        delay_redelivery,
        process_records,
    )


def plug(port: providers.Provider[P], adapter: Callable[..., P]) -> None:
    """Plug `adapter` into `port`; mypy reports a type that does not fit."""
    port.override(adapter)


def _as_camera_service(chosen: CameraService) -> CameraService:
    """Return what a selector chose: a port is overridden by singletons only."""
    return chosen


@containers.copy(Service)
class AwsService(Service):
    """The service on the camera HTTP API, S3, SQS and SNS."""

    aws: providers.Dependency[AwsSettings] = providers.Dependency(instance_of=AwsSettings)
    s3 = providers.ThreadSafeSingleton(
        aws_adapters.s3_client, aws.provided.bucket_owners, aws.provided.paid_bucket
    )
    sqs = providers.ThreadSafeSingleton(aws_adapters.client, "sqs")
    sns = providers.ThreadSafeSingleton(aws_adapters.client, "sns")
    functions = providers.ThreadSafeSingleton(aws_adapters.client, "lambda")
    """For the commands that examine the service, which itself does not call Lambda."""


_aws, _clips = AwsService.aws.provided, AwsService.settings.provided
plug(AwsService.scratch, _aws.scratch)
plug(
    AwsService.report_format,
    providers.Singleton(ReportFormat, _aws.destination_bucket, _aws.clip_url, _clips.thumbnails),
)
_camera_api = providers.Singleton(
    aws_adapters.http_cameras,
    _aws.cam_services_url,
    _aws.recordings_url,
    AwsService.report_format,
    _clips.naming,
    _aws.camera_api_addresses,
    AwsService.environ,
)
_cameras_in_bucket = providers.Singleton(
    aws_adapters.s3_cameras,
    AwsService.s3,
    _aws.origin_bucket,
    _aws.recording_layout,
    _aws.zone,
    _aws.origin_folder,
)
_chosen = providers.Selector(_aws.cameras, api=_camera_api, bucket=_cameras_in_bucket)
plug(AwsService.cameras, providers.Singleton(_as_camera_service, _chosen))
plug(
    AwsService.recordings,
    providers.Singleton(
        aws_adapters.s3_recordings,
        AwsService.s3,
        _aws.origin_bucket,
        _aws.origin_folder,
        _clips.seam_tolerance_ms,
    ),
)
plug(
    AwsService.clips,
    providers.Singleton(
        aws_adapters.s3_clips,
        providers.Singleton(
            aws_adapters.new_objects,
            AwsService.s3,
            _aws.destination_bucket,
            _clips.copy_in_s3,
            _clips.conditions,
        ),
        _clips.function_timeout_ms,
        _clips.zone,
        _clips.sign,
    ),
)
plug(
    AwsService.uploaded_bytes,
    providers.Callable(aws_adapters.uploaded_bytes, _clips.copy_in_s3),
)
plug(AwsService.queue, providers.Singleton(aws_adapters.sqs_queue, AwsService.sqs, _aws.queue_url))
plug(
    AwsService.notifier,
    providers.Singleton(
        aws_adapters.sns_notifier, AwsService.sns, _aws.topic_arn, AwsService.report_format
    ),
)
plug(AwsService.delay_redelivery, AwsService.queue.provided.delay_redelivery)
plug(AwsService.process_records, providers.Singleton(aws_adapters.process_records))


@containers.copy(Service)
class FolderService(Service):
    """The service on a plain folder."""

    root = providers.Dependency(instance_of=Path)
    clips_folder: providers.Provider[Path] = providers.Callable(Path.joinpath, root, "clips")
    recorded: providers.Provider[RecordingFiles] = providers.AbstractSingleton(RecordingFiles)
    indexes: providers.Provider[KnownIndexes] = providers.Singleton(KnownIndexes)


_root, _clips = FolderService.root, FolderService.settings.provided
_clips_folder = FolderService.clips_folder
_clips_url = providers.Callable(Path.as_uri, _clips_folder)
plug(FolderService.scratch, providers.Callable(Path.joinpath, _root, ".scratch"))
plug(
    FolderService.report_format,
    providers.Singleton(ReportFormat, "clips", _clips_url, _clips.thumbnails),
)
plug(FolderService.recorded, providers.Singleton(AliasFolders, _root, _clips.naming))
plug(
    FolderService.cameras,
    providers.Singleton(
        FolderCameraService,
        _root,
        FolderService.report_format,
        _clips.naming,
        FolderService.recorded,
        FolderService.indexes,
    ),
)
plug(
    FolderService.recordings,
    providers.Singleton(
        FolderRecordingStore, _root, _clips.seam_tolerance_ms, FolderService.indexes
    ),
)
plug(
    FolderService.clips,
    providers.Singleton(FolderClipStore, _root, folder=_clips_folder, sign=_clips.sign),
)
plug(FolderService.queue, providers.Singleton(FolderRetryQueue, _root, _clips.max_receive_count))
plug(
    FolderService.notifier, providers.Singleton(FolderNotifier, _root, FolderService.report_format)
)


@containers.copy(Service)
class InMemoryService(Service):
    """The service in memory, for tests of what surrounds it."""


plug(InMemoryService.cameras, providers.Singleton(in_memory_adapters.cameras))
plug(InMemoryService.recordings, providers.Singleton(in_memory_adapters.recordings))
plug(InMemoryService.transcoder, providers.Singleton(in_memory_adapters.transcoder))
plug(InMemoryService.clips, providers.Singleton(in_memory_adapters.clips))
plug(InMemoryService.queue, providers.Singleton(in_memory_adapters.queue))
plug(InMemoryService.notifier, providers.Singleton(in_memory_adapters.notifier))


def aws_service(
    environ: Mapping[str, str], on_outcome: Callable[[DeliveryOutcome], None] = lambda _: None
) -> AwsService:
    """Return the service in AWS; InvalidSettings if `environ` does not configure it."""
    settings = read_settings(environ)
    return AwsService(
        settings=settings.clips,
        aws=settings.aws,
        environ=providers.Object(environ),
        on_outcome=providers.Object(on_outcome),
    )


def prepare(service: AwsService) -> None:
    """Make all that a message needs, clients included; nothing is contacted but for credentials.

    InvalidSettings if a client cannot be made, as without a region.
    """
    from botocore.exceptions import BotoCoreError, NoRegionError  # noqa: PLC0415 - see aws_adapters

    try:
        service.handle_batch()
    except (BotoCoreError, ValueError) as error:  # botocore raises the latter for an endpoint
        is_missing = isinstance(error, NoRegionError)
        remedy = "Set AWS_DEFAULT_REGION" if is_missing else "Check the AWS_ variables"
        fault = str(error).removesuffix(".")
        message = f"The clients of AWS cannot be made: {fault}. {remedy}."
        raise InvalidSettings(message) from error


def folder_service(
    root: Path,
    environ: Mapping[str, str],
    on_outcome: Callable[[DeliveryOutcome], None],
    on_progress: Callable[[int, int], None] | None = None,
) -> FolderService:
    """Return the service on the folder `root`; InvalidSettings if `environ` makes no sense."""
    return FolderService(
        root=root.absolute(),
        settings=read_clip_settings(with_new_defaults(environ)),
        environ=providers.Object(environ),
        on_outcome=providers.Object(on_outcome),
        on_progress=providers.Object(on_progress),
    )


def replace_folders(service: FolderService, recordings: RecordingTree, clips_folder: Path) -> None:
    """Use recordings elsewhere, which are only read, and another folder for clips."""
    tolerance_ms = service.settings.provided.seam_tolerance_ms
    store = providers.Singleton(
        TreeRecordingStore, recordings.folder, tolerance_ms, service.indexes
    )
    service.recorded.override(providers.Singleton(lambda: recordings))
    service.recordings.override(store)
    service.clips_folder.override(providers.Object(clips_folder.absolute()))


def report_progress(service: Service, on_progress: Callable[[int, int], None]) -> None:
    """Report how many frames are encoded, and of how many, before a clip is made."""
    service.on_progress.override(providers.Object(on_progress))


def show_times_in(service: Service, zone: tzinfo) -> None:
    """Use another zone than the settings' for people, before a clip is made."""
    service.settings.override(providers.Object(evolve(service.settings(), zone=zone)))
