"""The index says what ffmpeg's demuxer says."""

import zlib
from pathlib import Path

import pytest

from infrastructure.mp4.errors import BadMp4, NoMoov
from infrastructure.mp4.index import read_index
from tests.infrastructure.mp4.media import SHAPES, index_of, packets, reader


@pytest.mark.parametrize("shape", SHAPES)
def test_samples_and_times_are_those_ffmpeg_sees(shape: str, recordings: dict[str, Path]) -> None:
    """Same packets in the same order, the same sync marks, times that differ by one constant."""
    data = recordings[shape].read_bytes()
    index = index_of(data)
    seen = packets(recordings[shape], "-map", "0:v?", "-map", "0:a?")
    for track, kind in ((index.video, "vide"), (index.sound, "soun")):
        assert (track is None) == (not seen[kind])
        if track is None:
            continue
        rows = seen[kind]
        ours = [
            (size, zlib.adler32(data[at : at + size], 0), bool(sync))
            for at, size, sync in zip(track.offsets, track.sizes, track.sync, strict=True)
        ]
        # ffmpeg leaves out packets that an edit list hides and no shown frame needs.
        skipped = len(ours) - len(rows)
        assert skipped == 0 or shape == "cut by an edit list"
        assert ours[skipped:] == [(row.size, row.adler, row.key) for row in rows]
        pts = track.pts[skipped:]
        if shape == "fragmented, negative offsets":
            continue  # ffmpeg moves the later fragments by its own dts shift; see the next test
        assert {pts[i] - row.pts for i, row in enumerate(rows)} == {pts[0] - rows[0].pts}


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.startswith(("frag", "mov", "no"))])
def test_a_constant_rate_gives_evenly_spaced_frames(
    shape: str, recordings: dict[str, Path]
) -> None:
    """120 frames, each a 30th of a second after the one before, whatever the layout."""
    video = index_of(recordings[shape].read_bytes()).video
    assert video is not None
    tick = video.timescale // 30
    assert sorted(video.pts) == list(range(0, 120 * tick, tick))
    assert video.shown_until == 120 * tick


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_shown_frame_is_zero(shape: str, recordings: dict[str, Path]) -> None:
    """Whatever the edit list or start time: the smallest pts that is shown is 0."""
    index = index_of(recordings[shape].read_bytes())
    track = index.video or index.sound
    assert track is not None
    assert min(time for time in track.pts if time >= 0) == 0
    expected = {"cut by an edit list": 2500, "sound 44100 mono": 4000}.get(shape, 4000)
    assert abs(index.length_ms - expected) <= 34


def test_sound_keeps_its_distance_from_the_picture(recordings: dict[str, Path]) -> None:
    """AAC's priming packet lies before zero, and moves alike in every layout."""
    for shape in ("moov last, B-frames, sound", "moov first", "starts late", "mov"):
        sound = index_of(recordings[shape].read_bytes()).sound
        assert sound is not None
        assert (sound.pts[0], sound.pts[1]) == (-1024, 0)
        assert (sound.timescale, sound.sample_rate, sound.channels) == (48000, 48000, 1)
        assert sound.config[:2].hex() == "1188"  # AAC-LC, 48 kHz, one channel


def test_frames_before_the_edit_are_decoded_but_not_shown(recordings: dict[str, Path]) -> None:
    """A copy cut at 1.5 s begins with half a second of negative times."""
    video = index_of(recordings["cut by an edit list"].read_bytes()).video
    assert video is not None
    assert video.sync[0] == 1
    assert min(video.pts) == -video.timescale // 2


@pytest.mark.parametrize(
    ("shape", "requests"),
    [("moov first", 1), ("moov last, B-frames, sound", 2), ("fragmented, default-base", 3)],
)
def test_few_ranges_are_read(shape: str, requests: int, recordings: dict[str, Path]) -> None:
    """One request for the moov's place, one for the moov, one per fragment beyond it."""
    data = recordings[shape].read_bytes()
    read, asked = reader(data)
    read_index(read, len(data))
    assert len(asked) <= requests


def test_a_recording_still_being_written_has_no_moov(recordings: dict[str, Path]) -> None:
    """Empty, cut anywhere: NoMoov, never another error."""
    for shape in ("moov first", "moov last, B-frames, sound"):
        data = recordings[shape].read_bytes()
        for length in [0, 1, 7, 8, 20, 40, *range(100, len(data), len(data) // 40), len(data) - 1]:
            with pytest.raises(NoMoov):
                index_of(data[:length])


def test_a_fragmented_recording_counts_its_whole_fragments(recordings: dict[str, Path]) -> None:
    """Cut in the last fragment: the ones before it are there."""
    data = recordings["fragmented, default-base"].read_bytes()
    last = data.rindex(b"moof") - 4
    for length in (last + 4, last + 100, last + 6000):
        video = index_of(data[:length]).video
        assert video is not None
        assert len(video.sizes) == 90
    first = data.index(b"moof") - 4
    with pytest.raises(NoMoov, match="fragment"):
        index_of(data[: first + 50])


def test_what_is_no_mp4_says_so() -> None:
    """A text is not a recording still being written."""
    with pytest.raises(BadMp4, match="not an MP4"):
        index_of(b"<html>no such recording</html>")
