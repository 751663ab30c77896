"""Tracks of text: what is written reads back equal, and ffmpeg shows it."""

from itertools import accumulate
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from application.ports import FilePiece
from domain.wall_clock import Cue
from infrastructure.mp4.boxes import require
from infrastructure.mp4.movie_info import MovieInfo
from infrastructure.mp4.timed_text import TextSamples, read_text_samples
from infrastructure.mp4.writer import write_header
from infrastructure.splicing.timed_text import samples_of, text_track
from tests.support.clock_text import chapters_of, cues_of

CUES = st.lists(
    st.tuples(
        st.integers(1, 5_000), st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
    ),
    min_size=1,
    max_size=300,
)
ALONE = FilePiece(Path("cues"), 0, 0)


def timed(rows: list[tuple[int, str]]) -> list[Cue]:
    """Return cues of these durations, in ms, and texts."""
    ends = list(accumulate(duration for duration, _ in rows))
    return [Cue(end - ms, end, text) for end, (ms, text) in zip(ends, rows, strict=True)]


def written(cues: list[Cue], info: MovieInfo | None = None) -> bytes:
    """Return a file that has the cues and nothing else."""
    samples = samples_of(cues)
    tables = text_track(cues, samples, ALONE).tables
    offsets = [*accumulate(map(len, samples), initial=0)][:-1]
    payload = b"".join(samples)
    return write_header([evolve(tables, offsets=offsets)], len(payload), info) + payload


def read(data: bytes) -> TextSamples | None:
    return read_text_samples(require(memoryview(data), b"moov"), len(data))


@given(CUES)
def test_what_is_written_reads_back_equal(rows: list[tuple[int, str]]) -> None:
    """Times, places and texts, in any script."""
    data = written(timed(rows))
    found = read(data)
    assert found is not None
    assert found.timescale == 1000
    assert list(found.durations) == [duration for duration, _ in rows]
    places = zip(found.offsets, found.sizes, strict=True)
    assert [data[at + 2 : at + size].decode() for at, size in places] == [text for _, text in rows]


def test_ffmpeg_reads_the_text_and_the_chapters(tmp_path: Path) -> None:
    """Starting and ending with the millisecond; titles of 255 bytes, and 255 of them."""
    cues = timed([(7, "one"), (1000, "two"), (1, "drei ü"), (60_000, "四")])
    chapters = [(n * 7, f"{n:03} " + "é" * 125 + "x") for n in range(255)]
    path = tmp_path / "text.mp4"
    path.write_bytes(written(cues, MovieInfo(0, "title", "comment", chapters)))
    assert cues_of(path) == [(cue.start_ms, cue.end_ms, cue.text) for cue in cues]
    assert chapters_of(path) == chapters


@pytest.mark.parametrize("chapters", [[(0, "x" * 256)], [(n, "") for n in range(256)]])
def test_more_than_a_list_holds_is_not_written(chapters: list[tuple[int, str]]) -> None:
    """Its numbers are bytes."""
    with pytest.raises(Exception, match="255"):
        written(timed([(1, "one")]), MovieInfo(0, "", "", chapters))


def test_a_file_without_text_has_none(recordings: dict[str, Path]) -> None:
    """Video and audio are no text."""
    data = recordings["moov first"].read_bytes()
    assert read(data) is None
