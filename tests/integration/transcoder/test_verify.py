"""A clip that is not as planned is found out, whatever its fault."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import evolve

from devtools import footage
from domain.errors import UnusableFootage
from infrastructure.ffmpeg.decode import decode_all_frames
from infrastructure.ffmpeg.excerpt import encoded_track, index_file
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.splicing.codecs import AVC
from infrastructure.splicing.layout import Layout, lay_out_clip
from infrastructure.splicing.tracks import ClipTrack, SpanSamples, video_track
from infrastructure.transcoder.assemble import write_own_bytes
from infrastructure.transcoder.verify import planned_media, verify_tables

FRAMES = 29
TIMESCALE = 15_360
TIMES = [512 * i for i in range(FRAMES)]


@pytest.fixture(scope="module")
def film(films: Path) -> Path:
    """Make a second of video; the frame stored last is not the one shown last."""
    kind = footage.Recording(first_number=1, frames=FRAMES, audio=None, bframes=3)
    return footage.cached_recording(films, kind)


@pytest.fixture
def samples(film: Path) -> SpanSamples:
    """Return the film's samples."""
    video = index_file(film).video
    assert video is not None
    return SpanSamples(encoded_track(film, video).samples, video.pts, video.sync, video)


@pytest.fixture
def track(samples: SpanSamples) -> ClipTrack:
    """Return the track of a clip that lasts a second."""
    return video_track([samples], TIMESCALE, 30 * 512)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Return where the clip is written."""
    return tmp_path / "clip.mp4"


def written(track: ClipTrack, path: Path) -> Layout:
    """Write the clip of a track."""
    layout = lay_out_clip([track])
    write_own_bytes(layout, path)
    return layout


def verify(path: Path, layout: Layout, track: ClipTrack, times: Sequence[int] = TIMES) -> None:
    """Hold the tables of a clip against the plan."""
    verify_tables(layout, path, times, track)


def decode(path: Path, times: Sequence[int], program: Path | None = None) -> None:
    """Decode a clip and hold it against the plan."""
    ffmpeg = Ffmpeg(program or find_ffmpeg({}))
    decode_all_frames(ffmpeg, path, times, TIMESCALE, time.monotonic() + 30, audio=True)


def test_a_clip_as_planned_passes(track: ClipTrack, clip: Path) -> None:
    """Its measures are those of the plan."""
    verify(clip, written(track, clip), track)
    media = planned_media(track, AVC, TIMES, copied_frames=0)
    assert (media.frames, media.duration_ms) == (FRAMES, 1000)
    decode(clip, TIMES)


def test_the_last_frame_is_held_until_the_clip_ends(samples: SpanSamples, clip: Path) -> None:
    """Also if the frame shown last is not the one stored last."""
    assert samples.times[-1] < max(samples.times)
    held = video_track([samples], TIMESCALE, 45 * 512)
    verify(clip, written(held, clip), held)
    assert planned_media(held, AVC, TIMES, copied_frames=0).duration_ms == 1500
    assert footage.read_clip(clip).duration_ms == pytest.approx(1500, abs=80)


def test_a_delay_precedes_the_first_frame(samples: SpanSamples, clip: Path) -> None:
    """The clip's clock runs, but there is nothing to show yet."""
    late = [time + 100 for time in samples.times]
    delayed = video_track([evolve(samples, times=late)], TIMESCALE, 30 * 512 + 100)
    layout = written(delayed, clip)
    verify(clip, layout, delayed, sorted(late))
    media = planned_media(delayed, AVC, sorted(late), copied_frames=0)
    assert media.first_ms == pytest.approx(6.5, abs=0.1)
    decode(clip, sorted(late))


def test_other_times_are_found_out(track: ClipTrack, clip: Path) -> None:
    """In the tables, and among the decoded frames."""
    layout = written(track, clip)
    for times in (TIMES[:-1], [*TIMES, FRAMES * 512], [*TIMES[:-1], TIMES[-1] + 1]):
        with pytest.raises(UnusableFootage, match="other frames"):
            verify(clip, layout, track, times)
        with pytest.raises(UnusableFootage, match=f"decodes to {FRAMES} frames"):
            decode(clip, times)


def test_another_end_is_found_out(track: ClipTrack, clip: Path) -> None:
    """The last frame must not end the clip too early or too late."""
    layout = written(track, clip)
    for duration in (28 * 512, 31 * 512):
        other = evolve(track, tables=evolve(track.tables, duration=duration))
        with pytest.raises(UnusableFootage, match="end"):
            verify(clip, layout, other)


def test_bytes_that_belong_to_no_sample_are_found_out(track: ClipTrack, clip: Path) -> None:
    """A hole before the samples, and bytes after them."""
    layout = written(track, clip)
    for wrong in (
        evolve(layout, header=layout.header[:-1]),
        evolve(layout, header=layout.header + b"\0"),
        evolve(layout, size_bytes=layout.size_bytes + 1),
        evolve(layout, size_bytes=layout.size_bytes - 1),
    ):
        with pytest.raises(UnusableFootage, match=r"samples|payload"):
            verify(clip, wrong, track)


def test_a_misplaced_chunk_is_found_out(samples: SpanSamples, clip: Path) -> None:
    """The tables name no byte twice, and none is left out."""
    count = 4 * FRAMES
    times = [512 * i for i in range(count)]
    stored = samples.samples
    again = evolve(stored, offsets=stored.offsets * 4, sizes=stored.sizes * 4)
    fourfold = evolve(samples, samples=again, times=times, sync=[1] * count)
    track = video_track([fourfold], TIMESCALE, count * 512)
    layout = written(track, clip)
    verify(clip, layout, track, times)
    data = bytearray(clip.read_bytes())
    chunks = data.index(b"stco") + 12
    data[chunks + 4 : chunks + 8] = data[chunks : chunks + 4]
    clip.write_bytes(data)
    with pytest.raises(UnusableFootage, match="share their bytes"):
        verify(clip, layout, track, times)


def test_damage_is_found_out_by_decoding(track: ClipTrack, clip: Path) -> None:
    """Wherever it is: the tables do not show it."""
    layout = written(track, clip)
    whole = clip.read_bytes()
    for number in (0, 3, 7):
        data = bytearray(whole)
        offset, sample = layout.own[number]
        middle = offset + sample.length // 2
        data[middle : middle + 20] = bytes(20)
        clip.write_bytes(data)
        verify(clip, layout, track)
        with pytest.raises(UnusableFootage):
            decode(clip, TIMES)


def test_a_message_of_the_decoder_is_a_failure(
    track: ClipTrack, clip: Path, tmp_path: Path
) -> None:
    """Even if all frames come and ffmpeg exits with 0."""
    program = tmp_path / "ffmpeg"
    written(track, clip)
    program.write_text(f'#!/bin/sh\necho mmco: failure >&2\nexec {find_ffmpeg({})} "$@"\n')
    program.chmod(0o755)
    with pytest.raises(UnusableFootage, match="with a message: mmco"):
        decode(clip, TIMES, program)
