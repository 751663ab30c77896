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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any
from uuid import uuid4

import boto3
import imageio_ffmpeg
import pytest
from attrs import Factory, define, field
from moto.server import ThreadedMotoServer
from mypy_boto3_s3 import S3Client
from mypy_boto3_sqs import SQSClient

from devtools.footage import Recording, cached_recording
from tests.end_to_end.service.conftest import CameraServer, iso

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


def is_running(pid: int) -> bool:
    """Tell whether there is such a process; a zombie is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


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
class HeldCameraServer(CameraServer):
    """A camera API that answers questions for recordings only while it is not held up."""

    freed: Event = Factory(Event)
    being_asked: int = 0
    most_at_once: int = 0
    _lock: Lock = Factory(Lock)

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, object]:
        if "/recording/" in target:
            with self._lock:
                self.being_asked += 1
                self.most_at_once = max(self.most_at_once, self.being_asked)
            self.freed.wait(25)  # the camera API is given up after 30 s
            with self._lock:
                self.being_asked -= 1
        return super().answer(method, target, body)


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

    camera_api: HeldCameraServer
    api_url: str
    gate: Gate
    s3: S3Client
    sqs: SQSClient
    folder: Path
    footage: Path
    requests_url: str
    dead_url: str
    subscriber_url: str
    topic_arn: str
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
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "made-up-secret",
            "AWS_DEFAULT_REGION": "us-west-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.gate.port}",
            "CLIP_DOWNLOAD_DEST": str(self.scratch),
            "CAM_SERVICES_URL": self.api_url,
            "RECORDINGS_URL": self.api_url,
            "CLIP_URL": "https://clips.example.com",
            "S3_BUCKET_ORIGIN": f"origin-{self.name}",
            "S3_BUCKET_DESTINATION": f"destination-{self.name}",
            "AWS_SNS_TOPIC": self.topic_arn,
            "AWS_SQS_QUEUE_URL": self.requests_url,
            "CAMCLIP_FFMPEG": str(self.folder / "ffmpeg"),
            "THUMBNAIL_SIZES": "160",
            "FUNCTION_TIMEOUT": "60",
            "MAX_RECEIVE_COUNT": "2",
            "WORKER_SLOTS": "1",
            "WORKER_POLL": "1",
            "GIVEN_BACK_REST": "1",
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
        return (self.now_ms - 150_000) // 8_000 * 8_000

    def record(self) -> None:
        """Let the recorder write the footage."""
        name = f"{self.name}.20260101T000000.mp4"
        path = cached_recording(self.footage, FOOTAGE)
        self.s3.upload_file(str(path), f"origin-{self.name}", name)
        ends_ms = self.moment_ms + round(FOOTAGE.duration_ms)
        self.camera_api.recordings[self.name] = [
            {
                "startDate": iso(self.moment_ms),
                "endDate": iso(ends_ms),
                "recordingUrl": f"https://recordings.invalid/{name}",
                "alias": f"{self.name}-alias",
            }
        ]

    def request(self, clip_id: str, body: str | None = None) -> None:
        """Ask for the footage from 0.5 to 1.7 s."""
        asked = {
            "clipId": clip_id,
            "cameraId": self.name,
            "startTimestampInMs": self.moment_ms + 500,
            "endTimestampInMs": self.moment_ms + 1_700,
            "note": "a-word-of-the-body",
        }
        self.sqs.send_message(QueueUrl=self.requests_url, MessageBody=body or json.dumps(asked))

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
        """What Docker's HEALTHCHECK is told."""
        checked = subprocess.run(
            [sys.executable, "-m", "entrypoints.worker", "--check-health"],
            env=self.environment,
            cwd=REPOSITORY,
            check=False,
            capture_output=True,
        )
        assert checked.returncode in {0, 1}, checked.stderr
        return checked.returncode == 0

    def told(self, clip_id: str) -> list[str]:
        """Which states the camera API was told of the clip, in order."""
        return [r["status"] for r in self.camera_api.told if r["clipId"] == clip_id]

    def event_ids(self) -> list[str]:
        """The event ids of all notifications."""
        while messages := self.sqs.receive_message(
            QueueUrl=self.subscriber_url, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in messages:
                self.notes.append(json.loads(message["Body"]))
                self.sqs.delete_message(
                    QueueUrl=self.subscriber_url, ReceiptHandle=message["ReceiptHandle"]
                )
        return [note["MessageAttributes"]["eventId"]["Value"] for note in self.notes]

    def queued(self, url: str | None = None) -> tuple[int, int]:
        """How many messages wait in the queue, and how many are in hand."""
        told = self.sqs.get_queue_attributes(
            QueueUrl=url or self.requests_url, AttributeNames=["All"]
        )["Attributes"]
        waiting = told["ApproximateNumberOfMessages"]
        return int(waiting), int(told["ApproximateNumberOfMessagesNotVisible"])

    def is_done(self) -> bool:
        return self.queued() == (0, 0)

    def stored(self) -> set[str]:
        """The keys of everything in the destination."""
        found = self.s3.list_objects_v2(Bucket=f"destination-{self.name}")
        return {row["Key"] for row in found.get("Contents", [])}

    def download(self, clip_id: str) -> Path:
        path = self.folder / f"{clip_id}.mp4"
        self.s3.download_file(f"destination-{self.name}", f"{self.name}/{clip_id}.mp4", str(path))
        return path

    def hung_ffmpeg(self) -> int:
        """Wait until ffmpeg hangs, and return the id of its process."""
        pid = self.hung.with_name("hung-pid")
        return int(wait_until(lambda: pid.exists() and pid.read_text().strip()))


@pytest.fixture(scope="session")
def aws_server() -> Iterator[tuple[str, int]]:
    moto = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    moto.start()
    yield moto.get_host_and_port()
    moto.stop()


@pytest.fixture
def world(
    aws_server: tuple[str, int], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Everything but the worker; afterwards nothing of a worker may be left."""
    camera_api = HeldCameraServer()
    camera_api.freed.set()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def reply(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            status, payload = camera_api.answer(self.command, self.path, self.rfile.read(length))
            data = json.dumps(payload).encode()
            with suppress(OSError):  # whoever asked may have been killed
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        do_GET = do_PUT = reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    api = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    api.daemon_threads = True
    Thread(target=api.serve_forever, args=(0.05,), daemon=True).start()
    gate = Gate(aws_server)
    gate.open()
    session = boto3.Session("AKIDEXAMPLE", "made-up-secret", region_name="us-west-1")
    direct = f"http://{aws_server[0]}:{aws_server[1]}"
    s3 = session.client("s3", endpoint_url=direct)
    sqs = session.client("sqs", endpoint_url=direct)
    sns = session.client("sns", endpoint_url=direct)
    name = f"w{uuid4().hex[:10]}"
    for bucket in ("origin", "destination"):
        s3.create_bucket(
            Bucket=f"{bucket}-{name}",
            CreateBucketConfiguration={"LocationConstraint": "us-west-1"},
        )
    dead_url = sqs.create_queue(QueueName=f"dead-{name}")["QueueUrl"]
    policy = {"deadLetterTargetArn": _arn(sqs, dead_url), "maxReceiveCount": 2}
    requests_url = sqs.create_queue(
        QueueName=f"requests-{name}",
        # As the template has it: whoever relies on it would make a test wait for half an hour.
        Attributes={"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "1800"},
    )["QueueUrl"]
    subscriber_url = sqs.create_queue(QueueName=f"subscriber-{name}")["QueueUrl"]
    topic_arn = sns.create_topic(Name=f"clips-{name}")["TopicArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=_arn(sqs, subscriber_url))
    shared = tmp_path_factory.getbasetemp()
    footage = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "footage"
    world = World(
        camera_api,
        f"http://127.0.0.1:{api.server_address[1]}",
        gate,
        s3,
        sqs,
        tmp_path,
        footage,
        requests_url.replace(direct, f"http://127.0.0.1:{gate.port}"),
        dead_url,
        subscriber_url,
        topic_arn,
        name,
    )
    world.record()
    yield world
    camera_api.freed.set()
    for worker in world.workers:
        children = worker.children() if worker.popen.poll() is None else []
        worker.popen.kill()
        worker.popen.wait()
        for child in children:
            with suppress(ProcessLookupError):  # one that a test has stopped does not end by itself
                os.kill(child, signal.SIGKILL)
    gate.shut()
    api.shutdown()
    api.server_close()


def _arn(sqs: SQSClient, url: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
