"""`camclip cameras`, `footage` and `plan`: what there is, before anything is cut."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from entrypoints.cli.app import app
from tests.support.recorders import START_MS, write_frigate, write_mediamtx

QUICK = {"THUMBNAIL_SIZES": "160", "TZ": "UTC"}
START = "2026-05-01 11:59:50.000 UTC"


def camclip(*arguments: object, **settings: str) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={**QUICK, **settings})


def snapshot(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.fixture
def dvr(tmp_path: Path, films: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Store what Frigate writes: two cameras with three files of ten seconds."""
    write_frigate(tmp_path / "dvr", films)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "dvr"


class TestCameras:
    """`camclip cameras`."""

    def test_each_camera_is_a_line_with_its_first_and_last_start(self, dvr: Path) -> None:
        """By names alone; nothing is written."""
        before = snapshot(dvr.parent)
        ran = camclip("cameras", "--recordings", dvr)
        assert ran.exit_code == 0, ran.output
        title, mole, pier = ran.stdout.splitlines()
        assert title == f"Cameras of {dvr}"
        assert mole.startswith("mole      │ 3 recordings;")
        last = "2026-05-01 12:00:10.000 UTC"
        assert pier == (
            f"pier      │ 3 recordings; the first starts at {START}, the last at {last}"
        )
        assert snapshot(dvr.parent) == before

    def test_json_is_an_object_a_line(self, dvr: Path) -> None:
        """With the names of the paths next to the ids."""
        (dvr / "camclip.toml").write_text('[cameras]\nharbour = "pier"')
        ran = camclip("cameras", "--recordings", dvr, "--json")
        lines = [json.loads(line) for line in ran.stdout.splitlines()]
        assert {line["cameraId"]: line["name"] for line in lines} == {
            "mole": "mole",
            "harbour": "pier",
        }
        assert lines[1] == {
            "cameraId": lines[1]["cameraId"],
            "name": lines[1]["name"],
            "recordings": 3,
            "firstStartTimestampInMs": START_MS,
            "lastStartTimestampInMs": START_MS + 20_000,
        }

    def test_a_root_is_looked_at_too(self, tmp_path: Path) -> None:
        """A camera without recordings is one; without any camera, the exit code says so."""
        (tmp_path / "recordings").mkdir()
        none = camclip("cameras", "--root", tmp_path)
        assert none.exit_code == 4
        assert none.stderr.strip() == f"camclip: {tmp_path} has no cameras."
        (tmp_path / "recordings/pier").mkdir()
        assert "pier      │ no recordings" in camclip("cameras", "--root", tmp_path).stdout


class TestFootage:
    """`camclip footage`."""

    def test_a_timeline_precedes_stretches_and_gaps(self, dvr: Path) -> None:
        """In the order of time; nothing is written."""
        (dvr / "2026-05-01/12/pier/00.00.mp4").unlink()
        before = snapshot(dvr.parent)
        ran = camclip("footage", "pier", "--recordings", dvr)
        assert ran.exit_code == 0, ran.output
        assert ran.stdout.splitlines()[1:] == [
            "2026-05-01 11:59  " + " " * 50 + "█" * 10,
            "2026-05-01 12:00  " + "·" * 10 + "█" * 10,
            "Footage of pier",
            f"footage   │ 10.000 s from {START}, 1 file",
            "gap       │ 10.000 s from 2026-05-01 12:00:00.000 UTC",
            "footage   │ 10.000 s from 2026-05-01 12:00:10.000 UTC, 1 file",
        ]
        assert snapshot(dvr.parent) == before

    def test_without_a_window_it_is_the_last_day(self, dvr: Path) -> None:
        """If there is more, a remark says how to see it."""
        everything = camclip("footage", "pier", "--recordings", dvr, "--layout", "frigate")
        assert everything.stderr == ""
        earlier = dvr / "2026-04-30/11/pier/59.50.mp4"
        earlier.parent.mkdir(parents=True)
        (dvr / "2026-05-01/11/pier/59.50.mp4").rename(earlier)
        ran = camclip("footage", "pier", "--recordings", dvr, "--layout", "frigate")
        assert "footage   │ 20.000 s from 2026-05-01 12:00:00.000 UTC, 2 files" in ran.stdout
        assert "gap" not in ran.stdout
        assert ran.stderr.strip() == "This is the last day of footage; --from shows more."
        more = ("--from", "2026-04-30 11:59", "--to", "2026-05-01 12:01")
        ran = camclip("footage", "pier", "--recordings", dvr, "--layout", "frigate", *more)
        assert "footage   │ 10.000 s from 2026-04-30 11:59:50.000 UTC, 1 file" in ran.stdout
        assert ran.stderr == ""

    def test_a_window_is_shown_in_its_zone(self, dvr: Path) -> None:
        """Long gaps also in a larger unit."""
        window = ("--from", "2026-05-01 13:57 Europe/Madrid", "--for", "5m")
        ran = camclip("footage", "pier", "--recordings", dvr, *window)
        assert ran.exit_code == 0, ran.output
        assert "2026-05-01 13:59  " in ran.stdout
        zoned = "2026-05-01 11:57:00.000 UTC (2026-05-01 13:57:00.000+02:00 Europe/Madrid)"
        assert f"gap       │ 170.000 s (2.8 min) from {zoned}" in ran.stdout

    def test_json_is_one_object(self, dvr: Path) -> None:
        """With bounds in ms, and what was left out."""
        (dvr / "2026-05-01/12/pier/00.00.mp4").write_text("no recording")
        ran = camclip("footage", "pier", "--recordings", dvr, "--json")
        found = json.loads(ran.stdout)
        [reason] = found.pop("leftOut")
        assert "00.00.mp4" in reason

        def bounds(start_s: int, end_s: int) -> dict[str, int]:
            start_ms, end_ms = START_MS + 1000 * start_s, START_MS + 1000 * end_s
            return {"startTimestampInMs": start_ms, "endTimestampInMs": end_ms}

        assert found == {
            "cameraId": "pier",
            **bounds(0, 30),
            "stretches": [{**bounds(0, 10), "files": 1}, {**bounds(20, 30), "files": 1}],
            "gaps": [bounds(10, 20)],
        }

    def test_what_is_left_out_is_named(self, tmp_path: Path, films: Path) -> None:
        """On standard error."""
        write_mediamtx(tmp_path, films)
        whole = next(tmp_path.glob("pier/*.mp4"))
        whole.with_name("2026-05-01_12-10-00-000000.mp4").write_text("no recording " * 100)
        ran = camclip("footage", "pier", "--recordings", tmp_path, "--layout", "mediamtx")
        assert "Left out: pier/2026-05-01_12-10-00-000000.mp4" in ran.stderr
        assert "3 files" in ran.stdout

    @pytest.mark.parametrize(
        ("start", "nearest"),
        [
            ("11:58", "The nearest footage begins 50 s after, at 2026-05-01 11:59:50.000 UTC."),
            ("12:10", "The nearest footage ends 9.7 min before, at 2026-05-01 12:00:20.000 UTC."),
            (
                "12:00:05",
                (
                    "The nearest footage ends 5 s before, at 2026-05-01 12:00:00.000 UTC,"
                    " and begins 1 s after, at 2026-05-01 12:00:10.000 UTC."
                ),
            ),
        ],
    )
    def test_a_miss_names_the_nearest_footage(self, dvr: Path, start: str, nearest: str) -> None:
        """On both sides, if there is any."""
        (dvr / "2026-05-01/12/pier/00.00.mp4").unlink()
        duration = "4s" if start == "12:00:05" else "1m"
        window = ("--from", f"2026-05-01 {start}", "--for", duration)
        ran = camclip("footage", "pier", "--recordings", dvr, "--layout", "frigate", *window)
        assert ran.exit_code == 4
        assert ran.stdout == ""
        assert ran.stderr.strip() == (
            f"camclip: There is no footage of pier of that time. {nearest}"
        )

    def test_an_unknown_camera_lists_those_there_are(self, dvr: Path) -> None:
        """With the exit code of a rejection."""
        ran = camclip("footage", "boat", "--recordings", dvr, "--layout", "frigate")
        assert ran.exit_code == 4
        assert ran.stderr.strip() == "camclip: unknown camera boat; there is mole, pier"


class TestPlan:
    """`camclip plan`."""

    @pytest.mark.parametrize(
        ("start_s", "end_s", "hevc"),
        [(8.345, 12.345, "splice"), (2.1, 2.5, "splice"), (0, 30, "h264"), (3.3, 21.1, "splice")],
    )
    def test_what_is_planned_is_what_is_cut(
        self, dvr: Path, *, start_s: float, end_s: float, hevc: str
    ) -> None:
        """The same numbers of copied and encoded frames; nothing is written before."""
        bounds = (START_MS + round(1000 * start_s), START_MS + round(1000 * end_s))
        options = ("--recordings", dvr, "--camera", "pier", "--from", bounds[0], "--to", bounds[1])
        before = snapshot(dvr.parent)
        ran = camclip("plan", *options, "--json", HEVC=hevc)
        assert ran.exit_code == 0, ran.output
        planned = json.loads(ran.stdout)
        assert snapshot(dvr.parent) == before
        cut = camclip("cut", *options, HEVC=hevc)
        copied = sum(each["copiedFrames"] for each in planned["cuts"])
        encoded = sum(each["encodedFrames"] for each in planned["cuts"])
        expected = f"frames    │ {copied + encoded}: {copied} copied, {encoded} encoded"
        assert expected in cut.stdout, cut.stdout
        assert planned["status"] == "CLIP_AVAILABLE"
        assert planned["deliveredInMs"] == bounds[1] - bounds[0]
        files = {"11/pier/59.50.mp4": 0, "12/pier/00.00.mp4": 10, "12/pier/00.10.mp4": 20}
        assert [each["name"] for each in planned["cuts"]] == [
            f"2026-05-01/{name}"
            for name, from_s in files.items()
            if from_s < end_s and start_s < from_s + 10
        ]

    def test_cuts_gaps_and_frames_are_printed(self, dvr: Path) -> None:
        """And why none is copied."""
        (dvr / "2026-05-01/12/pier/00.00.mp4").unlink()
        window = ("--from", START_MS + 9000, "--for", "15s")
        ran = camclip("plan", "--recordings", dvr, "--camera", "pier", *window)
        assert ran.exit_code == 0, ran.output
        lines = ran.stdout.splitlines()
        assert lines[:2] == ["Plan of pier", "status    │ CLIP_AVAILABLE, if it is cut now"]
        assert "delivered │ 5.000 s" in lines
        assert "gap       │ 10.000 s from 2026-05-01 12:00:00.000 UTC" in lines
        at = lines.index(
            "cut       │ 1.000 s from 2026-05-01 11:59:59.000 UTC: 2026-05-01/11/pier/59.50.mp4"
        )
        assert lines[at + 1 : at + 3] == [
            "frames    │ 0 copied, 30 encoded",
            "why       │ none is copied: no keyframe that copying could begin with is within it",
        ]
        assert lines[at + 4] == "frames    │ 120 copied, 0 encoded"
        assert lines[-1].startswith("bytes     │ ")

    @pytest.mark.parametrize(
        ("start", "code", "status"),
        [
            ("2026-05-01 13:00", 4, "CLIP_OUT_OF_RANGE"),
            ("now-10s", 3, "CLIP_PENDING"),
            ("now+2h", 4, "FATAL_ERROR"),
        ],
    )
    def test_without_a_clip_the_status_says_so(
        self, dvr: Path, start: str, code: int, status: str
    ) -> None:
        """With the exit code of the cut, and the nearest footage if any was looked for."""
        window = ("--from", start, "--for", "5s", "--layout", "frigate")
        ran = camclip("plan", "--recordings", dvr, "--camera", "pier", *window)
        assert ran.exit_code == code, ran.output
        assert f"status    │ {status}, if it is cut now" in ran.stdout
        assert ("The nearest footage ends " in ran.stderr) == (start != "now+2h")

    def test_each_camera_has_a_plan(self, dvr: Path) -> None:
        """Of one shared window."""
        window = ("--from", START_MS, "--for", "5s", "--json")
        cameras = ("--camera", "pier", "--camera", "mole")
        ran = camclip("plan", "--recordings", dvr, *cameras, *window)
        plans = [json.loads(line) for line in ran.stdout.splitlines()]
        assert [plan["cameraId"] for plan in plans] == ["pier", "mole"]
        assert len({plan["startTimestampInMs"] for plan in plans}) == 1


PLAN = ("plan", "--camera", "pier", "--from", "now-1m", "--for", "1s")


@pytest.mark.parametrize("command", [("cameras",), ("footage", "pier"), PLAN])
@pytest.mark.parametrize("option", ["--root", "--recordings"])
def test_a_wrong_folder_is_wrong_usage_and_nothing_is_written(
    tmp_path: Path, option: str, command: tuple[str, ...]
) -> None:
    """One sentence names it."""
    ran = camclip(*command, option, tmp_path / "footage")
    assert ran.exit_code == 2
    [line] = ran.stderr.splitlines()
    assert str(tmp_path / "footage") in line
    assert list(tmp_path.iterdir()) == []
