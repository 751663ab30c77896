"""Buckets laid out as recorders do, through the Lambda handler, without a camera API."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from attrs import frozen

from devtools.footage import Recording, assert_clip, cached_recording, read_clip, wanted
from devtools.local_aws.cloud import Cloud, cloud
from devtools.local_aws.http_server import Response, serve
from domain.window import TimeWindow
from tests.support.recorders import (
    START_MS,
    files_of,
    local,
    store,
    write_ffmpeg,
    write_frigate,
    write_mediamtx,
)
from tests.support.service import CLIP_URL, CREDENTIALS, clip_body, sqs_record

MADRID = ZoneInfo("Europe/Madrid")
FUNCTION = """
import json, sys
from entrypoints.aws_lambda import handler
from tests.support.service import Context
json.dump(handler(json.load(sys.stdin), Context()), sys.stderr)
"""


@frozen
class Deployed:
    """A function without a camera API, in a process of its own, and what it is in."""

    there: Cloud
    settings: Mapping[str, str]

    def upload(self, folder: Path) -> None:
        for path in sorted(folder.rglob("*.mp4")):
            key = f"nvr/{path.relative_to(folder)}"
            self.there.s3.upload_file(str(path), self.there.origin, key)

    def handle(self, camera: str, window: TimeWindow, clip_id: str = "c1") -> dict[str, Any]:
        """Invoke the function with a request; return its one line in the log."""
        body = clip_body(clip_id, camera, window.start_ms, window.end_ms)
        done = subprocess.run(
            [sys.executable, "-c", FUNCTION],
            input=json.dumps({"Records": [sqs_record(body, window.end_ms + 10_000)]}),
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(sys.path),
                **self.settings,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.stderr == '{"batchItemFailures": []}', done.stderr + done.stdout
        line: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return line

    def manifest(self, key: str) -> dict[str, Any]:
        found = self.there.s3.get_object(Bucket=self.there.destination, Key=key)
        return dict(json.loads(found["Body"].read()))


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    """Everything but a camera API: its addresses are set, and not called."""
    calls: list[str] = []

    def refuse(request: Any) -> Response:  # noqa: ANN401 - of the server
        calls.append(request.target)
        return Response.json({}, 500)

    name = f"bucket-{uuid4().hex[:8]}"
    with cloud(60, name=name) as there, serve(refuse) as url:
        settings = {
            **there.environ(url),
            **CREDENTIALS,
            "CAMERAS": "bucket",
            "S3_BUCKET_ORIGIN_DIR": "nvr",
            "CLIP_URL": CLIP_URL,
            "CLIP_DOWNLOAD_DEST": str(tmp_path / "scratch"),
            "THUMBNAIL_SIZES": "160",
            "OUT_OF_RANGE_LIMIT": "1000000000",
        }
        yield Deployed(there, settings)
    assert calls == []


RECORDERS: dict[str, tuple[Any, str, TimeWindow]] = {
    "mediamtx": (write_mediamtx, "mediamtx", TimeWindow(START_MS + 2345, START_MS + 7777)),
    "frigate": (write_frigate, "frigate", TimeWindow(START_MS + 8345, START_MS + 21_678)),
    "ffmpeg": (
        write_ffmpeg,
        "{camera}/%Y-%m-%d_%H-%M-%S",
        TimeWindow(START_MS + 3210, START_MS + 8765),
    ),
}
"""By name: what writes the recordings, the pattern of their keys, and a window across files."""


@pytest.mark.parametrize("recorder", RECORDERS)
def test_a_recorders_bucket_gives_the_exact_clip(
    deployed: Deployed, tmp_path: Path, films: Path, recorder: str
) -> None:
    """Every frame's identity; the notification and the manifest say what became of it."""
    write, pattern, window = RECORDERS[recorder]
    recordings: list[Recording] = write(tmp_path / "dvr", films, MADRID)
    deployed.upload(tmp_path / "dvr")
    settings = {"RECORDING_PATTERN": pattern}
    if recorder != "frigate":
        settings["RECORDING_TZ"] = "Europe/Madrid"
    function = Deployed(deployed.there, {**deployed.settings, **settings})
    line = function.handle("pier", window)
    assert line["status"] == "CLIP_AVAILABLE", line

    path = tmp_path / "clip.mp4"
    deployed.there.s3.download_file(deployed.there.destination, "pier/c1.mp4", str(path))
    assert_clip(read_clip(path), wanted(recordings, window.start_ms, window.end_ms))
    [note] = deployed.there.notifications()
    assert note["Message"]["status"] == "CLIP_AVAILABLE"
    assert note["Message"]["coverage"]["complete"] is True
    assert note["Message"]["coverage"]["notes"] == []
    manifest = function.manifest("pier/c1.json")
    stored = {str(f.relative_to(tmp_path / "dvr")) for f in (tmp_path / "dvr").rglob("*.mp4")}
    sources = [source["name"] for source in manifest["sources"]]
    assert len(sources) > 1
    assert set(sources) <= stored
    assert all("pier" in name for name in sources)


def test_the_tail_of_a_clip_is_waited_for(deployed: Deployed, tmp_path: Path, films: Path) -> None:
    """The last object might go on, until it is opened; with the next one the clip is exact."""
    began_ms = time_ms() - 60_000
    recordings = files_of(3, 90, "fragmented_no_index", began_ms)
    function = Deployed(deployed.there, {**deployed.settings, "RECORDING_PATTERN": "mediamtx"})

    def upload(recording: Recording) -> None:
        name = f"{local(recording.start_ms):%Y-%m-%d_%H-%M-%S-%f}.mp4"
        store(tmp_path / "dvr/pier" / name, cached_recording(films, recording))
        deployed.upload(tmp_path / "dvr")

    window = TimeWindow(began_ms + 2345, began_ms + 7777)
    for recording in recordings[:2]:
        upload(recording)
    assert function.handle("pier", window)["status"] == "CLIP_PENDING"
    upload(recordings[2])
    assert function.handle("pier", window)["status"] == "CLIP_AVAILABLE"
    path = tmp_path / "clip.mp4"
    deployed.there.s3.download_file(deployed.there.destination, "pier/c1.mp4", str(path))
    assert_clip(read_clip(path), wanted(recordings, window.start_ms, window.end_ms))


def test_a_camera_without_recordings_is_waited_for(deployed: Deployed) -> None:
    """It may have its first one soon; the log names what no key begins with."""
    function = Deployed(deployed.there, {**deployed.settings, "RECORDING_PATTERN": "mediamtx"})
    now_ms = time_ms()
    line = function.handle("boat", TimeWindow(now_ms - 70_000, now_ms - 60_000))
    assert line["status"] == "CLIP_PENDING"
    assert deployed.there.waiting(deployed.there.queue_url) == 1
    assert list(deployed.there.notifications()) == []
    assert "No key of the recordings' bucket begins with boat/" in json.dumps(line)


def test_a_mistyped_camera_shows_in_the_reason(deployed: Deployed) -> None:
    """When the request has ended."""
    function = Deployed(
        deployed.there,
        {**deployed.settings, "RECORDING_PATTERN": "mediamtx", "SQS_RETRY_LIMIT": "0"},
    )
    now_ms = time_ms()
    line = function.handle("boat", TimeWindow(now_ms - 70_000, now_ms - 60_000))
    assert line["status"] == "CLIP_NOT_AVAILABLE"
    [note] = deployed.there.notifications()
    assert "No key of the recordings' bucket begins with boat/" in note["Message"]["reason"]


def time_ms() -> int:
    return time.time_ns() // 1_000_000
