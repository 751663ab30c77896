"""Kill the function at every named point and at random ones, and print each outcome."""

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.campaigns.kills.deployment import deployment
from tests.campaigns.kills.kill import POINTS, Death, kill_at, kill_in, random_moments

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
        moments = random_moments(options.random, options.seed, around)
        kills = [
            *(partial(kill_at, point, around) for point in POINTS),
            *(partial(kill_in, moment, around) for moment in moments),
        ]
        with ThreadPoolExecutor(CONCURRENCY) as workers:
            for death in workers.map(_outcome, kills):
                failed += bool(death.faults)
                verdict = "; ".join(death.faults) or "survived"
                sys.stdout.write(f"{death.point:42} {death.died_at[:50]:50} {verdict}\n")
                sys.stdout.flush()
    sys.stdout.write(
        f"{len(kills)} kills, {failed} not survived, seed {options.seed},"
        f" {time.monotonic() - began_s:.0f} s\n"
    )
    sys.exit(failed > 0)


def _outcome(kill: Callable[[], Death]) -> Death:
    try:
        return kill()
    except AssertionError as error:
        return Death("", "", [str(error)])


if __name__ == "__main__":
    main()
