"""The Lambda function on a laptop, with the settings of `.env`: `... invoke.py event.json`."""

import json
import os
import sys
import time
from pathlib import Path

from attrs import frozen

from domain.errors import ClipError
from entrypoints.cli.environment import environment
from entrypoints.settings import InvalidSettings

TIME_S = 300


@frozen
class Context:
    """As much of Lambda's context as the handler looks at."""

    ends_s: float

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""
        return max(0, round(1000 * (self.ends_s - time.monotonic())))


def main() -> None:
    """Handle the event in the file that the command line names, and print the answer."""
    os.environ.update(environment())
    try:
        from entrypoints.aws_lambda import handler  # noqa: PLC0415 - it reads the environment
    except (InvalidSettings, ClipError) as error:
        sys.exit(str(error))
    event = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    context = Context(time.monotonic() + TIME_S)
    sys.stdout.write(json.dumps(handler(event, context)) + "\n")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
