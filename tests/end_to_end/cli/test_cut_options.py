"""`camclip cut --again`, `--open`, and several cameras."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from devtools.footage import Recording, assert_clip, read_clip, wanted
from entrypoints.cli.app import app
from tests.support.clock_text import chapters_of, cues_of
from tests.support.recorders import START_MS, files_of, write_frigate

QUICK = {"THUMBNAIL_SIZES": "160", "TZ": "UTC"}


@pytest.fixture
def dvr(tmp_path: Path, films: Path) -> Path:
    """Store what Frigate writes: two cameras with three files of ten seconds."""
    write_frigate(tmp_path / "dvr", films)
    return tmp_path / "dvr"


@pytest.fixture
def recordings() -> list[Recording]:
    """Describe the files of the camera "pier"."""
    return files_of(3, 300, "faststart")


def cut(dvr: Path, start_s: float, end_s: float, *more: object, **settings: str) -> Result:
    window = ("--from", START_MS + round(1000 * start_s), "--to", START_MS + round(1000 * end_s))
    options = ("--recordings", dvr, "--out", dvr.parent / "out", "--layout", "frigate")
    given = (
        "cut",
        *options,
        *window,
        *(more if "--camera" in more else ("--camera", "pier", *more)),
    )
    return CliRunner().invoke(app, list(map(str, given)), env={**QUICK, **settings})


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestAgain:
    """`--again`."""

    def test_a_clip_is_replaced(self, dvr: Path, recordings: list[Recording]) -> None:
        """With all that belongs to it, also by one of another window."""
        assert cut(dvr, 1, 2, "--id", "c1").exit_code == 0
        folder = dvr.parent / "out/pier"
        before = files_in(folder)
        ran = cut(dvr, 3, 5, "--id", "c1", "--again")
        assert ran.exit_code == 0, ran.output
        assert_clip(
            read_clip(folder / "c1.mp4"), wanted(recordings, START_MS + 3000, START_MS + 5000)
        )
        after = files_in(folder)
        visible = {"c1.mp4", "c1.json", "c1_160.jpg"}
        assert {name for name in after if not name.startswith(".")} == visible
        assert len(after) == len(before)
        assert all(after[name] != before[name] for name in visible)
        assert json.loads(after["c1.json"])["report"]["startTimestampInMs"] == START_MS + 3000

    def test_where_there_is_none_it_is_made(self, dvr: Path) -> None:
        """The option does not need one."""
        assert cut(dvr, 1, 2, "--again").exit_code == 0

    def test_a_rejected_request_is_made_again(self, dvr: Path) -> None:
        """Once its footage is there."""
        (dvr / "2026-05-01/12/pier/00.00.mp4").rename(dvr / "kept")
        assert cut(dvr, 11, 12, "--id", "c1").exit_code == 4
        (dvr / "kept").rename(dvr / "2026-05-01/12/pier/00.00.mp4")
        assert cut(dvr, 11, 12, "--id", "c1", "--again").exit_code == 0

    @pytest.mark.parametrize("fault", ["no footage", "ffmpeg fails"])
    def test_the_old_clip_stays_if_there_is_no_new_one(self, dvr: Path, fault: str) -> None:
        """Unchanged, and found again."""
        assert cut(dvr, 1, 2, "--id", "c1").exit_code == 0
        folder = dvr.parent / "out/pier"
        before = files_in(folder)
        broken = dvr.parent / "ffmpeg"
        broken.write_text("#!/bin/sh\nexit 1\n")
        broken.chmod(0o755)
        ran = (
            cut(dvr, 50, 60, "--id", "c1", "--again")
            if fault == "no footage"
            else cut(dvr, 3.1, 5, "--id", "c1", "--again", CAMCLIP_FFMPEG=str(broken))
        )
        assert ran.exit_code == (4 if fault == "no footage" else 1), ran.output
        assert files_in(folder) == before
        assert "already available" in cut(dvr, 1, 2, "--id", "c1").stdout


class TestOpen:
    """`--open`."""

    @pytest.mark.parametrize("is_file", [True, False])
    def test_the_clip_is_opened(self, dvr: Path, *, is_file: bool) -> None:
        """By the system's program for that; a request without a clip opens nothing."""
        (dvr.parent / "bin").mkdir()
        player, opened = dvr.parent / "bin/xdg-open", dvr.parent / "opened"
        player.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
        player.chmod(0o755)
        path = {"PATH": f"{player.parent}:/usr/bin:/bin"}
        file = dvr.parent / "clip.mp4"
        more = ("--out", file) if is_file else ("--id", "c1")
        assert cut(dvr, 1, 2, *more, "--open", **path).exit_code == 0
        assert cut(dvr, 50, 60, "--open", **path).exit_code == 4
        assert opened.read_text().splitlines() == [
            str(file if is_file else dvr.parent / "out/pier/c1.mp4")
        ]

    def test_without_a_player_the_path_is_named(self, dvr: Path) -> None:
        """And the clip is made nevertheless."""
        ran = cut(dvr, 1, 2, "--id", "c1", "--open", PATH=str(dvr))
        assert ran.exit_code == 0
        clip = dvr.parent / "out/pier/c1.mp4"
        assert ran.stderr.strip() == f"No player was found. Open {clip} yourself."


class TestCameras:
    """Several `--camera`."""

    def test_each_camera_has_a_clip_of_the_shared_window(
        self, dvr: Path, recordings: list[Recording]
    ) -> None:
        """And an id and a status of its own."""
        cameras = ("--camera", "pier", "--camera", "mole")
        ran = cut(dvr, 1, 2.5, *cameras, "--id", "c1", "--json")
        assert ran.exit_code == 0, ran.output
        reports = [json.loads(line) for line in ran.stdout.splitlines()]
        assert [(r["cameraId"], r["clipId"]) for r in reports] == [
            ("pier", "c1-pier"),
            ("mole", "c1-mole"),
        ]
        expected = wanted(recordings, START_MS + 1000, START_MS + 2500)
        for camera in ("pier", "mole"):
            assert_clip(read_clip(dvr.parent / f"out/{camera}/c1-{camera}.mp4"), expected)
            assert (dvr.parent / f"out/.camclip/status/c1-{camera}.json").exists()

    def test_an_unknown_one_is_rejected_alone(self, dvr: Path) -> None:
        """The others have their clips; the exit code is the worst one."""
        ran = cut(dvr, 1, 2, "--camera", "boat", "--camera", "pier", "--id", "c1")
        assert ran.exit_code == 4
        assert "unknown camera boat; there is mole, pier" in ran.stdout
        assert (dvr.parent / "out/pier/c1-pier.mp4").exists()

    def test_they_cannot_be_one_file(self, dvr: Path) -> None:
        """Which is wrong usage."""
        cameras = ("--camera", "pier", "--camera", "mole")
        ran = cut(dvr, 1, 2, *cameras, "--out", dvr.parent / "clip.mp4")
        assert ran.exit_code == 2
        assert "must be a folder: each camera has a clip of its own." in " ".join(
            ran.stderr.split()
        )


class TestWallClock:
    """`--wall-clock`."""

    def test_the_clip_has_the_time_of_day(self, dvr: Path) -> None:
        """In the zone, across two files; the manifest names the option."""
        ran = cut(dvr, 8.5, 11.5, "--id", "c1", "--wall-clock", "Europe/Madrid")
        assert ran.exit_code == 0, ran.output
        folder = dvr.parent / "out/pier"
        madrid = ZoneInfo("Europe/Madrid")
        first = datetime.fromtimestamp(START_MS / 1000, madrid) + timedelta(seconds=8)
        texts = [(first + timedelta(seconds=n)).isoformat(" ", "seconds") for n in range(4)]
        times = [(0, 500), (500, 1500), (1500, 2500), (2500, 3000)]
        assert cues_of(folder / "c1.mp4") == [
            (*time, f"{text[:-6]} {text[-6:]}") for time, text in zip(times, texts, strict=True)
        ]
        assert [start for start, _ in chapters_of(folder / "c1.mp4")] == [0, 1500]
        report = json.loads((folder / "c1.json").read_text())["report"]
        assert report["options"] == {"wallClock": "Europe/Madrid"}

    def test_an_unknown_zone_is_wrong_usage(self, dvr: Path) -> None:
        """Nothing is made."""
        ran = cut(dvr, 1, 2, "--wall-clock", "Atlantis")
        assert ran.exit_code == 2
        assert "--wall-clock Atlantis must be a time zone of this machine's tzdata" in ran.output
        assert not (dvr.parent / "out").exists()


class TestPreviews:
    """`--previews`."""

    @pytest.mark.parametrize("names", ["sheet,sprite", " sprite, sheet,sprite"])
    def test_they_are_next_to_the_clip(self, dvr: Path, names: str) -> None:
        """Named on the terminal and in the manifest; replaced and verified with the clip."""
        ran = cut(dvr, 8.5, 11.5, "--id", "c1", "--previews", names)
        assert ran.exit_code == 0, ran.output
        folder = dvr.parent / "out/pier"
        ends = ("sheet.jpg", "sprite.jpg", "sprite.vtt")
        for end in ends:
            assert (folder / f"c1.{end}").stat().st_size
            assert f"c1.{end}" in ran.output.replace("\n", "")
        manifest = json.loads((folder / "c1.json").read_text())
        assert manifest["report"]["options"] == {"previews": ["sheet", "sprite"]}
        assert [each["name"] for each in manifest["proof"]["sidecars"]] == list(ends)
        verify = ("verify", str(folder / "c1.mp4"))
        assert CliRunner().invoke(app, verify).exit_code == 0
        (folder / "c1.sheet.jpg").write_bytes(b"another")
        changed = CliRunner().invoke(app, verify)
        assert changed.exit_code == 1
        assert "sheet.jpg is not the one that was stored" in " ".join(changed.output.split())
        again = cut(dvr, 8.5, 11.5, "--id", "c1", "--again")
        assert again.exit_code == 0, again.output
        assert [path.name for path in folder.glob("c1.*[!4n]")] == []

    @pytest.mark.parametrize("names", ["strip", "sheet;sprite", "Sheet"])
    def test_an_unknown_one_is_wrong_usage(self, dvr: Path, names: str) -> None:
        """Nothing is made."""
        ran = cut(dvr, 1, 2, "--previews", names)
        assert ran.exit_code == 2
        assert f"--previews {names}: there are sheet, sprite" in " ".join(ran.output.split())
        assert not (dvr.parent / "out").exists()

    def test_they_are_next_to_no_single_file(self, dvr: Path) -> None:
        """Which is wrong usage."""
        ran = cut(dvr, 1, 2, "--previews", "sheet", "--out", dvr.parent / "clip.mp4")
        assert ran.exit_code == 2
        said = " ".join(ran.output.split())
        assert "must be a folder: previews are stored next to the clip." in said


class TestGaps:
    """`--gaps`: the footage ends two seconds before the window."""

    @pytest.mark.parametrize(("gaps", "duration_ms"), [("skip", 2000), ("black", 4000)])
    def test_a_gap_is_skipped_or_filled(self, dvr: Path, gaps: str, duration_ms: int) -> None:
        """The gap is reported in any case; the plan says the same before."""
        options = ("--camera", "pier", "--gaps", gaps)
        ran = cut(dvr, 28, 32, "--id", "c1", *options)
        assert ran.exit_code == 0, ran.output
        manifest = json.loads((dvr.parent / "out/pier/c1.json").read_text())
        assert manifest["footage"]["durationInMs"] == pytest.approx(duration_ms, abs=1)
        assert manifest["report"]["gaps"] == [
            {
                "startTimestampInMs": START_MS + 30_000,
                "endTimestampInMs": START_MS + 32_000,
            }
        ]
        window = ("--from", START_MS + 28_000, "--to", START_MS + 32_000)
        plan = ("plan", "--recordings", dvr, "--layout", "frigate", *options, *window, "--json")
        planned = CliRunner().invoke(app, list(map(str, plan)), env=QUICK)
        assert planned.exit_code == 0, planned.output
        assert ("filled" in json.loads(planned.stdout)) == (gaps == "black")

    def test_a_clip_with_gaps_is_not_made(self, dvr: Path) -> None:
        """If so chosen; the reason names them."""
        ran = cut(dvr, 28, 32, "--id", "c1", "--gaps", "fail")
        assert ran.exit_code == 4
        assert "CLIP_NOT_AVAILABLE" in ran.output
        assert not (dvr.parent / "out/pier/c1.mp4").exists()

    def test_an_unknown_choice_is_wrong_usage(self, dvr: Path) -> None:
        """Nothing is made."""
        ran = cut(dvr, 1, 2, "--gaps", "purple")
        assert ran.exit_code == 2
        assert not (dvr.parent / "out").exists()
