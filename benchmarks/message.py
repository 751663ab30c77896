"""The time from SendMessage to the clip's status, with the function run as Lambda runs it.

The queue and the topic are moto's, the runtime client is AWS's own (`devtools.local_aws`); S3 and
the camera API are at the end of the link, the API without any work of its own. The function's first
message finds no process (a cold start without Lambda's own part), the others find it warm. The
event source asks the queue every 0.1 s; Lambda's waits at it.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from attrs import evolve, frozen

from benchmarks.link import Link
from benchmarks.measuring import s3_client
from benchmarks.pipelines import CAMERA, CLIPS, RECORDINGS, Job
from benchmarks.running import Bench, Clip
from devtools.local_aws.camera_api import CameraStandIn
from devtools.local_aws.cloud import Cloud, cloud
from devtools.local_aws.event_source import EventSource
from devtools.local_aws.http_server import Request, serve
from devtools.local_aws.runtime import Function, link_client, source_path
from domain.clip import ClipRequest, ClipStatus
from infrastructure.formats.messages import message_body
from infrastructure.in_memory import InMemoryCameraService

TIMEOUT_S = 300
POLL_INTERVAL_S = 0.1


@frozen
class MessageTimes:
    """The seconds from SendMessage to the PUT of the status, of one message after the other."""

    clip: str
    cold_s: float
    warm_s: tuple[float, ...]
    wrong: str = ""
    """What is wrong with the clips."""

    @property
    def sentence(self) -> str:
        """It for people."""
        exact = f"not exact: {self.wrong}" if self.wrong else "exact"
        return (
            f"From SendMessage to the status at the camera API, {self.clip}: {self.cold_s:.2f} s"
            f" for the function's first message, {median(self.warm_s):.2f} s for a later one"
            f" ({min(self.warm_s):.2f} to {max(self.warm_s):.2f}); {exact}. The README of 2018"
            " promises 20 to 40 s."
        )


@frozen
class Deployment:
    """A function that waits for messages, and the reports that it sends."""

    cloud: Cloud
    reports: "SimpleQueue[tuple[float, dict[str, Any]]]"
    """Each with the time of its arrival by the monotonic clock, in seconds."""
    log: "SimpleQueue[str]"

    def time_s(self, job: Job) -> float:
        """Request a clip, and return when it was available, in seconds; RuntimeError if never.

        The message is done when this returns.
        """
        request = ClipRequest(job.clip_id, CAMERA, job.start_ms, job.end_ms)
        sent_s = time.monotonic()
        self.cloud.send(message_body(request))
        try:
            at_s, report = self.reports.get(timeout=TIMEOUT_S)
        except Empty:
            report = {}
        if report.get("status") != ClipStatus.AVAILABLE.value:
            lines = [self.log.get() for _ in range(self.log.qsize())]
            raise RuntimeError("\n".join([f"no clip: {json.dumps(report)}", *lines]))
        while self.cloud.waiting(self.cloud.queue_url):
            time.sleep(POLL_INTERVAL_S)
        return at_s - sent_s


@contextmanager
def deployed(job: Job, link: Link, latency_ms: float) -> Iterator[Deployment]:
    """Run the function on a camera with the recordings of `job`; its API has the latency, too."""
    reports: SimpleQueue[tuple[float, dict[str, Any]]] = SimpleQueue()
    log: SimpleQueue[str] = SimpleQueue()

    def delay(_: Request) -> None:
        time.sleep(latency_ms / 1000)

    cameras = CameraStandIn(
        InMemoryCameraService({CAMERA: job.segments}),
        lambda report: reports.put((time.monotonic(), report)),
        delay,
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        there = stack.enter_context(cloud(TIMEOUT_S + 10))
        settings = {
            **there.environ(stack.enter_context(serve(cameras))),
            "AWS_ENDPOINT_URL_S3": link.endpoint,
            "S3_BUCKET_ORIGIN": RECORDINGS,
            "S3_BUCKET_ORIGIN_DIR": "",
            "S3_BUCKET_DESTINATION": CLIPS,
            "VIDEO_MAX_LEN": "3600",
            "HEVC": "splice",
            "CAMCLIP_FFMPEG": job.ffmpeg,
            "CLIP_DOWNLOAD_DEST": str(folder / "scratch"),
        }
        (folder / "scratch").mkdir()
        path = [*source_path(), link_client(folder / "runtime")]
        function = Function(path, settings, TIMEOUT_S, log.put)
        source, stop = EventSource(there.sqs, there.queue_url, function), Event()
        polling = Thread(target=source.run, args=(stop,))
        polling.start()
        stack.callback(polling.join)
        stack.callback(function.close)
        stack.callback(stop.set)
        yield Deployment(there, reports, log)


def message_times(bench: Bench, clip: Clip, latency_ms: float, warm: int = 5) -> MessageTimes:
    """Send a message and then `warm` more, each when the one before it is done; check the clips."""
    s3_client(bench.link.direct).create_bucket(Bucket=CLIPS)
    expected, times_s, wrong = bench.expected(clip), [], ""
    with TemporaryDirectory() as folder:
        job = bench.job(clip, "camclip", "message", folder)
        with deployed(job, bench.link, latency_ms) as deployment:
            for number in range(1 + warm):
                own = evolve(job, clip_id=f"{job.clip_id}-{number}")
                times_s.append(deployment.time_s(own))
                bench.link.counts()  # stores what was uploaded in parts
                path = Path(folder) / "stored.mp4"
                bench.take(own, path)
                wrong = wrong or bench.judge(path, expected, clip.size)
    return MessageTimes(clip.name, times_s[0], tuple(times_s[1:]), wrong)
