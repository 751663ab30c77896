"""The function's package, run by AWS's own runtime client, with moto and a camera API."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from attrs import Factory, define

from application.ports import ThumbnailSpec
from devtools.footage import Recording, cached_recording
from devtools.footage.recording import FFMPEG
from devtools.local_aws.camera_api import CameraStandIn, file_name
from devtools.local_aws.cloud import ORIGIN_DIR, Cloud, cloud
from devtools.local_aws.event_source import Delivery, EventSource
from devtools.local_aws.http_server import serve
from devtools.local_aws.runtime import Function, link_client
from infrastructure.folder.cameras import FolderCameraService
from infrastructure.formats.reports import ReportFormat
from tests.integration.deploy.packaged import packaged_function
from tests.support.folders import shared_folder
from tests.support.service import moment_before

CAMERA_ID = "pier"
FOOTAGE = Recording(first_number=0, frames=120, size=(160, 90))
TIMEOUT_S = 120
"""Far more than any invocation takes, even on a busy machine."""
MAX_S = 300
DELIVERED_S = 60

HANGING = """#!/bin/sh
trap "" TERM
echo $$ > {pid_file}.part && mv {pid_file}.part {pid_file}
while :; do sleep 1; done
"""
"""An ffmpeg that writes its process id and ends only by SIGKILL."""


@define
class Deployment:
    """The service as deployed, with its queue and everything it calls."""

    cloud: Cloud
    cameras: CameraStandIn
    function: Function
    scratch: Path
    start_ms: int
    """When the recording starts."""
    lines: list[str] = Factory(list)
    """The lines the function's process has written."""

    def source(self, **options: Any) -> EventSource:  # noqa: ANN401
        """Return a poller; failed messages are visible again at once unless `options` differ."""
        settings = {"failed_hidden_s": 0, **options}
        return EventSource(self.cloud.sqs, self.cloud.queue_url, self.function, **settings)

    def ask(self, start_ms: int, end_ms: int) -> str:
        """Queue a request for the footage from `start_ms` to `end_ms`; return the clip's id."""
        clip_id = f"clip-{uuid4().hex[:8]}"
        body = {
            "clipId": clip_id,
            "cameraId": CAMERA_ID,
            "startTimestampInMs": self.start_ms + start_ms,
            "endTimestampInMs": self.start_ms + end_ms,
        }
        self.cloud.send(json.dumps(body))
        return clip_id

    def status(self, clip_id: str) -> object:
        """Return the last status reported."""
        return (self.cameras.state(clip_id) or {}).get("status")

    def download(self, clip_id: str, folder: Path) -> Path:
        """Fetch a clip."""
        path = folder / f"{clip_id}.mp4"
        key = f"{CAMERA_ID}/{clip_id}.mp4"
        self.cloud.s3.download_file(self.cloud.destination, key, str(path))
        return path


def deliver(source: EventSource) -> Delivery:
    """Poll until there is a delivery: at once, unless there is none."""
    ends_s = time.monotonic() + DELIVERED_S
    while time.monotonic() < ends_s:
        if delivery := source.poll():
            return delivery
        time.sleep(0.05)
    raise AssertionError("The queue delivers nothing.")


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run's folder of footage."""
    return shared_folder(tmp_path_factory, "footage")


def store_recording(root: Path, films: Path, start_ms: int) -> Path:
    """Put the recording into a folder as a camera's."""
    path = root / "recordings" / CAMERA_ID / file_name(CAMERA_ID, start_ms)
    path.parent.mkdir(parents=True)
    path.symlink_to(cached_recording(films, FOOTAGE))
    return path


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the path of a deployed function: its package and the runtime client, no more."""
    client = link_client(tmp_path_factory.mktemp("client"))
    return [packaged_function(shared_folder(tmp_path_factory, "package")), client]


@pytest.fixture(scope="session")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, films: Path, package: list[Path]
) -> Iterator[Deployment]:
    """Start everything but the function's process, which the first message starts."""
    start_ms = moment_before(time.time_ns() // 1_000_000)
    root, scratch = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("scratch")
    stored = store_recording(root, films, start_ms)
    with cloud(TIMEOUT_S + 30, max_receive_count=3, name=f"runtime-{uuid4().hex[:8]}") as there:
        there.s3.upload_file(str(stored), there.origin, f"{ORIGIN_DIR}/{stored.name}")
        report_format = ReportFormat(there.destination, there.endpoint, ThumbnailSpec((160,)))
        cameras = CameraStandIn(FolderCameraService(root, report_format))
        with serve(cameras) as cameras_url:
            lines: list[str] = []
            settings = environ(there, cameras_url, scratch)
            function = Function(package, settings, TIMEOUT_S, lines.append)
            yield Deployment(there, cameras, function, scratch, start_ms, lines)
            function.close()
    assert list(scratch.iterdir()) == []


def environ(there: Cloud, cameras_url: str, scratch: Path) -> Mapping[str, str]:
    """Return the settings of a deployment."""
    return {
        **there.environ(cameras_url),
        "CAMCLIP_FFMPEG": FFMPEG,
        "CLIP_DOWNLOAD_DEST": str(scratch),
        "THUMBNAIL_SIZES": "160",
        "FUNCTION_TIMEOUT": str(TIMEOUT_S),
    }


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait until it has happened."""
    ends_s = time.monotonic() + MAX_S
    while not happened():
        assert time.monotonic() < ends_s
        time.sleep(0.02)
