"""JSON log lines, also for what the libraries and adapters log."""

import logging
import sys
from threading import Lock

from attrs import define, field
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.filters import SuppressFilter


def log_all_as_json(logger: Logger) -> None:
    """Format the other loggers' warnings like `logger`'s lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logger.registered_formatter)
    handler.addFilter(SuppressFilter(logger.name))
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)


@define
class FailureLog:
    """Logs when something begins to fail and when it works again, not each failure in between."""

    logger: Logger
    subject: str
    _is_failing: bool = False
    _lock: Lock = field(factory=Lock)

    def failed(self, fault: object) -> None:
        """Note a failure."""
        with self._lock:
            if not self._is_failing:
                self.logger.warning("%s fails", self.subject, extra={"fault": str(fault)})
            self._is_failing = True

    def succeeded(self) -> None:
        """Note a success."""
        with self._lock:
            if self._is_failing:
                self.logger.info("%s works again", self.subject)
            self._is_failing = False
