"""What is written reads back equal, and plays without a message."""

import io
import struct
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.mp4.excerpt_writer import write_excerpt
from infrastructure.mp4.index import Track, read_index
from infrastructure.mp4.movie_info import MovieInfo
from infrastructure.mp4.writer import TrackToWrite, video_times, write_header
from tests.unit.mp4.media import SHAPES, decoded, index_of, reader

WITH_PICTURES = [shape for shape in SHAPES if shape != "sound 44100 mono"]


@pytest.mark.parametrize("shape", WITH_PICTURES)
def test_a_whole_recording_written_again_reads_back_equal(
    shape: str, recordings: dict[str, Path], tmp_path: Path
) -> None:
    """Same bytes, sync marks and times; every frame decodes without a message."""
    data = recordings[shape].read_bytes()
    index = index_of(data)
    assert index.video is not None
    out, read = io.BytesIO(), reader(data)[0]
    audio = range(len(index.audio.sizes)) if index.audio else range(0)
    pts_offset = write_excerpt(index, read, 0, len(index.video.sizes) - 1, out, audio)
    written = out.getvalue()
    again = index_of(written)
    for old, new in ((index.video, again.video), (index.audio, again.audio)):
        assert (old is None) == (new is None)
        if old is None or new is None:
            continue
        move = pts_offset * old.timescale / index.video.timescale
        assert max(abs(a - b - move) for a, b in zip(old.pts, new.pts, strict=True)) <= 1
        assert old.sync == new.sync
        assert old.sample_entry == new.sample_entry
        assert (old.timescale, old.width, old.matrix) == (new.timescale, new.width, new.matrix)
        assert samples(data, old) == samples(written, new)
    path = tmp_path / "window.mp4"
    path.write_bytes(written)
    frames, said = decoded(path)
    assert (len(frames), said) == (len(index.video.sizes), "")


@pytest.mark.parametrize(("first", "last"), [(30, 89), (60, 60), (30, 97), (90, 119)])
@pytest.mark.parametrize("shape", ["moov first", "fragmented, default-base", "hevc"])
def test_a_window_holds_exactly_its_frames(
    shape: str, first: int, last: int, recordings: dict[str, Path], tmp_path: Path
) -> None:
    """Each frame of the window decodes, at its own time, and ffmpeg is silent."""
    data = recordings[shape].read_bytes()
    index, out = index_of(data), io.BytesIO()
    video = index.video
    assert video is not None
    assert video.sync[first]
    audio = range(50, 90) if index.audio else range(0)
    pts_offset = write_excerpt(index, reader(data)[0], first, last, out, audio)
    path = tmp_path / "window.mp4"
    path.write_bytes(out.getvalue())
    frames, said = decoded(path)
    tick = video.timescale // 30
    assert [time * tick for time in frames] == sorted(
        time - pts_offset for time in video.pts[first : last + 1]
    )
    assert said == ""


def test_leading_frames_of_an_open_gop_are_hidden(
    recordings: dict[str, Path], tmp_path: Path
) -> None:
    """A window from an open GOP's keyframe shows the keyframe first and drops nothing after it."""
    data = recordings["open GOP"].read_bytes()
    index, out = index_of(data), io.BytesIO()
    video = index.video
    assert video is not None
    first = video.sync.index(1, 1)
    assert min(video.pts[first:]) < video.pts[first]
    pts_offset = write_excerpt(index, reader(data)[0], first, len(video.pts) - 1, out)
    path = tmp_path / "window.mp4"
    path.write_bytes(out.getvalue())
    assert len(decoded(path)[0]) == sum(t >= video.pts[first] for t in video.pts)
    assert pts_offset == video.pts[first]


def test_holes_are_read_through_only_where_small(recordings: dict[str, Path]) -> None:
    """Two runs far apart take two reads, neighbours one."""
    data = recordings["moov first"].read_bytes()
    index, (read, asked) = index_of(data), reader(data)
    write_excerpt(index, read, 30, 59, io.BytesIO())
    assert len(asked) == 1
    assert asked[0][1] < 2 * sum(index.video.sizes[30:60] if index.video else [])


def track(**changes: object) -> TrackToWrite:
    """Return three frames of 1,000 bytes at 10 per second, as *changes* say."""
    plain = TrackToWrite(
        kind="vide",
        sample_entry=b"\0\0\0\x56avc1" + bytes(6) + b"\0\1" + bytes(70),
        timescale=10,
        offsets=[0, 1000, 2000],
        sizes=[1000] * 3,
        dts=[0, 1, 2],
        pts=[0, 1, 2],
        sync=[1, 0, 0],
        duration=3,
        last_duration=1,
    )
    return evolve(plain, **changes)  # type: ignore[arg-type]


def test_an_edit_list_is_written_only_where_needed() -> None:
    """Not for a plain track; for a later start, an earlier end, or a delay."""
    assert b"elst" not in write_header([track()], 3000)
    for changes in ({"media_time": 1, "duration": 2}, {"duration": 2}, {"delay": 1}):
        assert b"elst" in write_header([track(**changes)], 3000)


@pytest.mark.parametrize(
    ("created_s", "version", "creation_time"),
    [
        pytest.param(1_777_636_810, 0, 3_860_481_610, id="today"),
        pytest.param(0, 0, 2_082_844_800, id="the Unix epoch"),
        pytest.param(-2_082_844_800, 0, 0, id="the standard's epoch"),
        pytest.param(-2_082_844_801, 0, 0, id="before it: unknown"),
        pytest.param(2_212_122_495, 0, (1 << 32) - 1, id="the last second of 32 bits, in 2040"),
        pytest.param(2_212_122_496, 1, 1 << 32, id="the first of 64 bits"),
    ],
)
def test_a_movie_says_when_it_was_recorded(
    created_s: int, version: int, creation_time: int
) -> None:
    """In s since 1904, in the movie and in each track; it reads back equal."""
    info = MovieInfo(created_s, "A title", "a comment")
    header = write_header([track()], 3000, info)
    for kind in (b"mvhd", b"tkhd", b"mdhd"):
        at = header.index(kind) + 4
        assert header[at] == version
        form = ">QQ" if version else ">II"
        assert struct.unpack_from(form, header, at + 4) == (creation_time, creation_time)
    plain = index_of(write_header([track()], 3000) + bytes(3000)).video
    labelled = index_of(header + bytes(3000)).video
    assert plain is not None
    assert labelled is not None
    assert labelled.pts == plain.pts
    assert labelled.timescale == plain.timescale
    assert labelled.offsets[0] == len(header)


def test_a_movie_without_info_says_nothing() -> None:
    """Its times are 0, unknown, and it has no user data."""
    header = write_header([track()], 3000)
    assert b"udta" not in header
    for kind in (b"mvhd", b"tkhd", b"mdhd"):
        assert struct.unpack_from(">II", header, header.index(kind) + 8) == (0, 0)


def test_the_header_leaves_out_what_says_nothing() -> None:
    """All sync: no stss. No reordering: no ctts."""
    plain = write_header([track(sync=[1, 1, 1])], 3000)
    assert b"stss" not in plain
    assert b"ctts" not in plain
    reordered = write_header([track(pts=[1, 3, 2], media_time=1)], 3000)
    assert b"stss" in reordered
    assert b"ctts" in reordered


@pytest.mark.parametrize("far", [(1 << 32) - 2000, (1 << 32) - 600, 1 << 32, 5 << 32])
def test_offsets_grow_to_64_bits_around_4_gib(far: int) -> None:
    """Samples lie where the payload says, whichever width the offsets took."""
    header = write_header([track(offsets=[0, 1000, far])], far + 1000)
    size_bytes = len(header) + far + 1000

    def read(offset: int, length: int) -> bytes:
        return (header[offset : offset + length]).ljust(length, b"\0")

    video = read_index(read, size_bytes).video
    assert video is not None
    assert list(video.offsets) == [len(header) + at for at in (0, 1000, far)]


def test_times_no_table_holds_are_refused() -> None:
    """Backward decode times, frames shown before they are decoded, missing numbers."""
    for changes in (
        {"dts": [1, 2, 3]},
        {"dts": [0, 2, 1]},
        {"pts": [0, 0, 2]},
        {"sync": [1]},
        {"media_time": -1},
    ):
        with pytest.raises(ValueError, match=r"decode|number|forwards"):
            write_header([track(**changes)], 3000)


@given(st.lists(st.integers(-10_000, 10_000), min_size=1, max_size=60, unique=True))
def test_video_times_keep_the_clock(pts: list[int]) -> None:
    """Decode times ascend from 0, no frame is shown early, and the clock's zero stays."""
    dts, moved, media_time = video_times(pts)
    assert dts[0] == 0
    assert dts == sorted(dts)
    assert all(shown >= decoded_at for shown, decoded_at in zip(moved, dts, strict=True))
    assert media_time >= 0
    assert [time - media_time for time in moved] == pts


def test_video_times_of_a_late_first_frame() -> None:
    """Without reordering, a first frame at 7 stays at 7 by its composition offset alone."""
    assert video_times([7, 17, 27]) == ([0, 10, 20], [7, 17, 27], 0)
    assert video_times([0, 30, 20, 10]) == ([0, 10, 20, 30], [20, 50, 40, 30], 20)
    assert video_times([5, 35, 25, 15]) == ([0, 10, 20, 30], [20, 50, 40, 30], 15)


def samples(data: bytes, of: Track) -> list[bytes]:
    """Return each sample's bytes."""
    return [data[at : at + size] for at, size in zip(of.offsets, of.sizes, strict=True)]
