"""Soak: `python -m tests.campaigns.soak [--minutes M | --seconds S] [--requests N] [--seed N]`."""

import argparse
import sys
import tempfile
from pathlib import Path

from devtools.local_aws.runtime import HANDLER
from tests.campaigns.soak.soak import Soak, run
from tests.campaigns.soak.verdict import judge
from tests.integration.deploy.packaged import packaged_function

PER_SECOND = 1.25
"""Requests to each second of the soak."""
WAITS_FROM_S = 300
"""From this duration on, failed messages wait for the visibility timeout."""


def main() -> int:
    """Run one; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.soak", description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=10)
    length.add_argument("--seconds", type=float)
    parser.add_argument("--requests", type=int, help="default: 5 in 4 seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--broken", choices=("careless", "hasty", "leaking"), help="soak a broken service instead"
    )
    options = parser.parse_args()
    seconds = options.seconds or 60 * options.minutes
    soak = Soak(
        seconds,
        options.requests or round(PER_SECOND * seconds),
        options.seed,
        failed_hidden_s=None if seconds >= WAITS_FROM_S else 1,
        handler=f"tests.campaigns.soak.broken.{options.broken}" if options.broken else HANDLER,
    )
    with tempfile.TemporaryDirectory(prefix="camclip-soak-") as folder:
        package = packaged_function(Path(folder))
        with run(soak, package, Path(folder)) as course:
            verdict = judge(soak, course)
    sys.stdout.write(verdict.table() + "\n")
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    sys.exit(main())
