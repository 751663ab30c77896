"""Run the benchmark: `python -m benchmarks [--quick | --full]`. See README.md."""

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import TextIO

from attrs import evolve

from benchmarks.footage import HD, HD_HEVC, SD, SMALL_HD
from benchmarks.link import link
from benchmarks.local_file import compare
from benchmarks.message import message_times
from benchmarks.pipelines import PIPELINES
from benchmarks.report import Report, describe_machine
from benchmarks.running import USUAL_FILE_S, Bench, Case, Clip
from infrastructure.ffmpeg.locate import find_ffmpeg

HERE = Path(__file__).parent
SIZES = {size.name: size for size in (HD, HD_HEVC, SMALL_HD, SD)}
ALL = {"2018": 1, "window": 1, "camclip": 3, "floor": 3}
"""How often each pipeline runs: the two slow ones vary little for their length."""
NEW = {"camclip": 3, "floor": 3}
ONCE = {"camclip": 1, "floor": 1}
MAX_FILES = 400
MINUTE = Clip(HD, 60, 1)


def cases_of(arguments: argparse.Namespace) -> list[Case]:
    """Print what is measured next."""
    if arguments.quick:
        return [Case(MINUTE, dict.fromkeys(PIPELINES, 1))]
    if arguments.full:
        three = dict.fromkeys(PIPELINES, 3)
        return [
            Case(Clip(size, length_s, files), three)
            for size in (HD, SMALL_HD)
            for length_s in (10, 60, 300)
            for files in (1, 2)
        ]
    if arguments.clip:
        names = arguments.pipelines or PIPELINES
        chosen = {name: 1 if arguments.once else ALL[name] for name in names}
        return [Case(clip, chosen) for clip in arguments.clip]
    return [
        Case(Clip(HD, 10, 1), ALL),
        Case(MINUTE, ALL),
        Case(Clip(HD_HEVC, 60, 1, file_s=120), NEW),
        Case(Clip(HD, 60, 2), ALL),
        Case(Clip(HD, 300, 1), NEW),
        Case(Clip(HD, 300, 2), NEW),
        Case(Clip(HD, 300, 31, file_s=10), NEW),
        Case(Clip(HD, 1800, 4), {"camclip": 3, "floor": 1}),
        Case(Clip(SD, 3600, 361, file_s=10), ONCE),
        Case(Clip(SMALL_HD, 10, 2), NEW),
        Case(Clip(SMALL_HD, 60, 1), ALL),
        Case(Clip(SMALL_HD, 300, 1), NEW),
    ]


def clip(text: str) -> Clip:
    """Read a clip: `1080p,60,2` is 60 s out of two files, `1080p,60,7,10` out of 7 of 10 s."""
    size, *numbers = text.split(",")
    length_s, files, file_s = [*map(int, numbers), USUAL_FILE_S][:3]
    if size not in SIZES or not 1 <= files <= MAX_FILES:
        raise ValueError(text)
    return Clip(SIZES[size], length_s, files, file_s)


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="60 s of 1080p, each pipeline once")
    which.add_argument("--full", action="store_true", help="every clip three times: over an hour")
    which.add_argument(
        "--clip",
        type=clip,
        nargs="+",
        help="such as 1080p,300,2 (size, seconds, files; and seconds of each file)",
    )
    parser.add_argument("--pipelines", nargs="+", choices=PIPELINES, help="with --clip: only these")
    parser.add_argument("--once", action="store_true", help="with --clip: each pipeline once")
    parser.add_argument("--mbit", type=float, default=200, help="the link's Mbit/s each way")
    parser.add_argument("--latency", type=float, default=30, help="ms before each answer")
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="for the recordings")
    parser.add_argument("--out", type=Path, help="folder of report.md and report.json (the cache)")
    arguments = parser.parse_args(argv)
    if arguments.pipelines == ["floor"]:
        parser.error("the floor is that of a clip: choose a pipeline that makes one too")
    return arguments


def main(argv: list[str]) -> None:
    """Make the recordings, run the cases, print and keep the report."""
    arguments = parse(argv)
    ffmpeg, cache = find_ffmpeg({}), arguments.cache
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    cases = cases_of(arguments)
    machine = describe_machine(ffmpeg, arguments.mbit, arguments.latency)
    with link(cache, arguments.mbit, arguments.latency) as s3:
        bench = Bench(ffmpeg, cache, s3, tell=lambda line: _say(line, sys.stderr))
        index = bench.index_time(cases[0].clip)
        command = shlex.join(["python", "-m", "benchmarks", *argv])
        report = Report(command, machine, [], index)
        for row in bench.rows(cases):
            report = evolve(report, rows=[*report.rows, row])
            _keep(report, arguments.out or cache)  # each, so that a failure costs no other row
        if not arguments.clip:
            report = evolve(report, message=message_times(bench, MINUTE, arguments.latency))
            report = evolve(report, local=compare(bench, MINUTE))
            _keep(report, arguments.out or cache)
    _say(report.markdown(), sys.stdout)


def _keep(report: Report, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(report.json(), indent=1) + "\n")
    (out / "report.md").write_text(report.markdown())


def _say(text: str, where: TextIO) -> None:
    where.write(text + "\n")
    where.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
