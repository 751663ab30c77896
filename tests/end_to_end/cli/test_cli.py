"""`camclip`, as a person meets it: a folder, a command, its words and its exit code."""

import json
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from devtools.footage import Recording, assert_clip, cached_recording, read_clip, wanted
from entrypoints.cli.app import app, environment, instant_ms

START_MS = 1_777_636_800_480
FIRST = Recording(first_number=100, frames=90, start_ms=START_MS)
SECOND = Recording(first_number=500, frames=90, start_ms=START_MS + 3000)
QUICK = {"THUMBNAIL_SIZES": "160", "SQS_TIMEOUT": "1", "SQS_RETRY_LIMIT": "2"}


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in which footage is made once."""
    return tmp_path_factory.mktemp("films")


@pytest.fixture
def root(tmp_path: Path, films: Path) -> Path:
    """Store two recordings of the camera "pier" that follow one another."""
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
    """One clip out of a folder."""

    def test_the_clip_holds_exactly_the_frames_asked_for(self, root: Path) -> None:
        """Across two recordings, with milliseconds at both ends."""
        ran = cut(root, 2345, 4567, "--id", "c1")
        assert ran.exit_code == 0, ran.output
        asked = wanted([FIRST, SECOND], START_MS + 2345, START_MS + 4567)
        assert_clip(read_clip(root / "clips/pier/c1.mp4"), asked)
        assert (root / "clips/pier/c1_160.jpg").exists()
        assert "CLIP_AVAILABLE" in ran.stdout
        assert f"{len(asked.numbers)}: " in ran.stdout
        assert str(root / "clips/pier/c1.mp4") in ran.stdout
        assert not list((root / ".scratch").iterdir())

    def test_what_is_missing_is_said(self, root: Path, films: Path) -> None:
        """A gap is in the table and does not make the clip a failure."""
        store(root, films, Recording(first_number=900, frames=90, start_ms=START_MS + 9000))
        ran = cut(root, 5000, 10_000)
        assert ran.exit_code == 0, ran.output
        assert "delivered │ 2.000 s" in ran.stdout
        assert "gap       │ 2026-05-01 12:00:06.480 UTC, 3.000 s long" in ran.stdout

    def test_the_same_cut_twice_is_one_clip(self, root: Path) -> None:
        """The second time nothing is made and nobody is told again."""
        assert cut(root, 1000, 2000).exit_code == 0
        [clip] = (root / "clips/pier").glob("*.mp4")
        before = clip.stat()
        again = cut(root, 1000, 2000)
        assert again.exit_code == 0
        assert "was there already" in again.stdout
        assert clip.stat() == before
        assert len((root / "notifications.jsonl").read_text().splitlines()) == 1

    def test_json_is_the_report_and_nothing_else(self, root: Path) -> None:
        """Standard output can be piped into any reader of JSON."""
        report = json.loads(cut(root, 0, 1000, "--json").stdout)
        assert report["status"] == "CLIP_AVAILABLE"
        assert report["coverage"] == {"complete": True, "deliveredInMs": 1000, "gaps": []}

    def test_progress_goes_to_standard_error(self, root: Path) -> None:
        """A line at each quarter where there is no terminal to draw on."""
        assert "Cutting: 45 of 45 frames" in cut(root, 500, 3000).stderr

    def test_an_unknown_camera_is_refused(self, root: Path) -> None:
        """The reason is told."""
        ran = camclip(
            *("cut", "--root", root, "--camera", "boat"),
            *("--from", "2026-05-01T12:00:00", "--to", "2026-05-01T12:00:01Z"),
        )
        assert ran.exit_code == 4
        assert "unknown camera boat" in ran.stdout

    def test_a_recording_that_is_none_is_a_failure_in_one_sentence(self, root: Path) -> None:
        """No traceback, and the file is named."""
        [first, _] = sorted((root / "recordings/pier").iterdir())
        first.write_text("There is no video in here. " * 100)
        ran = cut(root, 0, 1000)
        assert ran.exit_code == 1
        assert ran.stdout == ""
        [line] = ran.stderr.splitlines()
        assert first.name in line
        assert "Traceback" not in ran.output

    def test_undated_recordings_are_named(self, root: Path) -> None:
        """Footage that was dropped in under a name without a time is not silently ignored."""
        shutil.copyfile(next((root / "recordings/pier").iterdir()), root / "recordings/pier/x.mp4")
        assert "x.mp4" in cut(root, 0, 1000).stderr

    @pytest.mark.parametrize(
        ("start", "end", "clip_id", "told"),
        [
            ("noon", "5", "c1", "noon is no instant"),
            ("2000", "1000", "c1", "--from must be before --to"),
            ("1000", "1000", "c1", "--from must be before --to"),
            ("1000", "2000", "../c1", "An id is"),
        ],
    )
    def test_nonsense_is_wrong_usage(
        self, root: Path, start: str, end: str, clip_id: str, told: str
    ) -> None:
        """Told in a sentence, before anything is done."""
        window = ("--from", start, "--to", end, "--id", clip_id)
        ran = camclip("cut", "--root", root, "--camera", "pier", *window)
        assert ran.exit_code == 2
        assert told in ran.stderr
        assert not (root / "status").exists()

    def test_senseless_settings_are_wrong_usage(self, root: Path) -> None:
        """The variable at fault is named."""
        ran = cut(root, 0, 1000, SQS_TIMEOUT="901")
        assert ran.exit_code == 2
        assert "SQS_TIMEOUT" in ran.stderr


class TestRun:
    """Events, and the folder's queue."""

    def ask(self, root: Path, *more: str) -> Path:
        event = camclip("event", *more)
        assert event.exit_code == 0, event.output
        path = root / "event.json"
        path.write_text(event.stdout)
        return path

    @pytest.mark.parametrize(
        ("letter", "status", "code"),
        [
            ("-p", "CLIP_PENDING", 3),
            ("-n", "CLIP_NOT_AVAILABLE", 4),
            ("-o", "CLIP_OUT_OF_RANGE", 4),
            ("-t", "CLIP_TOO_LONG", 4),
        ],
    )
    def test_each_letter_goes_its_way(
        self, root: Path, letter: str, status: str, code: int
    ) -> None:
        """The sample event's times give what the letter says."""
        ran = camclip("run", self.ask(root, letter), "--root", root)
        assert (ran.exit_code, status in ran.stdout) == (code, True), ran.output

    def test_an_available_clip_is_asked_of_what_is_recorded(self, root: Path) -> None:
        """-a with a folder chooses a window that is in its newest recording."""
        ran = camclip("run", self.ask(root, "-a", "--root", str(root)), "--root", root, "--json")
        assert ran.exit_code == 0, ran.output
        assert json.loads(ran.stdout)["coverage"]["complete"]

    def test_the_event_has_the_2018_services_form(self, root: Path) -> None:
        """The body is a single-quoted dict; times are text."""
        [record] = json.loads(self.ask(root, "-o", "--camera", "17").read_text())["Records"]
        assert record["body"].startswith("{'clipId': '")
        assert "'cameraId': '17'" in record["body"]
        assert record["attributes"]["SentTimestamp"].isdecimal()
        assert record["eventSource"] == "aws:sqs"

    def test_two_letters_are_wrong_usage(self) -> None:
        """An event goes one way."""
        assert camclip("event", "-p", "-n").exit_code == 2

    def test_a_waiting_clip_is_made_when_its_footage_comes(
        self, tmp_path: Path, films: Path
    ) -> None:
        """Pending first; and available when the queue is handled after the file has come."""
        (tmp_path / "recordings/pier").mkdir(parents=True)
        now_ms = time.time_ns() // 1_000_000
        waiting = ("--from", now_ms - 2000, "--to", now_ms - 1000, "--id", "late")
        ran = camclip(
            *("cut", "--root", tmp_path, "--camera", "pier", *waiting), SQS_RETRY_LIMIT="900"
        )
        assert ran.exit_code == 3, ran.output
        assert "--until-done" in ran.stderr
        assert not (tmp_path / "notifications.jsonl").exists()
        film = Recording(first_number=100, frames=90, start_ms=now_ms - 2500)
        store(tmp_path, films, film)
        ran = camclip("run", "--root", tmp_path, "--until-done", SQS_RETRY_LIMIT="900")
        assert ran.exit_code == 0, ran.output
        asked = wanted([film], now_ms - 2000, now_ms - 1000)
        assert_clip(read_clip(tmp_path / "clips/pier/late.mp4"), asked)
        assert not list((tmp_path / "queue").iterdir())

    def test_a_clip_whose_footage_never_comes_is_given_up(self, tmp_path: Path) -> None:
        """The queue is waited for until the last look, which ends in a refusal."""
        (tmp_path / "recordings/pier").mkdir(parents=True)
        ran = camclip("run", self.ask(tmp_path, "-p"), "--root", tmp_path, "--until-done")
        assert ran.exit_code == 4, ran.output
        assert "CLIP_RETRY_TIMEOUT" in ran.stdout
        assert "Waiting" in ran.stderr
        assert not list((tmp_path / "queue").iterdir())

    def test_a_message_that_fails_stays_in_the_queue(self, tmp_path: Path) -> None:
        """It is due again a little later."""
        folder = tmp_path / "recordings/pier"
        folder.mkdir(parents=True)
        now_ms = time.time_ns() // 1_000_000
        window = ("--from", now_ms - 2000, "--to", now_ms - 1000)
        assert camclip("cut", "--root", tmp_path, "--camera", "pier", *window).exit_code == 3
        name = f"pier.{datetime.fromtimestamp(now_ms // 1000 - 60, UTC):%Y%m%dT%H%M%S}.mp4"
        (folder / name).write_text("There is no video in here. " * 100)
        time.sleep(1.1)
        ran = camclip("run", "--root", tmp_path)
        assert ran.exit_code == 1, ran.output
        [queued] = (tmp_path / "queue").iterdir()
        assert int(queued.name.split("-")[0]) > time.time() * 1000 + 5000
        assert queued.name.endswith(".1.json")

    def test_one_bad_message_does_not_spoil_the_others(self, root: Path) -> None:
        """All are handled, and the exit code is that of the worst."""
        event = json.loads(self.ask(root, "-a", "--root", str(root)).read_text())
        event["Records"] += json.loads(self.ask(root, "-p").read_text())["Records"]
        event["Records"].append({**event["Records"][0], "messageId": "m2", "body": "nonsense"})
        ran = camclip("run", "-", "--root", root, stdin=json.dumps(event))
        assert ran.exit_code == 1
        assert "CLIP_AVAILABLE" in ran.stdout
        assert "CLIP_PENDING" in ran.stdout
        assert "A message failed" in ran.stderr

    @pytest.mark.parametrize("text", [None, "{", "[1]", "{}", '{"Records": [{"a": 1}]}'])
    def test_an_event_that_is_none_is_wrong_usage(self, root: Path, text: str | None) -> None:
        """Absent, no JSON, or no batch of SQS messages."""
        if text is not None:
            (root / "event.json").write_text(text)
        ran = camclip("run", root / "event.json", "--root", root)
        assert ran.exit_code == 2
        assert len(ran.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    """A file in the place of the folder: one sentence."""
    (tmp_path / "file").touch()
    ran = camclip(
        "cut", "--root", tmp_path / "file", "--camera", "a", "--from", 10**12, "--to", 10**12 + 1
    )
    assert ran.exit_code == 1
    assert "Traceback" not in ran.output
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [[], ["cut"], ["run"], ["event"], ["demo"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    """-h gives usage and, for a command, an example."""
    ran = camclip(*command, "-h")
    assert ran.exit_code == 0
    assert "Usage:" in ran.stdout
    assert not command or "Example" in ran.stdout


@pytest.mark.parametrize(
    "text",
    [
        "1777636810250",
        "2026-05-01T12:00:10.250Z",
        "2026-05-01T12:00:10.25",
        "2026-05-01 14:00:10.250+02:00",
    ],
)
def test_an_instant_is_read_in_its_zone_or_utc(text: str) -> None:
    """However it is written, it is the same millisecond."""
    assert instant_ms(text) == 1_777_636_810_250


def test_the_environment_goes_before_the_env_file(tmp_path: Path) -> None:
    """A file `.env` gives what is not set; comments and quotes are understood."""
    (tmp_path / ".env").write_text('# a comment\n#A=1\nPATH=none\nexport A_B = "x=y"\nrest\n')
    told = environment(tmp_path)
    assert told["A_B"] == "x=y"
    assert told["PATH"] == os.environ["PATH"]
    assert "#A" not in told
