"""The price of a thousand clips in AWS: `python -m benchmarks.cost [report.json] [prices.json]`.

Out of what was measured, and a file of prices. The function is taken to have the memory at which
Lambda gives it two processors, as many as the benchmark ran on, so that wall times hold; whatever
a pipeline would do with less is not known. Not counted: what storing the clips costs, which is the
same for all pipelines but for their sizes, and logs. Footage, function and clips are in one region.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from attrs import frozen

HERE = Path(__file__).parent
CLIPS = 1000
TWO_PROCESSORS_GB = 2 * 1769 / 1024
"""Lambda gives one processor at 1,769 MB (Lambda developer guide, "Configure memory")."""
FREE_SCRATCH_BYTES = 512 << 20
MESSAGES = 2
"""A request is received and deleted; its sender pays for sending it."""


@frozen
class Cost:
    """The price of a thousand clips of one kind, in dollars."""

    clip: str
    pipeline: str
    gb_s: float
    compute: float
    storage_requests: float
    messages: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.compute + self.storage_requests + self.messages


def costs(report: Mapping[str, Any], prices: Mapping[str, Any]) -> list[Cost]:
    """Price every row but the floor, which makes no clips."""
    return [_cost(row, prices, row["runs"]) for row in report["rows"] if row["pipeline"] != "floor"]


def _cost(
    row: Mapping[str, Any], prices: Mapping[str, Any], runs: Sequence[Mapping[str, float]]
) -> Cost:
    def measured(name: str) -> float:
        return median(run[name] for run in runs)

    wall_s = measured("wall_s")
    gb_s = CLIPS * TWO_PROCESSORS_GB * wall_s
    scratch_gb = max(0.0, measured("scratch_bytes") - FREE_SCRATCH_BYTES) / (1 << 30)
    scratch = CLIPS * scratch_gb * wall_s * prices["lambda_scratch_gb_s"]
    writes = measured("writes")
    reads = measured("requests") - writes
    return Cost(
        row["name"],
        row["pipeline"],
        gb_s,
        gb_s * prices["lambda_gb_s_arm64"] + CLIPS * prices["lambda_request"] + scratch,
        CLIPS * (reads * prices["s3_read"] + writes * prices["s3_write"]),
        CLIPS * (MESSAGES * prices["sqs_request"] + prices["sns_publish"]),
    )


def table(priced: Sequence[Cost]) -> str:
    """Lay it out as Markdown."""
    heads = ("pipeline", "GB s", "compute $", "S3 requests $", "messages $", "total $")
    lines = [f"| {CLIPS:,} clips of | {' | '.join(heads)} |", "|---|---|---:|---:|---:|---:|---:|"]
    lines += [
        f"| {c.clip} | {c.pipeline} | {c.gb_s:,.0f} | {c.compute:.3f} | {c.storage_requests:.3f}"
        f" | {c.messages:.4f} | {c.total:.3f} |"
        for c in priced
    ]
    return "\n".join(lines)


def main(argv: Sequence[str]) -> None:
    """Print the table of a report."""
    parser = argparse.ArgumentParser("python -m benchmarks.cost", description=__doc__)
    parser.add_argument("report", type=Path, nargs="?", default=HERE / ".cache" / "report.json")
    parser.add_argument("prices", type=Path, nargs="?", default=HERE / "prices.json")
    arguments = parser.parse_args(argv)
    prices = json.loads(arguments.prices.read_text())
    priced = costs(json.loads(arguments.report.read_text()), prices)
    sys.stdout.write(f"{table(priced)}\n\nPrices of {prices['of']}, read {prices['read']}.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
