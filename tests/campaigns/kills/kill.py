"""Kill the function at a point, redeliver the message to a new process, and check the outcome.

A point is recognised from outside: by a request that arrives at a gate, or by a process.
"""

import random
import re
import time
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from attrs import Factory, evolve, frozen

from devtools.footage import Recording, assert_clip, constant_bitrate, read_clip, wanted
from devtools.local_aws.process_table import commands_with
from infrastructure.ffmpeg.locate import find_ffmpeg
from tests.campaigns.kills.deployment import Deployment, Scene
from tests.campaigns.kills.function_process import function, wait_for
from tests.support.gate import Trap
from tests.support.service import redelivered, wait_until

SMALL = Recording(first_number=0, frames=240, size=(320, 180))
SMALL_NEXT = evolve(SMALL, first_number=240, start_ms=8_000)
LARGE = constant_bitrate(Recording(first_number=0, frames=480), 8000)
"""16 MB, mostly filler: large enough for its clip to be a multipart upload copied inside S3."""


@frozen
class Point:
    """Where the function dies: at a request to AWS that was applied, with an ffmpeg, or later."""

    name: str
    aws: str = ""
    ffmpeg: tuple[str, ...] = ()
    """Words of the command line. It is slowed down, so that it would outlive its parent by far."""
    is_large: bool = False
    requests: int = 0
    """The number of the last request, counted from 1; 0 is the delivery itself."""
    then_s: float = 0
    """The time since that request."""


POINTS = (
    Point("an edge being encoded", ffmpeg=("libx264",)),
    Point("thumbnails being made", ffmpeg=("image2pipe",)),
    Point("splices being decoded", ffmpeg=("framecrc",)),
    Point("committed, the answer lost", aws=r"PUT /.*\.mp4$"),
    Point("between parts", aws=r"PUT .*\.mp4\?.*partNumber=2", is_large=True),
)
"""What only a kill shows: orphans, scratch and its lock, an upload cut off in all its threads.
`test_crashes.py` and `test_composing_faults.py` stop the handler before and after every request."""


@frozen
class Clip:
    """A request and its footage."""

    films: tuple[Recording, ...]
    window_ms: tuple[int, int]

    def message(self, scene: Scene) -> dict[str, Any]:
        """Store the recordings; return the request as a message."""
        for film in self.films:
            scene.world.record(film)
        return scene.world.message(scene.world.body(*self.window_ms))


SMALL_CLIP = Clip((SMALL, SMALL_NEXT), (1_234, 10_987))
LARGE_CLIP = Clip((LARGE,), (1_234, 14_987))


@frozen
class Death:
    """The last request before the kill, and what is wrong with what was left or came next."""

    point: str
    died_at: str = ""
    faults: list[str] = Factory(list)


def kill(point: Point, deployed: Deployment) -> Death:
    """Kill the function at a point of its work, then redeliver its message."""
    trap = Trap(point.aws or "(?!)", after=True)
    clip = LARGE_CLIP if point.is_large else SMALL_CLIP
    slowly = {"CAMCLIP_FFMPEG": str(_slow_ffmpeg(deployed.folder))} if point.ffmpeg else {}
    with deployed.scene(aws_trap=trap) as scene, function({**scene.environ, **slowly}) as first:
        message = clip.message(scene)
        first.deliver(message)
        if point.ffmpeg:
            wait_for(first.process.pid, [*point.ffmpeg, str(scene.world.scratch)])
        elif point.aws:
            assert trap.sprung.wait(30), f"The function did not reach: {point.name}."
        else:
            wait_until(lambda: len(scene.asked_s) >= point.requests)
            time.sleep(point.then_s)
        left = [*first.kill().values(), *commands_with(str(scene.world.scratch))]
        asked = (scene.camera_api.asked + scene.aws.asked)[-1:] or ["nothing"]
        faults = [f"'{command}' is still there." for command in left]
        if scene.world.reports() and f"{scene.world.key}.mp4" not in scene.world.stored():
            faults.append("A clip was called available before it was stored.")
        may_repeat = any("Publish" in line for line in scene.aws.asked) and not any(
            re.match(r"PUT .*\.json", line) for line in scene.aws.applied
        )
        faults += _redeliver(scene, clip, message, (1, 2) if may_repeat else (1,))
        return Death(point.name, re.sub(r"(cam|clip)-\w+[/.]?", "", asked[0]), faults)


def random_moments(count: int, seed: int, deployed: Deployment) -> list[Point]:
    """Draw moments of the function's work on a clip, one from each of `count` equal intervals.

    Each is relative to the request before it, so that a busy machine reaches it too.
    """
    draw = random.Random(seed)
    with deployed.scene() as scene, function(scene.environ) as undisturbed:
        message = SMALL_CLIP.message(scene)
        began_s = time.monotonic()
        undisturbed.deliver(message)
        answer = undisturbed.answer()
        asked_s = [0.0, *(at_s - began_s for at_s in scene.asked_s)]
    assert answer.failed == [], answer.faults
    drawn = [asked_s[-1] * (number + draw.random()) / count for number in range(count)]
    last = [bisect_right(asked_s, at_s) - 1 for at_s in drawn]
    return [
        Point(f"{at_s - asked_s[k]:.3f} s after request {k}", requests=k, then_s=at_s - asked_s[k])
        for k, at_s in zip(last, drawn, strict=True)
    ]


def _redeliver(
    scene: Scene, clip: Clip, message: dict[str, Any], notes: Sequence[int]
) -> list[str]:
    """Redeliver the message to a new process; return which promises the outcome breaks."""
    scene.release()
    world, faults = scene.world, []
    with function(scene.environ) as second:
        second.deliver(redelivered(message))
        answer = second.answer()
    if answer.failed:
        return [f"The next delivery failed: {answer.faults}"]
    with TemporaryDirectory(dir=scene.folder) as folder:
        try:
            assert_clip(
                read_clip(world.download(Path(folder))), wanted(clip.films, *clip.window_ms)
            )
        except AssertionError as error:
            faults.append(str(error))
    statuses = world.statuses()
    if set(statuses) != {"CLIP_AVAILABLE"}:
        faults.append(f"The camera API received {statuses}.")
    published = scene.published()
    if len({note["MessageAttributes"]["eventId"]["Value"] for note in published}) != 1:
        faults.append("The notifications are of several events.")
    if len(published) not in notes:
        faults.append(f"There are {len(published)} notifications.")
    if len(world.stored()) != 4:  # the clip, two thumbnails, the manifest
        faults.append(f"There are {sorted(world.stored())}.")
    if left := scene.scratch():
        faults.append(f"{left} lies in the scratch folder.")
    return faults


def _slow_ffmpeg(folder: Path) -> Path:
    """Make an ffmpeg that takes twenty times a file's duration to read it."""
    path = folder / "slow-ffmpeg"
    new = path.with_name(f"slow-ffmpeg-{uuid4().hex}")
    new.write_text(f'#!/bin/sh\nexec {find_ffmpeg({})} -readrate 0.05 "$@"\n')
    new.chmod(0o755)
    return new.rename(path)
