"""The Lambda function on a laptop, configured by `.env`: `python -m entrypoints.invoke FILE`."""

import json
import sys
import time
from pathlib import Path
from uuid import uuid4

from domain.errors import ClipError
from entrypoints.cli.environment import load_environment
from entrypoints.lambda_context import HandlerContext
from entrypoints.settings import InvalidSettings

TIMEOUT_S = 300


def main() -> None:
    """Handle the event in the file that the command line names, and print the response."""
    load_environment()
    try:
        from entrypoints.aws_lambda import handler  # noqa: PLC0415 - it reads the environment
    except (InvalidSettings, ClipError) as error:
        sys.exit(str(error))
    event = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    context = HandlerContext(time.monotonic() + TIMEOUT_S, str(uuid4()))
    sys.stdout.write(json.dumps(handler(event, context)) + "\n")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
