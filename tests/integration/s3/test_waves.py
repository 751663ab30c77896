"""Requests that do not depend on each other are made at once, and the commit comes last."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import pytest
from attrs import Factory, define

from application.make_clip import MakeClip
from application.ports import ThumbnailSpec
from devtools import footage
from devtools.footage.recording import FFMPEG, cached_recording
from devtools.local_aws.http_server import Response
from domain.clip import ClipRequest, ClipStatus
from domain.delivery import Delivery
from domain.recording import RecordingSegment
from domain.retry import RetryPolicy
from domain.window import TimeWindow
from infrastructure.aws import CONFIG
from infrastructure.in_memory import InMemoryCameraService, InMemoryNotifier, InMemoryRetryQueue
from infrastructure.s3 import S3RecordingStore
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.contract.real import aws_session
from tests.support.clip_store import clip_store
from tests.support.strict_s3 import Fault, StrictS3, strict_s3

START_MS = 1_534_341_619_000
FILM = footage.Recording(start_ms=START_MS, first_number=1000, frames=300, bframes=2)
ANSWER_S = 0.4
"""How long every answer takes: those of one wave overlap, however slow the machine is."""
VERIFY_S = 2
"""How long the decoding of splices takes at least: longer than to lay out so small a clip."""
MIN_PART_BYTES = 4096
LOGGING = f"""
case "$*" in *libx264*) name=encode;; *framecrc*) name=verify;; *) name=other;; esac
echo "$name began $(date +%s%N)" >> "${{0%/*}}/log"
{FFMPEG} "$@"
status=$?
[ $name = verify ] && sleep {VERIFY_S}
echo "$name ended $(date +%s%N)" >> "${{0%/*}}/log"
exit $status
"""


@define
class Waves:
    """Which requests could only be made after others had been answered."""

    over: int = 0
    """The last wave of which an answer has been sent."""
    ended: list[tuple[int, float]] = Factory(list)
    """The wave of each answer, and when it was sent."""
    began: dict[str, list[float]] = Factory(dict)
    """When requests came, by operation."""
    lock: Lock = Factory(Lock)

    def of(self, operation: str) -> Fault:
        """Answer slowly."""

        def slowly(proper: Callable[[], Response]) -> Response:
            with self.lock:
                wave = self.over + 1
                self.began.setdefault(operation, []).append(time.time())
            time.sleep(ANSWER_S)
            answer = proper()
            with self.lock:
                self.over = max(self.over, wave)
                self.ended.append((wave, time.time()))
            return answer

        return slowly

    def before(self, at_s: float) -> int:
        """Return how many waves were over at a time."""
        return max((wave for wave, ended_s in self.ended if ended_s <= at_s), default=0)


@pytest.fixture
def ffmpeg(tmp_path: Path) -> Path:
    path = tmp_path / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{LOGGING}")
    path.chmod(0o755)
    return path


def logged(ffmpeg: Path) -> dict[str, float]:
    """Return when each process first began and last ended, by `NAME EVENT`."""
    times: dict[str, float] = {}
    for line in (ffmpeg.parent / "log").read_text().splitlines():
        event, _, at_ns = line.rpartition(" ")
        choose = max if event.endswith("ended") else min
        at_s = int(at_ns) / 1e9
        times[event] = choose(at_s, times.get(event, at_s))
    return times


def make(server: StrictS3, ffmpeg: Path, films: Path, folder: Path) -> Waves:
    """Make a clip that begins and ends between keyframes, over slow answers."""
    server.min_part_bytes = MIN_PART_BYTES
    server.put("recordings/pier.mp4", cached_recording(films, FILM).read_bytes())
    client = aws_session().client("s3", endpoint_url=server.url, config=CONFIG)
    waves = Waves()
    for operation in ("get", "head", "put", "create", "copy", "send", "complete"):
        server.faults[operation] = [waves.of(operation)]
    segment = RecordingSegment(TimeWindow(START_MS, START_MS + 10_000), "pier.mp4")
    make_clip = MakeClip(
        InMemoryCameraService({"pier": [segment]}),
        S3RecordingStore(client, "recordings"),
        FfmpegTranscoder(ffmpeg, uploaded_bytes=MIN_PART_BYTES),
        clip_store(client, "clips", min_part_bytes=MIN_PART_BYTES),
        InMemoryRetryQueue(),
        InMemoryNotifier(),
        RetryPolicy(),
        ThumbnailSpec((64,)),
    )
    request = ClipRequest("c1", "pier", START_MS + 700, START_MS + 8300)
    folder.mkdir()
    delivery = Delivery(request, "m", START_MS + 20_000, START_MS + 20_000, time.monotonic() + 60)
    assert make_clip(delivery, folder).report.status is ClipStatus.AVAILABLE
    return waves


def test_three_waves_precede_the_encoder_and_the_commit_follows_the_verification(
    ffmpeg: Path, films: Path, tmp_path: Path
) -> None:
    """Clip and manifest; the index; frames with their probes. Parts are sent while it decodes."""
    with strict_s3() as server:
        waves = make(server, ffmpeg, films, tmp_path / "scratch")
    times = logged(ffmpeg)
    assert waves.before(times["encode began"]) <= 3
    assert len(waves.began["get"]) <= 6
    assert waves.began["create"][0] < times["verify ended"] < waves.began["complete"][0]
    assert waves.began["send"]
    assert waves.began["copy"]
