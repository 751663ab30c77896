"""`python -m entrypoints.worker`: the worker, its health check, or the process of a slot."""

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; return the exit code."""
    match arguments:
        case []:
            from entrypoints.worker.supervisor import run  # noqa: PLC0415 - a slot needs none of it

            return run(os.environ)
        case ["--check-health"]:
            from entrypoints.worker.health import check_health  # noqa: PLC0415 - and this little

            return check_health(os.environ)
        case ["--slot", answers]:
            from entrypoints.worker.child import serve  # noqa: PLC0415 - the Lambda function's

            serve(int(answers))
    sys.stderr.write("Usage: python -m entrypoints.worker [--check-health]\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
