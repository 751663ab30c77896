"""`python -m entrypoints.worker`: the worker, its health check, or the process of a slot."""

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments name; return the exit code."""
    match arguments:
        case []:
            from entrypoints.worker.supervisor import run  # noqa: PLC0415 - a slot needs none of it

            return run(os.environ)
        case ["--check-health"]:
            from entrypoints.worker.health import check_health  # noqa: PLC0415 - and only this

            return check_health(os.environ)
        case ["--slot", responses]:
            from entrypoints.worker.child import serve  # noqa: PLC0415 - the Lambda function's

            serve(int(responses))
    sys.stderr.write("Usage: python -m entrypoints.worker [--check-health]\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
