"""One pipeline, once, in a process of its own, and what it took.

The process measures its own wall and processor time (its ffmpegs' included), from when everything
is imported and the client is made, as in a warm Lambda, until the clip is stored. From outside
are sampled, each 20 ms: the memory of its whole process tree and the size of its scratch folder.
The link counts what passes. Run as a module, this is that process: a job in, the outcome out.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import boto3
import cattrs
from attrs import asdict, define, frozen

from benchmarks.link import Link
from benchmarks.pipelines import PIPELINES, Job
from infrastructure.aws import CONFIG

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parent.parent
SAMPLE_EVERY_S = 0.02
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@frozen
class Run:
    """What one clip took. Bytes down and up are those of bodies."""

    wall_s: float
    cpu_s: float
    copied_frames: int
    encoded_frames: int | None
    requests: int
    down_bytes: int
    up_bytes: int
    writes: int
    """Of the requests, those that S3 charges as writes: PUT, COPY, POST."""
    scratch_bytes: int
    """The most that lay in the scratch folder at once."""
    memory_bytes: int
    """The most that all processes held at once (RSS; what they share counts for each)."""


def s3_client(endpoint: str) -> "S3Client":
    """Connect to a stand-in for S3, with the service's own settings."""
    session = boto3.Session("benchmark", "benchmark", region_name="us-east-1")
    return session.client("s3", endpoint_url=endpoint, config=CONFIG)


@define
class Watch:
    """The most that a process tree and its scratch folder held, as far as sampled."""

    memory_bytes: int = 0
    scratch_bytes: int = 0


@contextmanager
def watching(pid: int, folder: Path) -> Iterator[Watch]:
    """Sample the process tree of `pid` and the size of `folder` until the block ends."""
    watch, stop = Watch(), Event()

    def sample() -> None:
        while not stop.is_set():
            watch.memory_bytes = max(watch.memory_bytes, _tree_bytes(pid))
            watch.scratch_bytes = max(watch.scratch_bytes, _folder_bytes(folder))
            stop.wait(SAMPLE_EVERY_S)

    sampler = Thread(target=sample)
    sampler.start()
    try:
        yield watch
    finally:
        stop.set()
        sampler.join()


def measure(job: Job, link: Link) -> Run:
    """Run the job; RuntimeError if it fails. Its scratch folder is empty before and gone after."""
    job.path.mkdir(parents=True)
    link.counts()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.measuring", json.dumps(asdict(job))],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": job.folder},
        )
        with watching(process.pid, job.path) as watch:
            said = process.communicate()[0]
    finally:
        shutil.rmtree(job.path, ignore_errors=True)
    if process.returncode:
        raise RuntimeError(f"{job.pipeline} left with {process.returncode}")
    counts = link.counts()
    outcome = json.loads(said)
    return cattrs.structure({**outcome, **asdict(counts), **asdict(watch)}, Run)


def main() -> None:
    """Run the job that the first argument describes, and print what it took."""
    job = cattrs.structure(json.loads(sys.argv[1]), Job)
    make, s3 = PIPELINES[job.pipeline], s3_client(job.endpoint)
    cpu_s, began_s = _cpu_s(), time.perf_counter()
    frames = make(job, s3)
    outcome = {
        "wall_s": time.perf_counter() - began_s,
        "cpu_s": _cpu_s() - cpu_s,
        "copied_frames": frames.copied,
        "encoded_frames": frames.encoded,
    }
    sys.stdout.write(json.dumps(outcome))


def _cpu_s() -> float:
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _tree_bytes(pid: int) -> int:
    """Return what a process and its descendants hold; those that are gone hold nothing."""
    home = Path("/proc", str(pid))
    try:
        pages = int((home / "statm").read_text().split()[1])
        children = [
            int(child)
            for task in (home / "task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return 0
    return pages * PAGE_BYTES + sum(map(_tree_bytes, children))


def _folder_bytes(folder: Path) -> int:
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                inside = entry.is_dir(follow_symlinks=False)
                total += _folder_bytes(Path(entry)) if inside else entry.stat().st_blocks * 512
    except FileNotFoundError:
        pass  # a file was removed in the meantime; the sum so far counts
    return total


if __name__ == "__main__":
    main()
