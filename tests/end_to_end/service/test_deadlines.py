"""Whatever stalls, the handler answers before its timeout, and leaves nothing behind."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from typing import Any

from attrs import Factory, field, frozen

from devtools.footage import Recording, assert_clip, read_clip, wanted
from devtools.local_aws.http_server import Response, Send
from devtools.local_aws.process_table import commands_with
from entrypoints.lambda_context import HandlerContext
from tests.campaigns.kills.deployment import Deployment
from tests.campaigns.kills.function_process import commands_of_descendants, function
from tests.campaigns.kills.kill import LARGE_CLIP, SMALL_CLIP
from tests.support.gate import Trap, hold
from tests.support.service import World, redelivered

LEFT_S = 18.0
"""Little more than the 15 s without which no message is started."""
SPARE_S = 4.0
"""The part of the 8 s reserved for cleaning up and answering that must be left."""
SLEEP_S = "6021.5"
"""How long fake ffmpegs sleep, which identifies them in the process table."""


def drip(trap: Trap, response: Response | None, send: Send) -> None:
    """Send the answer byte by byte."""
    assert response is not None
    for byte in response.head() + response.body:
        send(bytes([byte]))
        if trap.released.wait(0.3):
            return


def half(trap: Trap, response: Response | None, send: Send) -> None:
    """Send half of the answer's body, and no more."""
    assert response is not None
    send(response.head() + response.body[: len(response.body) // 2])
    trap.released.wait()


def endless(trap: Trap, _: Response | None, send: Send) -> None:
    """Send a body that never ends."""
    send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[")
    while not trap.released.is_set():
        send(b" " * 65536)


@frozen
class Stall:
    """What stalls: a request at the camera API or at AWS, or ffmpeg, which is then a script."""

    name: str
    pattern: str = ""
    act: Callable[[Trap, Response | None, Send], None] = hold
    after: bool = False
    is_large: bool = False
    script: str = ""
    fault: str = "time|deadline"
    trap: Trap = field(init=False)

    @trap.default
    def _trap(self) -> Trap:
        return Trap(self.pattern, self.act, self.after, reads=not self.is_large)

    @property
    def is_camera(self) -> bool:
        return "cameras" in self.pattern


STALLS = (
    Stall("the camera API accepts and never answers", "GET /cameras/recording"),
    Stall("the camera API drips", "GET /cameras/recording", drip, after=True),
    Stall("the camera API sends without end", "GET /cameras/cam", endless, fault="over 1048576"),
    Stall("the status is never answered", "PUT /cameras/clips"),
    Stall("S3 sends half a body", "GET /[^/]+-recordings", half, after=True),
    Stall("S3 drips", "GET /[^/]+-recordings", drip, after=True),
    Stall("S3 does not take an upload", r"PUT .*partNumber=1\b", is_large=True),
    Stall("S3 does not answer a commit", r"POST .*\.mp4\?uploadId", is_large=True),
    Stall("SNS is slow", "POST / Publish"),
    Stall(
        "ffmpeg ignores signals",
        script=f"trap '' TERM INT HUP QUIT; while :; do sleep {SLEEP_S}; done",
    ),
    Stall(
        "ffmpeg forks, and its children hold the pipes",
        script=f"sleep {SLEEP_S} & (trap '' TERM; sleep {SLEEP_S}; sleep {SLEEP_S}) & wait",
    ),
    Stall(
        "ffmpeg floods its messages",
        script=f"head -c 100000000 /dev/zero | tr '\\0' x >&2; sleep {SLEEP_S}",
    ),
    Stall("ffmpeg prints without end", script="while :; do echo frame=1; done"),
)


def test_whatever_stalls_the_handler_answers_in_time(around: Deployment) -> None:
    """The message fails, no file and no process is left, and the next delivery succeeds."""
    together = Barrier(len(STALLS))
    with ThreadPoolExecutor(len(STALLS)) as cases:
        outcomes = list(cases.map(lambda stall: _outcome(stall, around, together), STALLS))
    faults = [
        f"{stall.name}: {fault}"
        for stall, found in zip(STALLS, outcomes, strict=True)
        for fault in found
    ]
    assert not faults, "\n".join(faults)
    assert commands_with(SLEEP_S) == []


def _outcome(stall: Stall, around: Deployment, together: Barrier) -> list[str]:
    """Stall one call; return what went wrong."""
    traps = (stall.trap, None) if stall.is_camera else (None, stall.trap)
    faults: list[str] = []
    with ExitStack() as scenery:
        scene = scenery.enter_context(around.scene(*(traps if stall.pattern else ())))
        environ = dict(scene.environ)
        if stall.script:
            fake = scene.folder / f"ffmpeg-{scene.world.clip_id}"
            fake.write_text(f"#!/bin/sh\n{stall.script}\n")
            fake.chmod(0o755)
            environ["CAMCLIP_FFMPEG"] = str(fake)
        message = (LARGE_CLIP if stall.is_large else SMALL_CLIP).message(scene)
        process = scenery.enter_context(function(environ))
        together.wait(120)
        process.deliver(message, left_s=LEFT_S)
        answer = process.answer()
        if answer.failed != [message["messageId"]]:
            faults.append("The message did not fail.")
        if answer.took_s > LEFT_S - SPARE_S:
            faults.append(f"It took {answer.took_s:.1f} of {LEFT_S} s.")
        if stall.pattern and not stall.trap.sprung.is_set():
            faults.append("The function did not reach it.")
        if not answer.faults or not re.search(stall.fault, answer.faults[0]):
            faults.append(f"The fault was {answer.faults}.")
        if left := scene.scratch():
            faults.append(f"{left} lies in the scratch folder.")
        if left := [
            *commands_of_descendants(process.process.pid).values(),
            *commands_with(environ["CLIP_DOWNLOAD_DEST"]),
        ]:
            faults.append(f"{left} still runs.")
        if not stall.script:
            scene.release()
            process.deliver(redelivered(message))
            if again_failed := process.answer().faults:
                faults.append(f"The next delivery failed: {again_failed}")
    return faults


@frozen
class ShrinkingContext(HandlerContext):
    """Lambda's context, whose time runs out between two records."""

    each_left_ms: list[int] = Factory(list)

    def get_remaining_time_in_millis(self) -> int:
        return self.each_left_ms.pop(0)


FILM = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))


def test_with_little_time_left_before_a_record_it_and_all_after_it_fail(
    world: World, tmp_path: Path
) -> None:
    """The first of four is made; nothing of the others is reported or stored."""
    world.record(FILM)
    clips = [world.new_clip(number) for number in range(4)]
    messages = [clip.message(clip.body(500, 1_700)) for clip in clips]
    context: Any = ShrinkingContext(0, "request", each_left_ms=[60_000, 14_999, 3_000, 0])
    assert world.handle(*messages, context=context) == [m["messageId"] for m in messages[1:]]
    assert_clip(read_clip(clips[0].download(tmp_path)), wanted([FILM], 500, 1_700))
    assert [clip.reports() + list(clip.stored()) for clip in clips[1:]] == [[], [], []]
