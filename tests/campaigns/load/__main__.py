"""Serve a week of recordings to viewers at once: `python -m tests.campaigns.load`."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

from attrs import frozen

from tests.campaigns import print_now
from tests.campaigns.load.scenes import MOMENTS_MS, Scene, scenes
from tests.campaigns.load.tree import FILES, Tree, film
from tests.campaigns.load.viewers import Answered, ask_at_once

HERE = Path(__file__).parent
MEMORY = Path("/dev/shm")  # noqa: S108 - in folders of its own
"""A file system in memory, where there is one: how fast a disk is is not measured."""
MAX_FAULTS_SHOWN = 5
ENDS_WITHIN_S = 30


@frozen
class Server:
    """A server's process, and its address."""

    pid: int
    address: tuple[str, int]

    def cpu_s(self) -> float:
        """Return the processor time of the process and of those that it waited for."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(recordings: Path, clips: Path) -> Iterator["Server"]:
    """Run `camclip serve` on a free port until the block ends."""
    argv = [sys.executable, "-m", "entrypoints.cli.app", "serve", "--port", "0"]
    argv += ["--layout", "frigate", "--recordings", str(recordings), "--out", str(clips)]
    env = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout
        try:
            parts = urlsplit(process.stdout.readline().split()[-1])
            assert parts.hostname
            assert parts.port
            yield Server(process.pid, (parts.hostname, parts.port))
        finally:
            process.terminate()
            process.wait(ENDS_WITHIN_S)


def row(scene: Scene, answers: Sequence[Answered], cpu_s: float) -> str:
    """Return a scene's figures as a row of the table."""
    took_ms = sorted(answer.took_ms for answer in answers)
    cuts_ms = quantiles(took_ms, n=20, method="inclusive")
    faults = sum(bool(answer.fault) for answer in answers)
    times_ms = (cuts_ms[9], cuts_ms[18], took_ms[-1], cpu_s * 1000 / len(answers))
    figures = "".join(f"{ms:>10.0f}" for ms in times_ms)
    return f"{scene.name:<44}{len(answers):>9}{faults:>9}{figures}"


def main(argv: Sequence[str]) -> int:
    """Run the scenes and print the table; 1 if a request was refused or failed."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.load", description=__doc__)
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="for the recordings")
    cache: Path = parser.parse_args(argv).cache
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    faults: list[str] = []
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else cache) as folder:
        began_s = time.monotonic()
        tree = Tree(Path(folder, "dvr"), film(cache), MOMENTS_MS)
        tree.write()
        print_now(f"{FILES} files, written in {time.monotonic() - began_s:.1f} s")
        columns = "".join(f"{c:>10}" for c in ("median ms", "p95 ms", "worst ms", "cpu ms"))
        print_now(f"{'scene':<44}{'requests':>9}{'faults':>9}{columns}")
        with serving(tree.folder, Path(folder, "clips")) as server:
            for scene in scenes():
                cpu_s = server.cpu_s()
                answers = ask_at_once(server.address, scene.paths)
                print_now(row(scene, answers, server.cpu_s() - cpu_s))
                faults += [answer.fault for answer in answers if answer.fault]
    print_now("\n".join(faults[:MAX_FAULTS_SHOWN]) or "No request was refused, none failed.")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
