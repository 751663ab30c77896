"""The first random cut of every third kind, and the variety of what is drawn."""

from fractions import Fraction
from pathlib import Path

import pytest
from attrs import evolve

from devtools.footage import Wanted
from tests.campaigns.fuzz_cuts.drawing import NAMES, RandomCut, draw_cut
from tests.campaigns.fuzz_cuts.judging import judge
from tests.campaigns.fuzz_cuts.kinds import KINDS
from tests.integration.exactness.camera import START_MS

MANY = 150
OVERLAP_MS = 4000


@pytest.mark.parametrize("seed", range(0, len(NAMES), 3), ids=NAMES[::3])
def test_random_cuts_are_exact(seed: int, films: Path, tmp_path: Path) -> None:
    """Numbers, times, audio, cleanness, and the figures that the service reports."""
    cut = draw_cut(seed)
    try:
        judge(cut, films, tmp_path)
    except Exception as error:
        error.add_note(str(cut))
        raise


def test_a_seed_draws_the_same_cut_again() -> None:
    """A failure can be reproduced."""
    seeds = range(len(NAMES))
    assert [draw_cut(seed) for seed in seeds] == [draw_cut(seed) for seed in seeds]


def test_a_clip_that_begins_between_uneven_frames_is_as_long_as_its_window(
    films: Path, tmp_path: Path
) -> None:
    """With an empty edit at its head, ffmpeg said that it was 13 ms longer."""
    own = KINDS["variable frame rate"].recordings
    recordings = (
        evolve(own[0], start_ms=START_MS + 1233),
        evolve(own[1], start_ms=START_MS + 9943),
    )
    judge(RandomCut(0, "variable frame rate", recordings, 7469, 14_356), films, tmp_path)


def delivered_ms(cut: RandomCut, clip: Wanted) -> Fraction:
    """Return the window's duration less its gaps."""
    return cut.to_ms - cut.from_ms - sum((end - start for start, end in clip.gaps_ms), Fraction(0))


def test_the_cuts_are_of_all_kinds() -> None:
    """One to three recordings, joins, seams, gaps, overlaps, single frames, and none at all."""
    cuts = [draw_cut(seed) for seed in range(MANY)]
    wanted = [cut.wanted() for cut in cuts]
    assert {len(cut.recordings) for cut in cuts} == {1, 2, 3}
    assert sum(len(clip.stretches) == 3 for clip in wanted) > MANY / 20
    assert sum(len(clip.numbers) == 1 for clip in wanted) > MANY / 50
    assert 0 < sum(not clip.numbers for clip in wanted) < MANY / 5
    assert sum(bool(clip.gaps_ms) for clip in wanted) > MANY / 10
    assert sum(clip.held_frames for clip in wanted) > MANY / 10
    assert sum(bool(clip.held_ms) for clip in wanted) > MANY / 10
    assert sum(bool(clip.unused) for clip in wanted) > MANY / 20
    assert (
        sum(
            clip.duration_ms != delivered_ms(cut, clip)
            for cut, clip in zip(cuts, wanted, strict=True)
        )
        > MANY / 20
    )
    holes_ms = {
        after.start_ms - before.start_ms - int(before.duration_ms)
        for cut in cuts
        for before, after in zip(cut.recordings, cut.recordings[1:], strict=False)
    }
    assert {-20, -1, 0, 1, 1000, 1001} <= holes_ms
    assert sum(-OVERLAP_MS < hole < 0 for hole in holes_ms) > 10
    assert all(cut.from_ms < cut.to_ms for cut in cuts)
    assert all(r.start_ms >= START_MS for cut in cuts for r in cut.recordings)
