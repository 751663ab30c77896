"""Rounds of mutated recordings, each decided by the seed and its number alone.

Within a round, a mutated file that came somewhere new is mutated further. To judge a file, 5 s of
processor time and 64 MiB are allowed; of long files more, by their size. A fast machine needs less
than half of that: each file is opened for several windows.
"""

import resource
import signal
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random

from attrs import Factory, define

from tests.campaigns.fuzz_mp4.files import File, bases
from tests.campaigns.fuzz_mp4.mutation import mutate
from tests.campaigns.fuzz_mp4.verdict import judge

ROUND = 2000
MAX_MEMORY_BYTES = 64 << 20
"""For a file of up to 2 MiB."""
MAX_TIME_S = 5.0
MAX_MUTATED_FURTHER = 300
LONG_FILES = 0.08
"""How many of the files are long ones, which take ten times as long."""


class Hung(BaseException):
    """A file took more processor time than it may; no handler of errors swallows it."""


@define
class Tally:
    """What became of files."""

    files: int = 0
    usable: int = 0
    shapes: Counter[str] = Factory(Counter)
    faults: dict[str, str] = Factory(dict)
    """By where they happened: the first file, in hexadecimal digits."""
    grown_kib: int = 0
    max_file_s: float = 0.0

    def add(self, other: "Tally") -> None:
        self.files += other.files
        self.usable += other.usable
        self.shapes += other.shapes
        self.faults = {**other.faults, **self.faults}
        self.grown_kib += other.grown_kib
        self.max_file_s = max(self.max_file_s, other.max_file_s)


@cache
def recordings() -> dict[str, File]:
    """Return the files that are mutated, made once per process."""
    with tempfile.TemporaryDirectory() as folder:
        return bases(Path(folder))


def data_bytes() -> int:
    """Return how much writable memory of its own the process has."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) << 10
    return 0


@contextmanager
def little_memory(size_bytes: int) -> Iterator[None]:
    """Make every allocation beyond a file's limit fail, where the system can."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    stack_bytes = threading.stack_size(256 << 10)
    limit = data_bytes() + MAX_MEMORY_BYTES * max(1, size_bytes >> 20)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
        threading.stack_size(stack_bytes)


@contextmanager
def little_time(size_bytes: int, max_time_s: float) -> Iterator[None]:
    """Raise Hung after more processor time than is allowed for a file."""
    allowed_s = max_time_s * max(1, size_bytes >> 21)

    def hung(*_: object) -> None:
        raise Hung(f"more than {allowed_s} s of processor time")

    before = signal.signal(signal.SIGVTALRM, hung)
    signal.setitimer(signal.ITIMER_VIRTUAL, allowed_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def run_round(number: int, seed: int, files: int = ROUND) -> Tally:
    """Mutate and judge a round of files."""
    chance = Random(f"{seed}/{number}")
    known = list(recordings().items())
    short = [file for name, file in known if not name.startswith("long")]
    long = [file for name, file in known if name.startswith("long")]
    further: list[File] = []
    tally = Tally()
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(files):
            pool = long if chance.random() < LONG_FILES else short
            if further and chance.random() < 0.3:
                pool = further
            file = mutate(chance.choice(pool), short, chance)
            began_s = time.process_time()
            try:
                shape, fault = judged(file, Path(folder)), ""
            except (Exception, Hung) as error:  # noqa: BLE001 - what is looked for
                shape, fault = "", describe(error)
            tally.files += 1
            tally.usable += "excerpt" in shape or "copied" in shape
            tally.max_file_s = max(tally.max_file_s, time.process_time() - began_s)
            if fault:
                tally.faults.setdefault(fault, file.hex())
            elif shape not in tally.shapes and len(further) < MAX_MUTATED_FURTHER:
                further.append(file)
            tally.shapes[shape] += 1
    tally.grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    return tally


def judged(file: File, folder: Path, max_time_s: float = MAX_TIME_S) -> str:
    """Judge a file within its limits."""
    with little_memory(file.size_bytes), little_time(file.size_bytes, max_time_s):
        return judge(file, folder).shape


def describe(error: BaseException) -> str:
    """Return where an error happened: equal for errors that are probably the same."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [
        f"{Path(f.filename).name}:{f.lineno}" for f in frames if "/hostile/" not in f.filename
    ]
    return f"{type(error).__name__} {' '.join(places[-3:])}: {str(error)[:100]}"
