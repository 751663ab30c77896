"""`camclip inspect`: what a recording is."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from devtools.footage import Recording, cached_recording
from entrypoints.cli.app import app

FILM = Recording(first_number=1, frames=90)
HOLE_MS = (*range(0, 1000, 100), *range(5000, 6000, 100))


def inspect(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["inspect", *map(str, arguments)])


FACTS: dict[str, tuple[Recording, list[str]]] = {
    "progressive": (
        FILM,
        [
            "layout    │ one sample table, before the media",
            "duration  │ 3.000 s",
            "video     │ avc1, Main, level 1.3, 320 x 180",
            "rate      │ 30 frames/s; frames are 33.33 ms apart",
            "GOPs      │ 2, of 30 to 60 (usually 30) frames and 1000 to 2000 (usually 1000) ms",
            "copying   │ frames can be copied",
            "footage   │ 3.000 s from 0.000 s",
        ],
    ),
    "the table last, no audio": (
        Recording(first_number=1, frames=90, layout="moov_last", audio=None),
        ["layout    │ one sample table, after the media", "audio     │ none"],
    ),
    "fragments": (
        Recording(first_number=1, frames=120, layout="fragmented"),
        [
            "layout    │ 2 fragments, with an index of them",
            "GOPs      │ 2, of 60 frames and 2000 ms",
        ],
    ),
    "fragments without an index": (
        Recording(first_number=1, frames=120, layout="fragmented_no_index"),
        ["layout    │ 2 fragments, without an index of them"],
    ),
    "HEVC, stereo": (
        Recording(first_number=1, frames=60, codec="hevc", channels=2),
        [
            "video     │ hvc1, Main, level 2, 320 x 180",
            "copying   │ frames can be copied",
        ],
    ),
    "interlaced": (
        Recording(first_number=1, frames=60, interlaced=True),
        ["copying   │ no frame can be copied: it may be interlaced"],
    ),
    "turned": (
        Recording(first_number=1, frames=60, rotation=90),
        ["copying   │ no frame can be copied: its pictures are scaled or turned"],
    ),
    "a film rate": (
        Recording(first_number=1, frames=50, fps=Fraction(25)),
        ["rate      │ 25 frames/s; frames are 40 ms apart"],
    ),
    "a hole": (
        Recording(first_number=1, frames=20, pts_ms=HOLE_MS, audio=None),
        [
            "rate      │ 10 frames/s; frames are 100 to 4100 (usually 100) ms apart",
            "footage   │ 1.000 s from 0.000 s",
            "gap       │ 4.000 s from 1.000 s",
            "footage   │ 1.000 s from 5.000 s",
        ],
    ),
}


@pytest.mark.parametrize("name", FACTS)
def test_facts(films: Path, name: str) -> None:
    """Each is a line; the file is only read."""
    recording, expected = FACTS[name]
    file = cached_recording(films, recording)
    before = file.stat()
    ran = inspect(file)
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert lines[0] == str(file)
    assert [line for line in expected if line not in lines] == [], ran.stdout
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def test_stereo_is_named(films: Path) -> None:
    """With rate and packets."""
    recording, _ = FACTS["HEVC, stereo"]
    ran = inspect(cached_recording(films, recording))
    assert "audio     │ mp4a, 48000 Hz, 2 channels, " in ran.stdout


def test_json_has_the_same_facts(films: Path) -> None:
    """With names as in the service's messages."""
    recording, _ = FACTS["a hole"]
    facts = json.loads(inspect(cached_recording(films, recording), "--json").stdout)
    assert facts["durationInMs"] == 6000
    assert facts["boxes"][0] == "ftyp"
    assert facts["video"]["frames"] == 20
    assert facts["video"]["intervalInMs"] == {"least": 100, "usual": 100, "greatest": 4100}
    assert facts["video"]["copyObstacle"] is None
    assert facts["audio"] is None
    assert facts["gaps"] == [{"startInMs": 1000, "endInMs": 5000}]


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (None, 2, "is no file: pass an MP4."),
        (b"no video " * 100, 1, "is not a readable recording: this is not an MP4"),
        (b"", 1, "x.mp4"),
    ],
)
def test_what_is_no_recording_is_named(
    tmp_path: Path, content: bytes | None, code: int, message: str
) -> None:
    """In one sentence."""
    file = tmp_path / "x.mp4"
    if content is not None:
        file.write_bytes(content)
    ran = inspect(file)
    assert ran.exit_code == code
    assert message in " ".join(ran.stderr.split())
    assert "x.mp4" in ran.stderr


def test_a_file_that_is_cut_off_is_named(tmp_path: Path, films: Path) -> None:
    """It is not finished yet."""
    whole = cached_recording(films, FILM).read_bytes()
    (tmp_path / "x.mp4").write_bytes(whole[:5000])
    ran = inspect(tmp_path / "x.mp4")
    assert ran.exit_code == 1
    assert ran.stdout == ""
    assert "x.mp4" in ran.stderr
