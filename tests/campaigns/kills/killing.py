"""Kill the function at a point, deliver the message again to a new one, and judge what came of it.

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

from attrs import evolve, frozen

from devtools.footage import Recording, assert_clip, read_clip, wanted
from infrastructure.ffmpeg.locate import find_ffmpeg
from tests.campaigns.kills.outside import Outside, Scene
from tests.campaigns.kills.processes import Function, function, running, wait_for
from tests.support.gate import Trap

SMALL = Recording(first_number=0, frames=240, size=(640, 360))
SMALL_NEXT = evolve(SMALL, first_number=240, start_ms=8_000)
BITRATE = "8000k"
LARGE = Recording(
    first_number=0,
    frames=480,
    bitrate_kbps=8000,
    extra_args=(
        *("-minrate", BITRATE, "-maxrate", BITRATE, "-bufsize", BITRATE),
        *("-x264-params", "nal-hrd=cbr"),
    ),
)
"""16 MB, mostly filler: so large that its clip is put together inside S3, out of parts."""


@frozen
class Point:
    """Where the function dies: at a request, before or after it is applied; or with an ffmpeg."""

    name: str
    camera_api: str = ""
    aws: str = ""
    after: bool = False
    ffmpeg: tuple[str, ...] = ()
    """Words of the command line. It is slowed down, so that it would outlive its parent by far."""
    is_large: bool = False
    repeats: bool = False
    """Whether the subscribers hear of the clip twice."""


POINTS = (
    Point("recordings asked for", camera_api="GET /cameras/recording/"),
    Point("index asked for", aws="GET /origin/"),
    Point("index and footage read", aws="GET /origin/", after=True),
    Point("edge being encoded", ffmpeg=("libx264",)),
    Point("stills being made", ffmpeg=("image2pipe",)),
    Point("joins being decoded", ffmpeg=("framecrc",)),
    Point("a still stored", aws=r"PUT /destination/.*_640\.jpg", after=True),
    Point("before the commit", aws=r"PUT /destination/.*\.mp4$"),
    Point("committed, the reply lost", aws=r"PUT /destination/.*\.mp4$", after=True),
    Point("upload begun", aws=r"POST .*\.mp4\?uploads", after=True, is_large=True),
    Point("between parts", aws=r"PUT .*\.mp4\?.*partNumber=2", after=True, is_large=True),
    Point("before the parts become one", aws=r"POST .*\.mp4\?uploadId", is_large=True),
    Point("parts become one", aws=r"POST .*\.mp4\?uploadId", after=True, is_large=True),
    Point("committed, before the status", camera_api="PUT /cameras/clips/"),
    Point("status told, before the notification", camera_api="PUT /cameras/clips/", after=True),
    Point("before the notification", aws="POST / Publish"),
    Point("notified, before the manifest", aws="POST / Publish", after=True, repeats=True),
    Point("before the manifest", aws=r"PUT /destination/.*\.json", repeats=True),
    Point("manifest stored", aws=r"PUT /destination/.*\.json", after=True),
)


@frozen
class Clip:
    """What is asked for."""

    films: tuple[Recording, ...]
    window_ms: tuple[int, int]

    def message(self, scene: Scene) -> dict[str, Any]:
        """Let the recordings be written, and ask for the clip."""
        for film in self.films:
            scene.world.record(film)
        return scene.world.message(scene.world.body(*self.window_ms))


SMALL_CLIP = Clip((SMALL, SMALL_NEXT), (1_234, 10_987))
LARGE_CLIP = Clip((LARGE,), (1_234, 14_987))


def again(message: dict[str, Any]) -> dict[str, Any]:
    """The message as it is delivered for the second time."""
    return {**message, "attributes": {**message["attributes"], "ApproximateReceiveCount": "2"}}


@frozen
class Death:
    """How far the function had got, what it left behind, and what is wrong with how it went on."""

    point: str
    died_at: str
    faults: list[str]


def kill_at(point: Point, outside: Outside) -> Death:
    """Kill the function at a named point, and go on from there."""
    trap = Trap(point.camera_api or point.aws or "(?!)", after=point.after)
    traps = (trap, None) if point.camera_api else (None, trap)
    clip = LARGE_CLIP if point.is_large else SMALL_CLIP
    slowly = {"CAMCLIP_FFMPEG": str(_slow_ffmpeg(outside.folder))} if point.ffmpeg else {}
    with outside.scene(*traps) as scene, function({**scene.environ, **slowly}) as first:
        message = clip.message(scene)
        first.deliver(message)
        if point.ffmpeg:
            wait_for(first.process.pid, [*point.ffmpeg, str(scene.world.scratch)])
        else:
            assert trap.sprung.wait(30), f"It never came to it: {point.name}."
        death = _die(point.name, first, scene)
        _go_on(death, scene, clip, message, (1 + point.repeats,))
        return death


@frozen
class Moment:
    """So long after a request, counted from 1, or after the beginning, which is 0."""

    requests: int
    then_s: float


def kill_in(moment: Moment, outside: Outside) -> Death:
    """Kill the function at a moment of its work, and go on from there."""
    with outside.scene() as scene, function(scene.environ) as first:
        message = SMALL_CLIP.message(scene)
        first.deliver(message)
        until_s = time.monotonic() + 60
        while len(scene.asked_s) < moment.requests:
            assert time.monotonic() < until_s, f"It never came to {moment}."
            time.sleep(0.002)
        time.sleep(moment.then_s)
        name = f"{moment.then_s:.3f} s after request {moment.requests}"
        death = _die(name, first, scene)
        may_repeat = any("Publish" in line for line in scene.aws.asked) and not any(
            re.match(r"PUT .*\.json", line) for line in scene.aws.applied
        )
        _go_on(death, scene, SMALL_CLIP, message, (1, 2) if may_repeat else (1,))
        return death


def random_moments(count: int, seed: int, outside: Outside) -> list[Moment]:
    """Draw moments of the function's work on a clip, one out of each of `count` equal shares.

    They are told by the last request before, so that a busy machine comes to them too.
    """
    draw = random.Random(seed)
    with outside.scene() as scene, function(scene.environ) as undisturbed:
        message = SMALL_CLIP.message(scene)
        began_s = time.monotonic()
        undisturbed.deliver(message)
        answer = undisturbed.answer()
        asked_s = [0.0, *(at_s - began_s for at_s in scene.asked_s)]
    assert answer.given_back == [], answer.faults
    drawn = [asked_s[-1] * (number + draw.random()) / count for number in range(count)]
    last = [bisect_right(asked_s, at_s) - 1 for at_s in drawn]
    return [Moment(k, at_s - asked_s[k]) for k, at_s in zip(last, drawn, strict=True)]


def _die(name: str, first: Function, scene: Scene) -> Death:
    left = [*first.kill().values(), *running(str(scene.world.scratch))]
    asked = (scene.camera_api.asked + scene.aws.asked)[-1:] or ["nothing"]
    death = Death(
        name,
        re.sub(r"(cam|clip)-\w+[/.]?", "", asked[0]),
        [f"'{command}' is still there." for command in left],
    )
    if scene.world.told() and f"{scene.key}.mp4" not in scene.world.stored():
        death.faults.append("A clip was called available before it was stored.")
    return death


def _go_on(
    death: Death, scene: Scene, clip: Clip, message: dict[str, Any], notes: Sequence[int]
) -> None:
    """Deliver the message again, to a new process, and hold the outcome against the promises."""
    scene.release()
    world, faults = scene.world, death.faults
    with function(scene.environ) as second:
        second.deliver(again(message))
        answer = second.answer()
    if answer.given_back:
        faults.append(f"The next delivery was given back: {answer.faults}")
        return
    with TemporaryDirectory(dir=scene.folder) as folder:
        try:
            assert_clip(
                read_clip(world.download(Path(folder))), wanted(clip.films, *clip.window_ms)
            )
        except AssertionError as error:
            faults.append(str(error))
    statuses = [report["status"] for report in world.told()]
    if set(statuses) != {"CLIP_AVAILABLE"}:
        faults.append(f"The camera API was told {statuses}.")
    published = scene.published()
    if len({note["MessageAttributes"]["eventId"]["Value"] for note in published}) != 1:
        faults.append("The notifications are of several events.")
    if len(published) not in notes:
        faults.append(f"There are {len(published)} notifications.")
    if len(world.stored()) != 4:  # the clip, two stills, the manifest
        faults.append(f"There are {sorted(world.stored())}.")
    if left := scene.scratch():
        faults.append(f"{left} lies in the scratch folder.")


def _slow_ffmpeg(folder: Path) -> Path:
    """Make an ffmpeg that takes twenty times a film's length to read it."""
    path = folder / "slow-ffmpeg"
    new = path.with_name(f"slow-ffmpeg-{uuid4().hex}")
    new.write_text(f'#!/bin/sh\nexec {find_ffmpeg({})} -readrate 0.05 "$@"\n')
    new.chmod(0o755)
    return new.rename(path)
