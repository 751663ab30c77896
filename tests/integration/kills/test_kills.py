"""A process is killed while it works; the next one finishes. All points: `make kills`."""

from collections.abc import Iterator

import pytest

from tests.campaigns.kills.killing import POINTS, Point, kill_at, kill_in, random_moments
from tests.campaigns.kills.outside import Outside, outside

IN_EVERY_RUN = {
    "edge being encoded",
    "between parts",
    "committed, the reply lost",
    "notified, before the manifest",
}


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """Start what is around the function."""
    folder = tmp_path_factory.mktemp("kills")
    with outside(folder, folder / "footage") as started:
        yield started


@pytest.mark.parametrize(
    "point", [p for p in POINTS if p.name in IN_EVERY_RUN], ids=lambda point: str(point.name)
)
def test_killed_at_a_point_the_next_delivery_finishes(point: Point, around: Outside) -> None:
    """One exact clip, told and published; no ffmpeg and no scratch left, but what is others'."""
    assert kill_at(point, around).faults == []


def test_killed_at_any_moment_the_next_delivery_finishes(around: Outside) -> None:
    """The same, wherever it was."""
    for moment in random_moments(1, seed=1, outside=around):
        assert kill_in(moment, around).faults == [], moment
