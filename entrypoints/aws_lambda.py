"""The Lambda function. Importing it reads and checks the environment, and makes all clients.

The first message does not wait for what is made while Lambda initialises.

Each message of a batch leaves one JSON line in the log.
"""

import os
import time
from itertools import count
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from domain.errors import AccessDenied, ClipError
from entrypoints.container import aws_service, prepare
from entrypoints.log_line import DeliveryOutcome, with_metrics

logger = Logger("camclip")


def log(outcome: DeliveryOutcome) -> None:
    """Write the line: an error if an operator must act, with the traceback if it is a bug."""
    line = with_metrics(outcome.line(), settings.metrics_namespace, time.time_ns() // 1_000_000)
    match outcome.error:
        case None if outcome.status == "FATAL_ERROR":
            logger.info("fatal error", extra=line)  # for the filter `error`: it is case-sensitive
        case None:
            logger.info("clip", extra=line)
        case AccessDenied():
            logger.error("no clip", extra=line)
        case ClipError():
            logger.warning("no clip", extra=line)
        case error:
            logger.error("no clip", exc_info=error, extra=line)


service = aws_service(os.environ, log)
service.ffmpeg()  # it must be there before the first message is
prepare(service)
settings = service.settings()
logger.setLevel(settings.log_level)
batches = count()


@logger.inject_lambda_context(log_event=False)  # whatever the environment says: bodies stay out
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch of SQS messages: `{"batchItemFailures": [{"itemIdentifier": id}, ...]}`."""
    logger.append_keys(coldStart=next(batches) == 0)
    return service.handle_batch()(event, context.get_remaining_time_in_millis)
