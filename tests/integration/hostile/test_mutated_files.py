"""A sample of the mutated recordings: `make fuzz-mp4` reads a hundred thousand."""

import re
import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.campaigns.fuzz_mp4.files import LONG, SHAPES, File, bases, file_of
from tests.campaigns.fuzz_mp4.mutation import OPERATIONS, mutate
from tests.campaigns.fuzz_mp4.rounds import Hung, judged, recordings, run_round
from tests.campaigns.fuzz_mp4.verdict import judge

EVERY = [*SHAPES, "co64", "64-bit sizes", "two sample entries", *(f"long, {name}" for name in LONG)]


@pytest.mark.parametrize("name", EVERY)
def test_unchanged_a_recording_is_cut(name: str, tmp_path: Path) -> None:
    """Every layout goes the whole way, so that a mutation has somewhere to go wrong."""
    verdict = judge(recordings()[name], tmp_path)
    assert verdict.frames > 6
    assert not re.search("[A-Z]", verdict.shape), "part of it was refused"
    assert verdict.shape.count("excerpt") >= 3


def test_every_layout_is_mutated() -> None:
    """None is made in vain."""
    assert set(recordings()) == set(EVERY)


def test_a_mutated_recording_is_cut_or_refused_clearly() -> None:
    """500 of them: no other error, no hang, little memory, and no table that leads astray."""
    tally = run_round(0, seed=0, files=500)
    assert tally.faults == {}
    assert tally.files == 500
    assert tally.usable > 100
    assert len(tally.shapes) > 60


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    """So that what was found can be found again."""
    again = bases(tmp_path)
    assert {name: file.pieces for name, file in again.items()} == {
        name: file.pieces for name, file in recordings().items()
    }
    one, other = (
        [mutate(again["moov first"], [again["hevc"]], chance).pieces for _ in range(50)]
        for chance in (Random(7), Random(7))
    )
    assert one == other
    assert len(set(one)) > 40


@pytest.mark.parametrize("operation", OPERATIONS[0], ids=lambda operation: operation.__name__)
def test_every_way_to_mutate_changes_something(operation: object) -> None:
    """One that does nothing would find nothing."""
    assert callable(operation)
    chance = Random(1)
    data = recordings()["fragmented, base-data-offset"].pieces[0]
    assert sum(operation(data, chance) != data for _ in range(20)) > 10


def test_a_file_is_written_down_and_read_back() -> None:
    """Holes and all."""
    file = File((b"ab\0", 77, b"c"))
    assert file_of(file.hex()).pieces == file.pieces


def test_what_hangs_is_stopped(tmp_path: Path) -> None:
    """A reader that never ends is found out, whatever it catches."""

    class Endless(File):
        def opened(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            while True:
                with suppress(Exception):
                    sum(range(1000))

    with pytest.raises(Hung):
        judged(Endless((b"x",)), tmp_path, max_time_s=0.2)


def test_what_takes_too_much_memory_is_stopped() -> None:
    """An allocation of a gigabyte fails, which no freed memory of this process could satisfy."""

    class Greedy(File):
        def opened(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            return bytearray(1 << 30)

    with tempfile.TemporaryDirectory() as folder, pytest.raises(MemoryError):
        judged(Greedy((b"x",)), Path(folder))
