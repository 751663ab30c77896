"""The times of a track whose samples are all equally far apart are as good as listed ones."""

from array import array
from collections.abc import Sequence

import pytest

from infrastructure.mp4.sample_tables import Times, moved, steps


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param(array("q", [0, 10, 30, 25]), [10, 20, -5], id="each distance of a list"),
        pytest.param(array("q", [7]), [], id="one listed sample has no neighbour"),
        pytest.param(range(5, 35, 10), [10], id="the one distance of a range"),
        pytest.param(range(5, 15, 10), [], id="one sample of a range has no neighbour"),
    ],
)
def test_steps(times: Times, expected: Sequence[int]) -> None:
    assert list(steps(times)) == expected


@pytest.mark.parametrize("ticks", [-1024, 0, 3])
def test_a_range_moves_as_a_list_does(ticks: int) -> None:
    times = range(100, 400, 100)
    assert list(moved(times, ticks)) == list(moved(array("q", times), ticks))
    assert list(moved(times, ticks)) == [time + ticks for time in times]
