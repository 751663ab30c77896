"""`camclip watch`: requests that arrive as files."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from devtools.footage import Recording, assert_clip, cached_recording, read_clip, wanted
from entrypoints.cli.app import app
from tests.support.recorders import START_MS, files_of, local, store, write_frigate

QUICK = {"THUMBNAIL_SIZES": "160", "SQS_TIMEOUT": "1", "SQS_RETRY_LIMIT": "60", "TZ": "UTC"}


@pytest.fixture
def dvr(tmp_path: Path, films: Path) -> Path:
    """Store what Frigate writes: two cameras with three files of ten seconds."""
    write_frigate(tmp_path / "dvr", films)
    (tmp_path / "requests").mkdir()
    return tmp_path / "dvr"


def watching(dvr: Path) -> list[str]:
    options = ("--recordings", dvr, "--layout", "frigate", "--out", dvr.parent / "out")
    return ["watch", *map(str, (dvr.parent / "requests", *options))]


def watch(dvr: Path, *more: str) -> Result:
    return CliRunner().invoke(app, [*watching(dvr), "--once", *more], env=QUICK)


def drop(dvr: Path, name: str, start_ms: int, end_ms: int) -> Path:
    path = dvr.parent / "requests" / name
    request = {
        "clipId": path.stem,
        "cameraId": "pier",
        "startTimestampInMs": start_ms,
        "endTimestampInMs": end_ms,
    }
    path.write_text(json.dumps(request))
    return path


def await_that(condition: Callable[[], object]) -> None:
    until_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_each_dropped_request_gets_its_clip(dvr: Path) -> None:
    """And its file is gone."""
    drop(dvr, "a.json", START_MS + 1000, START_MS + 2000)
    drop(dvr, "b.json", START_MS + 9000, START_MS + 11_000)
    ran = watch(dvr, "--json")
    assert ran.exit_code == 0, ran.output
    reports = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [report["clipId"] for report in reports] == ["a", "b"]
    recordings = files_of(3, 300, "faststart")
    for name, start, end in (("a", 1000, 2000), ("b", 9000, 11_000)):
        expected = wanted(recordings, START_MS + start, START_MS + end)
        assert_clip(read_clip(dvr.parent / f"out/pier/{name}.mp4"), expected)
    assert list((dvr.parent / "requests").iterdir()) == []
    assert list((dvr.parent / "out/.camclip/queue").iterdir()) == []


def test_what_is_no_request_is_moved_away_and_named(dvr: Path) -> None:
    """The others are handled; hidden files, and those of another kind, are not looked at."""
    drop(dvr, "a.json", START_MS + 1000, START_MS + 2000)
    requests = dvr.parent / "requests"
    (requests / "bad.json").write_text("no request")
    os.utime(requests / "bad.json", (1, 1))
    for name in (".part.json", "notes.txt"):
        (requests / name).write_text("not yet")
    ran = watch(dvr)
    assert ran.exit_code == 0, ran.output
    refused = requests / "refused/bad.json"
    assert f"bad.json is no request and was moved to {refused}: The message" in ran.stderr
    assert refused.read_text() == "no request"
    assert {path.name for path in requests.iterdir()} == {".part.json", "notes.txt", "refused"}
    assert (dvr.parent / "out/pier/a.mp4").exists()


def test_a_request_without_a_camera_is_reported(dvr: Path) -> None:
    """As the service does it."""
    (dvr.parent / "requests/a.json").write_text('{"clipId": "a"}')
    ran = watch(dvr)
    assert ran.exit_code == 4
    assert "FATAL_ERROR" in ran.stdout
    assert "cameraId is not" in ran.stdout


def test_due_retries_are_run_until_it_is_stopped(dvr: Path, films: Path) -> None:
    """A request waits for its footage, which is said once; SIGTERM says what is left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "entrypoints.cli.app", *watching(dvr), "--json"],
        env={**os.environ, **QUICK},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out = dvr.parent / "out"
    now_ms = time.time_ns() // 10**9 * 1000
    drop(dvr, "late.json", now_ms - 2000, now_ms - 1000)
    drop(dvr, "never.json", now_ms - 40_000, now_ms - 39_000)
    status = out / ".camclip/status"
    await_that(lambda: len(list(status.glob("*.json"))) == 2)
    recording = Recording(first_number=100, frames=90, start_ms=now_ms - 3000)
    start = local(recording.start_ms)
    film = cached_recording(films, recording)
    store(dvr / f"{start:%Y-%m-%d/%H}" / "pier" / f"{start:%M.%S}.mp4", film)
    await_that((out / "pier/late.mp4").exists)
    await_that((out / "pier/late.json").exists)
    # The message is deleted after the manifest is there; one that is requeued is there twice.
    queued = out / ".camclip/queue"
    await_that(lambda: len(list(queued.glob("*.json"))) == 1)
    process.send_signal(signal.SIGTERM)
    printed, messages = process.communicate(timeout=60)
    assert process.returncode == 130, messages
    reports = [json.loads(line) for line in printed.splitlines()]
    statuses = [(report["clipId"], report["status"]) for report in reports]
    assert sorted(statuses[:2]) == [("late", "CLIP_PENDING"), ("never", "CLIP_PENDING")]
    assert statuses[2:] in ([("late", "CLIP_AVAILABLE")], [])
    assert messages.splitlines()[0] == "Interrupted."
    left = len(list(queued.glob("*.json")))
    waiting = "1 request waits" if left == 1 else f"{left} requests wait"
    assert messages.splitlines()[-1].startswith(f"{waiting} in the queue: camclip run ")
    expected = wanted([recording], now_ms - 2000, now_ms - 1000)
    assert_clip(read_clip(out / "pier/late.mp4"), expected)


@pytest.mark.parametrize(
    ("folder", "out", "fault"),
    [
        ("none", "out", "none is no folder: make it, and put requests there."),
        ("requests", "out.mp4", "out.mp4 must be a folder: requests may make several clips."),
    ],
)
def test_wrong_folders_are_wrong_usage(dvr: Path, folder: str, out: str, fault: str) -> None:
    """Nothing is written."""
    before = sorted(dvr.parent.rglob("*"))
    options = ("--recordings", dvr, "--out", dvr.parent / out)
    given = ["watch", *map(str, (dvr.parent / folder, *options))]
    ran = CliRunner().invoke(app, given, env=QUICK)
    assert ran.exit_code == 2
    assert fault in " ".join(ran.stderr.split())
    assert sorted(dvr.parent.rglob("*")) == before
