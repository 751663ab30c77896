"""Every interleaving of deliveries that are under way at once, port call by port call."""

import pytest
from attrs import frozen

from tests.model.explorer import Exploration
from tests.model.recorder import Committing, at_once, under_a_claim
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
    Extent("two messages of one request", 0, 214, 117_194),
    Extent("two messages of one request", 1, 1_278, 20_213_383_136),
    Extent("two messages of one request", 2, 3_299, 140_358_984_844),
    Extent("two windows of one clip", 0, 222, 117_172),
    Extent("two windows of one clip", 2, 2_767, 239_580_193_200),
    Extent("one message at two receivers", 0, 261, 119_110),
    Extent("one message at two receivers", 2, 872, 2_458_837),
    Extent("one message at two receivers, counted once", 0, 278, 1_126_296),
    Extent("one message at two receivers, counted once", 2, 788, 9_954_720),
    Extent("the second while the first is delivered again", 2, 11_340, 209_562_482_019_017),
    Extent("one may wait, one may build", 0, 1_424, 24_276_334_140),
    Extent("one may refuse, one may build", 1, 2_801, 98_370_551_356),
    Extent("one may repeat a rejection, one may build", 1, 1_791, 98_369_211_920),
    Extent("one waits, one is too late to", 1, 7_458, 89_699_348_358),
    Extent("one waits, one is too late to, and then there is footage", 0, 1_847, 16_623_208),
    Extent("three messages of one request", 0, 4_203, 80_368_856_019_792),
    Extent("three, one may refuse", 0, 39_981, 967_403_423_999_862),
]


def assert_every_schedule_ends_right(extent: Extent, committing: Committing) -> None:
    """Whoever goes first, and wherever one dies: the oracle finds no fault in any state."""
    world = TOGETHER[extent.world]
    exploration = Exploration(committing=committing)
    start = exploration.begin(world.world, world.deliveries, extent.crashes)
    exploration.explore(start)
    assert exploration.faults == {}
    assert len(exploration.steps) >= extent.states
    assert exploration.schedules(start) >= extent.schedules


@pytest.mark.parametrize("extent", EXTENTS, ids=lambda e: f"{e.world}, crashes: {e.crashes}")
def test_every_schedule_ends_right(extent: Extent) -> None:
    """Where the store honours the condition on the clip."""
    assert_every_schedule_ends_right(extent, at_once)


@pytest.mark.parametrize("world", TOGETHER)
def test_every_schedule_ends_right_if_the_manifest_is_read_first(world: str) -> None:
    """A store that is asked for clip and manifest at once may read either of them first."""
    exploration = Exploration(is_manifest_first=True)
    crashes = 0 if "three" in world or "wait" in world else 1  # the largest of them
    exploration.explore(
        exploration.begin(TOGETHER[world].world, TOGETHER[world].deliveries, crashes)
    )
    assert exploration.faults == {}


UNDER_A_CLAIM = [
    Extent("one message", 2, 364, 182),
    Extent("two messages of one request", 1, 2_349, 2_249_955_624_450),
    Extent("two windows of one clip", 0, 328, 1_680_356),
    Extent("two windows of one clip", 2, 7_342, 63_035_525_177_603_227_628),
    Extent("one message at two receivers", 1, 799, 8_102_879),
    Extent("the second while the first is delivered again", 1, 9_532, 28_479_245_403_066_182),
    Extent("three messages of one request", 0, 7_284, 17_067_157_669_970_832),
]


@pytest.mark.parametrize("extent", UNDER_A_CLAIM, ids=lambda e: f"{e.world}, crashes: {e.crashes}")
def test_every_schedule_ends_right_where_completing_has_no_condition(extent: Extent) -> None:
    """A claim goes before it, and call by call everything may happen in between."""
    assert_every_schedule_ends_right(extent, under_a_claim)


@pytest.mark.parametrize("world", ["three messages of one request", "three, one may refuse"])
def test_three_deliveries_and_three_crashes_end_right_however_chance_has_it(world: str) -> None:
    """Schedules by chance where there are too many states to visit them all."""
    exploration = Exploration()
    start = exploration.begin(TOGETHER[world].world, TOGETHER[world].deliveries, 3)
    for seed in range(300):
        assert exploration.walk(start, seed) == frozenset(), seed
