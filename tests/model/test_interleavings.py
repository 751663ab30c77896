"""Every interleaving of deliveries that are under way at once, port call by port call."""

import pytest
from attrs import frozen

from tests.model.explorer import Exploration
from tests.model.scenarios import TOGETHER


@frozen
class Extent:
    """How much there is to explore: a smaller one would mean that something is not looked at."""

    world: str
    crashes: int
    states: int
    schedules: int
    """Of the calls, crashes, uploads and receptions, until the queue is empty."""


EXTENTS = [
    Extent("two messages of one request", 0, 215, 242_992),
    Extent("two messages of one request", 1, 913, 663_220_358),
    Extent("two messages of one request", 2, 2_486, 16_587_609_390),
    Extent("one message at two receivers", 0, 240, 243_155),
    Extent("one message at two receivers", 2, 729, 4_092_856),
    Extent("one message at two receivers, counted once", 0, 259, 1_096_166),
    Extent("one message at two receivers, counted once", 2, 691, 9_750_804),
    Extent("the second while the first is delivered again", 2, 8_180, 2_348_755_974_596),
    Extent("one may wait, one may build", 0, 1_294, 44_715_976_782),
    Extent("one may refuse, one may build", 1, 2_302, 2_822_863_648),
    Extent("one may repeat a rejection, one may build", 1, 1_298, 2_821_476_884),
    Extent("one waits, one is too late to", 1, 7_458, 89_699_348_358),
    Extent("one waits, one is too late to, and then there is footage", 0, 1_701, 26_074_354),
    Extent("three messages of one request", 0, 4_420, 729_900_123_871_416),
    Extent("three, one may refuse", 0, 32_701, 3_805_575_381_979_566),
]


@pytest.mark.parametrize("extent", EXTENTS, ids=lambda e: f"{e.world}, crashes: {e.crashes}")
def test_every_schedule_ends_right(extent: Extent) -> None:
    """Whoever goes first, and wherever one dies: the oracle finds no fault in any state."""
    world = TOGETHER[extent.world]
    exploration = Exploration()
    start = exploration.begin(world.world, world.deliveries, extent.crashes)
    exploration.explore(start)
    assert exploration.faults == {}
    assert len(exploration.steps) >= extent.states
    assert exploration.schedules(start) >= extent.schedules


@pytest.mark.parametrize("world", ["three messages of one request", "three, one may refuse"])
def test_three_deliveries_and_three_crashes_end_right_however_chance_has_it(world: str) -> None:
    """Schedules by chance where there are too many states to visit them all."""
    exploration = Exploration()
    start = exploration.begin(TOGETHER[world].world, TOGETHER[world].deliveries, 3)
    for seed in range(300):
        assert exploration.walk(start, seed) == frozenset(), seed
