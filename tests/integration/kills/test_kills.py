"""A sample of the kills: a process is killed at work, and the next one finishes the request."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaigns.kills.deployment import Deployment, deployment
from tests.campaigns.kills.kill import POINTS, Point, kill, random_moments

IN_EVERY_RUN = {"an edge being encoded", "between parts", "committed, the answer lost"}


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Iterator[Deployment]:
    """Start what the function works with."""
    with deployment(tmp_path_factory.mktemp("kills"), films) as started:
        yield started


@pytest.mark.parametrize(
    "point", [p for p in POINTS if p.name in IN_EVERY_RUN], ids=lambda point: str(point.name)
)
def test_killed_at_a_point_the_next_delivery_finishes(point: Point, around: Deployment) -> None:
    """One exact clip, one notification; no ffmpeg and no scratch of ours is left."""
    assert kill(point, around).faults == []


def test_killed_at_any_moment_the_next_delivery_finishes(around: Deployment) -> None:
    """The same promises hold at a random moment."""
    for moment in random_moments(1, seed=1, deployed=around):
        assert kill(moment, around).faults == [], moment
