"""`camclip frame`: the exact frame of an instant."""

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from devtools.footage import Recording, cached_recording
from devtools.footage.picture import SCALED_DOWN, quarter_turn, read_number
from devtools.footage.recording import FFMPEG
from entrypoints.cli.app import app
from tests.support.recorders import START_MS, store, write_frigate, write_mediamtx

QUICK = {"TZ": "UTC"}


def frame(recordings: Path, at_ms: int, picture: Path, *more: object) -> Result:
    options = ("frame", "--recordings", recordings, "--camera", "pier", "--at", at_ms)
    return CliRunner().invoke(app, list(map(str, (*options, "-o", picture, *more))), env=QUICK)


def scaled_down(picture: Path) -> bytes:
    grid = f"scale={SCALED_DOWN}:{SCALED_DOWN}:flags=area,format=gray"
    return subprocess.run(
        [FFMPEG, "-v", "error", "-i", picture, "-vf", grid, "-f", "rawvideo", "-"],
        check=True,
        capture_output=True,
    ).stdout


def size_of(picture: Path) -> tuple[int, int]:
    raw = subprocess.run(
        [FFMPEG, "-v", "error", "-i", picture, "-f", "framecrc", "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    [line] = [line for line in raw.splitlines() if line.startswith("#dimensions 0:")]
    width, height = line.rpartition(" ")[2].split("x")
    return int(width), int(height)


@pytest.fixture
def dvr(tmp_path: Path, films: Path) -> Path:
    """Store what Frigate writes: files of ten seconds whose frames are 1000, 2000 and 3000 on."""
    write_frigate(tmp_path / "dvr", films)
    return tmp_path / "dvr"


@pytest.mark.parametrize(
    ("after_ms", "number"),
    [
        (0, 1000),
        (32, 1000),
        (33, 1001),
        (34, 1001),
        (66, 1002),
        (1999, 1059),
        (2000, 1060),
        (5_021, 1150),
        (9_999, 1299),
        (10_000, 2000),
        (29_999, 3299),
    ],
)
def test_the_frame_is_that_on_screen(dvr: Path, after_ms: int, number: int) -> None:
    """By the number in the picture; a time that is shown gives the same frame again."""
    picture = dvr.parent / "still.png"
    ran = frame(dvr, START_MS + after_ms, picture, "--json")
    assert ran.exit_code == 0, ran.output
    assert read_number(scaled_down(picture)) == number
    assert size_of(picture) == (320, 180)
    members = json.loads(ran.stdout)
    again = dvr.parent / "again.png"
    assert frame(dvr, members["shownFromTimestampInMs"], again).exit_code == 0
    assert again.read_bytes() == picture.read_bytes()


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "png", "webp"])
def test_the_suffix_chooses_the_format(dvr: Path, suffix: str) -> None:
    """And a width scales the picture; the folder is made, and nothing else is left in it."""
    picture = dvr.parent / "stills" / f"still.{suffix}"
    ran = frame(dvr, START_MS + 1000, picture, "--width", 160)
    assert ran.exit_code == 0, ran.output
    assert read_number(scaled_down(picture)) == 1030
    assert size_of(picture) == (160, 90)
    assert list(picture.parent.iterdir()) == [picture]
    assert f"picture    │ {picture}" in ran.stdout
    assert "shown from │ 2026-05-01 11:59:51.000 UTC" in ran.stdout


def test_a_picture_is_upright(tmp_path: Path, films: Path) -> None:
    """As players show it."""
    film = Recording(first_number=7, frames=30, rotation=90)
    path = tmp_path / "dvr/pier/2026-05-01_12-00-00-000000.mp4"
    store(path, cached_recording(films, film))
    picture = tmp_path / "still.png"
    ran = frame(tmp_path / "dvr", START_MS + 10_500, picture, "--tz", "UTC")
    assert ran.exit_code == 0, ran.output
    assert size_of(picture) == (180, 320)
    turned = scaled_down(picture)
    for _ in range(3):
        turned = quarter_turn(turned)
    assert read_number(turned) == 7 + 15


def test_fragments_of_mediamtx_are_read(tmp_path: Path, films: Path) -> None:
    """In the middle of a group of pictures."""
    write_mediamtx(tmp_path / "dvr", films)
    picture = tmp_path / "still.jpg"
    assert frame(tmp_path / "dvr", START_MS + 250 + 4500, picture).exit_code == 0
    assert read_number(scaled_down(picture)) == 2045


def test_an_instant_without_footage_names_the_nearest(dvr: Path) -> None:
    """And no picture is written."""
    picture = dvr.parent / "still.jpg"
    ran = frame(dvr, START_MS + 90_000, picture, "--layout", "frigate")
    assert ran.exit_code == 4
    assert ran.stderr.strip() == (
        "camclip: There is no footage of pier at 2026-05-01 12:01:20.000 UTC."
        " The nearest footage ends 1 min before, at 2026-05-01 12:00:20.000 UTC."
    )
    assert not picture.exists()


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("still.bmp", "still.bmp must end with .jpg, .jpeg, .png, .webp."),
        ("old.jpg", "old.jpg exists already: choose another name, or remove it."),
    ],
)
def test_wrong_files_are_wrong_usage(dvr: Path, name: str, fault: str) -> None:
    """What exists is not replaced."""
    (dvr.parent / "old.jpg").write_text("old")
    ran = frame(dvr, START_MS, dvr.parent / name)
    assert ran.exit_code == 2
    assert fault in " ".join(ran.stderr.split())
    assert (dvr.parent / "old.jpg").read_text() == "old"
