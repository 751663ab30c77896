"""Files that are no recordings, damaged or cut off: named, and never left out silently."""

import subprocess
from pathlib import Path
from random import Random

import imageio_ffmpeg
import pytest
from attrs import evolve

from devtools.footage import Recording, assert_clip, cached_recording, read_clip, wanted
from tests.support.service import World

FIRST = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))
SECOND = Recording(first_number=90, frames=90, gop_frames=30, size=(160, 90), start_ms=3_000)
THIRD = Recording(first_number=180, frames=90, gop_frames=30, size=(160, 90), start_ms=6_000)

NO_RECORDINGS = {
    "text": b"The camera is under maintenance.\n" * 100,
    "an HLS playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n",
    "a list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "subtitles": b"1\n00:00:00,000 --> 00:00:05,000\nHello.\n",
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0" + bytes(400),
    "a web page": b"<!doctype html><title>404</title>" + b" " * 4096,
    "Matroska": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01" + bytes(4096),
}


@pytest.fixture(params=list(NO_RECORDINGS.values()), ids=list(NO_RECORDINGS))
def data(request: pytest.FixtureRequest) -> bytes:
    """What is stored in place of a recording."""
    assert isinstance(request.param, bytes)
    return request.param


def test_a_file_that_is_no_recording_is_waited_for_then_fatal(world: World, data: bytes) -> None:
    """It never counts as footage; at the deadline, the reason names it."""
    name = world.record(FIRST, stored=False)
    world.put(name, data)
    body = world.body(500, 2_500)
    assert world.handle(world.message(body)) == []
    assert world.statuses() == ["CLIP_PENDING"]
    assert (world.published(), world.stored()) == ([], {})

    (again,) = world.queued(wait_s=5)
    again["attributes"]["SentTimestamp"] = str(world.now_ms + 901_000)
    assert world.handle(again) == []
    _, report = world.reports()
    assert report["status"] == "FATAL_ERROR"
    assert report["reason"].startswith(f"No listed recording can be read. {name} ")
    assert [note["Message"] for note in world.published()] == [report]
    assert set(world.stored()) == {f"{world.key}.json"}
    assert world.queued(wait_s=2) == []


def test_a_file_that_is_no_recording_is_a_gap_between_good_ones(
    world: World, data: bytes, tmp_path: Path
) -> None:
    """At once: footage of its time will not come. All frames of the others are in the clip."""
    assert_second_is_a_gap(world, data, tmp_path)


@pytest.mark.parametrize(
    "kind", ["zeros for its media", "noise for its media", "zeros for its index"]
)
def test_a_damaged_recording_between_good_ones_is_never_left_out_silently(
    world: World, tmp_path: Path, kind: str
) -> None:
    """What cannot be shown of it is a gap, and a note names it; the others' frames are there."""
    whole = cached_recording(world.films, SECOND).read_bytes()
    index, media = whole.index(b"moov") + 4, whole.index(b"mdat") + 4
    assert index < media
    length = len(whole) - media
    damaged = {
        "zeros for its media": whole[:media] + bytes(length),
        "noise for its media": whole[:media] + Random(1).randbytes(length),
        "zeros for its index": whole[:index] + bytes(media - 8 - index) + whole[media - 8 :],
    }
    assert_second_is_a_gap(world, damaged[kind], tmp_path)


def test_a_cut_off_recording_is_waited_for_then_a_gap(world: World, tmp_path: Path) -> None:
    """It may not be written to its end yet; ffmpeg would decode a part of it without an error."""
    whole = cached_recording(world.films, SECOND).read_bytes()
    cut_off = whole[: len(whole) // 2]
    assert_second_is_a_gap(world, cut_off, tmp_path, is_waited_for=True)


def test_a_cut_off_recording_that_becomes_whole_is_no_gap(world: World, tmp_path: Path) -> None:
    """Waiting for it was worth it."""
    names = [world.record(film) for film in (FIRST, SECOND, THIRD)]
    whole = cached_recording(world.films, SECOND).read_bytes()
    world.put(names[1], whole[: len(whole) // 2])
    assert world.handle(world.message(world.body(1_500, 7_500))) == []
    assert world.statuses() == ["CLIP_PENDING"]
    world.put(names[1], whole)
    assert world.handle(*world.queued(wait_s=5)) == []
    report = world.reports()[-1]
    assert report["status"] == "CLIP_AVAILABLE"
    assert report["coverage"]["complete"] is True
    assert report["coverage"]["notes"] == []
    assert_clip(read_clip(world.download(tmp_path)), wanted([FIRST, SECOND, THIRD], 1_500, 7_500))


def test_a_last_frame_of_an_hour_is_no_footage(world: World, tmp_path: Path) -> None:
    """Its end is waited for; at the deadline the frames that there are make the clip."""
    film, stretched = evolve(FIRST, bframes=0), tmp_path / "hour.mp4"
    hour = "setts=duration='if(eq(N,89),3600/TB,DURATION)'"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i"]
    command += [str(cached_recording(world.films, film)), "-c", "copy", "-bsf:v", hour]
    subprocess.run([*command, str(stretched)], check=True, env={}, timeout=60)
    world.put(world.record(film), stretched.read_bytes())
    assert world.handle(world.message(world.body(1_500, 7_500))) == []
    assert world.statuses() == ["CLIP_PENDING"]
    (message,) = world.queued(wait_s=5)
    message["attributes"]["SentTimestamp"] = str(world.now_ms + 901_000)
    assert world.handle(message) == []
    report = world.reports()[-1]
    assert (report["status"], report["coverage"]["deliveredInMs"]) == ("CLIP_AVAILABLE", 1_500)
    assert_clip(read_clip(world.download(tmp_path)), wanted([film], 1_500, 7_500))


def assert_second_is_a_gap(
    world: World, data: bytes, folder: Path, *, is_waited_for: bool = False
) -> None:
    """Store `data` between two good recordings; assert a clip with a gap there, and a note."""
    names = [world.record(film) for film in (FIRST, SECOND, THIRD)]
    world.put(names[1], data)
    message = world.message(world.body(1_500, 7_500))
    assert world.handle(message) == []
    if is_waited_for:
        assert world.statuses() == ["CLIP_PENDING"]
        assert world.stored() == {}
        (message,) = world.queued(wait_s=5)
        message["attributes"]["SentTimestamp"] = str(world.now_ms + 901_000)
        assert world.handle(message) == []
    report = world.reports()[-1]
    assert report["status"] == "CLIP_AVAILABLE"
    coverage = report["coverage"]
    assert coverage["complete"] is False
    gaps = [
        (gap["startTimestampInMs"] - world.moment_ms, gap["endTimestampInMs"] - world.moment_ms)
        for gap in coverage["gaps"]
    ]
    assert gaps == [(3_000, 6_000)]
    assert coverage["deliveredInMs"] == 3_000
    assert [note for note in coverage["notes"] if names[1] in note]
    assert not [note for note in coverage["notes"] if names[0] in note or names[2] in note]
    assert [note["Message"] for note in world.published()] == [report]
    assert world.queued(wait_s=0) == []
    assert_clip(read_clip(world.download(folder)), wanted([FIRST, THIRD], 1_500, 7_500))
