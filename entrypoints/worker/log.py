"""JSON lines, also from what the libraries and adapters say."""

import logging
import sys
from threading import Lock

from attrs import define, field
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.filters import SuppressFilter


def all_in_json(logger: Logger) -> None:
    """Let the other loggers' warnings take the form of `logger`'s lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logger.registered_formatter)
    handler.addFilter(SuppressFilter(logger.name))
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)


@define
class FailureLog:
    """Tells when something begins to fail and when it works again, not each time in between."""

    logger: Logger
    what: str
    _failing: bool = False
    _lock: Lock = field(factory=Lock)

    def began(self, fault: object) -> None:
        """Note a failure."""
        with self._lock:
            if not self._failing:
                self.logger.warning("%s fails", self.what, extra={"fault": str(fault)})
            self._failing = True

    def over(self) -> None:
        """Note a success."""
        with self._lock:
            if self._failing:
                self.logger.info("%s works again", self.what)
            self._failing = False
