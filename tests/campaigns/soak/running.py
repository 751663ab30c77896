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
from devtools.local_aws.cloud import Cloud, cloud
from devtools.local_aws.event_source import Delivery, EventSource
from devtools.local_aws.runtime import HANDLER, Function, copy_client
from devtools.local_aws.serving import serve
from tests.campaigns.soak.asking import FIRST, SECOND, Request, draw
from tests.campaigns.soak.outside import Outside
from tests.campaigns.soak.watching import Sample, look_at, processes_of

HERE = Path(__file__).parents[3]
TIMEOUT_S = 30
HIDDEN_S = 35
"""Longer than the function's timeout, as in production: nothing is handled twice at once."""
RECEIVES = 5
SENDING = 0.75
"""The part of the time in which requests come; in the rest the queue empties."""
DRAIN_S = 300
"""After this long the queue is called stuck."""
AGO_MS = 150_000
PERIOD_MS = 8_000
"""The beeps of the footage repeat after this time."""


@frozen
class Soak:
    """How hard, how long, with what luck."""

    seconds: float
    requests: int
    seed: int = 0
    functions: int = 2
    """Execution environments, each with a poller: as with MaximumConcurrency 2."""
    given_back_after_s: int | None = None
    """Short soaks cannot wait for the visibility timeout."""
    decoded: int = 40
    """Clips that are decoded whole."""
    handler: str = HANDLER


@define
class Course:
    """What happened."""

    requests: Sequence[Request]
    sent: dict[str, Request] = Factory(dict)
    """By the message's id."""
    deliveries: list[Delivery] = Factory(list)
    samples: list[Sample] = Factory(list)
    notes: list[dict[str, Any]] = Factory(list)
    told: dict[str, list[dict[str, Any]]] = Factory(dict)
    dead: list[str] = Factory(list)
    """Bodies in the dead-letter queue."""
    dead_ids: list[str] = Factory(list)
    queued: int = 0
    kills: int = 0
    refusals: int = 0
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
        outside = Outside(
            there,
            {request.camera_id: request for request in course.requests},
            {r: cached_recording(footage, r).read_bytes() for r in (FIRST, SECOND)},
            _moment_ms(),
            lambda camera_id: _pid_of(camera_id, sources),
        )
        outside.record()
        cameras_url = stack.enter_context(serve(outside))
        path = [
            package,
            copy_client(folder / "client"),
            *([] if soak.handler == HANDLER else [HERE]),
        ]
        settings = _settings(there, cameras_url, scratch)
        lock = Lock()

        def tell(delivery: Delivery) -> None:
            with lock:
                course.deliveries.append(delivery)
            if invoked := delivery.invoked:
                sample = look_at(invoked.pid, scratch)
                course.samples += [sample] if sample else []

        for _ in range(soak.functions):
            function = Function(path, settings, TIMEOUT_S, handler=soak.handler)
            source = EventSource(there.sqs, there.queue_url, function, tell, batch_size=3)
            source.given_back_after_s = soak.given_back_after_s
            sources.append(source)
        with _polling(sources):
            _send(course, there, outside.moment_ms, began_s)
            _drain(there, course)
        course.scratch = len(list(scratch.iterdir()))
        course.orphans = len(_own_ffmpegs(folder))
        course.violations += [*outside.violations, *(f for s in sources for f in s.faults)]
        _collect(course, there, outside, folder / "clips")
        course.took_s = time.monotonic() - began_s
        yield course


def _moment_ms() -> int:
    return (time.time_ns() // 1_000_000 - AGO_MS) // PERIOD_MS * PERIOD_MS


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
        if any(f'"{camera_id}"' in record["body"] for record in source.in_hand):
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


def _own_ffmpegs(folder: Path) -> list[int]:
    """Return the ffmpegs that work for this soak, and not for another that runs beside it."""
    found = []
    for pid in processes_of(Path(FFMPEG)):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder).encode() in words:
            found.append(pid)
    return found


def _collect(course: Course, there: Cloud, outside: Outside, clips: Path) -> None:
    course.notes += there.notifications()
    course.told = outside.told
    course.kills, course.refusals = outside.kills, outside.refusals
    course.queued = there.waiting(there.queue_url)
    while messages := there.sqs.receive_message(
        QueueUrl=there.dead_url, MaxNumberOfMessages=10
    ).get("Messages"):
        for message in messages:
            course.dead.append(message["Body"])
            course.dead_ids.append(message["MessageId"])
            there.sqs.delete_message(
                QueueUrl=there.dead_url, ReceiptHandle=message["ReceiptHandle"]
            )
    clips.mkdir()
    course.clips = clips
    for request in course.requests:
        key = f"{request.camera_id}/{request.clip_id}.mp4"
        if there.s3.list_objects_v2(Bucket=there.destination, Prefix=key).get("KeyCount"):
            there.s3.download_file(there.destination, key, str(clips / f"{request.clip_id}.mp4"))
