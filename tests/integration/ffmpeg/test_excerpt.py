"""Excerpts hold what must be decoded, and no more."""

from pathlib import Path
from typing import Any

import pytest

from devtools.footage import read_clip
from domain.errors import UnusableFootage
from domain.planning import ClipPlan
from infrastructure.ffmpeg.excerpt import Excerpt, extract, index_file, with_fewest_samples
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.splicing.frames import CutSource, resolve_cuts
from infrastructure.splicing.spans import EncodedSpan
from infrastructure.transcoder.filler import GapFiller
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.integration.exactness.camera import Camera
from tests.integration.exactness.cases import recording
from tests.unit.splicing.tracks import named, plan

FROM_MS, TO_MS = 700, 900
"""21 frames after a keyframe, six frames."""


@pytest.fixture(params=["h264", "hevc"])
def source(request: pytest.FixtureRequest, films: Path, tmp_path: Path) -> CutSource:
    film = recording(codec=request.param, bframes=4)
    opened = Camera(films, tmp_path, FfmpegTranscoder(find_ffmpeg({}))).open(film)
    (source,) = resolve_cuts(plan(FROM_MS, TO_MS, opened), named(opened))
    return source


def excerpt_of(source: CutSource, path: Path, **how: Any) -> Excerpt:  # noqa: ANN401
    return extract(source, source.frames, source.decode_start, path, **how)


def samples_in(excerpt: Excerpt) -> int:
    video = index_file(excerpt.path).video
    assert video
    return len(video.sizes)


def numbers_in(excerpt: Excerpt) -> list[int]:
    """Return the numbers of the frames to be shown, as they are seen."""
    reading = read_clip(excerpt.path)
    assert not reading.messages
    timescale = excerpt.source.video.timescale
    first_ms, last_ms = (at * 1000 / timescale for at in (excerpt.first_shown, excerpt.last_shown))
    return [
        number
        for number, time_ms in zip(reading.numbers, reading.times_ms, strict=True)
        if first_ms - 1 < time_ms < last_ms + 1
    ]


def test_a_sample_that_none_refers_to_is_there_only_to_be_shown(
    source: CutSource, tmp_path: Path
) -> None:
    """All frames to be shown are there, and look as they do next to it."""
    few = excerpt_of(source, tmp_path / "few.mp4", is_whole=False)
    whole = excerpt_of(source, tmp_path / "whole.mp4")
    assert whole.left_out == 0
    assert few.left_out >= 21 // 3
    assert few.decoded_frames == samples_in(few) == samples_in(whole) - few.left_out
    assert numbers_in(few) == numbers_in(whole) == [1021 + n for n in range(6)]


def test_all_samples_are_decoded_if_a_decoder_wants_them(
    source: CutSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The times stay, and the log says why."""
    caplog.set_level("INFO")
    few = excerpt_of(source, tmp_path / "few.mp4", is_whole=False)
    tried: list[int] = []

    def decode(excerpt: Excerpt) -> list[int]:
        tried.append(samples_in(excerpt))
        assert (excerpt.first_shown, excerpt.last_shown) == (few.first_shown, few.last_shown)
        if excerpt.left_out:
            raise UnusableFootage("Could not find ref with POC 7")
        return numbers_in(excerpt)

    assert with_fewest_samples(few, decode) == [1021 + n for n in range(6)]
    assert tried == [few.decoded_frames, few.decoded_frames + few.left_out]
    assert "Could not find ref with POC 7" in caplog.text


def test_an_excerpt_that_fails_whole_is_not_tried_again(source: CutSource, tmp_path: Path) -> None:
    """Its error is the answer."""
    whole = excerpt_of(source, tmp_path / "whole.mp4")

    def decode(excerpt: Excerpt) -> None:
        tried.append(excerpt.path)
        raise UnusableFootage("It does not decode.")

    tried: list[Path] = []
    with pytest.raises(UnusableFootage, match="It does not decode"):
        with_fewest_samples(whole, decode)
    assert tried == [whole.path]


@pytest.mark.parametrize("is_damaged", [False, True])
def test_damaged_frames_are_decoded_after_all_samples_before_them(
    source: CutSource, tmp_path: Path, *, is_damaged: bool
) -> None:
    """So that a decoder conceals their damage in the same way as when it was found."""
    times = tuple(range(len(source.frames)))
    span = EncodedSpan(source, source.frames, times, source.decode_start, is_damaged)
    cut = source.cut
    excerpt = GapFiller(ClipPlan(cut.window, (cut,))).extract(span, tmp_path / "excerpt.mp4")
    assert (excerpt.left_out == 0) is is_damaged
