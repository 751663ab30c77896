"""A deployment in moto, with a camera API, for the commands that examine one."""

import json
from typing import Any
from uuid import uuid4

from attrs import frozen
from typer.testing import CliRunner, Result

from entrypoints.cli.app import app
from tests.contract.real import Aws, HttpCameraWorld

SECRET = "made-up-secret-key"
VARIABLES = (
    *("CAM_SERVICES_URL", "RECORDINGS_URL", "CLIP_URL", "S3_BUCKET_ORIGIN", "S3_BUCKET_ORIGIN_DIR"),
    *("S3_BUCKET_DESTINATION", "AWS_SNS_TOPIC", "AWS_SQS_QUEUE", "AWS_SQS_QUEUE_URL"),
)


def camclip(*arguments: object, **settings: str | None) -> Result:
    """Run `camclip` with these settings alone."""
    unset: dict[str, str | None] = dict.fromkeys((*VARIABLES, "CAMCLIP_FFMPEG", "AWS_ENDPOINT_URL"))
    return CliRunner().invoke(app, list(map(str, arguments)), env={**unset, **settings})


@frozen
class MotoDeployment:
    """Two buckets, a queue with its dead-letter queue, a topic with a subscriber, cameras."""

    aws: Aws
    cameras: HttpCameraWorld
    settings: dict[str, str]
    queue_url: str
    dead_url: str
    origin: str
    clips: str
    topic_arn: str

    def camclip(self, *arguments: object, **settings: str) -> Result:
        return camclip(*arguments, **{**self.settings, **settings})

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


def deploy(aws: Aws, cameras: HttpCameraWorld) -> MotoDeployment:
    """Deploy as the README describes it."""
    name = uuid4().hex[:12]
    origin, clips = aws.bucket(), aws.bucket()
    aws.s3.put_bucket_lifecycle_configuration(
        Bucket=clips,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "uploads",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                }
            ]
        },
    )
    block = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    aws.s3.put_public_access_block(
        Bucket=clips,
        PublicAccessBlockConfiguration=dict.fromkeys(block, True),  # type: ignore[arg-type]
    )
    dead_url = aws.sqs.create_queue(
        QueueName=f"{name}-dead", Attributes={"MessageRetentionPeriod": "1209600"}
    )["QueueUrl"]
    dead_arn = aws.sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
    policy = {
        "deadLetterTargetArn": dead_arn["Attributes"]["QueueArn"],
        "maxReceiveCount": 5,
    }
    queue_url = aws.sqs.create_queue(
        QueueName=name,
        Attributes={"VisibilityTimeout": "1800", "RedrivePolicy": json.dumps(policy)},
    )["QueueUrl"]
    topic_arn = aws.sns.create_topic(Name=name)["TopicArn"]
    aws.sns.subscribe(
        TopicArn=topic_arn, Protocol="sqs", Endpoint=dead_arn["Attributes"]["QueueArn"]
    )
    settings = {
        "AWS_ENDPOINT_URL": aws.s3.meta.endpoint_url,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "CAM_SERVICES_URL": cameras.url,
        "RECORDINGS_URL": cameras.url,
        "CLIP_URL": "https://clips.example",
        "S3_BUCKET_ORIGIN": origin,
        "S3_BUCKET_ORIGIN_DIR": "rewinds",
        "S3_BUCKET_DESTINATION": clips,
        "AWS_SNS_TOPIC": topic_arn,
        "AWS_SQS_QUEUE_URL": queue_url,
    }
    return MotoDeployment(aws, cameras, settings, queue_url, dead_url, origin, clips, topic_arn)
