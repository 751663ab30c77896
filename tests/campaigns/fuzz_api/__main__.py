"""Send requests of every form to a server: `python -m tests.campaigns.fuzz_api [--seconds N]`."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.campaigns import print_now
from tests.support.recorders import START_MS, write_frigate
from tests.support.served import Served, served

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXCLUDED = (
    # A stream of events has no end.
    *("--exclude-path", "/api/v1/events"),
    # No schema says that a window starts before it ends, or that its clip is not made yet.
    *("--exclude-checks", "positive_data_acceptance"),
)


def fuzz(url: str, seconds: int, seed: int, folder: Path) -> int:
    """Return the exit code of schemathesis: 1 if an answer is not as described."""
    argv = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG)]
    argv += [
        "run",
        f"{url}/openapi.json",
        "--max-time",
        str(seconds),
        "--seed",
        str(seed),
        *EXCLUDED,
    ]
    argv += ["--continue-on-failure", "--generation-database", "none", "--no-color"]
    return subprocess.run(argv, check=False, cwd=folder).returncode


def make_clip(running: Served) -> None:
    """Make the clip that the description's examples name."""
    bounds = {"startTimestampInMs": START_MS, "endTimestampInMs": START_MS + 500}
    body = {"cameraId": "pier", "clipId": "c1", "options": {"wallClock": "UTC"}, **bounds}
    running.post("/api/v1/clips", body)
    running.wait_for("/api/v1/clips/pier/c1")


def main(argv: Sequence[str]) -> int:
    """Serve a folder and fuzz its API; 1 if an answer is not as described."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.fuzz_api", description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="for how long")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    os.environ["THUMBNAIL_SIZES"] = "160"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_frigate(folder / "dvr", folder / "films")
        with served(folder / "dvr", folder / "clips") as running:
            make_clip(running)
            print_now(f"Requests to {running.url} for {arguments.seconds} s ...")
            return fuzz(running.url, arguments.seconds, arguments.seed, folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
