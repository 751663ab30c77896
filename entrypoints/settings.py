"""The settings, declared once and read from the environment; one message names every fault.

Each attribute names its variable, type and default; `setting_types` parses the variable's text.
"""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import attrs
import cattrs
from attrs import Factory, field, frozen

from application.ports import ThumbnailSpec
from domain.retry import RetryPolicy
from entrypoints import aws_adapters
from entrypoints.setting_types import (
    CONVERTER,
    AccountId,
    Between,
    Bucket,
    KeyPrefix,
    Namespace,
    RecordingLayout,
    TimestampFormat,
    TopicArn,
    Url,
    Widths,
    Zone,
)
from infrastructure.camera_api.names import SegmentNaming
from infrastructure.layouts.configuration import read_zone
from infrastructure.signing import ManifestSigner

if TYPE_CHECKING:
    from infrastructure.s3.conditions import Conditions

CAMERAS, API, BUCKET = "CAMERAS", "api", "bucket"


def variable(
    name: str,
    default: Any = attrs.NOTHING,  # noqa: ANN401 - as attrs.field
    cameras: str | None = None,
    *,
    is_secret: bool = False,
) -> Any:  # noqa: ANN401 - as attrs.field
    """Declare the attribute that the environment variable `name` sets; required if no default.

    Required, too, if `CAMERAS` is `cameras`. A secret is in no message.
    """
    about = {"variable": name, "cameras": cameras, "secret": is_secret}
    return field(default=default, metadata=about, repr=not is_secret)


class InvalidSettings(ValueError):
    """The configuration is invalid; the message names every fault."""


@frozen
class ClipSettings:
    """What clips may be, and how long to wait for footage. All have defaults."""

    retry_limit_s: Annotated[int, Between(0, 86_400)] = variable("SQS_RETRY_LIMIT", 900)
    out_of_range_limit_s: Annotated[int, Between(0, 10**9)] = variable(
        "OUT_OF_RANGE_LIMIT", 259_200
    )
    retry_delay_s: Annotated[int, Between(1, 900)] = variable("SQS_TIMEOUT", 60)
    max_duration_s: Annotated[int, Between(1, 86_400)] = variable("VIDEO_MAX_LEN", 300)
    thumbnail_widths: Widths = variable("THUMBNAIL_SIZES", (300, 640, 1500, 3000))
    thumbnail_format: Literal["jpg", "png", "webp"] = variable("THUMBNAIL_FORMAT", "jpg")
    timestamp_format: TimestampFormat = variable("TIMESTAMP_FORMAT", "%Y%m%dT%H%M%S%f")
    old_file_format: bool = variable("OLD_FILE_FORMAT", False)
    seam_tolerance_s: Annotated[int, Between(0, 60)] = variable("SEAM_TOLERANCE", 1)
    max_receive_count: Annotated[int, Between(1, 1000)] = variable("MAX_RECEIVE_COUNT", 5)
    backoff_base_s: Annotated[int, Between(1, 3600)] = variable("GIVEN_BACK_REST", 60)
    """The redelivery backoff after the first failure."""
    function_timeout_s: Annotated[int, Between(1, 43_200)] = variable("FUNCTION_TIMEOUT", 300)
    """The maximum duration of a delivery."""
    metrics_namespace: Namespace = variable("METRICS_NAMESPACE", "camclip")
    """The CloudWatch namespace of the service's metrics."""
    verify: Literal["joins", "decode"] = variable("VERIFY", "joins")
    """What is decoded of a clip to verify it."""
    compose: Literal["auto", "off"] = variable("COMPOSE", "auto")
    """Whether S3 copies parts of clips from the recordings where it can."""
    hevc: Literal["splice", "h264"] = variable("HEVC", "h264")
    """What becomes of HEVC recordings; the default is what the 2018 service made of them."""
    s3_conditions: Literal["auto", "both", "put", "complete", "none"] = variable(
        "S3_CONDITIONS", "auto"
    )
    """Which conditional writes the destination's store honours; auto finds out."""
    sign: ManifestSigner | None = variable("PROOF_KEY", None, is_secret=True)
    """Signs manifests."""
    zone: tzinfo = variable("CLIP_TZ", UTC)
    """The zone of times for people, such as those in a clip's title."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = variable(
        "LOG_LEVEL", "INFO"
    )

    @property
    def policy(self) -> RetryPolicy:
        """How long to wait for footage, and how old and long clips may be."""
        return RetryPolicy(
            1000 * self.retry_limit_s,
            1000 * self.out_of_range_limit_s,
            1000 * self.retry_delay_s,
            1000 * self.max_duration_s,
        )

    @property
    def thumbnails(self) -> ThumbnailSpec:
        """Which thumbnails to make."""
        return ThumbnailSpec(self.thumbnail_widths, self.thumbnail_format)

    @property
    def naming(self) -> SegmentNaming:
        """How recordings are named."""
        return SegmentNaming(self.timestamp_format, self.old_file_format)

    @property
    def seam_tolerance_ms(self) -> int:
        """The longest hole over which the last frame is held."""
        return 1000 * self.seam_tolerance_s

    @property
    def function_timeout_ms(self) -> int:
        """The maximum duration of a delivery."""
        return 1000 * self.function_timeout_s

    @property
    def copy_in_s3(self) -> bool:
        """Whether S3 copies parts of clips from the recordings where it can."""
        return self.compose == "auto"

    @property
    def conditions(self) -> "Conditions | None":
        """Which conditional writes the destination's store honours, if that is set."""
        from infrastructure.s3.conditions import NAMED  # noqa: PLC0415 - see aws_adapters

        return NAMED.get(self.s3_conditions)


@frozen
class AwsSettings:
    """Where everything is in AWS, and whose. Few have a default."""

    clip_url: Url = variable("CLIP_URL")
    origin_bucket: Bucket = variable("S3_BUCKET_ORIGIN")
    destination_bucket: Bucket = variable("S3_BUCKET_DESTINATION")
    topic_arn: TopicArn = variable("AWS_SNS_TOPIC")
    queue_url: Url = variable("AWS_SQS_QUEUE_URL")
    cameras: Literal["api", "bucket"] = variable(CAMERAS, API)
    """What lists the recordings: the camera API, or the bucket itself."""
    cam_services_url: Url = variable("CAM_SERVICES_URL", Url(""), cameras=API)
    recordings_url: Url = variable("RECORDINGS_URL", Url(""), cameras=API)
    recording_layout: RecordingLayout | None = variable("RECORDING_PATTERN", None, cameras=BUCKET)
    """How the keys of recordings name cameras and times."""
    recording_zone: Zone | None = variable("RECORDING_TZ", None)
    """Of the times in the keys; None if the layout has a zone, or they are in UTC."""
    origin_folder: KeyPrefix = variable("S3_BUCKET_ORIGIN_DIR", "")
    origin_owner: AccountId | None = variable("S3_BUCKET_ORIGIN_OWNER", None)
    origin_requester_pays: bool = variable("S3_BUCKET_ORIGIN_REQUESTER_PAYS", False)
    """Whether the origin is a Requester Pays bucket, of which S3 refuses other requests."""
    destination_owner: AccountId | None = variable("S3_BUCKET_DESTINATION_OWNER", None)
    scratch: Path = variable("CLIP_DOWNLOAD_DEST", Path("/tmp"))  # noqa: S108 - Lambda's only disk

    @property
    def camera_api_addresses(self) -> tuple[str, ...]:
        """The addresses that are reached by the environment's proxies and certificates."""
        return () if self.cameras == BUCKET else (self.cam_services_url, self.recordings_url)

    @property
    def zone(self) -> tzinfo:
        """The zone of the times in the keys."""
        layout = self.recording_layout
        return self.recording_zone or read_zone(layout.zone if layout and layout.zone else "UTC")

    @property
    def bucket_owners(self) -> dict[str, str]:
        """The accounts that must own the buckets, by bucket; others may have any owner."""
        owners = {
            self.origin_bucket: self.origin_owner,
            self.destination_bucket: self.destination_owner,
        }
        return {bucket: owner for bucket, owner in owners.items() if owner}

    @property
    def paid_bucket(self) -> str | None:
        """The bucket for whose requests we pay, if there is one."""
        return self.origin_bucket if self.origin_requester_pays else None


@frozen
class Settings:
    """All settings of a service that runs in AWS."""

    clips: ClipSettings
    aws: AwsSettings


@frozen
class WorkerSettings:
    """How the worker works. All have defaults."""

    slots: Annotated[int, Between(1, 64)] = variable(
        "WORKER_SLOTS", Factory(lambda: os.cpu_count() or 1)
    )
    """How many messages are processed at once."""
    visibility_s: Annotated[int, Between(2, 43_200)] = variable("WORKER_VISIBILITY", 60)
    """The visibility timeout of each lease: how long a killed worker's message stays hidden."""
    poll_s: Annotated[int, Between(0, 20)] = variable("WORKER_POLL", 20)
    grace_s: Annotated[int, Between(0, 43_200)] = variable("WORKER_GRACE", 60)
    """How long messages in flight may take once the worker is to stop."""
    health_file: Path | None = variable("WORKER_HEALTH_FILE", None)
    metrics_port: Annotated[int, Between(1, 65_535)] = variable("WORKER_METRICS_PORT", 0)
    """The port that Prometheus scrapes; 0, which cannot be given: none."""


VARIABLES = frozenset(
    attribute.metadata["variable"]
    for kind in (ClipSettings, AwsSettings, WorkerSettings)
    for attribute in attrs.fields(kind)
)
"""The names of all environment variables that are settings."""


NEW_DEFAULTS = {"HEVC": "splice"}
"""Defaults where no environment of the 2018 service is in use: whoever read its clips could rely on
H.264. A new deployment's template names the same."""


def with_new_defaults(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of an entrypoint that the 2018 service did not have."""
    unset = {name: text for name, text in NEW_DEFAULTS.items() if not environ.get(name, "").strip()}
    return {**environ, **unset}


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all settings, or raise InvalidSettings."""
    clips, aws = _read(environ, ClipSettings, AwsSettings)
    return Settings(clips, aws)


def read_clip_settings(environ: Mapping[str, str]) -> ClipSettings:
    """Read the settings that a laptop needs, too, or raise InvalidSettings."""
    (clips,) = _read(environ, ClipSettings)
    return cast("ClipSettings", clips)


def read_worker_settings(environ: Mapping[str, str]) -> tuple[Settings, WorkerSettings]:
    """Read all settings of a worker, or raise InvalidSettings."""
    clips, aws, worker = _read(environ, ClipSettings, AwsSettings, WorkerSettings)
    return Settings(clips, aws), worker


def _read(environ: Mapping[str, str], *kinds: type) -> list[Any]:
    read: list[Any] = []
    faults: list[str] = []
    for kind in kinds:
        texts = dict(_texts(environ, kind))
        try:
            read.append(CONVERTER.structure(texts, kind))
        except cattrs.ClassValidationError as error:
            about = {f.name: f.metadata for f in attrs.fields(kind)}
            for fault, note in error.group_exceptions()[0]:
                variable_name, text = about[note.name]["variable"], texts[note.name]
                shown = "" if about[note.name]["secret"] else f"={_without_secrets(text)!a}"
                given = f"{variable_name}{shown}" if text else None
                faults.append(f"{given or f'{variable_name} is not set: it'} {fault}")
    for aws in read:
        if isinstance(aws, AwsSettings):
            faults += aws_adapters.network_faults(aws.camera_api_addresses, environ)
    if faults:
        raise InvalidSettings("The configuration is invalid:\n  " + "\n  ".join(faults))
    return read


def _texts(environ: Mapping[str, str], kind: type) -> Iterator[tuple[str, str]]:
    """Yield the text of each attribute that is set, and "" for a required one that is not."""
    cameras = _text(environ, CAMERAS).lower() or API
    for attribute in attrs.fields(kind):
        text = _text(environ, attribute.metadata["variable"])
        is_required = attribute.metadata["cameras"] == cameras
        if text or is_required or attribute.default is attrs.NOTHING:
            yield attribute.name, text


def _text(environ: Mapping[str, str], name: str) -> str:
    return _unquoted(environ.get(name, "").strip())


def _without_secrets(text: str) -> str:
    """Return a value without what may be secret in an address: credentials, query, fragment."""
    without_query = re.sub(r"(?<=[?#]).+", "...", text, flags=re.DOTALL)
    return re.sub("//.*@", "//...@", without_query, flags=re.DOTALL)


def _unquoted(text: str) -> str:
    """Return a value without the quotes around it: `docker run --env-file` keeps them."""
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1].strip() if is_quoted else text
