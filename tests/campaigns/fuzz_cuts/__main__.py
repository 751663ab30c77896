"""Run random cuts: `python -m tests.campaigns.fuzz_cuts [--cuts N] [--seed N] [--only N ...]`."""

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from attrs import frozen

from tests.campaigns import print_now
from tests.campaigns.fuzz_cuts.drawing import NAMES, draw_cut
from tests.campaigns.fuzz_cuts.judging import Outcome, judge
from tests.campaigns.fuzz_cuts.kinds import KINDS, file_of

HERE = Path(__file__).parent
PROGRESS_EVERY_S = 5.0
NOTHING = Outcome()


@frozen
class Judged:
    """A cut and its outcome, or the fault that was found."""

    seed: int
    outcome: Outcome = NOTHING
    fault: str = ""

    @property
    def kind(self) -> str:
        """The kind of its source."""
        return NAMES[self.seed % len(NAMES)]


def run(seed: int, cache: Path, folder: Path | None = None) -> Judged:
    """Make and judge one cut; its files stay in `folder`, if one is given."""
    cut = draw_cut(seed)
    with tempfile.TemporaryDirectory() as temporary:
        try:
            return Judged(seed, judge(cut, cache, folder or Path(temporary)))
        except Exception as error:  # noqa: BLE001 - any error is a fault
            fault = traceback.format_exc() if folder else f"{type(error).__name__}: {error}"
            return Judged(seed, fault=f"{cut}\n{fault}")


def make_recordings(kind: str, cache: Path) -> None:
    """Make the files of a kind, unless they exist."""
    for recording in KINDS[kind].recordings:
        file_of(recording, cache)


def reported(judged: Iterable[Judged], count: int) -> Iterator[Judged]:
    """Print every failure at once, and the progress every 5 s."""
    began_s = last_s = time.monotonic()
    failures = 0
    for done, one in enumerate(judged, 1):
        if one.fault:
            failures += 1
            print_now(f"FAILED, reproduce with --only {one.seed}: {one.fault}")
        if (now_s := time.monotonic()) > last_s + PROGRESS_EVERY_S or done == count:
            last_s = now_s
            print_now(f"{done} of {count} cuts, {failures} failures, {now_s - began_s:.0f} s")
        yield one


COLUMNS = ("cuts", "rejected", "frames", "copied", "encoded", "whole GOPs", "audio ms")


def table(judged: Sequence[Judged]) -> str:
    """Return the results, a line per kind of source; of failed cuts only the seed is listed."""
    lines = [f"{'kind of source':<44}" + "".join(f"{c:>11}" for c in COLUMNS) + "  failed seeds"]
    by_kind = [(name, [one for one in judged if one.kind == name]) for name in NAMES]
    for name, own in [*by_kind, ("all", list(judged))]:
        if not own:
            continue
        outcomes = [one.outcome for one in own if not one.fault]
        frames, copied = sum(o.frames for o in outcomes), sum(o.copied for o in outcomes)
        rejected, whole = sum(not o.frames for o in outcomes), sum(o.in_gops for o in outcomes)
        cells = (len(own), rejected, frames, copied, frames - copied, whole)
        off_ms = max((o.audio_off_ms for o in outcomes), default=0)
        failed = " ".join(str(one.seed) for one in own if one.fault) or "-"
        lines.append(
            f"{name:<44}" + "".join(f"{c:>11}" for c in cells) + f"{off_ms:>11.1f}  {failed}"
        )
    return "\n".join(lines)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.fuzz_cuts", description=__doc__)
    parser.add_argument("--cuts", type=int, default=2000, help="how many")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first cut; the next is one more"
    )
    parser.add_argument("--only", type=int, nargs="+", help="these cuts; their clips are kept")
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="for the recordings")
    return parser.parse_args(argv)


def only(seeds: Sequence[int], cache: Path) -> list[Judged]:
    """Run these cuts one by one, and keep their files."""
    judged = []
    for seed in seeds:
        folder = cache / f"only-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        judged.append(run(seed, cache, folder))
        print_now(f"{judged[-1].fault or draw_cut(seed)}\nfiles are in {folder}")
    return judged


def everything(seeds: range, cache: Path) -> list[Judged]:
    """Run the cuts on all cores."""
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        print_now(f"recordings of {len(NAMES)} kinds ...")
        list(workers.map(partial(make_recordings, cache=cache), NAMES))
        return list(
            reported(workers.map(partial(run, cache=cache), seeds, chunksize=4), len(seeds))
        )


def main(argv: Sequence[str]) -> int:
    """Run the cuts and print the table; return 1 if one failed."""
    arguments = parse(argv)
    cache: Path = arguments.cache
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    if arguments.only:
        judged = only(arguments.only, cache)
    else:
        seeds = range(arguments.seed, arguments.seed + arguments.cuts)
        judged = everything(seeds, cache)
    print_now(table(judged))
    return any(one.fault for one in judged)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
