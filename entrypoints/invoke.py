"""The Lambda function on a laptop, configured by `.env`: `python -m entrypoints.invoke FILE`."""

import json
import logging
import sys
import time
from pathlib import Path
from uuid import uuid4

from domain.errors import ClipError
from entrypoints.cli.environment import load_environment
from entrypoints.lambda_context import HandlerContext
from entrypoints.settings import InvalidSettings
from entrypoints.sqs_batch import NotAnSqsEvent

TIMEOUT_S = 300


class Statuses(logging.Handler):
    """Collects the status of each message from the log."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what the record says of a clip."""
        members = vars(record)
        if "status" in members:
            why = members.get("fault") or members.get("error") or members.get("reason")
            name = members.get("clipId") or members["messageId"]
            self.found.append(f"{name}: {members['status']}" + (f", {why}" if why else ""))


def main() -> None:
    """Handle the event in the file that the command line names; print response and statuses."""
    try:
        event = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"{sys.argv[1]} is not a readable event: {error}. Run `make event` to write one.")
    try:
        load_environment()
        from entrypoints.aws_lambda import handler  # noqa: PLC0415 - it reads the environment
    except (InvalidSettings, ClipError) as error:
        sys.exit(str(error))
    statuses = Statuses()
    logging.getLogger("camclip").addHandler(statuses)
    context = HandlerContext(time.monotonic() + TIMEOUT_S, str(uuid4()))
    try:
        response = handler(event, context)  # type: ignore[arg-type]
    except NotAnSqsEvent as error:
        sys.exit(f"{sys.argv[1]} could not be handled: {error}")
    sys.stdout.write("".join(f"{line}\n" for line in (json.dumps(response), *statuses.found)))


if __name__ == "__main__":
    main()
