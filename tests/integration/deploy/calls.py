"""The service's calls to AWS, and the IAM permissions that they need."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from attrs import Factory, define, frozen

from tests.integration.deploy.iam import Access
from tests.integration.deploy.template import ACCOUNT, REGION

Params = Mapping[str, str]


def _object(params: Params) -> str:
    return f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"


def _bucket(params: Params) -> str:
    return f"arn:aws:s3:::{params['Bucket']}"


def _source(params: Params) -> str:
    return f"arn:aws:s3:::{unquote(params['CopySource'])}"


def _queue(params: Params) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{params['QueueUrl'].rpartition('/')[2]}"


NEEDED: Mapping[tuple[str, str], Mapping[str, Callable[[Params], str]]] = {
    # Amazon S3 user guide, "Required permissions for Amazon S3 API operations", and "Multipart
    # upload API and permissions"; without ListBucket, S3 answers 403 instead of 404.
    ("s3", "GetObject"): {"s3:GetObject": _object, "s3:ListBucket": _bucket},
    ("s3", "HeadObject"): {"s3:GetObject": _object, "s3:ListBucket": _bucket},
    ("s3", "ListObjectsV2"): {"s3:ListBucket": _bucket},
    ("s3", "PutObject"): {"s3:PutObject": _object},
    ("s3", "CreateMultipartUpload"): {"s3:PutObject": _object},
    ("s3", "UploadPart"): {"s3:PutObject": _object},
    ("s3", "UploadPartCopy"): {"s3:PutObject": _object, "s3:GetObject": _source},
    ("s3", "CompleteMultipartUpload"): {"s3:PutObject": _object},
    ("s3", "AbortMultipartUpload"): {"s3:AbortMultipartUpload": _object},
    # Service authorization reference, "Actions, resources, and condition keys for Amazon SQS" and
    # "... for Amazon SNS".
    ("sqs", "ChangeMessageVisibility"): {"sqs:ChangeMessageVisibility": _queue},
    ("sqs", "SendMessage"): {"sqs:SendMessage": _queue},
    ("sns", "Publish"): {"sns:Publish": lambda params: params["TopicArn"]},
}
"""Operation -> the actions it needs, and their resources."""


def needed_by_lambda(queue_arn: str, log_group: str) -> set[Access]:
    """Return the access that Lambda itself uses through the function's role.

    AWS Lambda developer guide, "Execution role permissions" of "Using Lambda with Amazon SQS", and
    "Sending Lambda function logs to CloudWatch Logs".
    """
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{log_group}:log-stream:a-stream"
    return {
        Access("sqs:ReceiveMessage", queue_arn),
        Access("sqs:DeleteMessage", queue_arn),
        Access("sqs:GetQueueAttributes", queue_arn),
        Access("logs:CreateLogStream", stream),
        Access("logs:PutLogEvents", stream),
    }


KEPT = {
    *("Bucket", "Key", "CopySource", "QueueUrl", "TopicArn"),
    "RequestPayer",
    *("ExpectedBucketOwner", "ExpectedSourceBucketOwner"),
}


@frozen
class Call:
    """A call by boto3, with the parameters that the table and the tests need."""

    service: str
    operation: str
    params: Mapping[str, str]

    def needs(self) -> set[Access]:
        """Return the access that it needs; KeyError if the table lacks the operation."""
        needed = NEEDED[self.service, self.operation]
        return {Access(action, arn(self.params)) for action, arn in needed.items()}


@define
class Recorder:
    """Records the calls of boto3's clients."""

    made: list[Call] = Factory(list)

    def listen(self, client: Any) -> None:  # noqa: ANN401 - any of boto3's
        client.meta.events.register_last("before-parameter-build", self._note)

    def _note(self, params: dict[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401
        kept = {name: str(params[name]) for name in sorted(KEPT & set(params))}
        self.made.append(Call(model.service_model.service_name, model.name, kept))
