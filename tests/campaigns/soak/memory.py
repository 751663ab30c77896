"""Memory and descriptors of a process after each invocation, and whether they grow."""

import os
from collections.abc import Iterable
from contextlib import suppress
from itertools import groupby
from math import sqrt
from pathlib import Path
from statistics import fmean

from attrs import frozen

from devtools.local_aws.process_table import descendants, is_running

MIB = 1 << 20
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MIN_SAMPLES = 25
"""Samples of warm processes that a slope needs."""


@frozen
class Sample:
    """A process between two invocations."""

    pid: int
    memory_bytes: int
    """Resident."""
    descriptors: int
    zombies: int
    scratch: int
    """Entries in the scratch folder."""


def sample_of(pid: int, scratch: Path) -> Sample | None:
    """Return what a process holds now; None if it has just died."""
    with suppress(FileNotFoundError, ProcessLookupError):
        proc = Path(f"/proc/{pid}")
        resident = int((proc / "statm").read_text().split()[1])
        return Sample(
            pid,
            resident * PAGE_BYTES,
            len(list((proc / "fd").iterdir())),
            sum(not is_running(child) for child in descendants(pid)),
            len(list(scratch.iterdir())),
        )
    return None


@frozen
class Slope:
    """How memory grows over the warm lives of processes."""

    samples: int
    mib_per_100: float
    """Per 100 invocations."""
    error: float
    """Standard error of that."""


def warm_lives(samples: Iterable[Sample], warm_after: int) -> list[list[Sample]]:
    """Return the samples by process, without the first `warm_after` invocations of each."""
    ordered = sorted(samples, key=lambda s: s.pid)  # stable: in time within each life
    lives = [list(life) for _, life in groupby(ordered, key=lambda s: s.pid)]
    return [life[warm_after:] for life in lives if len(life) > warm_after]


def memory_slope(samples: Iterable[Sample], warm_after: int) -> Slope:
    """Fit one slope to all lives by least squares, each life with a level of its own."""
    lives = warm_lives(samples, warm_after)
    points = []
    for life in lives:
        at, level = (len(life) - 1) / 2, fmean(s.memory_bytes for s in life)
        points += [(n - at, (s.memory_bytes - level) / MIB) for n, s in enumerate(life)]
    spread = sum(x * x for x, _ in points)
    freedom = len(points) - len(lives) - 1
    if not spread or freedom < 1:
        return Slope(len(points), 0.0, float("inf"))
    slope = sum(x * y for x, y in points) / spread
    rest = sum((y - slope * x) ** 2 for x, y in points)
    return Slope(len(points), 100 * slope, 100 * sqrt(rest / freedom / spread))
