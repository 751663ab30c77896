"""The Lambda function. Importing it reads and checks the environment and wires the service.

A batch is answered message by message; each leaves one JSON line in the log.
"""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from domain.errors import ClipError
from entrypoints.batch import Outcome
from entrypoints.container import aws

logger = Logger("camclip")


def log(outcome: Outcome) -> None:
    """Write the line: an error with its traceback if it is a fault of ours."""
    match outcome.error:
        case None:
            logger.info("clip", extra=outcome.line())
        case ClipError():
            logger.warning("no clip", extra=outcome.line())
        case error:
            logger.error("no clip", exc_info=error, extra=outcome.line())


service = aws(os.environ, log)
logger.setLevel(service.settings().rules.log_level)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch of SQS messages: `{"batchItemFailures": [{"itemIdentifier": id}, ...]}`."""
    return service.handle()(event, context.get_remaining_time_in_millis)
