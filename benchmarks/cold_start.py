"""The duration of a cold start: `python -m benchmarks.cold_start`.

The function's package is built and unpacked, and a new interpreter, which sees nothing but the
package, imports the handler's module, which makes all that the first message needs. For comparison,
another imports boto3 and makes a client for S3, the minimum of any function with S3.
They take turns. Lambda's own part (a machine, the runtime) is not in it, nor ffmpeg's start.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from attrs import frozen

from deploy.package import build_function
from deploy.wheels import THIS_ARCHITECTURE, THIS_PYTHON

ROUNDS = 15
PROGRAMS = {
    "bare boto3, a client for S3": "import boto3; boto3.client('s3')",
    "the handler's module, which makes all clients": "import entrypoints.aws_lambda",
}
AROUND = """
import sys, time
sys.path.insert(0, {package!r})
wall_s, cpu_s = time.perf_counter(), time.process_time()
{program}
sys.stderr.flush()
print(time.perf_counter() - wall_s, time.process_time() - cpu_s)
"""
SETTINGS = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_SNS_TOPIC": "arn:aws:sns:us-east-1:123456789012:clips",
    "AWS_SQS_QUEUE_URL": "https://queue.example.com/requests",
    "CAM_SERVICES_URL": "https://api.example.com",
    "CAMCLIP_FFMPEG": sys.executable,
    "CLIP_URL": "https://clips.example.com",
    "RECORDINGS_URL": "https://api.example.com",
    "S3_BUCKET_DESTINATION": "clips",
    "S3_BUCKET_ORIGIN": "recordings",
}
SHOWN = 12


@frozen
class Start:
    """One start, in seconds."""

    wall_s: float
    cpu_s: float


def start(package: Path, program: str, *options: str) -> tuple[Start, str]:
    """Run the program in a new interpreter; return what it took and what it wrote to stderr."""
    done = subprocess.run(
        [
            os.path.realpath(sys.executable),
            *("-I", "-S", *options, "-c"),
            AROUND.format(package=str(package), program=program),
        ],
        capture_output=True,
        check=True,
        env=SETTINGS,
        text=True,
    )
    wall_s, cpu_s = map(float, done.stdout.split())
    return Start(wall_s, cpu_s), done.stderr


def import_times_ms(said: str) -> dict[str, float]:
    """Add up what `-X importtime` said, by top-level package, in ms without what each imports."""
    taken: dict[str, float] = defaultdict(float)
    for line in said.splitlines():
        own, _, name = line.removeprefix("import time:").partition("|")
        if line.startswith("import time:") and own.strip().isdecimal():
            taken[name.partition("|")[2].strip().partition(".")[0]] += int(own) / 1000
    return dict(sorted(taken.items(), key=lambda row: -row[1]))


def report(starts: dict[str, Sequence[Start]], imports_ms: dict[str, float], size: int) -> str:
    """Lay it out as Markdown."""
    lines = ["| a new process | wall ms | CPU ms |", "|---|---:|---:|"]
    for name, own in starts.items():
        wall_ms, cpu_ms = (1000 * median(values) for values in zip(*map(_both, own), strict=True))
        lines.append(f"| {name} | {wall_ms:.0f} | {cpu_ms:.0f} |")
    most = ", ".join(f"{name} {ms:.0f}" for name, ms in list(imports_ms.items())[:SHOWN])
    said = f"Medians of {ROUNDS}; the package is {size / 1e6:.1f} MB zipped. Where the module's"
    said += f" import goes, in ms by package: {most}; all {sum(imports_ms.values()):.0f}."
    return "\n".join([*lines, "", said])


def _both(one: Start) -> tuple[float, float]:
    return one.wall_s, one.cpu_s


def main() -> None:
    """Build, measure, print."""
    with tempfile.TemporaryDirectory() as folder:
        zipped = build_function(THIS_ARCHITECTURE, THIS_PYTHON, Path(folder))
        package = Path(folder, "function")
        with zipfile.ZipFile(zipped) as archive:
            archive.extractall(package)
        starts: dict[str, list[Start]] = {name: [] for name in PROGRAMS}
        for _ in range(ROUNDS):
            for name, program in PROGRAMS.items():
                starts[name].append(start(package, program)[0])
        module = PROGRAMS["the handler's module, which makes all clients"]
        imports = [import_times_ms(start(package, module, "-X", "importtime")[1]) for _ in range(5)]
        typical = sorted(imports, key=lambda taken: sum(taken.values()))[len(imports) // 2]
        sys.stdout.write(report(dict(starts), typical, zipped.stat().st_size) + "\n")


if __name__ == "__main__":
    main()
