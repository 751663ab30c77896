"""`camclip serve` as a command: what it refuses, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from devtools.footage import Recording, cached_recording
from entrypoints.cli.app import app
from tests.support.recorders import START_MS, store

CLIPS = "/api/v1/clips"


@pytest.fixture
def root(tmp_path: Path, films: Path) -> Path:
    film = cached_recording(films, Recording(first_number=1000, frames=300, start_ms=START_MS))
    store(tmp_path / "recordings/pier/pier.20260501T115950.mp4", film)
    return tmp_path


@contextmanager
def process(*options: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a server's process, and its address."""
    argv = [sys.executable, "-m", "entrypoints.cli.app", "serve", "--port", "0"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [*argv, *map(str, options)], stdout=subprocess.PIPE, text=True, env=env
    ) as running:
        assert running.stdout
        try:
            yield running, running.stdout.readline().split()[-1].rstrip("/")
        finally:
            running.kill()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--host", "0.0.0.0"), "set CAMCLIP_SERVE_TOKEN"),  # noqa: S104 - it is refused
        (("--host", "nowhere.invalid"), "set CAMCLIP_SERVE_TOKEN"),
        (("--out", "clip.mp4"), "must be a folder"),
        (("--layout", "frigate"), "not with --root"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    root: Path, options: tuple[str, ...], named: str
) -> None:
    """Nothing is listened on."""
    ran = CliRunner().invoke(app, ["serve", "--root", str(root), *options])
    assert ran.exit_code == 2
    assert named in ran.stderr


AWS = {
    "CLIP_URL": "https://clips.example.com",
    "S3_BUCKET_ORIGIN": "recordings",
    "S3_BUCKET_DESTINATION": "clips",
    "AWS_SNS_TOPIC": "arn:aws:sns:eu-west-1:123456789012:clips",
    "AWS_SQS_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/requests",
    "CAM_SERVICES_URL": "https://cameras.invalid",
    "RECORDINGS_URL": "https://cameras.invalid",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "made-up",
}
DASHCAM = {"CAMERAS": "bucket", "RECORDING_PATTERN": "dashcam"}


@pytest.mark.parametrize(
    ("options", "changed", "named"),
    [
        (("--aws", "--recordings", "."), {}, "--aws serves no folder"),
        (("--aws", "--out", "clips"), {}, "--aws serves no folder"),
        (("--aws", "--host", "0.0.0.0"), {}, "set CAMCLIP_SERVE_TOKEN"),  # noqa: S104 - it is refused
        (("--aws", "--camera", "../pier"), {}, "'../pier' is no id"),
        (("--aws",), {}, "The camera API has no list of cameras: pass --camera ID"),
        (("--aws",), DASHCAM, "The keys' pattern has no folders of cameras: pass --camera ID"),
        (("--aws", "--camera", "pier", "--tz", "Nowhere/At_all"), {}, "--tz Nowhere/At_all"),
        (("--aws", "--camera", "pier"), {"CLIP_URL": ""}, "CLIP_URL is not set"),
        (
            ("--aws", "--camera", "pier"),
            {"AWS_DEFAULT_REGION": ""},
            "The clients of AWS cannot be made",
        ),
        (("--root", ".", "--camera", "pier"), {}, "--camera and --state go with --aws"),
        (("--root", ".", "--state", "x"), {}, "--camera and --state go with --aws"),
    ],
)
def test_what_makes_no_sense_in_aws_is_wrong_usage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    changed: dict[str, str],
    named: str,
) -> None:
    """Nothing is contacted, written or listened on."""
    for name, text in {**AWS, **changed}.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    ran = CliRunner().invoke(app, ["serve", *options])
    assert ran.exit_code == 2
    assert named in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_named(root: Path) -> None:
    """As wrong usage."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = CliRunner().invoke(app, ["serve", "--root", str(root), "--port", port])
    assert ran.exit_code == 2
    assert f"127.0.0.1:{port} cannot be listened on" in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_at_once_although_streams_of_events_are_open(
    root: Path, number: signal.Signals
) -> None:
    """The clip of a root is in its folder of clips."""
    with process("--root", root) as (running, url):
        bounds = {"startTimestampInMs": START_MS, "endTimestampInMs": START_MS + 1000}
        with requests.get(f"{url}/api/v1/events", stream=True, timeout=30) as events:
            body = {"cameraId": "pier", "clipId": "c1", **bounds}
            assert requests.post(url + CLIPS, json=body, timeout=30).status_code == 202
            lines = events.iter_lines(chunk_size=1)
            assert b"event: done" in lines
            running.send_signal(number)
            assert running.wait(5) in {-number, 130}
            list(lines)  # The stream ends as a whole.
    assert (root / "clips/pier/c1.mp4").exists()
