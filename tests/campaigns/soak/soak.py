"""One soak: everything around the function, the requests at their times, and the verdict."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any
from uuid import uuid4

from attrs import Factory, define, frozen

from devtools.footage import cached_recording
from devtools.footage.recording import FFMPEG
from devtools.local_aws.camera_api import CameraStandIn
from devtools.local_aws.cloud import Cloud, cloud
from devtools.local_aws.event_source import Delivery, EventSource
from devtools.local_aws.http_server import serve
from devtools.local_aws.process_table import commands_with
from devtools.local_aws.runtime import HANDLER, Function, link_client
from tests.campaigns.soak.faults import Faults
from tests.campaigns.soak.memory import Sample, sample_of
from tests.campaigns.soak.requests import FIRST, SECOND, SoakRequest, draw
from tests.support.service import moment_before

HERE = Path(__file__).parents[3]
TIMEOUT_S = 30
HIDDEN_S = 35
"""Longer than the function's timeout, as in production: nothing is handled twice at once."""
RECEIVES = 5
SENDING = 0.75
"""The part of the time in which requests come; in the rest the queue empties."""
DRAIN_S = 300
"""After this long the queue is called stuck."""


@frozen
class Soak:
    """The parameters of a soak."""

    seconds: float
    requests: int
    seed: int = 0
    functions: int = 2
    """Execution environments, each with a poller: as with MaximumConcurrency 2."""
    failed_hidden_s: int | None = None
    """Short soaks cannot wait for the visibility timeout."""
    decoded: int = 40
    """Clips that are decoded whole."""
    handler: str = HANDLER


@define
class Course:
    """What happened."""

    requests: Sequence[SoakRequest]
    sent: dict[str, SoakRequest] = Factory(dict)
    """By the message's id."""
    deliveries: list[Delivery] = Factory(list)
    samples: list[Sample] = Factory(list)
    notes: list[dict[str, Any]] = Factory(list)
    reports: dict[str, list[dict[str, Any]]] = Factory(dict)
    """By clip, in order."""
    dead: dict[str, str] = Factory(dict)
    """Bodies in the dead-letter queue, by message id."""
    queued: int = 0
    kills: int = 0
    failures: int = 0
    violations: list[str] = Factory(list)
    orphans: int = 0
    scratch: int = 0
    took_s: float = 0
    moment_ms: int = 0
    clips: Path = Path()
    """Where the clips were fetched to."""


@contextmanager
def run(soak: Soak, package: Path, footage: Path) -> Iterator[Course]:
    """Run a soak of the unpacked `package`, with footage kept in `footage`; give what happened."""
    began_s = time.monotonic()
    course = Course(draw(soak.seed, soak.requests, SENDING * soak.seconds))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="camclip-soak-")))
        scratch = folder / "scratch"
        scratch.mkdir()
        there = stack.enter_context(cloud(HIDDEN_S, RECEIVES, name=f"soak-{uuid4().hex[:8]}"))
        sources: list[EventSource] = []
        faults = Faults(
            there,
            {request.camera_id: request for request in course.requests},
            {r: cached_recording(footage, r).read_bytes() for r in (FIRST, SECOND)},
            moment_before(time.time_ns() // 1_000_000),
            lambda camera_id: _pid_of(camera_id, sources),
        )
        cameras = faults.camera_api()
        cameras_url = stack.enter_context(serve(cameras))
        path = [
            package,
            link_client(folder / "client"),
            *([] if soak.handler == HANDLER else [HERE]),
        ]
        settings = _settings(there, cameras_url, scratch)
        lock = Lock()

        def record(delivery: Delivery) -> None:
            with lock:
                course.deliveries.append(delivery)
            if invoked := delivery.invoked:
                sample = sample_of(invoked.pid, scratch)
                course.samples += [sample] if sample else []

        for _ in range(soak.functions):
            function = Function(path, settings, TIMEOUT_S, handler=soak.handler)
            source = EventSource(there.sqs, there.queue_url, function, record, batch_size=3)
            source.failed_hidden_s = soak.failed_hidden_s
            sources.append(source)
        with _polling(sources):
            _send(course, there, faults.moment_ms, began_s)
            _drain(there, course)
        course.scratch = len(list(scratch.iterdir()))
        course.orphans = len([c for c in commands_with(str(folder)) if c.startswith(FFMPEG)])
        course.violations += [*faults.violations, *(f for s in sources for f in s.faults)]
        course.kills, course.failures = faults.kills, faults.failures
        _collect(course, there, cameras, folder / "clips")
        course.took_s = time.monotonic() - began_s
        yield course


def _settings(there: Cloud, cameras_url: str, scratch: Path) -> dict[str, str]:
    return {
        **there.environ(cameras_url),
        "CAMCLIP_FFMPEG": FFMPEG,
        "CLIP_DOWNLOAD_DEST": str(scratch),
        "THUMBNAIL_SIZES": "160",
        "FUNCTION_TIMEOUT": str(TIMEOUT_S),
        "SQS_TIMEOUT": "1",
        "SQS_RETRY_LIMIT": "3600",
    }


def _pid_of(camera_id: str, sources: Sequence[EventSource]) -> int | None:
    for source in sources:
        if any(f'"{camera_id}"' in record["body"] for record in source.in_flight):
            return source.function.pid
    return None


@contextmanager
def _polling(sources: Sequence[EventSource]) -> Iterator[None]:
    stop = Event()
    threads = [Thread(target=source.run, args=(stop,)) for source in sources]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for source in sources:
            source.function.close()


def _send(course: Course, there: Cloud, moment_ms: int, began_s: float) -> None:
    course.moment_ms = moment_ms
    moments = sorted(
        (at_s, request.number, request)
        for request in course.requests
        for at_s in request.sent_after_s
    )
    for at_s, _, request in moments:
        time.sleep(max(0.0, began_s + at_s - time.monotonic()))
        course.sent[there.send(request.body(moment_ms))] = request
        course.notes += there.notifications()


def _drain(there: Cloud, course: Course) -> None:
    ends_s = time.monotonic() + DRAIN_S
    while there.waiting(there.queue_url) and time.monotonic() < ends_s:
        course.notes += there.notifications()
        time.sleep(0.2)


def _collect(course: Course, there: Cloud, cameras: CameraStandIn, clips: Path) -> None:
    course.notes += there.notifications()
    for report in cameras.reports:
        course.reports.setdefault(report["clipId"], []).append(report)
    course.queued = there.waiting(there.queue_url)
    course.dead = {message["MessageId"]: message["Body"] for message in there.take(there.dead_url)}
    clips.mkdir()
    course.clips = clips
    for request in course.requests:
        key = f"{request.camera_id}/{request.clip_id}.mp4"
        if there.has(there.destination, key):
            there.s3.download_file(there.destination, key, str(clips / f"{request.clip_id}.mp4"))
