"""The service as it runs in AWS, with an audit of its HTTP requests, AWS calls and file access."""

import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from attrs import Factory, define

from devtools.local_aws.cloud import cloud
from devtools.local_aws.http_server import Request, Response, serve
from entrypoints.container import aws_service
from entrypoints.log_line import DeliveryOutcome
from tests.support.service import sqs_record

NOW_MS = 4_000_000_000_000
TOKEN = "made-up-camera-token"
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIDHOSTILE",
    "AWS_SECRET_ACCESS_KEY": "made-up-secret-key",
    "AWS_SESSION_TOKEN": "made-up-session-token",
}
_opened: list[str] | None = None


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event in {"open", "os.mkdir", "os.listdir", "subprocess.Popen"}:
        _opened.append(f"{event} {arguments[:2]!r}")


sys.addaudithook(_listen)


@define
class AuditedService:
    """The camera API's answers, and the requests to it, to AWS and to the file system."""

    alias: object = "pier-alias"
    rows: object = Factory(list)
    status: int = 200
    """0 closes the connection."""
    http: list[tuple[str, bytes]] = Factory(list)
    """Method and target, and the body."""
    calls: list[tuple[str, str]] = Factory(list)
    """Operation, and the path and body that were sent."""
    files: list[str] = Factory(list)
    outcomes: list[DeliveryOutcome] = Factory(list)
    service: Any = None

    def note(self, outcome: DeliveryOutcome) -> None:
        """Record what would be logged."""
        self.outcomes.append(outcome)

    def forget(self) -> None:
        """Start over, with the same service."""
        self.alias, self.rows, self.status = "pier-alias", [], 200
        self.http, self.calls, self.files, self.outcomes = [], [], [], []

    def answer(self, request: Request) -> Response | None:
        """Answer as the camera API."""
        self.http.append((f"{request.method} {request.target}", request.body))
        if not self.status:
            return None
        if request.method == "PUT":
            return Response.json({}, self.status)
        is_list = "/recording/" in request.target
        return Response.json(self.rows if is_list else {"alias": self.alias}, self.status)

    def deliver(self, body: object, received: int = 1) -> bool:
        """Deliver one message; return whether it failed."""
        global _opened  # noqa: PLW0603 - an audit hook cannot be taken out again
        record = sqs_record(body, NOW_MS, received)
        handle = self.service.handle_batch()
        _opened = self.files
        try:
            return bool(handle({"Records": [record]}, lambda: 60_000)["batchItemFailures"])
        finally:
            _opened = None

    @property
    def addresses(self) -> list[str]:
        """The requests to the camera API, without their queries."""
        return [target.partition("?")[0] for target, _ in self.http]

    @property
    def operations(self) -> list[str]:
        """The operations called in AWS."""
        return [operation for operation, _ in self.calls]

    def log(self) -> str:
        """Return everything that would be logged of the deliveries, tracebacks included."""
        return "\n".join(json.dumps(o.line()) + _traceback(o.error) for o in self.outcomes)


def _traceback(error: BaseException | None) -> str:
    return "" if error is None else "".join(traceback.format_exception(error))


@contextmanager
def audited_service(endpoint: str, scratch: Path) -> Iterator[AuditedService]:
    """Wire the service to AWS at `endpoint` and to a camera API."""
    world = AuditedService()
    with (
        cloud(60, name="hostile", endpoint=endpoint) as there,
        serve(world.answer) as url,
        pytest.MonkeyPatch.context() as patch,
    ):
        base = url.replace("http://", f"http://camclip:{TOKEN}@")
        settings = {**there.environ(base), **SECRETS, "CLIP_DOWNLOAD_DEST": str(scratch)}
        for name, value in settings.items():
            patch.setenv(name, value)
        world.service = aws_service(os.environ, world.note)
        for client in (world.service.s3(), world.service.sqs(), world.service.sns()):
            client.meta.events.register("before-call", _recorder(world))
        yield world


def _recorder(world: AuditedService) -> Any:  # noqa: ANN401 - a handler of botocore's
    def note(model: Any, params: Mapping[str, Any], **_: object) -> None:  # noqa: ANN401
        world.calls.append((model.name, f"{urlsplit(params['url']).path} {params['body']!r}"))

    return note
