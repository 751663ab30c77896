"""Mutate recordings and cut them: `python -m tests.campaigns.fuzz_mp4 [--files N] [--seed N]`."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.campaigns import print_now
from tests.campaigns.fuzz_mp4.files import file_of
from tests.campaigns.fuzz_mp4.rounds import ROUND, Tally, judged, run_round

FOUND = Path(__file__).parent / ".found"
"""Where files that broke the rules are kept, as hexadecimal digits."""


def main(argv: Sequence[str]) -> int:
    """Read the files on two cores; 1 if one broke the rules."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.fuzz_mp4", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000, help="how many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=Path, nargs="+", help="files of hexadecimal digits")
    arguments = parser.parse_args(argv)
    if arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            for path in arguments.only:
                print_now(f"{path}: {judged(file_of(path.read_text()), Path(folder))}")
        return 0
    total, began_s = Tally(), time.monotonic()
    rounds = -(-arguments.files // ROUND)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        for tally in workers.map(partial(run_round, seed=arguments.seed), range(rounds)):
            new = tally.faults.keys() - total.faults
            total.add(tally)
            for fault in sorted(new):
                print_now(f"FAULT {fault}")
            took_s = time.monotonic() - began_s
            print_now(f"{total.files} files, {len(total.faults)} faults, {took_s:.0f} s")
    print_now(
        f"{total.files} files: {total.usable} could be cut, the others were refused in"
        f" {len(total.shapes)} ways; the slowest took {total.max_file_s:.2f} s,"
        f" the two readers' memory grew by {total.grown_kib / 1024:.0f} MiB"
    )
    for number, (fault, text) in enumerate(sorted(total.faults.items())):
        FOUND.mkdir(exist_ok=True)
        (FOUND / ".gitignore").write_text("*\n")
        path = FOUND / f"{number}.hex"
        path.write_text(text)
        print_now(f"{path}: {fault}")
    return bool(total.faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
