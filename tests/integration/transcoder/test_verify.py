"""A clip that is not as planned is found out, whatever its fault."""

import time
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from devtools import footage
from domain.errors import UnusableFootage
from infrastructure.ffmpeg.decode import decode_all_frames
from infrastructure.ffmpeg.excerpt import encoded_track, index_file
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.mp4.writer import TrackToWrite
from infrastructure.splicing.layout import Layout, lay_out_clip
from infrastructure.splicing.tracks import ClipTrack, last_duration_of
from infrastructure.transcoder.assemble import write_own_bytes
from infrastructure.transcoder.verify import verify_tables

FRAMES = 29
SHOWN = [512 * i for i in range(FRAMES)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a second of pictures, the last of which is stored before the one shown before it."""
    kind = footage.Recording(first_number=1, frames=FRAMES, audio=None, bframes=3)
    return footage.cached_recording(tmp_path_factory.mktemp("films"), kind)


@pytest.fixture
def track(film: Path) -> ClipTrack:
    """Describe the film as a clip's track."""
    video = index_file(film).video
    assert video is not None
    lead = max(b - a for a, b in zip(video.pts, sorted(video.pts), strict=True))
    samples = encoded_track(film, video).samples
    track = TrackToWrite(
        kind="vide",
        sample_entry=video.sample_entry,
        timescale=video.timescale,
        offsets=(),
        sizes=video.sizes,
        dts=sorted(video.pts),
        pts=[pts + lead for pts in video.pts],
        sync=video.sync,
        duration=30 * 512,
        last_duration=0,
        media_time=lead,
        width=video.width,
        height=video.height,
    )
    return changed(ClipTrack(track, samples))


def changed(track: ClipTrack, **changes: Any) -> ClipTrack:  # noqa: ANN401 - any field
    """Return the track with other fields, and the last duration that follows from them."""
    made = evolve(track.track, **changes)
    last = last_duration_of(made.dts, made.pts, made.duration, made.media_time)
    return evolve(track, track=evolve(made, last_duration=last))


def laid_out(track: ClipTrack, clip: Path) -> Layout:
    """Write a clip of the track."""
    layout = lay_out_clip([track], [])
    write_own_bytes(layout, clip)
    return layout


def decoded(path: Path, shown: list[int], by: Ffmpeg = Ffmpeg(find_ffmpeg({}))) -> None:  # noqa: B008
    """Decode a clip."""
    decode_all_frames(by, path, shown, 15_360, time.monotonic() + 30, audio=True)


def test_what_is_as_planned_passes(track: ClipTrack, tmp_path: Path) -> None:
    """And is measured."""
    clip = tmp_path / "clip.mp4"
    layout = laid_out(track, clip)
    measured = verify_tables(layout, clip, SHOWN, track, 0)
    assert (measured.frames, measured.duration_ms) == (FRAMES, 1000)
    decoded(clip, SHOWN)


def test_the_last_frame_is_held_until_the_clip_ends(track: ClipTrack, tmp_path: Path) -> None:
    """Also where the frame that is shown last is not the one that is stored last."""
    assert track.track.pts[-1] < max(track.track.pts)
    held, clip = (
        changed(track, duration=45 * 512),
        tmp_path / "clip.mp4",
    )
    layout = laid_out(held, clip)
    assert verify_tables(layout, clip, SHOWN, held, 0).duration_ms == 1500
    assert footage.read_clip(clip).duration_ms == pytest.approx(1500, abs=80)


def test_a_delay_comes_before_the_first_frame(track: ClipTrack, tmp_path: Path) -> None:
    """The clip's clock runs, but there is nothing to show yet."""
    late, clip = changed(track, delay=100), tmp_path / "clip.mp4"
    layout = laid_out(late, clip)
    shown = [time + 100 for time in SHOWN]
    assert verify_tables(layout, clip, shown, late, 0).first_ms == pytest.approx(6.5, abs=0.1)
    decoded(clip, shown)


def test_other_times_are_found_out(track: ClipTrack, tmp_path: Path) -> None:
    """In the tables, and among the decoded frames."""
    clip = tmp_path / "clip.mp4"
    layout = laid_out(track, clip)
    for shown in (SHOWN[:-1], [*SHOWN, FRAMES * 512], [*SHOWN[:-1], SHOWN[-1] + 1]):
        with pytest.raises(UnusableFootage, match="other frames"):
            verify_tables(layout, clip, shown, track, 0)
        with pytest.raises(UnusableFootage, match=f"decodes to {FRAMES} frames"):
            decoded(clip, shown)


def test_another_end_is_found_out(track: ClipTrack, tmp_path: Path) -> None:
    """The last frame must not end the clip too early or too late."""
    clip = tmp_path / "clip.mp4"
    layout = laid_out(track, clip)
    for ticks in (28 * 512, 31 * 512):
        with pytest.raises(UnusableFootage, match="end"):
            verify_tables(layout, clip, SHOWN, changed(track, duration=ticks), 0)


def test_bytes_that_belong_to_no_sample_are_found_out(track: ClipTrack, tmp_path: Path) -> None:
    """A hole before, and a rest behind."""
    clip = tmp_path / "clip.mp4"
    layout = laid_out(track, clip)
    for amiss in (
        evolve(layout, header=layout.header[:-1]),
        evolve(layout, header=layout.header + b"\0"),
        evolve(layout, size_bytes=layout.size_bytes + 1),
        evolve(layout, size_bytes=layout.size_bytes - 1),
    ):
        with pytest.raises(UnusableFootage, match=r"samples|payload"):
            verify_tables(amiss, clip, SHOWN, track, 0)


def test_a_chunk_elsewhere_is_found_out(track: ClipTrack, tmp_path: Path) -> None:
    """The tables may name neither a byte twice nor none at all."""
    count = 4 * FRAMES
    times = [512 * i for i in range(count)]
    long = changed(
        evolve(track, samples=[*track.samples] * 4),
        sizes=[*track.track.sizes] * 4,
        dts=times,
        pts=times,
        sync=[1] * count,
        duration=count * 512,
        media_time=0,
    )
    clip = tmp_path / "clip.mp4"
    layout = laid_out(long, clip)
    assert verify_tables(layout, clip, times, long, 0).frames == count
    data = bytearray(clip.read_bytes())
    chunks = data.index(b"stco") + 12
    data[chunks + 4 : chunks + 8] = data[chunks : chunks + 4]
    clip.write_bytes(data)
    with pytest.raises(UnusableFootage, match="share their bytes"):
        verify_tables(layout, clip, times, long, 0)


def test_damage_is_found_out_by_decoding(track: ClipTrack, tmp_path: Path) -> None:
    """Wherever it is: the tables cannot tell."""
    clip = tmp_path / "clip.mp4"
    layout = laid_out(track, clip)
    whole = clip.read_bytes()
    for number in (0, 3, 7):
        begin = len(layout.header) + sum(before.length for before in track.samples[:number])
        data = bytearray(whole)
        middle = begin + track.samples[number].length // 2
        data[middle : middle + 20] = bytes(20)
        clip.write_bytes(data)
        verify_tables(layout, clip, SHOWN, track, 0)
        with pytest.raises(UnusableFootage):
            decoded(clip, SHOWN)


def test_a_message_of_the_decoder_is_a_failure(track: ClipTrack, tmp_path: Path) -> None:
    """Even where all frames come and ffmpeg is content."""
    clip, grumbler = tmp_path / "clip.mp4", tmp_path / "ffmpeg"
    laid_out(track, clip)
    grumbler.write_text(f'#!/bin/sh\necho mmco: failure >&2\nexec {find_ffmpeg({})} "$@"\n')
    grumbler.chmod(0o755)
    with pytest.raises(UnusableFootage, match="with a message: mmco"):
        decoded(clip, SHOWN, Ffmpeg(grumbler))
