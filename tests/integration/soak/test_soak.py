"""A small soak in every test run, and the proof that a soak can fail."""

from pathlib import Path

import pytest

from tests.campaigns.soak.memory import Sample, memory_slope
from tests.campaigns.soak.requests import SHARES, draw
from tests.campaigns.soak.soak import Soak, run
from tests.campaigns.soak.verdict import Verdict, judge
from tests.integration.deploy.packaged import packaged_function

MIB = 1 << 20


def soaked(run_folder: Path, soak: Soak) -> Verdict:
    with run(soak, packaged_function(run_folder / "packages"), run_folder / "films") as course:
        return judge(soak, course)


def test_a_small_soak_with_every_fault_loses_nothing(run_folder: Path) -> None:
    """Twenty requests: duplicates, waiting, poison, refusals, an API that fails, a SIGKILL."""
    verdict = soaked(run_folder, Soak(4, 20, seed=3, failed_hidden_s=0, decoded=3))
    assert verdict.violations == [], verdict.table()
    rows = dict(verdict.rows)
    assert rows["faults"] == "1 SIGKILLs, 4 answers of 500"
    assert rows["  dead-lettered"] == "1"
    assert rows["  lost"] == "0"


BROKEN = {"careless": ("api 500", "at last"), "hasty": ("", "notified of []")}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_service_is_found_out(run_folder: Path, how: str) -> None:
    """One that acknowledges what has failed, and one that acknowledges before it notifies."""
    handler = f"tests.campaigns.soak.broken.{how}"
    soak = Soak(1, 8, functions=1, failed_hidden_s=0, decoded=0, handler=handler)
    verdict = soaked(run_folder, soak)
    kind, fault = BROKEN[how]
    assert any(kind in v and fault in v for v in verdict.violations), verdict.table()


def test_the_same_seed_draws_the_same_requests() -> None:
    """Each kind has its share, and one at least."""
    drawn = draw(7, 300, 450)
    assert drawn == draw(7, 300, 450)
    kinds = [request.kind for request in drawn]
    assert {kind: kinds.count(kind) for kind in SHARES} == {
        kind: round(share * 300) for kind, share in SHARES.items()
    }
    assert {request.kind for request in draw(7, 10, 15)} >= SHARES.keys()


@pytest.mark.parametrize("leak_bytes", [0, MIB // 50])
def test_the_slope_of_memory_is_that_of_the_warm_invocations(leak_bytes: int) -> None:
    """Not of the start, nor of the step from one process to the next."""
    lives = [
        Sample(pid, level * MIB + leak_bytes * n - (5 * MIB if n < 15 else 0), 7, 0, 0)
        for pid, level in ((1, 70), (2, 90))
        for n in range(60)
    ]
    slope = memory_slope(lives, warm_after=15)
    assert slope.samples == 90
    assert slope.mib_per_100 == pytest.approx(100 * leak_bytes / MIB, abs=0.01)
    assert slope.error < 0.01
