"""The Lambda function. Importing it reads and checks the environment and wires the service.

A batch is answered message by message; each leaves one JSON line in the log.
"""

import os
import time
from itertools import count
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from domain.errors import AccessDenied, ClipError
from entrypoints.container import aws
from entrypoints.metrics import with_metrics
from entrypoints.sqs_batch import DeliveryOutcome

logger = Logger("camclip")


def log(outcome: DeliveryOutcome) -> None:
    """Write the line: an error if people must do something, with its traceback if it is ours."""
    line = with_metrics(outcome.line(), rules.metrics_namespace, time.time_ns() // 1_000_000)
    match outcome.error:
        case None:
            logger.info("clip", extra=line)
        case AccessDenied():
            logger.error("no clip", extra=line)
        case ClipError():
            logger.warning("no clip", extra=line)
        case error:
            logger.error("no clip", exc_info=error, extra=line)


service = aws(os.environ, log)
rules = service.settings().rules
logger.setLevel(rules.log_level)
batches = count()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch of SQS messages: `{"batchItemFailures": [{"itemIdentifier": id}, ...]}`."""
    logger.append_keys(coldStart=next(batches) == 0)
    return service.handle()(event, context.get_remaining_time_in_millis)
