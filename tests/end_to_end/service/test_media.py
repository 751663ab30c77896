"""Files that are no recordings: the message fails, and nothing is reported."""

from pathlib import Path

import pytest

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


@pytest.mark.parametrize("data", NO_RECORDINGS.values(), ids=NO_RECORDINGS)
def test_a_file_that_is_no_recording_fails_the_message(world: World, data: bytes) -> None:
    """It never reaches ffmpeg, and never counts as missing footage."""
    world.put(world.record(FIRST, stored=False), data)
    message = world.message(world.body(500, 2_500))
    assert world.handle(message) == [message["messageId"]]
    assert world.reports() == []
    assert world.stored() == {}


def test_a_damaged_recording_between_good_ones_is_never_left_out(
    world: World, tmp_path: Path
) -> None:
    """Without its middle the clip is not made; once the file is whole, it is."""
    names = [world.record(film) for film in (FIRST, SECOND, THIRD)]
    whole = cached_recording(world.films, SECOND).read_bytes()
    media = whole.index(b"mdat") + 4
    world.put(names[1], whole[:media] + bytes(len(whole) - media))
    message = world.message(world.body(1_500, 7_500))
    assert world.handle(message) == [message["messageId"]]
    assert world.reports() == []
    world.put(names[1], whole)
    assert world.handle(message) == []
    assert_clip(read_clip(world.download(tmp_path)), wanted([FIRST, SECOND, THIRD], 1_500, 7_500))


def test_a_truncated_recording_is_reported_missing(world: World, tmp_path: Path) -> None:
    """It counts as not recorded; ffmpeg would decode 3 s of it without an error."""
    names = [world.record(film) for film in (FIRST, SECOND, THIRD)]
    whole = cached_recording(world.films, SECOND).read_bytes()
    world.put(names[1], whole[: len(whole) // 2])
    assert world.handle(world.message(world.body(1_500, 7_500))) == []
    (report,) = world.reports()
    assert report["coverage"]["complete"] is False
    gaps = [
        (gap["startTimestampInMs"] - world.moment_ms, gap["endTimestampInMs"] - world.moment_ms)
        for gap in report["coverage"]["gaps"]
    ]
    assert gaps == [(3_000, 6_000)]
    assert_clip(read_clip(world.download(tmp_path)), wanted([FIRST, THIRD], 1_500, 7_500))
