"""The worker as a process: moto behind a gate that can be shut, a camera API that can be held up.

Every test has a queue, buckets, a topic and a camera of its own.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import imageio_ffmpeg
import pytest
from attrs import Factory, define, field

from devtools.footage import Recording, cached_recording
from devtools.local_aws.camera_api import CameraStandIn, file_name
from devtools.local_aws.cloud import ORIGIN_DIR, Cloud, cloud, moto_server
from devtools.local_aws.http_server import Request, serve
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.in_memory import InMemoryCameraService
from tests.support.folders import shared_folder
from tests.support.service import moment_before

REPOSITORY = Path(__file__).parents[3]
FOOTAGE = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))
MAX_S = 60.0
"""How long a test waits for what must come: far more than it takes on a busy machine."""


def wait_until(condition: Callable[[], Any], seconds: float = MAX_S) -> Any:  # noqa: ANN401
    """Wait for the condition and return what it gave; AssertionError if it stays false."""
    ends_s = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends_s, "what was waited for did not come"
        time.sleep(0.03)
    return found


@define
class Gate:
    """A way to `target` that can be shut: then connections are refused, and open ones are cut."""

    target: tuple[str, int]
    port: int = 0
    _door: socket.socket | None = None
    _lines: set[socket.socket] = Factory(set)
    _lock: Lock = Factory(Lock)

    def open(self) -> None:
        door = socket.create_server(("127.0.0.1", self.port))
        self._door, self.port = door, door.getsockname()[1]
        Thread(target=self._serve, args=(door,), daemon=True).start()

    def shut(self) -> None:
        door, self._door = self._door, None
        with self._lock:
            for line in (*([door] if door else []), *self._lines):
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
            self._lines.clear()
        if door:
            door.close()

    def _serve(self, door: socket.socket) -> None:
        while True:
            try:
                near, _ = door.accept()
                far = socket.create_connection(self.target)
            except OSError:
                return
            with self._lock:
                self._lines |= {near, far}
            for start, end in ((near, far), (far, near)):
                Thread(target=self._pass_on, args=(start, end), daemon=True).start()

    def _pass_on(self, start: socket.socket, end: socket.socket) -> None:
        with suppress(OSError):
            while data := start.recv(1 << 16):
                end.sendall(data)
        for line in (start, end):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._lines.discard(start)
        start.close()


@define
class HeldListing:
    """A fault that delays requests for recordings until it is `freed`."""

    freed: Event = Factory(Event)
    waiting: int = 0
    max_waiting: int = 0
    _lock: Lock = Factory(Lock)

    def __call__(self, request: Request) -> None:
        if "/recording/" in request.target:
            with self._lock:
                self.waiting += 1
                self.max_waiting = max(self.max_waiting, self.waiting)
            self.freed.wait(25)  # the client's timeout is 30 s
            with self._lock:
                self.waiting -= 1


@define
class Process:
    """A worker that runs."""

    popen: "subprocess.Popen[bytes]"
    output: Path

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its log so far: every line must be JSON."""
        return [json.loads(line) for line in self.output.read_text().splitlines(keepends=True)
                if line.endswith("\n")]  # fmt: skip

    def said(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["message"] == message]

    def children(self) -> list[int]:
        """The processes of its slots."""
        tasks = Path(f"/proc/{self.popen.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def ended(self, seconds: float = MAX_S) -> int:
        return self.popen.wait(seconds)


@define
class World:
    """What is around the worker."""

    cloud: Cloud
    cameras: CameraStandIn
    held: HeldListing
    cameras_url: str
    gate: Gate
    folder: Path
    footage: Path
    name: str
    now_ms: int = Factory(lambda: time.time_ns() // 1_000_000)
    notes: list[dict[str, Any]] = Factory(list)
    workers: list[Process] = Factory(list)
    hung: Path = field(init=False)
    """While this file is there, ffmpeg hangs, and says which process it is."""

    def __attrs_post_init__(self) -> None:
        self.hung = self.folder / "hung"
        (self.folder / "scratch").mkdir()
        script = self.folder / "ffmpeg"
        hangs = f'[ -e "{self.hung}" ] && {{ echo $$ > "{self.hung}-pid"; exec /bin/sleep 60; }}'
        script.write_text(f'#!/bin/sh\n{hangs}\nexec "{imageio_ffmpeg.get_ffmpeg_exe()}" "$@"\n')
        script.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.cloud.environ(self.cameras_url),
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.gate.port}",
            "AWS_SQS_QUEUE_URL": self.cloud.queue_url.replace(
                self.cloud.endpoint, f"http://127.0.0.1:{self.gate.port}"
            ),
            "CLIP_DOWNLOAD_DEST": str(self.scratch),
            "CAMCLIP_FFMPEG": str(self.folder / "ffmpeg"),
            "THUMBNAIL_SIZES": "160",
            "FUNCTION_TIMEOUT": "60",
            "WORKER_SLOTS": "1",
            "WORKER_POLL": "1",
            "WORKER_HEALTH_FILE": str(self.health_file),
        }

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def health_file(self) -> Path:
        return self.folder / "healthy"

    @property
    def moment_ms(self) -> int:
        """A whole second two and a half minutes ago: when the footage begins."""
        return moment_before(self.now_ms)

    def record(self) -> None:
        """Write the footage, as the recorder does."""
        name = file_name(self.name, self.moment_ms)
        path = cached_recording(self.footage, FOOTAGE)
        self.cloud.s3.upload_file(str(path), self.cloud.origin, f"{ORIGIN_DIR}/{name}")
        window = TimeWindow(self.moment_ms, self.moment_ms + round(FOOTAGE.duration_ms))
        assert isinstance(self.cameras.cameras, InMemoryCameraService)
        self.cameras.cameras.segments[self.name] = [RecordingSegment(window, name)]

    def request(self, clip_id: str, body: str | None = None) -> None:
        """Ask for the footage from 0.5 to 1.7 s."""
        asked = {
            "clipId": clip_id,
            "cameraId": self.name,
            "startTimestampInMs": self.moment_ms + 500,
            "endTimestampInMs": self.moment_ms + 1_700,
            "note": "a-word-of-the-body",
        }
        self.cloud.send(body or json.dumps(asked))

    def start(self, command: Sequence[str] = ("-m", "entrypoints.worker"), **own: str) -> Process:
        output = self.folder / f"log-{len(self.workers)}"
        with output.open("wb") as file:
            popen = subprocess.Popen(
                [sys.executable, *command],
                env={**self.environment, **own},
                cwd=REPOSITORY,
                stdout=file,
                stderr=file,
            )
        self.workers.append(Process(popen, output))
        return self.workers[-1]

    def is_healthy(self) -> bool:
        """Return what Docker's HEALTHCHECK reads."""
        checked = subprocess.run(
            [sys.executable, "-m", "entrypoints.worker", "--check-health"],
            env=self.environment,
            cwd=REPOSITORY,
            check=False,
            capture_output=True,
        )
        assert checked.returncode in {0, 1}, checked.stderr
        return checked.returncode == 0

    def statuses(self, clip_id: str) -> list[str]:
        """Return the statuses reported of the clip, in order."""
        return [r["status"] for r in self.cameras.reports if r["clipId"] == clip_id]

    def event_ids(self) -> list[str]:
        """Return the event ids of all notifications."""
        self.notes.extend(self.cloud.notifications())
        return [note["MessageAttributes"]["eventId"]["Value"] for note in self.notes]

    def queued(self, url: str | None = None) -> tuple[int, int]:
        """Return how many messages wait in the queue, and how many are in flight."""
        found = self.cloud.sqs.get_queue_attributes(
            QueueUrl=url or self.cloud.queue_url, AttributeNames=["All"]
        )["Attributes"]
        waiting = found["ApproximateNumberOfMessages"]
        return int(waiting), int(found["ApproximateNumberOfMessagesNotVisible"])

    def is_done(self) -> bool:
        return self.queued() == (0, 0)

    def stored(self) -> set[str]:
        """The keys of everything in the destination."""
        found = self.cloud.s3.list_objects_v2(Bucket=self.cloud.destination)
        return {row["Key"] for row in found.get("Contents", [])}

    def download(self, clip_id: str) -> Path:
        path = self.folder / f"{clip_id}.mp4"
        self.cloud.s3.download_file(self.cloud.destination, f"{self.name}/{clip_id}.mp4", str(path))
        return path

    def hung_ffmpeg(self) -> int:
        """Wait until ffmpeg hangs, and return the id of its process."""
        pid = self.hung.with_name("hung-pid")
        return int(wait_until(lambda: pid.exists() and pid.read_text().strip()))


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    # A worker's long poll must not hold up its other calls.
    with moto_server(serializes_queues=False) as url:
        yield url


@pytest.fixture
def world(
    aws_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Everything but the worker; afterwards nothing of a worker may be left."""
    held, name = HeldListing(), f"w{uuid4().hex[:10]}"
    held.freed.set()
    cameras = CameraStandIn(InMemoryCameraService(), fault=held)
    address = urlsplit(aws_url)
    gate = Gate((str(address.hostname), int(address.port or 0)))
    gate.open()
    # The visibility timeout is the template's: whoever relies on it would wait for half an hour.
    with cloud(1800, 2, name, aws_url) as there, serve(cameras) as cameras_url:
        footage = shared_folder(tmp_path_factory, "footage")
        world = World(there, cameras, held, cameras_url, gate, tmp_path, footage, name)
        world.record()
        yield world
        held.freed.set()
        for worker in world.workers:
            children = worker.children() if worker.popen.poll() is None else []
            worker.popen.kill()
            worker.popen.wait()
            for child in children:
                with suppress(ProcessLookupError):  # one that a test has stopped never ends
                    os.kill(child, signal.SIGKILL)
        gate.shut()
