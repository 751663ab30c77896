"""`camclip` on a folder: each command, its output and its exit code."""

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer

import pytest
from typer.testing import CliRunner, Result

from devtools.footage import Recording, assert_clip, cached_recording, read_clip, wanted
from entrypoints.cli.app import app
from tests.support.said import said_by

START_MS = 1_777_636_800_480
FIRST = Recording(first_number=100, frames=90, start_ms=START_MS)
SECOND = Recording(first_number=500, frames=90, start_ms=START_MS + 3000)
QUICK = {"THUMBNAIL_SIZES": "160", "SQS_TIMEOUT": "1", "SQS_RETRY_LIMIT": "2"}


@pytest.fixture
def root(tmp_path: Path, films: Path) -> Path:
    """Store two consecutive recordings of the camera "pier"."""
    for recording in (FIRST, SECOND):
        store(tmp_path, films, recording)
    return tmp_path


def store(root: Path, films: Path, recording: Recording) -> Path:
    start = datetime.fromtimestamp(recording.start_ms // 1000, UTC)
    name = f"pier.stream.{start:%Y%m%dT%H%M%S}{recording.start_ms % 1000:03d}.mp4"
    path = root / "recordings" / "pier" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(cached_recording(films, recording), path)
    return path


def camclip(*arguments: object, stdin: str | None = None, **settings: str) -> Result:
    """Run `camclip`."""
    return CliRunner().invoke(
        app, list(map(str, arguments)), input=stdin, env={**QUICK, **settings}
    )


def cut(root: Path, start_ms: int, end_ms: int, *more: str, **settings: str) -> Result:
    window = ("--from", START_MS + start_ms, "--to", START_MS + end_ms)
    return camclip("cut", "--root", root, "--camera", "pier", *window, *more, **settings)


class TestCut:
    """`camclip cut`."""

    def test_the_clip_holds_exactly_the_requested_frames(self, root: Path) -> None:
        """Across two recordings, with milliseconds at both ends."""
        ran = cut(root, 2345, 4567, "--id", "c1")
        assert ran.exit_code == 0, ran.output
        expected = wanted([FIRST, SECOND], START_MS + 2345, START_MS + 4567)
        assert_clip(read_clip(root / "clips/pier/c1.mp4"), expected)
        assert (root / "clips/pier/c1_160.jpg").exists()
        assert "CLIP_AVAILABLE" in ran.stdout
        assert f"{len(expected.numbers)}: " in ran.stdout
        assert str(root / "clips/pier/c1.mp4") in ran.stdout
        assert not list((root / ".scratch").iterdir())

    def test_a_gap_is_reported(self, root: Path, films: Path) -> None:
        """It is in the table, and the clip is still available."""
        store(root, films, Recording(first_number=900, frames=90, start_ms=START_MS + 9000))
        ran = cut(root, 5000, 10_000)
        assert ran.exit_code == 0, ran.output
        assert "delivered │ 2.000 s" in ran.stdout
        assert "gap       │ 3.000 s from 2026-05-01 12:00:06.480 UTC" in ran.stdout

    def test_times_are_read_and_shown_in_the_chosen_zone(self, root: Path) -> None:
        """Next to UTC; a duration takes the place of the end."""
        window = ("--from", "2026-05-01 14:00:01.5", "--for", "2.5s", "--tz", "Europe/Madrid")
        ran = camclip("cut", "--root", root, "--camera", "pier", *window)
        assert ran.exit_code == 0, ran.output
        start, end = (
            f"2026-05-01 12:00:{second} UTC (2026-05-01 14:00:{second}+02:00 Europe/Madrid)"
            for second in ("01.500", "04.000")
        )
        assert f"from      │ {start}" in ran.stdout
        assert f"to        │ {end}" in ran.stdout

    def test_the_zone_is_that_of_the_start_or_of_the_settings(self, root: Path) -> None:
        """A zone that the start names comes first."""
        to_second = ("--for", "1s", "--camera", "pier")
        named = camclip(
            *("cut", "--root", root, "--from", "2026-05-01 14:00 Europe/Madrid", *to_second),
            CLIP_TZ="Asia/Tokyo",
        )
        assert "(2026-05-01 14:00:00.000+02:00 Europe/Madrid)" in named.stdout
        usual = camclip(
            *("cut", "--root", root, "--from", "2026-05-01 21:00", *to_second),
            CLIP_TZ="Asia/Tokyo",
        )
        assert "12:00:00.000 UTC (2026-05-01 21:00:00.000+09:00 Asia/Tokyo)" in usual.stdout

    def test_the_clip_says_what_it_is(self, root: Path) -> None:
        """When it was recorded, its title in the zone of the settings, and its id."""
        assert cut(root, 2345, 4567, "--id", "c1", CLIP_TZ="Europe/Madrid").exit_code == 0
        assert said_by(root / "clips/pier/c1.mp4") | {"encoder": ""} == {
            "creation_time": "2026-05-01T12:00:02.000000Z",
            "title": "pier 2026-05-01 14:00:02.825 to 14:00:05.047 (+02:00)",
            "comment": "c1",
            "major_brand": "isom",
            "minor_version": "512",
            "compatible_brands": "isomiso2avc1mp41",
            "encoder": "",
        }

    def test_an_unknown_zone_is_wrong_usage(self, root: Path) -> None:
        """The message says what a zone is."""
        ran = cut(root, 0, 1000, "--tz", "Madrid")
        assert ran.exit_code == 2
        assert "--tz Madrid must be a time zone of this machine's tzdata, such as" in ran.stderr

    def test_repeating_a_cut_makes_no_second_clip(self, root: Path) -> None:
        """Nor a second notification."""
        assert cut(root, 1000, 2000).exit_code == 0
        [clip] = (root / "clips/pier").glob("*.mp4")
        before = clip.stat()
        again = cut(root, 1000, 2000)
        assert again.exit_code == 0
        assert "already available" in again.stdout
        assert clip.stat() == before
        assert len((root / "notifications.jsonl").read_text().splitlines()) == 1

    def test_json_output_is_the_report_alone(self, root: Path) -> None:
        """It can be piped into any parser of JSON."""
        report = json.loads(cut(root, 0, 1000, "--json").stdout)
        assert report["status"] == "CLIP_AVAILABLE"
        assert report["coverage"] == {
            "complete": True,
            "deliveredInMs": 1000,
            "gaps": [],
            "damaged": [],
            "held": [],
            "unused": [],
            "verified": "splices",
            "notes": [],
        }

    def test_a_pipe_gets_no_progress(self, root: Path) -> None:
        """Nothing but the result is printed."""
        assert cut(root, 500, 3000).stderr == ""

    def test_an_unknown_camera_is_rejected(self, root: Path) -> None:
        """The reason is printed, and which there are."""
        (root / "cameras.json").write_text('{"mole": {"alias": "mole"}}')
        ran = camclip(
            *("cut", "--root", root, "--camera", "boat"),
            *("--from", "2026-05-01T12:00:00", "--to", "2026-05-01T12:00:01Z"),
        )
        assert ran.exit_code == 4
        assert "reason    │ unknown camera boat; there is mole, pier" in ran.stdout

    def test_an_unreadable_recording_is_a_failure_in_one_sentence(self, root: Path) -> None:
        """It names the file, and there is no traceback; a second try ends the same way."""
        [first, second] = sorted((root / "recordings/pier").iterdir())
        first.write_text("There is no video in here. " * 100)
        for _ in range(2):
            ran = cut(root, 0, 1000, "--id", "c1")
            assert ran.exit_code == 1
            [line] = ran.stderr.splitlines()
            assert line.startswith("camclip: Clip c1 failed: No listed recording can be read. ")
            assert first.name in line
            assert second.name not in ran.output
            assert "FATAL_ERROR" in ran.stdout
            assert "Traceback" not in ran.output
        assert list(root.glob("clips/pier/*.mp4")) == []

    def test_once_it_can_be_read_its_clip_is_made(self, root: Path, films: Path) -> None:
        """The failure is not final."""
        [first, _] = sorted((root / "recordings/pier").iterdir())
        first.write_text("There is no video in here. " * 100)
        assert cut(root, 0, 1000, "--id", "c1").exit_code == 1
        store(root, films, FIRST)
        assert cut(root, 0, 1000, "--id", "c1").exit_code == 0
        expected = wanted([FIRST], START_MS, START_MS + 1000)
        assert_clip(read_clip(root / "clips/pier/c1.mp4"), expected)

    def test_json_output_of_an_unreadable_recording_is_its_report(self, root: Path) -> None:
        """The exit code and the sentence are those of a failure."""
        [first, _] = sorted((root / "recordings/pier").iterdir())
        first.write_text("There is no video in here. " * 100)
        ran = cut(root, 0, 1000, "--json")
        assert ran.exit_code == 1
        report = json.loads(ran.stdout)
        assert report["status"] == "FATAL_ERROR"
        assert first.name in report["reason"]
        assert report["reason"] in ran.stderr

    @pytest.mark.parametrize("kind", ["text", "empty", "cut off"])
    def test_an_unreadable_recording_between_good_ones_is_a_gap(
        self, root: Path, films: Path, kind: str
    ) -> None:
        """The file is named, again when the cut is repeated; the others' frames are all there."""
        third = Recording(first_number=900, frames=90, start_ms=START_MS + 6000)
        store(root, films, third)
        [_, second, _] = sorted((root / "recordings/pier").iterdir())
        whole = second.read_bytes()
        contents = {"text": b"No video. " * 100, "empty": b"", "cut off": whole[: len(whole) // 50]}
        second.write_bytes(contents[kind])
        for _ in range(2):
            ran = cut(root, 1000, 8000, "--id", "c1")
            assert ran.exit_code == 0, ran.output
            assert "gap       │ 3.000 s from 2026-05-01 12:00:03.480 UTC" in ran.stdout
            [note] = [line for line in ran.stdout.splitlines() if second.name in line]
            assert "note " in note
        expected = wanted([FIRST, third], START_MS + 1000, START_MS + 8000)
        assert_clip(read_clip(root / "clips/pier/c1.mp4"), expected)

    @pytest.mark.parametrize("text", ["There is no video in here. " * 100, ""], ids=len)
    def test_an_unreadable_recording_is_named_late_in_it_too(self, root: Path, text: str) -> None:
        """It is not the same as no footage: the last file may be long, or the next far away."""
        [_, last] = sorted((root / "recordings/pier").iterdir())
        last.write_text(text)
        ran = cut(root, 1_800_000, 1_801_000)
        assert ran.exit_code == 1, ran.output
        [line] = ran.stderr.splitlines()
        assert last.name in line

    def test_no_footage_is_no_failure(self, root: Path) -> None:
        """The request is rejected, and no recording is named, but where the footage is."""
        ran = cut(root, -5000, -4000)
        assert ran.exit_code == 4
        assert ran.stderr.strip() == (
            "The nearest footage begins 4 s after, at 2026-05-01 12:00:00.480 UTC."
        )
        assert "No recording of that time is listed." in ran.stdout

    def test_recordings_of_another_kind_are_named(self, root: Path) -> None:
        """The reason of a rejection says why they were left out."""
        for path in (root / "recordings/pier").iterdir():
            path.rename(path.with_suffix(".ts"))
        ran = cut(root, 0, 1000)
        assert ran.exit_code == 4
        assert "480.ts was left out: its name does not end with .mp4, .m4v or .mov." in ran.stdout

    def test_recordings_in_capitals_are_cut(self, root: Path) -> None:
        """As recorders with FAT write them."""
        for path in (root / "recordings/pier").iterdir():
            path.rename(path.with_suffix(".MP4"))
        assert cut(root, 2000, 4000).exit_code == 0

    def test_recordings_without_a_start_time_are_named(self, root: Path) -> None:
        """They are not ignored silently."""
        shutil.copyfile(next((root / "recordings/pier").iterdir()), root / "recordings/pier/x.mp4")
        assert "x.mp4" in cut(root, 0, 1000).stderr

    @pytest.mark.parametrize(
        ("start", "end", "clip_id", "message"),
        [
            ("noon", "5", "c1", "noon is no time"),
            ("2000", "1000", "c1", "--from must be before --to"),
            ("1000", "1000", "c1", "--from must be before --to"),
            ("1000", "2000", "../c1", "An id is"),
        ],
    )
    def test_invalid_options_are_wrong_usage(
        self, root: Path, start: str, end: str, clip_id: str, message: str
    ) -> None:
        """One sentence says so, before anything is done."""
        window = ("--from", start, "--to", end, "--id", clip_id)
        ran = camclip("cut", "--root", root, "--camera", "pier", *window)
        assert ran.exit_code == 2
        assert message in ran.stderr
        assert not (root / "status").exists()

    def test_invalid_settings_are_wrong_usage(self, root: Path) -> None:
        """The message names the variable."""
        ran = cut(root, 0, 1000, SQS_TIMEOUT="901")
        assert ran.exit_code == 2
        assert "SQS_TIMEOUT" in ran.stderr


class TestRun:
    """`camclip run` and `camclip event`."""

    def event(self, root: Path, *more: str) -> Path:
        printed = camclip("event", *more)
        assert printed.exit_code == 0, printed.output
        path = root / "event.json"
        path.write_text(printed.stdout)
        return path

    @pytest.mark.parametrize(
        ("option", "status", "code"),
        [
            ("-p", "CLIP_PENDING", 3),
            ("-n", "CLIP_NOT_AVAILABLE", 4),
            ("-o", "CLIP_OUT_OF_RANGE", 4),
            ("-t", "CLIP_TOO_LONG", 4),
        ],
    )
    def test_each_sample_event_has_its_outcome(
        self, root: Path, option: str, status: str, code: int
    ) -> None:
        """Its times alone decide."""
        ran = camclip("run", self.event(root, option), "--root", root)
        assert (ran.exit_code, status in ran.stdout) == (code, True), ran.output

    def test_an_available_clip_is_requested_from_the_newest_recording(self, root: Path) -> None:
        """-a with a folder requests a window of it."""
        ran = camclip("run", self.event(root, "-a", "--root", str(root)), "--root", root, "--json")
        assert ran.exit_code == 0, ran.output
        assert json.loads(ran.stdout)["coverage"]["complete"]

    def test_the_event_has_the_2018_services_form(self, root: Path) -> None:
        """The body is a single-quoted dict; times are text."""
        [record] = json.loads(self.event(root, "-o", "--camera", "17").read_text())["Records"]
        assert record["body"].startswith("{'clipId': '")
        assert "'cameraId': '17'" in record["body"]
        assert record["attributes"]["SentTimestamp"].isdecimal()
        assert record["eventSource"] == "aws:sqs"

    def test_two_outcomes_are_wrong_usage(self) -> None:
        """An event has one."""
        assert camclip("event", "-p", "-n").exit_code == 2

    def test_a_pending_clip_is_made_once_there_is_footage(
        self, tmp_path: Path, films: Path
    ) -> None:
        """It is available when the queue is handled after the file has been stored."""
        (tmp_path / "recordings/pier").mkdir(parents=True)
        now_ms = time.time_ns() // 1_000_000
        late = ("--from", now_ms - 2000, "--to", now_ms - 1000, "--id", "late")
        ran = camclip(
            *("cut", "--root", tmp_path, "--camera", "pier", *late), SQS_RETRY_LIMIT="900"
        )
        assert ran.exit_code == 3, ran.output
        assert "--until-done" in ran.stderr
        assert not (tmp_path / "notifications.jsonl").exists()
        recording = Recording(first_number=100, frames=90, start_ms=now_ms - 2500)
        store(tmp_path, films, recording)
        ran = camclip("run", "--root", tmp_path, "--until-done", SQS_RETRY_LIMIT="900")
        assert ran.exit_code == 0, ran.output
        expected = wanted([recording], now_ms - 2000, now_ms - 1000)
        assert_clip(read_clip(tmp_path / "clips/pier/late.mp4"), expected)
        assert not list((tmp_path / "queue").iterdir())

    def test_a_clip_that_never_gets_footage_is_rejected(self, tmp_path: Path) -> None:
        """After the last retry, for which --until-done waits."""
        (tmp_path / "recordings/pier").mkdir(parents=True)
        ran = camclip("run", self.event(tmp_path, "-p"), "--root", tmp_path, "--until-done")
        assert ran.exit_code == 4, ran.output
        assert "CLIP_RETRY_TIMEOUT" in ran.stdout
        assert not list((tmp_path / "queue").iterdir())

    def test_an_unreadable_recording_is_waited_for_and_then_a_failure(self, tmp_path: Path) -> None:
        """Another may come for that time until the deadline; the output names the file."""
        folder = tmp_path / "recordings/pier"
        folder.mkdir(parents=True)
        now_ms = time.time_ns() // 1_000_000
        name = f"pier.{datetime.fromtimestamp(now_ms // 1000 - 60, UTC):%Y%m%dT%H%M%S}.mp4"
        (folder / name).write_text("There is no video in here. " * 100)
        window = ("--from", now_ms - 2000, "--to", now_ms - 1000)
        ran = camclip("cut", "--root", tmp_path, "--camera", "pier", *window, SQS_RETRY_LIMIT="5")
        assert ran.exit_code == 3, ran.output
        assert name in ran.stdout
        ran = camclip("run", "--root", tmp_path, "--until-done", SQS_RETRY_LIMIT="5")
        assert ran.exit_code == 1, ran.output
        assert "FATAL_ERROR" in ran.stdout
        assert name in ran.stderr.splitlines()[-1]
        assert not list((tmp_path / "queue").iterdir())

    def test_a_message_that_fails_stays_in_the_queue(self, tmp_path: Path, films: Path) -> None:
        """It is due again after the redelivery delay."""
        folder = tmp_path / "recordings/pier"
        folder.mkdir(parents=True)
        now_ms = time.time_ns() // 1_000_000
        window = ("--from", now_ms - 2000, "--to", now_ms - 1000)
        assert camclip("cut", "--root", tmp_path, "--camera", "pier", *window).exit_code == 3
        store(tmp_path, films, Recording(first_number=100, frames=90, start_ms=now_ms - 2500))
        (tmp_path / "clips").mkdir(exist_ok=True)
        (tmp_path / "clips/pier").write_text("Here, no folder can be made.")
        time.sleep(1.1)
        ran = camclip("run", "--root", tmp_path)
        assert ran.exit_code == 1, ran.output
        [queued] = (tmp_path / "queue").iterdir()
        assert int(queued.name.split("-")[0]) > time.time() * 1000 + 5000
        assert queued.name.endswith(".1.json")

    def test_an_invalid_message_does_not_affect_the_others(self, root: Path) -> None:
        """All are handled, and the exit code is the worst one."""
        event = json.loads(self.event(root, "-a", "--root", str(root)).read_text())
        event["Records"] += json.loads(self.event(root, "-p").read_text())["Records"]
        event["Records"].append({**event["Records"][0], "messageId": "m2", "body": "nonsense"})
        ran = camclip("run", "-", "--root", root, stdin=json.dumps(event))
        assert ran.exit_code == 1
        assert "CLIP_AVAILABLE" in ran.stdout
        assert "CLIP_PENDING" in ran.stdout
        assert "A message failed" in ran.stderr

    @pytest.mark.parametrize("text", [None, "{", "[1]", "{}", '{"Records": [{"a": 1}]}'])
    def test_an_invalid_event_is_wrong_usage(self, root: Path, text: str | None) -> None:
        """Missing, not JSON, or not a batch of SQS messages."""
        if text is not None:
            (root / "event.json").write_text(text)
        ran = camclip("run", root / "event.json", "--root", root)
        assert ran.exit_code == 2
        assert len(ran.stderr.splitlines()) == 1


class TestRoot:
    """A root holds recordings: nothing is written into any other folder."""

    @pytest.mark.parametrize("made", ["", "footage", "footage/clips"])
    @pytest.mark.parametrize("name", ["cut", "run", "run --until-done", "event"])
    def test_a_misspelt_root_is_wrong_usage_and_nothing_is_written(
        self, tmp_path: Path, name: str, made: str
    ) -> None:
        """One sentence names the folder."""
        (tmp_path / made).mkdir(parents=True, exist_ok=True)
        before = sorted(tmp_path.rglob("*"))
        event = tmp_path.parent / "event.json"
        event.write_text(camclip("event", "-o").stdout)
        times = ("--from", START_MS, "--to", START_MS + 1000)
        arguments = {
            "cut": ("cut", "--camera", "pier", *times),
            "run": ("run", event),
            "run --until-done": ("run", "--until-done"),
            "event": ("event", "-a"),
        }[name]
        ran = camclip(*arguments, "--root", tmp_path / "footage")
        assert ran.exit_code == 2, ran.output
        assert ran.stdout == ""
        [line] = ran.stderr.splitlines()
        assert f"{tmp_path / 'footage'}" in line
        assert "recordings" in line
        assert sorted(tmp_path.rglob("*")) == before


class TestTwoRuns:
    """Two runs of one clip at the same time end with one clip and two successes."""

    @pytest.mark.parametrize("commands", [("cut", "cut"), ("cut", "run"), ("run", "run")])
    def test_two_runs_of_one_clip_end_with_one_clip_and_two_successes(
        self, root: Path, commands: tuple[str, str]
    ) -> None:
        """The loser waits for the winner's manifest and reports the same."""
        event = root / "event.json"
        event.write_text(camclip("event", "-a", "--root", root).stdout)
        body = ast.literal_eval(json.loads(event.read_text())["Records"][0]["body"])
        times = ("--from", body["startTimestampInMs"], "--to", body["endTimestampInMs"])
        arguments = {
            "cut": ("cut", "--camera", "pier", *times, "--id", body["clipId"]),
            "run": ("run", event),
        }
        runs = [started(*arguments[name], "--root", root, "--json") for name in commands]
        printed = [run.communicate(timeout=60) for run in runs]
        assert [run.returncode for run in runs] == [0, 0], printed
        reports = [json.loads(out) for out, _ in printed]
        assert reports[0] == reports[1]
        assert len(list((root / "clips/pier").glob("*.mp4"))) == 1
        published = map(json.loads, (root / "notifications.jsonl").read_text().splitlines())
        assert len({notification["eventId"] for notification in published}) == 1

    @pytest.mark.parametrize("announced", [True, False], ids=["announced", "died"])
    def test_a_run_waits_for_the_manifest_of_the_other(self, root: Path, announced: bool) -> None:
        """If the other died, its clip is announced once it must have ended."""
        assert cut(root, 1000, 2000, "--id", "c1").exit_code == 0
        manifest = root / "clips/pier/c1.json"
        kept = manifest.read_text()
        manifest.unlink()
        os.utime(root / "clips/pier/c1.mp4")
        began_s = time.monotonic()
        timer = Timer(1.0, manifest.write_text, [kept])
        if announced:
            timer.start()
        ran = cut(root, 1000, 2000, "--id", "c1", FUNCTION_TIMEOUT="60" if announced else "2")
        assert ran.exit_code == 0, ran.output
        assert "CLIP_AVAILABLE" in ran.stdout
        assert "Another run" in ran.stderr
        assert 0.9 < time.monotonic() - began_s < 10
        assert json.loads(manifest.read_text())["report"]["status"] == "CLIP_AVAILABLE"


def started(*arguments: object) -> "subprocess.Popen[str]":
    """Start `camclip` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "entrypoints.cli.app", *map(str, arguments)],
        env={**os.environ, **QUICK},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_unwritable_folder_is_a_failure(tmp_path: Path) -> None:
    """One sentence says so if the folder is a file."""
    (tmp_path / "file").touch()
    ran = camclip(
        "cut", "--root", tmp_path / "file", "--camera", "a", "--from", 10**12, "--to", 10**12 + 1
    )
    assert ran.exit_code == 1
    assert "Traceback" not in ran.output
    assert len(ran.stderr.splitlines()) == 1
