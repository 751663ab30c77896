"""Services broken on purpose, which a soak must find."""

import os
from typing import Any

from attrs import Factory, define
from dependency_injector import providers

from application.ports import Notifier
from domain.clip import ClipReport
from entrypoints.aws_lambda import handler, service

LEAK_BYTES = 256 << 10

_leaked: list[object] = []


def careless(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
    """Acknowledge everything, whatever became of it."""
    handler(event, context)
    return {"batchItemFailures": []}


def leaking(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
    """Keep memory and a descriptor of each invocation."""
    _leaked.extend((os.urandom(LEAK_BYTES), os.open(os.devnull, os.O_RDONLY)))
    return handler(event, context)


@define
class Late(Notifier):
    """Publishes only at the next invocation."""

    notifier: Notifier
    waiting: list[tuple[ClipReport, float]] = Factory(list)

    def publish(self, report: ClipReport, deadline_s: float) -> None:
        self.waiting.append((report, deadline_s))

    def publish_waiting(self) -> None:
        while self.waiting:
            self.notifier.publish(*self.waiting.pop())


def hasty(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
    """Acknowledge before publishing."""
    late = service.notifier()
    if not isinstance(late, Late):
        service.notifier.override(providers.Singleton(Late, late))
        service.reset_singletons()  # made already, around the other notifier
        late = service.notifier()
    assert isinstance(late, Late)
    late.publish_waiting()
    return handler(event, context)
