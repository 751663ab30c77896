"""`camclip demo`, with recordings that take little time to encode."""

import json
import subprocess
from functools import cache
from pathlib import Path

import pytest

from devtools.footage.recording import FFMPEG
from entrypoints.cli.demo.demo import run_demo
from entrypoints.cli.demo.sample_camera import AGE_MS, ROLLOVER_MS, SampleFormat
from entrypoints.cli.places import open_session
from entrypoints.cli.session import Session
from entrypoints.cli.times import utc
from infrastructure.camera_api.names import SegmentNaming
from infrastructure.mp4.index import read_index
from infrastructure.pictures.letters import lettering

SAMPLE = SampleFormat(duration_s=4, width=160, height=90, rate=10)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Return the service on an empty folder."""
    return open_session(tmp_path, is_new=True)


def test_the_demo_makes_a_clip_and_a_report(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three recordings, a clip of two of them with a seam, four thumbnails, a page."""
    assert run_demo(session, SAMPLE) == 0
    root = session.root
    recordings = sorted((root / "recordings/pier").iterdir())
    starts_ms = [SegmentNaming().start_ms(path.name) or 0 for path in recordings]
    assert [start - starts_ms[0] for start in starts_ms] == [0, 4000 + ROLLOVER_MS, 8266]
    [clip] = (root / "clips/pier").glob("*.mp4")
    assert len(list((root / "clips/pier").glob("*.jpg"))) == 4
    [notification] = map(json.loads, (root / "notifications.jsonl").read_text().splitlines())
    assert notification["message"]["coverage"] == {
        "complete": True,
        "deliveredInMs": 4000 + ROLLOVER_MS,
        "gaps": [],
        "damaged": [],
        "held": [
            {
                "startTimestampInMs": starts_ms[0] + 4000,
                "endTimestampInMs": starts_ms[0] + 4000 + ROLLOVER_MS,
            }
        ],
        "unused": [],
        "verified": "splices",
        "notes": [],
    }
    page = (root / "report.html").read_text()
    assert clip.stem in page
    assert notification["eventId"] in page
    assert "seam 0.133 s" in page
    assert f'src="clips/pier/{clip.name}"' in page
    printed = capsys.readouterr()
    assert str(root / "report.html") in printed.out
    assert str(clip) in printed.out
    assert "Encoding 3 sample recordings" in printed.err


def test_sample_recordings_are_like_those_of_cameras(session: Session) -> None:
    """H.264 with B-frames, a keyframe every 2 s, AAC, of the format's duration."""
    assert run_demo(session, SAMPLE) == 0
    path = min((session.root / "recordings/pier").iterdir())
    data = path.read_bytes()
    index = read_index(lambda at, length: data[at : at + length], len(data))
    assert index.video is not None
    assert index.audio is not None
    assert (index.video.codec, index.audio.codec, index.duration_ms) == ("avc1", "mp4a", 4000)
    assert list(index.video.pts) != sorted(index.video.pts)
    assert [n for n, is_sync in enumerate(index.video.sync) if is_sync] == [0, 20]


def test_the_clip_begins_with_the_wall_clock_of_its_start(session: Session) -> None:
    """The first picture shows the moment at which it was seen, within a frame of the request."""
    at_10_fps = SampleFormat(duration_s=4, width=960, height=540, rate=10)
    assert run_demo(session, at_10_fps) == 0
    [clip] = (session.root / "clips/pier").glob("*.mp4")
    [line] = (session.root / "notifications.jsonl").read_text().splitlines()
    requested_ms = json.loads(line)["message"]["startTimestampInMs"]
    late_ms = min(range(100), key=lambda ms: wrong_dots(clip, utc(requested_ms + ms)))
    assert wrong_dots(clip, utc(requested_ms + late_ms)) < 3
    first_ms = SegmentNaming().start_ms(min((session.root / "recordings/pier").iterdir()).name)
    assert first_ms is not None
    assert (requested_ms + late_ms - first_ms) % 100 == 0


def wrong_dots(clip: Path, text: str) -> int:
    """Return in how many dots the first picture differs from the text, as the camera writes it."""
    picture = first_picture(clip)
    written = lettering(f"PIER {text} UTC", 1)
    parts = (picture[(4 + row) * 480 + 4 :][: len(written[0])] for row in range(len(written)))
    pairs = zip(b"".join(parts), b"".join(written), strict=True)
    return sum((shown > 128) != (dot > 128) for shown, dot in pairs)


@cache
def first_picture(clip: Path) -> bytes:
    """Return the luma of the first picture of `clip`, in the size in which it was drawn."""
    argv = [FFMPEG, "-i", str(clip), "-frames:v", "1", "-vf", "scale=480:270:flags=area"]
    argv += ["-pix_fmt", "gray", "-f", "rawvideo", "-"]
    return subprocess.run(argv, check=True, capture_output=True, env={}, timeout=60).stdout


def test_a_second_demo_keeps_the_recordings(session: Session) -> None:
    """It makes another clip of them."""
    assert run_demo(session, SAMPLE) == 0
    before = {path: path.stat() for path in (session.root / "recordings/pier").iterdir()}
    assert run_demo(session, SAMPLE) == 0
    after = {path: path.stat().st_mtime_ns for path in (session.root / "recordings/pier").iterdir()}
    assert after == {path: stat.st_mtime_ns for path, stat in before.items()}
    assert len(list((session.root / "clips/pier").glob("*.mp4"))) == 2
    assert AGE_MS > 3 * 61_000
