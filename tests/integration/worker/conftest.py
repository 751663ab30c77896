"""The worker as a process: moto behind a gate that can be shut, a camera API that can be held up.

Every test has a queue, buckets, a topic and a camera of its own.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest
from attrs import Factory, define, field

from devtools.footage import Recording
from devtools.local_aws.cloud import moto_server
from devtools.local_aws.http_server import Request
from infrastructure.ffmpeg.locate import find_ffmpeg
from tests.support import service
from tests.support.gate import Gate, Trap, forward, gate
from tests.support.service import wait_until

REPOSITORY = Path(__file__).parents[3]
FOOTAGE = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))
MAX_S = 60.0
"""How long a test waits for what must come: far more than it takes on a busy machine."""


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
class World(service.World):
    """What is around the worker, and the workers that were started."""

    held: HeldListing = Factory(HeldListing)
    workers: list[Process] = Factory(list)
    aws: Gate = field(init=False)

    @property
    def folder(self) -> Path:
        return self.scratch.parent

    @property
    def hung(self) -> Path:
        """While this file is there, ffmpeg hangs, and says which process it is."""
        return self.folder / "hung"

    @property
    def health_file(self) -> Path:
        return self.folder / "healthy"

    def environ(self, cameras_url: str = "") -> dict[str, str]:
        settings = super().environ(cameras_url)
        return {
            **settings,
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_SQS_QUEUE_URL": self.cloud.queue_url.replace(self.cloud.endpoint, self.aws.url),
            "CAMCLIP_FFMPEG": str(self.folder / "ffmpeg"),
            "THUMBNAIL_SIZES": "160",
            "FUNCTION_TIMEOUT": "60",
            "WORKER_SLOTS": "1",
            "WORKER_POLL": "1",
            "WORKER_HEALTH_FILE": str(self.health_file),
        }

    def write_ffmpeg(self) -> None:
        """Write an ffmpeg that can be made to hang."""
        script = self.folder / "ffmpeg"
        hangs = f'[ -e "{self.hung}" ] && {{ echo $$ > "{self.hung}-pid"; exec /bin/sleep 60; }}'
        script.write_text(f'#!/bin/sh\n{hangs}\nexec "{find_ffmpeg({})}" "$@"\n')
        script.chmod(0o755)

    def request(self, clip_id: str, body: str | None = None) -> None:
        """Ask for the footage from 0.5 to 1.7 s."""
        asked = self.body(500, 1_700, clipId=clip_id, note="a-word-of-the-body")
        self.cloud.send(body or json.dumps(asked))

    def start(self, command: Sequence[str] = ("-m", "entrypoints.worker"), **own: str) -> Process:
        output = self.folder / f"log-{len(self.workers)}"
        with output.open("wb") as file:
            popen = subprocess.Popen(
                [sys.executable, *command],
                env={**self.environ(), **own},
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
            env=self.environ(),
            cwd=REPOSITORY,
            check=False,
            capture_output=True,
        )
        assert checked.returncode in {0, 1}, checked.stderr
        return checked.returncode == 0

    def shut_aws(self) -> None:
        """Cut every connection to AWS until `aws.release`."""
        self.aws.trap = Trap(".", lambda *_: None)

    def counts(self, url: str | None = None) -> tuple[int, int]:
        """Return how many messages wait in the queue, and how many are in flight."""
        found = self.cloud.sqs.get_queue_attributes(
            QueueUrl=url or self.cloud.queue_url, AttributeNames=["All"]
        )["Attributes"]
        waiting = found["ApproximateNumberOfMessages"]
        return int(waiting), int(found["ApproximateNumberOfMessagesNotVisible"])

    def is_done(self) -> bool:
        return self.counts() == (0, 0)

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
def world(aws_url: str, tmp_path: Path, films: Path) -> Iterator[World]:
    """Everything but the worker; afterwards nothing of a worker may be left."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with (
        # The visibility timeout is the template's: whoever relies on it would wait half an hour.
        service.deployed(
            "worker", scratch, films, visibility_s=1800, max_receive_count=2, endpoint=aws_url
        ) as there,
        gate(forward(aws_url)) as aws,
    ):
        world = World(there.cloud, there.cameras, scratch, films, there.cameras_url, clip_id="one")
        world.aws = aws
        world.held.freed.set()
        world.cameras.fault = world.held
        world.write_ffmpeg()
        world.record(FOOTAGE)
        yield world
        world.held.freed.set()
        for worker in world.workers:
            children = worker.children() if worker.popen.poll() is None else []
            worker.popen.kill()
            worker.popen.wait()
            for child in children:
                with suppress(ProcessLookupError):  # one that a test has stopped never ends
                    os.kill(child, signal.SIGKILL)
