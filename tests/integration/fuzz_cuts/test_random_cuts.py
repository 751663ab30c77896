"""The first random cut of every third kind, and the variety of what is drawn."""

from pathlib import Path

import pytest

from tests.campaigns.fuzz_cuts.drawing import NAMES, draw_cut
from tests.campaigns.fuzz_cuts.judging import judge
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


def test_the_cuts_are_of_all_kinds() -> None:
    """One to three recordings, joins, seams, gaps, overlaps, single frames, and none at all."""
    cuts = [draw_cut(seed) for seed in range(MANY)]
    wanted = [cut.wanted() for cut in cuts]
    assert {len(cut.recordings) for cut in cuts} == {1, 2, 3}
    assert sum(len(clip.stretches) == 3 for clip in wanted) > MANY / 20
    assert sum(len(clip.numbers) == 1 for clip in wanted) > MANY / 50
    assert MANY / 50 < sum(not clip.numbers for clip in wanted) < MANY / 5
    assert sum(bool(clip.gaps_ms) for clip in wanted) > MANY / 10
    holes_ms = {
        after.start_ms - before.start_ms - int(before.duration_ms)
        for cut in cuts
        for before, after in zip(cut.recordings, cut.recordings[1:], strict=False)
    }
    assert {-20, -1, 0, 1, 1000, 1001} <= holes_ms
    assert sum(-OVERLAP_MS < hole < 0 for hole in holes_ms) > 10
    assert all(cut.from_ms < cut.to_ms for cut in cuts)
    assert all(r.start_ms >= START_MS for cut in cuts for r in cut.recordings)
