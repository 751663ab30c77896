"""The service as it runs in AWS, and a record of everything that it asks the outside world for."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from attrs import Factory, define

from entrypoints.container import aws_service
from entrypoints.log_line import DeliveryOutcome

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
class Outside:
    """What the camera API answers, and what was asked of it, of AWS and of the file system."""

    alias: object = "pier-alias"
    rows: object = Factory(list)
    status: int = 200
    """0: it hangs up."""
    http: list[tuple[str, bytes]] = Factory(list)
    """Method and target, and the body."""
    calls: list[tuple[str, str]] = Factory(list)
    """Operation, and the path and body that were sent."""
    files: list[str] = Factory(list)
    outcomes: list[DeliveryOutcome] = Factory(list)
    service: Any = None

    def note(self, outcome: DeliveryOutcome) -> None:
        """Keep what would be logged."""
        self.outcomes.append(outcome)

    def forget(self) -> None:
        """Begin anew, with the same service."""
        self.alias, self.rows, self.status = "pier-alias", [], 200
        self.http, self.calls, self.files, self.outcomes = [], [], [], []

    def answer(self, method: str, target: str) -> tuple[int, object]:
        if method == "PUT":
            return self.status, {}
        return self.status, self.rows if "/recording/" in target else {"alias": self.alias}

    def deliver(self, body: object, received: int = 1) -> bool:
        """Deliver one message; tell whether it was given back."""
        global _opened  # noqa: PLW0603 - an audit hook cannot be taken out again
        record = {
            "messageId": "m",
            "eventSource": "aws:sqs",
            "body": body if isinstance(body, str) else json.dumps(body),
            "attributes": {
                "SentTimestamp": str(NOW_MS),
                "ApproximateReceiveCount": str(received),
            },
        }
        handle = self.service.handle_batch()
        _opened = self.files
        try:
            return bool(handle({"Records": [record]}, lambda: 60_000)["batchItemFailures"])
        finally:
            _opened = None

    @property
    def addresses(self) -> list[str]:
        """What was asked of the camera API, without the queries."""
        return [target.partition("?")[0] for target, _ in self.http]

    @property
    def operations(self) -> list[str]:
        """What was asked of AWS."""
        return [operation for operation, _ in self.calls]

    def log(self) -> str:
        """Return all that the log would hold of the deliveries, tracebacks included."""
        return "\n".join(json.dumps(o.line()) + _traceback(o.error) for o in self.outcomes)


def _traceback(error: BaseException | None) -> str:
    import traceback  # noqa: PLC0415

    return "" if error is None else "".join(traceback.format_exception(error))


@contextmanager
def outside(endpoint: str, scratch: Path) -> Iterator[Outside]:
    """Put the service together, with an S3, SQS and SNS at *endpoint*, and a camera API."""
    world = Outside()

    class Answers(BaseHTTPRequestHandler):
        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            world.http.append((f"{self.command} {self.path}", body))
            status, payload = world.answer(self.command, self.path)
            if not status:
                self.close_connection = True
                return
            data = json.dumps(payload).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SECRETS, "AWS_DEFAULT_REGION": "us-east-1"}.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        base = f"http://camclip:{TOKEN}@127.0.0.1:{server.server_address[1]}"
        _connect(world, base, scratch)
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()


def _connect(world: Outside, base: str, scratch: Path) -> None:
    """Let the service make its clients, as the environment says."""
    session = boto3.Session()
    for bucket in ("hostile-origin", "hostile-clips"):
        session.client("s3").create_bucket(Bucket=bucket)
    settings = {
        "CLIP_DOWNLOAD_DEST": str(scratch),
        "CAM_SERVICES_URL": base,
        "RECORDINGS_URL": base,
        "CLIP_URL": "https://clips.example",
        "S3_BUCKET_ORIGIN": "hostile-origin",
        "S3_BUCKET_ORIGIN_DIR": "rewinds",
        "S3_BUCKET_DESTINATION": "hostile-clips",
        "AWS_SNS_TOPIC": session.client("sns").create_topic(Name="hostile")["TopicArn"],
        "AWS_SQS_QUEUE": "arn:aws:sqs:us-east-1:123456789012:hostile",
        "AWS_SQS_QUEUE_URL": session.client("sqs").create_queue(QueueName="hostile")["QueueUrl"],
    }
    world.service = aws_service({**os.environ, **settings}, world.note)
    for client in (world.service.s3(), world.service.sqs(), world.service.sns()):
        client.meta.events.register("before-call", _noted(world))


def _noted(world: Outside) -> Any:  # noqa: ANN401 - a handler of botocore's
    def note(model: Any, params: Mapping[str, Any], **_: object) -> None:  # noqa: ANN401
        world.calls.append((model.name, f"{urlsplit(params['url']).path} {params['body']!r}"))

    return note
