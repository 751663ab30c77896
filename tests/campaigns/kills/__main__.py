"""Kill the function at every named point and at random ones, and print each outcome."""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.campaigns import print_now
from tests.campaigns.kills.deployment import Deployment, deployment
from tests.campaigns.kills.kill import POINTS, Death, Point, kill, random_moments

CONCURRENCY = 2


def main() -> None:
    """Run; exit with 1 if a promise did not hold after a kill."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.kills", description=__doc__)
    parser.add_argument("--random", type=int, default=20, help="how many random points")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began_s = time.monotonic()
    failed = 0
    with (
        TemporaryDirectory() as folder,
        deployment(Path(folder), Path(folder, "footage")) as around,
    ):
        points = [*POINTS, *random_moments(options.random, options.seed, around)]
        with ThreadPoolExecutor(CONCURRENCY) as workers:
            for death in workers.map(partial(_outcome, around=around), points):
                failed += bool(death.faults)
                verdict = "; ".join(death.faults) or "survived"
                print_now(f"{death.point:42} {death.died_at[:50]:50} {verdict}")
    print_now(
        f"{len(points)} kills, {failed} not survived, seed {options.seed},"
        f" {time.monotonic() - began_s:.0f} s"
    )
    sys.exit(failed > 0)


def _outcome(point: Point, around: Deployment) -> Death:
    try:
        return kill(point, around)
    except AssertionError as error:
        return Death(point.name, faults=[str(error)])


if __name__ == "__main__":
    main()
