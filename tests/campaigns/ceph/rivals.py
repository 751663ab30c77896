"""Two requests of one clipId for two windows, delivered to two processes at the same time."""

import subprocess
import time
from collections.abc import Callable, Iterator
from random import Random
from threading import Barrier, BrokenBarrierError, Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import Factory, define, frozen

from devtools.footage import Recording
from devtools.footage.picture import SCALED_DOWN, UNREADABLE, read_number
from devtools.local_aws.http_server import Request, Response
from infrastructure.ffmpeg.locate import find_ffmpeg
from tests.campaigns.ceph.scenes import LARGE, SMALL, Scene, http
from tests.campaigns.ceph.stage import THUMBNAILS, Stage, deliver
from tests.campaigns.kills.function_process import Answer, function
from tests.support.gate import Upstream, forward, gate
from tests.support.service import World, redelivered

WINDOWS_MS = ((950, 4_500), (1_950, 5_950))
FRAME_MS = 1000 / 30
IN_STEP_S = 5
MAX_DELAY_S = 0.5
LOSING = {"Conflict", "AlreadyInProgress"}

Wait = Callable[[str], None]
"""Delays a request of a kind."""


@define
class InStep:
    """Each first request of a kind waits for the rival's, until the rival no longer comes."""

    barriers: dict[str, Barrier] = Factory(dict)
    rival_is_gone: bool = False
    lock: Any = Factory(Lock)

    def of_one(self) -> Wait:
        """Return the delays of one of the two."""
        seen: set[str] = set()

        def wait(kind: str) -> None:
            with self.lock:
                is_first = kind not in seen
                seen.add(kind)
                barrier = self.barriers.setdefault(kind, Barrier(2))
            if not is_first or self.rival_is_gone:
                return
            try:
                barrier.wait(IN_STEP_S)
            except BrokenBarrierError:
                self.rival_is_gone = True

        return wait


def at_random(seed: int) -> Wait:
    """Return random delays."""
    draw = Random(seed)
    return lambda _: time.sleep(draw.uniform(0, MAX_DELAY_S))


def kind_of(request: Request) -> str:
    """Return what is equal for the same step of two deliveries of one clip."""
    url = urlsplit(request.target)
    return f"{request.method} {url.path.rpartition('.')[2]} {sorted(parse_qs(url.query))}"


@frozen
class _Delayed:
    """An upstream whose writes wait."""

    upstream: Upstream
    wait: Wait

    def __call__(self, request: Request) -> Response:
        if request.method in {"PUT", "POST"}:
            self.wait(kind_of(request))
        return self.upstream(request)


def rivals(film: Recording, seed: int | None) -> Scene:
    """Return a scene in which both deliveries go in step, or with random delays of a seed."""

    def scene(stage: Stage) -> Iterator[str]:
        world = stage.new_clip(film)
        messages = [world.message(world.body(*window_ms)) for window_ms in WINDOWS_MS]
        answers = _race(stage, world, messages, seed)
        won = [number for number, answer in enumerate(answers) if not answer.failed]
        if len(won) != 1:
            yield f"{len(won)} winners; {[answer.faults for answer in answers]}"
            return
        (winner,) = won
        if not set(answers[1 - winner].errors) <= LOSING:
            yield f"the loser failed with {answers[1 - winner].faults}"
        again = deliver(stage.environ(world, http(stage)), redelivered(messages[1 - winner]))
        if again.errors != ["Conflict"]:
            yield f"the loser, delivered again: {again.errors or 'available'}"
        available = {(r["startTimestampInMs"], r["endTimestampInMs"]) for r in world.reports()}
        if len(available) != 1:
            yield f"reported: {len(available)} windows as available"
        yield from stage.faults_of(world, [film], WINDOWS_MS[winner])
        yield from _foreign_thumbnails(world, WINDOWS_MS[winner])

    return scene


def _race(
    stage: Stage, world: World, messages: list[dict[str, Any]], seed: int | None
) -> list[Answer]:
    step = InStep()
    waits = [step.of_one() if seed is None else at_random(2 * seed + n) for n in range(2)]
    first, second = (_Delayed(forward(http(stage)), wait) for wait in waits)
    with (
        gate(first) as one,
        gate(second) as other,
        function(stage.environ(world, one.url)) as one_process,
        function(stage.environ(world, other.url)) as other_process,
    ):
        processes = one_process, other_process
        for process, message in zip(processes, messages, strict=True):
            process.deliver(message)
        return [process.answer() for process in processes]


def _foreign_thumbnails(world: World, window_ms: tuple[int, int]) -> Iterator[str]:
    """Yield the thumbnails that do not show the picture after a quarter of the clip."""
    start_ms, end_ms = window_ms
    expected = (start_ms + (end_ms - start_ms) / 4) / FRAME_MS
    for end in sorted(THUMBNAILS):
        thumbnail = world.stored().get(f"{world.key}{end}")
        shown = _number_on(thumbnail["Body"].read()) if thumbnail else UNREADABLE
        if abs(shown - expected) > 1:
            yield f"{end} shows frame {shown} instead of {expected:.0f}"


def _number_on(picture: bytes) -> int:
    side = SCALED_DOWN
    scale = f"scale={side}:{side}:flags=area,format=gray"
    ran = subprocess.run(
        [find_ffmpeg({}), "-v", "error", "-i", "-", "-vf", scale, "-f", "rawvideo", "-"],
        input=picture,
        capture_output=True,
        check=True,
    )
    return read_number(ran.stdout)


def composed_rivals(seed: int | None = None) -> Scene:
    """Return the scene for clips that the gateway composes."""
    return rivals(LARGE, seed)


def small_rivals(seed: int | None = None) -> Scene:
    """Return the scene for clips that one PUT stores."""
    return rivals(SMALL, seed)
