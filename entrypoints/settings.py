"""The environment, read once and checked whole: every fault stands in one message."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit

from attrs import define, frozen

from application.ports import ThumbnailSpec
from domain.retry import RetryPolicy
from infrastructure.camera_api.names import SegmentNaming

T = TypeVar("T")


class InvalidSettings(ValueError):
    """The environment does not make sense; the message names every fault."""


@frozen
class ClipSettings:
    """What clips may be, and what is waited for: all have defaults."""

    policy: RetryPolicy
    thumbnails: ThumbnailSpec
    naming: SegmentNaming
    seam_tolerance_ms: int
    max_receive_count: int
    backoff_base_s: int
    """How long a message rests that is given back for the first time."""
    function_timeout_ms: int
    """The longest that a delivery can take."""
    metrics_namespace: str
    """Under which CloudWatch keeps the service's figures."""
    verify: str
    """What is decoded of a clip to prove it: "joins" or "decode"."""
    compose: bool
    """Whether clips are put together inside S3 where they can be."""
    log_level: str


@frozen
class AwsSettings:
    """Where everything is, and whose: few have a default."""

    scratch: Path
    cam_services_url: str
    recordings_url: str
    clip_url: str
    origin_bucket: str
    origin_folder: str
    destination_bucket: str
    bucket_owners: Mapping[str, str]
    """The accounts that must own the buckets, by bucket; one that is not named may be anybody's."""
    topic_arn: str
    queue_url: str


@frozen
class Settings:
    """All settings of a service that runs in AWS."""

    rules: ClipSettings
    places: AwsSettings


@frozen
class WorkerSettings:
    """How the worker works: all have defaults."""

    slots: int
    """How many messages are worked on at once."""
    visibility_s: int
    """For how long a message is hidden at a time: as long as a killed worker's stays hidden."""
    poll_s: int
    grace_s: int
    """How long the messages in hand may take once the worker is to stop."""
    health_file: Path | None


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all settings, or raise InvalidSettings."""
    reader = _Reader(environ)
    settings = Settings(_rules(reader), _places(reader))
    reader.check()
    return settings


def read_clip_settings(environ: Mapping[str, str]) -> ClipSettings:
    """Read the settings that a laptop needs too, or raise InvalidSettings."""
    reader = _Reader(environ)
    rules = _rules(reader)
    reader.check()
    return rules


def read_worker_settings(environ: Mapping[str, str]) -> tuple[Settings, WorkerSettings]:
    """Read all settings of a worker, or raise InvalidSettings."""
    reader = _Reader(environ)
    settings, own = Settings(_rules(reader), _places(reader)), _worker(reader)
    reader.check()
    return settings, own


def _rules(env: "_Reader") -> ClipSettings:
    usual_widths: tuple[int, ...] = (300, 640, 1500, 3000)
    widths = env.read("THUMBNAIL_SIZES", _widths, usual_widths)
    return ClipSettings(
        policy=RetryPolicy(
            retry_limit_ms=1000 * env.read("SQS_RETRY_LIMIT", _whole(0, 86_400), 900),
            out_of_range_limit_ms=1000 * env.read("OUT_OF_RANGE_LIMIT", _whole(0, 10**9), 259_200),
            retry_delay_ms=1000 * env.read("SQS_TIMEOUT", _whole(1, 900), 60),
            max_duration_ms=1000 * env.read("VIDEO_MAX_LEN", _whole(1, 86_400), 300),
        ),
        thumbnails=ThumbnailSpec(
            widths, env.read("THUMBNAIL_FORMAT", _one_of("jpg", "png", "webp"), "jpg")
        ),
        naming=SegmentNaming(
            env.read("TIMESTAMP_FORMAT", _time_format, "%Y%m%dT%H%M%S%f"),
            env.read("OLD_FILE_FORMAT", _truth, False),
        ),
        seam_tolerance_ms=1000 * env.read("SEAM_TOLERANCE", _whole(0, 60), 1),
        max_receive_count=env.read("MAX_RECEIVE_COUNT", _whole(1, 1000), 5),
        backoff_base_s=env.read("GIVEN_BACK_REST", _whole(1, 3600), 60),
        function_timeout_ms=1000 * env.read("FUNCTION_TIMEOUT", _whole(1, 43_200), 300),
        metrics_namespace=env.read("METRICS_NAMESPACE", _namespace, "camclip"),
        verify=env.read("VERIFY", _one_of("joins", "decode"), "joins"),
        compose=env.read("COMPOSE", _one_of("auto", "off"), "auto") == "auto",
        log_level=env.read("LOG_LEVEL", _log_level, "INFO"),
    )


def _places(env: "_Reader") -> AwsSettings:
    origin = env.read("S3_BUCKET_ORIGIN", _bucket)
    destination = env.read("S3_BUCKET_DESTINATION", _bucket)
    owners = {
        origin: env.read("S3_BUCKET_ORIGIN_OWNER", _account, ""),
        destination: env.read("S3_BUCKET_DESTINATION_OWNER", _account, ""),
    }
    return AwsSettings(
        scratch=env.read("CLIP_DOWNLOAD_DEST", Path, Path("/tmp")),  # noqa: S108
        cam_services_url=env.read("CAM_SERVICES_URL", _url),
        recordings_url=env.read("RECORDINGS_URL", _url),
        clip_url=env.read("CLIP_URL", _url),
        origin_bucket=origin,
        origin_folder=env.read("S3_BUCKET_ORIGIN_DIR", lambda text: text.strip("/"), ""),
        destination_bucket=destination,
        bucket_owners={bucket: owner for bucket, owner in owners.items() if owner},
        topic_arn=env.read("AWS_SNS_TOPIC", _arn),
        queue_url=env.read("AWS_SQS_QUEUE_URL", _url),
    )


def _worker(env: "_Reader") -> WorkerSettings:
    health_file = env.read("WORKER_HEALTH_FILE", str, "")
    return WorkerSettings(
        slots=env.read("WORKER_SLOTS", _whole(1, 64), os.cpu_count() or 1),
        visibility_s=env.read("WORKER_VISIBILITY", _whole(2, 43_200), 60),
        poll_s=env.read("WORKER_POLL", _whole(0, 20), 20),
        grace_s=env.read("WORKER_GRACE", _whole(0, 43_200), 60),
        health_file=Path(health_file) if health_file else None,
    )


@define
class _Reader:
    """Reads variables and collects the faults, to tell them all at once."""

    environ: Mapping[str, str]
    faults: tuple[str, ...] = ()

    def read(self, name: str, parse: Callable[[str], T], default: T | None = None) -> T:
        """Parse the variable; a faulty one gives a stand-in, since `check` raises in the end."""
        text = self.environ.get(name, "").strip()
        if text or default is None:
            try:
                return parse(text)
            except ValueError as error:
                given = f"{name}={text!r}" if text else f"{name} is not set: it"
                self.faults = (*self.faults, f"{given} {error}")
        return cast("T", "" if default is None else default)

    def check(self) -> None:
        if self.faults:
            raise InvalidSettings("The settings do not make sense:\n  " + "\n  ".join(self.faults))


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def _widths(text: str) -> tuple[int, ...]:
    words = re.split(r"[\s,\[\]]+", text.strip(" []"))
    try:
        return tuple(dict.fromkeys(_whole(16, 8192)(word) for word in words))
    except ValueError as error:
        raise ValueError('must be widths in pixels, such as "300 640 1500 3000"') from error


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text.lower()

    return parse


def _log_level(text: str) -> str:
    return _one_of("debug", "info", "warning", "error", "critical")(text).upper()


def _truth(text: str) -> bool:
    return _one_of("true", "false", "1", "0", "yes", "no")(text) in {"true", "1", "yes"}


def _time_format(text: str) -> str:
    """Accept what gives a time back that was written with it."""
    if "%Y" not in text or "%S" not in text:
        raise ValueError("must be a strftime format with at least %Y and %S")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https address")
    return text.rstrip("/")


def _bucket(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text):
        raise ValueError("must be the name of a bucket")
    return text


def _namespace(text: str) -> str:
    if not re.fullmatch(r"[\w.#/-]{1,255}", text, re.ASCII) or text.startswith("AWS/"):
        raise ValueError("must be a namespace of CloudWatch, such as camclip-prod")
    return text


def _account(text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", text):
        raise ValueError("must be the twelve digits of an AWS account")
    return text


def _arn(text: str) -> str:
    if not re.fullmatch(r"arn:[\w-]+:sns:[\w:.-]+", text):
        raise ValueError(
            "must be the ARN of a topic, such as arn:aws:sns:eu-west-1:123456789012:clips"
        )
    return text
