"""Disk, memory and limits: excess is reported before work; exhaustion loses nothing."""

import signal
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from devtools.footage import assert_clip, read_clip, wanted
from devtools.local_aws.process_table import descendants
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.ffmpeg.locate import find_ffmpeg
from tests.campaigns.kills.deployment import Deployment, Scene
from tests.campaigns.kills.function_process import Answer, FunctionProcess, function
from tests.campaigns.kills.kill import SMALL_CLIP, Clip
from tests.support.service import redelivered

FFMPEG = find_ffmpeg({})
OWN_DISKS = ("unshare", "--user", "--map-root-user", "--mount")
needs_own_disks = pytest.mark.skipif(
    subprocess.run([*OWN_DISKS, "true"], check=False, capture_output=True).returncode != 0,
    reason="a process may not mount a disk of its own here",
)


def small_disk(scratch: Path, size: str) -> tuple[str, ...]:
    """The command that runs another with a small disk of its own as its scratch folder."""
    script = f'mount -t tmpfs -o size={size} tmpfs "{scratch}" && exec "$@"'
    return (*OWN_DISKS, "sh", "-c", script, "sh")


def fake_ffmpeg(scene: Scene, script: str) -> dict[str, str]:
    """The environment with an ffmpeg that runs a script first."""
    path = scene.folder / f"ffmpeg-{scene.world.clip_id}"
    path.write_text(f'#!/bin/sh\n{script}\nexec {FFMPEG} "$@"\n')
    path.chmod(0o755)
    return {**scene.environ, "CAMCLIP_FFMPEG": str(path)}


def assert_nothing_lost(scene: Scene, clip: Clip, message: dict[str, Any], first: Answer) -> None:
    """Assert that no clip was reported or stored, and that the next delivery succeeds."""
    assert first.failed == [message["messageId"]]
    assert scene.world.reports() == []
    assert not any(key.endswith((".mp4", ".json")) for key in scene.world.stored())
    with function(scene.environ) as second:
        second.deliver(redelivered(message))
        assert second.answer().faults == []
    assert_clip(
        read_clip(scene.world.download(scene.world.scratch)), wanted(clip.films, *clip.window_ms)
    )
    (scene.world.scratch / "clip.mp4").unlink()
    assert scene.world.statuses() == ["CLIP_AVAILABLE"]
    assert scene.scratch() == []


@needs_own_disks
def test_too_little_disk_space_is_reported_before_work(around: Deployment) -> None:
    """The reason gives both sizes; no footage was read but the index, and no ffmpeg ran."""
    with around.scene() as scene:
        message = SMALL_CLIP.message(scene)
        environ = fake_ffmpeg(scene, f"touch {scene.folder}/{scene.world.clip_id}-ran")
        with function(environ, *small_disk(scene.world.scratch, "6m")) as first:
            first.deliver(message)
            answer = first.answer()
        assert len(answer.faults) == 1
        assert "The scratch folder has 6.3 MB free; the clip needs " in answer.faults[0]
        assert not (scene.folder / f"{scene.world.clip_id}-ran").exists()
        assert_nothing_lost(scene, SMALL_CLIP, message, answer)


@needs_own_disks
def test_a_disk_that_fills_up_during_the_work_costs_nothing(around: Deployment) -> None:
    """The message is given back, nothing broken is published, and our own files are gone."""
    with around.scene() as scene:
        message = SMALL_CLIP.message(scene)
        scratch = scene.world.scratch
        fill = f"head -c 50000000 /dev/zero > {scratch}/ballast 2>/dev/null"
        environ = fake_ffmpeg(scene, f'case "$*" in *libx264*) {fill};; esac')
        with function(environ, *small_disk(scratch, "20m")) as first:
            first.deliver(message)
            answer = first.answer()
            own_disk = Path(f"/proc/{first.process.pid}/root{scratch}")
            assert [path.name for path in own_disk.iterdir()] == ["ballast"]
        assert_nothing_lost(scene, SMALL_CLIP, message, answer)


def test_a_file_that_cannot_grow_costs_nothing(around: Deployment) -> None:
    """Whether we write it or ffmpeg, the message is given back, and the process goes on."""
    with (
        around.scene(THUMBNAIL_FORMAT="png", THUMBNAIL_SIZES="1500") as scene,
        function(scene.environ) as process,
    ):
        message = Clip(SMALL_CLIP.films[:1], (100, 600)).message(scene)
        faults = []
        for file_bytes in (20_000, 700_000):
            process.deliver(message, file_bytes=file_bytes)
            answer = process.answer()
            assert answer.failed == [message["messageId"]]
            assert scene.scratch() == []
            faults += answer.faults
        # ffmpeg is killed by SIGXFSZ, which Python ignores.
        assert faults == [
            "The scratch folder cannot be used: File too large",
            f"ffmpeg was killed by signal {signal.SIGXFSZ.value}.",
        ]
        assert scene.world.stored() == {}
        process.deliver(message)
        assert process.answer().faults == []


def test_memory_that_runs_out_costs_nothing(around: Deployment) -> None:
    """Not even a thread can be started: the message is given back, and the process survives."""
    with around.scene() as scene, function(scene.environ) as process:
        message = SMALL_CLIP.message(scene)
        process.deliver(message, memory_bytes=1 << 20)
        assert process.answer().failed == [message["messageId"]]
        assert scene.scratch() == []
        assert descendants(process.process.pid) == set()
        process.deliver(redelivered(message))
        assert process.answer().faults == []


def test_an_ffmpeg_without_memory_costs_nothing(around: Deployment) -> None:
    """However it ends."""
    with around.scene() as scene:
        message = SMALL_CLIP.message(scene)
        with function(fake_ffmpeg(scene, "ulimit -v 150000")) as first:
            first.deliver(message)
            answer = first.answer()
        assert_nothing_lost(scene, SMALL_CLIP, message, answer)


def bomb(path: Path) -> bytes:
    """A picture of 12,000 x 12,000 pixels: 216 MB decoded."""
    argv = [str(FFMPEG), "-v", "error", "-y", "-f", "lavfi"]
    argv += ["-i", "color=gray:s=12000x12000:r=1:d=1", "-c:v", "mjpeg", "-f", "mp4", str(path)]
    subprocess.run(argv, check=True, env={}, timeout=60)
    return path.read_bytes()


def test_a_picture_that_is_too_large_is_not_decoded(around: Deployment, tmp_path: Path) -> None:
    """Where the tables lie about it, ffmpeg stops; where they say so, that is the reason."""
    data = bomb(tmp_path / "bomb.mp4")
    at = data.index(b"mp4v") + 28  # its width and height (ISO/IEC 14496-12, 12.1.3)
    lie = data[:at] + struct.pack(">HH", 640, 360) + data[at + 4 :]
    said = tmp_path / "said"
    with around.scene() as scene, function(fake_ffmpeg(scene, f"exec 2>>{said}")) as process:
        name = scene.world.record(evolve(SMALL_CLIP.films[0], frames=30), stored=False)
        scene.world.put(name, lie)
        assert f"No picture of the clip can be decoded. Frames of {name} " in _fatal(scene, process)
        assert "12000x12000" in said.read_text()

        said.unlink()
        scene.world.put(name, data)
        honest = evolve(scene, world=scene.world.new_clip("honest"))
        assert "12000 x 12000" in _fatal(honest, process)
        assert not said.exists()


def _fatal(scene: Scene, process: FunctionProcess) -> str:
    """Request the first second; return the reason for its FATAL_ERROR."""
    world = scene.world
    process.deliver(world.message(world.body(0, 1_000)))
    assert process.answer().failed == []
    (report,) = world.reports()
    assert report["status"] == "FATAL_ERROR"
    assert not any(key.endswith((".mp4", ".jpg")) for key in world.stored())
    assert scene.scratch() == []
    return str(report["reason"])


@pytest.mark.parametrize(
    ("start_ms", "reason"),
    [
        (0, "1000 parts of recordings and 0 gaps; 200 and 100 are allowed"),
        (-100_000, "1000 parts of recordings and 1 gaps; 200 and 100 are allowed"),
    ],
    ids=["all of the clip", "after a gap"],
)
def test_footage_in_a_thousand_parts_is_refused_unread(
    around: Deployment, start_ms: int, reason: str
) -> None:
    """The reason says how many are allowed; not even the recording before the clip is opened."""
    with around.scene() as scene, function(scene.environ) as process:
        world = scene.world
        world.record(evolve(SMALL_CLIP.films[0], start_ms=start_ms - 8_000))
        _list(scene, range(0, 100_000, 100), 100)
        process.deliver(world.message(world.body(start_ms, 100_000)))
        assert process.answer().failed == []
        (report,) = world.reports()
        assert report["status"] == "FATAL_ERROR"
        assert reason in report["reason"]
        assert _footage_requests(scene) == []


def test_a_thousand_recordings_just_before_the_clip_are_refused_unread(around: Deployment) -> None:
    """The last picture of each might be held until the clip."""
    with around.scene() as scene, function(scene.environ) as process:
        world = scene.world
        world.record(SMALL_CLIP.films[0])
        _list(scene, range(-999, 0), 1)
        process.deliver(world.message(world.body(0, 1_000)))
        assert process.answer().failed == []
        (report,) = world.reports()
        assert report["status"] == "FATAL_ERROR"
        assert "999 recordings end just before the clip; 200 are allowed" in report["reason"]
        assert _footage_requests(scene) == []


def _list(scene: Scene, starts_ms: range, duration_ms: int) -> None:
    """List recordings that start so long after the moment; none is stored."""
    moments_ms = [scene.world.moment_ms + start_ms for start_ms in starts_ms]
    scene.world.segments.extend(
        RecordingSegment(TimeWindow(moment_ms, moment_ms + duration_ms), f"{moment_ms}.mp4")
        for moment_ms in moments_ms
    )


def _footage_requests(scene: Scene) -> list[str]:
    """Return the requests for recordings."""
    return [line for line in scene.aws.asked if scene.world.cloud.origin in line]
