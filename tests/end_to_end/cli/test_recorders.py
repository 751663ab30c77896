"""`camclip` on the folders of recorders, as they lie."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from devtools.footage import assert_clip, read_clip, wanted
from entrypoints.cli.app import app
from tests.support.recorders import RECORDERS, START_MS, write_frigate, write_mediamtx

QUICK = {"THUMBNAIL_SIZES": "160", "SQS_TIMEOUT": "1", "SQS_RETRY_LIMIT": "2", "TZ": "UTC"}


def cut(recordings: Path, *more: object, camera: str = "pier", **settings: str) -> Result:
    options = ("cut", "--recordings", recordings, "--camera", camera, *more)
    return CliRunner().invoke(app, list(map(str, options)), env={**QUICK, **settings})


def seconds(start_s: float, end_s: float) -> tuple[object, ...]:
    return ("--from", START_MS + int(1000 * start_s), "--to", START_MS + int(1000 * end_s))


@pytest.mark.parametrize("recorder", RECORDERS)
def test_a_recorders_folder_gives_the_exact_clip(
    tmp_path: Path, films: Path, recorder: str
) -> None:
    """Across files, with nothing but the folder and the camera; the guess is printed once."""
    write, window = RECORDERS[recorder]
    recordings = write(tmp_path / "dvr", films, ZoneInfo("UTC"))
    out = tmp_path / "out"
    bounds = ("--from", window.start_ms, "--to", window.end_ms)
    ran = cut(tmp_path / "dvr", *bounds, "--out", out, "--id", "c1")
    assert ran.exit_code == 0, ran.output
    assert_clip(read_clip(out / "pier/c1.mp4"), wanted(recordings, window.start_ms, window.end_ms))
    [remark] = ran.stderr.splitlines()
    assert remark.startswith(f"Guessed the layout {recorder} (")
    assert "UTC" in remark
    options = "--layout" if recorder == "frigate" else "--layout or --tz"
    assert remark.endswith(f"If that is wrong, use {options}.")


def test_local_times_are_those_of_the_chosen_zone(tmp_path: Path, films: Path) -> None:
    """And with layout and zone chosen, nothing is left to remark."""
    madrid = ZoneInfo("Europe/Madrid")
    recordings = write_mediamtx(tmp_path / "dvr", films, madrid)
    chosen = ("--layout", "mediamtx", "--tz", "Europe/Madrid", "--out", tmp_path / "out")
    ran = cut(tmp_path / "dvr", *seconds(1, 4), *chosen, "--id", "c1")
    assert ran.exit_code == 0, ran.output
    expected = wanted(recordings, START_MS + 1000, START_MS + 4000)
    assert_clip(read_clip(tmp_path / "out/pier/c1.mp4"), expected)
    assert ran.stderr == ""


def test_a_recorder_that_writes_utc_does_so_whatever_zone_is_chosen(
    tmp_path: Path, films: Path
) -> None:
    """The chosen zone is that of the times that are typed and shown."""
    recordings = write_frigate(tmp_path / "dvr", films)
    window = ("--from", "2026-05-01 13:59:51", "--for", "3s", "--tz", "Europe/Madrid")
    ran = cut(tmp_path / "dvr", *window, "--out", tmp_path / "out", "--id", "c1")
    assert ran.exit_code == 0, ran.output
    expected = wanted(recordings, START_MS + 1000, START_MS + 4000)
    assert_clip(read_clip(tmp_path / "out/pier/c1.mp4"), expected)
    assert "(2026-05-01 13:59:51.000+02:00 Europe/Madrid)" in ran.stdout


def test_typed_times_are_in_the_zone_of_the_names(tmp_path: Path, films: Path) -> None:
    """So that what a listing of the folder shows can be typed; CLIP_TZ comes first."""
    madrid = ZoneInfo("Europe/Madrid")
    recordings = write_mediamtx(tmp_path / "dvr", films, madrid)
    for typed, settings in (
        ("2026-05-01 13:59:51", {}),
        ("2026-05-01 20:59:51", {"CLIP_TZ": "Asia/Tokyo"}),
    ):
        out = tmp_path / typed
        options = ("--from", typed, "--for", "3s", "--out", out, "--id", "c1")
        ran = cut(tmp_path / "dvr", *options, TZ="Europe/Madrid", **settings)
        assert ran.exit_code == 0, ran.output
        expected = wanted(recordings, START_MS + 1000, START_MS + 4000)
        assert_clip(read_clip(out / "pier/c1.mp4"), expected)


def test_recordings_are_only_read(tmp_path: Path, films: Path) -> None:
    """Neither a file nor a modification time of theirs changes."""
    write_mediamtx(tmp_path / "dvr", films)
    before = snapshot(tmp_path / "dvr")
    ran = cut(tmp_path / "dvr", *seconds(1, 4), "--out", tmp_path / "out")
    assert ran.exit_code == 0, ran.output
    assert snapshot(tmp_path / "dvr") == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_read_only_mount_is_enough(tmp_path: Path, films: Path) -> None:
    """In namespaces of its own, so that nothing stays mounted."""
    recordings = write_mediamtx(tmp_path / "dvr", films)
    script = (
        f"mount --bind {tmp_path}/dvr {tmp_path}/dvr && mount -o remount,ro,bind {tmp_path}/dvr"
        f" && ! touch {tmp_path}/dvr/x 2>/dev/null && exec {sys.executable} -m entrypoints.cli.app"
        f" cut --recordings {tmp_path}/dvr --camera pier --out {tmp_path}/out --id c1"
        f" --from {START_MS + 1000} --to {START_MS + 4000}"
    )
    environ = {**os.environ, **QUICK}
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],  # noqa: S607 - it is the system's
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in ran.stderr or "mount:" in ran.stderr:
        pytest.skip(f"this machine mounts nothing: {ran.stderr}")
    assert ran.returncode == 0, ran.stderr
    expected = wanted(recordings, START_MS + 1000, START_MS + 4000)
    assert_clip(read_clip(tmp_path / "out/pier/c1.mp4"), expected)


def test_a_clip_can_be_one_file(tmp_path: Path, films: Path) -> None:
    """And nothing else is left next to it; a file that exists is not replaced."""
    recordings = write_frigate(tmp_path / "dvr", films)
    file = tmp_path / "out" / "door.mp4"
    ran = cut(tmp_path / "dvr", *seconds(1, 4), "--out", file)
    assert ran.exit_code == 0, ran.output
    assert_clip(read_clip(file), wanted(recordings, START_MS + 1000, START_MS + 4000))
    assert [path.name for path in file.parent.iterdir()] == ["door.mp4"]
    assert str(file) in ran.stdout
    before = file.stat()
    again = cut(tmp_path / "dvr", *seconds(5, 6), "--out", file)
    assert again.exit_code == 2
    assert f"{file} exists already: choose another name, or pass --again." in one_line(again.stderr)
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    replaced = cut(tmp_path / "dvr", *seconds(5, 6), "--out", file, "--again")
    assert replaced.exit_code == 0, replaced.output
    assert_clip(read_clip(file), wanted(recordings, START_MS + 5000, START_MS + 6000))
    missed = cut(tmp_path / "dvr", *seconds(50, 60), "--out", file, "--again")
    assert missed.exit_code == 4
    assert_clip(read_clip(file), wanted(recordings, START_MS + 5000, START_MS + 6000))


def test_clips_go_to_the_current_folder_without_an_option(
    tmp_path: Path, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into `clips/`, with what belongs to them in a hidden folder."""
    write_frigate(tmp_path / "dvr", films)
    monkeypatch.chdir(tmp_path)
    assert cut(Path("dvr"), *seconds(1, 2), "--id", "c1").exit_code == 0
    assert {path.name for path in Path("clips").iterdir()} == {".camclip", "pier"}
    assert Path("clips/pier/c1.mp4").is_file()
    assert Path("clips/.camclip/status/c1.json").is_file()


def test_a_queue_is_handled_on_a_recorders_folder(tmp_path: Path, films: Path) -> None:
    """The command that waits for footage is printed with its options."""
    write_frigate(tmp_path / "dvr", films)
    out = tmp_path / "out"
    now_ms = time.time_ns() // 10**6
    ran = cut(tmp_path / "dvr", "--from", now_ms - 500, "--to", now_ms + 500, "--out", out)
    assert ran.exit_code == 3
    options = f"--recordings {tmp_path}/dvr --out {out}"
    assert f"To wait for it: camclip run {options} --until-done" in one_line(ran.stderr)
    queue = CliRunner().invoke(app, ["run", *options.split(), "--until-done"], env=QUICK)
    assert queue.exit_code == 4, queue.output
    assert "CLIP_RETRY_TIMEOUT" in queue.stdout


def test_a_camera_may_be_called_as_in_the_paths(tmp_path: Path, films: Path) -> None:
    """Its id is made of that; `camclip.toml` may give it another."""
    recordings = write_mediamtx(tmp_path / "dvr", films)
    (tmp_path / "dvr/cams").mkdir()
    (tmp_path / "dvr/pier").rename(tmp_path / "dvr/cams/Süd 1")
    expected = wanted(recordings, START_MS + 1000, START_MS + 2000)
    for camera, configured, camera_id in (
        ("cams/Süd 1", "", "cams-Sud-1"),
        ("harbour", '[cameras]\nharbour = "cams/Süd 1"', "harbour"),
    ):
        (tmp_path / "dvr/camclip.toml").write_text(configured)
        out = tmp_path / camera_id
        ran = cut(tmp_path / "dvr", *seconds(1, 2), "--out", out, "--id", "c1", camera=camera)
        assert ran.exit_code == 0, ran.output
        assert_clip(read_clip(out / camera_id / "c1.mp4"), expected)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ((), "Pass --recordings with a recorder's folder, or --root."),
        (("--root", "{}", "--recordings", "{}"), "Pass either --root or --recordings."),
        (("--root", "{}", "--layout", "x"), "--layout and --out go with --recordings"),
        (("--recordings", "{}/none"), "is no folder: pass that of the recordings."),
        (("--recordings", "{}/empty"), "holds no files ending with .mp4, .m4v or .mov."),
        (("--recordings", "{}/odd"), "No known layout fits files such as pier/holiday.mp4."),
        (("--recordings", "{}/dvr", "--layout", "x"), "There is no layout x. Choose --layout:"),
        (("--recordings", "{}/dvr", "--layout", "frigate"), "The layout frigate does not fit"),
        (("--recordings", "{}/dvr", "--tz", "Madrid"), "--tz Madrid must be a time zone"),
        (("--recordings", "{}/bad"), "camclip.toml is not TOML"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_options_are_explained_and_nothing_is_written(
    tmp_path: Path, options: tuple[str, ...], fault: str
) -> None:
    """With the exit code of wrong usage."""
    for name in ("empty/notes.txt", "odd/pier/holiday.mp4", "bad/pier/2026-05-01_12-00-00.mp4"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "bad/camclip.toml").write_text("layout = mediamtx")
    (tmp_path / "dvr/pier").mkdir(parents=True)
    (tmp_path / "dvr/pier/2026-05-01_12-00-00-000000.mp4").touch()
    before = snapshot(tmp_path)
    given = [option.format(tmp_path) for option in options]
    bounds = [str(option) for option in seconds(1, 2)]
    out = ["--out", f"{tmp_path}/out"] if "--recordings" in given else []
    ran = CliRunner().invoke(app, ["cut", "--camera", "pier", *bounds, *given, *out], env=QUICK)
    assert ran.exit_code == 2
    assert fault in one_line(ran.stderr)
    assert snapshot(tmp_path) == before


def test_an_unknown_camera_lists_those_there_are(tmp_path: Path, films: Path) -> None:
    """In the reason of the rejection."""
    write_frigate(tmp_path / "dvr", films)
    ran = cut(tmp_path / "dvr", *seconds(1, 2), "--out", tmp_path / "out", "--json", camera="boat")
    assert ran.exit_code == 4
    assert json.loads(ran.stdout)["reason"] == "unknown camera boat; there is mole, pier"


def snapshot(folder: Path) -> dict[Path, int]:
    """Return all paths below a folder with their modification times."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def one_line(text: str) -> str:
    return " ".join(text.split())
