"""The Lambda function on a laptop, configured by `.env`: `python -m entrypoints.invoke FILE`."""

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from domain.clip import ClipName, ClipStatus
from domain.errors import ClipError
from entrypoints.cli.environment import load_environment
from entrypoints.cli.sample_values import sample_values
from entrypoints.lambda_context import HandlerContext
from entrypoints.settings import AwsSettings, InvalidSettings, read_settings
from entrypoints.sqs_batch import NotAnSqsEvent
from infrastructure.formats.object_keys import clip_key

TIMEOUT_S = 300


class Statuses(logging.Handler):
    """Collects the status of each message from the log, with the place of a clip."""

    def __init__(self, bucket: str) -> None:
        super().__init__()
        self.bucket = bucket
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what the record says of a clip."""
        members = vars(record)
        if "status" in members:
            name = members.get("clipId") or members["messageId"]
            status = f"{name}: {members['status']}"
            why = members.get("fault") or members.get("error") or members.get("reason")
            self.found.append(", ".join(filter(None, (status, self._place(members), why))))

    def _place(self, members: Mapping[str, Any]) -> str:
        if members["status"] != ClipStatus.AVAILABLE.value:
            return ""
        return f"s3://{self.bucket}/{clip_key(ClipName(members['cameraId'], members['clipId']))}"


def main() -> None:
    """Handle the event in the file that the command line names; print response and statuses."""
    try:
        event = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"{sys.argv[1]} is not a readable event: {error}. Run `make event` to write one.")
    try:
        load_environment()
        require_own_values(read_settings(os.environ).aws)
        from entrypoints.aws_lambda import handler  # noqa: PLC0415 - it reads the environment
    except (InvalidSettings, ClipError) as error:
        remedy = "" if Path(".env").exists() else "\n`make sbox` writes a .env to start from."
        sys.exit(f"{error}{remedy}")
    statuses = Statuses(read_settings(os.environ).aws.destination_bucket)
    logging.getLogger("camclip").addHandler(statuses)
    context = HandlerContext(time.monotonic() + TIMEOUT_S, str(uuid4()))
    try:
        response = handler(event, context)  # type: ignore[arg-type]
    except NotAnSqsEvent as error:
        sys.exit(f"{sys.argv[1]} could not be handled: {error}")
    sys.stdout.write("".join(f"{line}\n" for line in (json.dumps(response), *statuses.found)))
    if response["batchItemFailures"]:
        sys.stderr.write("To find the fault: `camclip doctor --aws` checks the deployment.\n")


def require_own_values(settings: AwsSettings) -> None:
    """InvalidSettings if some are a sample's: their addresses lead nowhere."""
    samples = sample_values(settings)
    if samples:
        raise InvalidSettings(
            f"{', '.join(samples)} still have a sample's values: replace them in .env, or run"
            " `make local-aws`, which makes a clip without AWS."
        )


if __name__ == "__main__":
    main()
