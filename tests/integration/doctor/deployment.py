"""A deployment in moto, with a camera API, for the commands that examine one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from attrs import frozen
from typer.testing import CliRunner, Result

from devtools.local_aws.cloud import Cloud, cloud
from entrypoints.cli.app import app
from tests.contract.real import Aws, HttpCameraWorld

SECRET = "made-up-secret-key"
VARIABLES = (
    *("CAM_SERVICES_URL", "RECORDINGS_URL", "CLIP_URL", "S3_BUCKET_ORIGIN", "S3_BUCKET_ORIGIN_DIR"),
    *("S3_BUCKET_DESTINATION", "AWS_SNS_TOPIC", "AWS_SQS_QUEUE", "AWS_SQS_QUEUE_URL"),
)


def camclip(*arguments: object, answer: str | None = None, **settings: str | None) -> Result:
    """Run `camclip` with these settings alone, and `answer` as its standard input."""
    unset: dict[str, str | None] = dict.fromkeys((*VARIABLES, "CAMCLIP_FFMPEG", "AWS_ENDPOINT_URL"))
    words = list(map(str, arguments))
    return CliRunner().invoke(app, words, input=answer, env={**unset, **settings})


@frozen
class MotoDeployment:
    """What the README describes: moto's resources, and cameras."""

    aws: Cloud
    cameras: HttpCameraWorld

    @property
    def settings(self) -> dict[str, str]:
        return {
            **self.aws.environ(self.cameras.url),
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "CLIP_URL": "https://clips.invalid",
        }

    def camclip(self, *arguments: object, answer: str | None = None, **settings: str) -> Result:
        return camclip(*arguments, answer=answer, **{**self.settings, **settings})

    def receive(self, queue_url: str) -> list[dict[str, Any]]:
        """Receive all messages that are visible now."""
        found: list[dict[str, Any]] = []
        while more := self.aws.sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            found += [dict(message) for message in more]
        return found


@contextmanager
def deployed(aws: Aws, cameras: HttpCameraWorld) -> Iterator[MotoDeployment]:
    """Deploy as the README describes it."""
    name = f"doctor-{uuid4().hex[:12]}"
    with cloud(1800, name=name, endpoint=aws.s3.meta.endpoint_url) as there:
        yield MotoDeployment(there, cameras)
