"""The function's role: all that the code asks for, and nothing else.

Every call that the service makes, over every kind of request, is held against the policy of the
template by a small IAM.
"""

import json
import time
from typing import Any

import pytest

from infrastructure.sqs.consumer import SqsConsumer
from tests.contract.real import Aws
from tests.integration.deploy.calls import NEEDED, Recorder, needed_by_lambda
from tests.integration.deploy.conftest import ANOTHER_ACCOUNT, GIVEN, Played
from tests.integration.deploy.iam import Access, actions, allows, matches, resources
from tests.integration.deploy.template import ACCOUNT, REGION, TEMPLATE, Stack

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:camclip-test-requests"
LOG = "/aws/lambda/camclip-test"
WORKER_POLICY = TEMPLATE.parents[1] / "docs" / "contracts" / "worker-policy.json"
WORKER = {
    **GIVEN,
    "OriginBucket": "your-recordings",
    "OriginFolder": "folder",
    "DestinationBucket": "your-clips",
}
"""What the worker's policy calls the buckets."""


def needed(played: Played) -> set[Access]:
    return needed_by_lambda(QUEUE, LOG).union(*(call.needs() for call in played.calls))


def test_every_kind_of_request_was_played(played: Played) -> None:
    """Else the policy would be judged by too little."""
    assert played.results == {
        "made": "Conflict('A clip of another window, or with other options, has this name.')",
        "made-again": "CLIP_AVAILABLE",
        "waiting": "CLIP_PENDING",
        "not-stored": "CLIP_PENDING",
        "too-long": "CLIP_TOO_LONG",
        "listed": "CLIP_AVAILABLE",
        "composed": "CLIP_AVAILABLE",
        "sent-instead": "CLIP_AVAILABLE",
    }
    assert {(call.service, call.operation) for call in played.calls} == set(NEEDED)


def test_every_call_is_allowed(played: Played) -> None:
    """And what Lambda itself does in the function's name."""
    statements = Stack(GIVEN).statements()
    assert [access for access in sorted(needed(played)) if not allows(statements, access)] == []


def test_every_word_of_the_policy_is_needed(played: Played) -> None:
    """Each action and each resource of each statement is needed by some call."""
    accesses = needed(played)
    unneeded = [
        (statement["Sid"], action, resource)
        for statement in Stack(GIVEN).statements()
        for action in actions(statement)
        for resource in resources(statement)
        if not any(
            matches({**statement, "Action": action, "Resource": resource}, access)
            for access in accesses
        )
    ]
    assert unneeded == []


DENIED = [
    Access("s3:PutObject", "arn:aws:s3:::policy-recordings/rewinds/pier.mp4"),
    Access("s3:DeleteObject", "arn:aws:s3:::policy-recordings/rewinds/pier.mp4"),
    Access("s3:GetObject", "arn:aws:s3:::policy-recordings/elsewhere/pier.mp4"),
    Access("s3:GetObject", "arn:aws:s3:::policy-recordings-too/rewinds/pier.mp4"),
    Access("s3:DeleteObject", "arn:aws:s3:::policy-clips/pier/c1.mp4"),
    Access("s3:PutObjectAcl", "arn:aws:s3:::policy-clips/pier/c1.mp4"),
    Access("s3:PutBucketPolicy", "arn:aws:s3:::policy-clips"),
    Access("s3:ListBucket", "arn:aws:s3:::another-bucket"),
    Access("s3:ListAllMyBuckets", "*"),
    Access("sqs:DeleteQueue", QUEUE),
    Access("sqs:PurgeQueue", QUEUE),
    Access("sqs:SendMessage", QUEUE.replace("requests", "dead-letters")),
    Access("sqs:ReceiveMessage", QUEUE.replace("requests", "dead-letters")),
    Access("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:another-topic"),
    Access("sns:Subscribe", f"arn:aws:sns:{REGION}:{ACCOUNT}:camclip-test-clips"),
    Access("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/other:log-stream:a"),
    Access("logs:DeleteLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{LOG}:*"),
    Access("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/a-key"),
    Access("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/another"),
    Access("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/another"),
    Access("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:camclip-test"),
]


@pytest.mark.parametrize("access", DENIED, ids=lambda access: f"{access.action} {access.arn}")
def test_all_else_is_denied(access: Access) -> None:
    """What an intruder in the function would like to do."""
    assert not allows(Stack(GIVEN).statements(), access)


def test_no_action_is_a_pattern() -> None:
    """Who reads the policy sees every action by its name; no resource is everything."""
    for statement in Stack(GIVEN).statements():
        assert statement["Effect"] == "Allow"
        assert not [action for action in actions(statement) if "*" in action or "?" in action]
        assert not [arn for arn in resources(statement) if arn.split(":", 5)[5].startswith("*")]


def test_without_a_folder_the_whole_origin_may_be_read() -> None:
    """Recordings are then at its top level."""
    statements = Stack({**GIVEN, "OriginFolder": ""}).statements()
    assert allows(statements, Access("s3:GetObject", "arn:aws:s3:::policy-recordings/pier.mp4"))


KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/a-key"
USES_OF_KEYS = {
    "OriginKeyArn": {"kms:Decrypt"},
    "DestinationKeyArn": {"kms:Decrypt", "kms:GenerateDataKey"},
    "QueueKeyArn": {"kms:Decrypt", "kms:GenerateDataKey"},
    "TopicKeyArn": {
        *("kms:Decrypt", "kms:GenerateDataKey"),
        *("kms:GenerateDataKeyWithoutPlaintext", "kms:GenerateDataKeyPair"),
    },
}
"""Parameter -> the actions that the role may then use, as AWS documents them.

S3 API reference, GetObject and CreateMultipartUpload, "Permissions": S3 decrypts the parts to
complete an upload. SQS developer guide, "Key management": producers need both, consumers Decrypt.
SNS developer guide, "Key management": publishers need Decrypt and GenerateDataKey*.
"""


@pytest.mark.parametrize("parameter", USES_OF_KEYS)
def test_a_key_is_used_as_its_service_needs_it(parameter: str) -> None:
    """Only that key, and for nothing else."""
    statements = Stack({**GIVEN, parameter: KEY}).statements()
    known = {*set().union(*USES_OF_KEYS.values()), "kms:Encrypt", "kms:CreateGrant"}
    for key, used in ((KEY, USES_OF_KEYS[parameter]), (KEY + "-too", set())):
        allowed = {action for action in known if allows(statements, Access(action, key))}
        assert allowed == used


def test_all_requests_that_concern_the_origin_agree_to_pay(played: Played) -> None:
    """Copies, too; writing clips costs the bucket's owner what it always did."""
    agreed = {
        (call.operation, call.params["Bucket"])
        for call in played.calls
        if call.service == "s3" and call.params.get("RequestPayer") == "requester"
    }
    reading = {
        (call.operation, call.params["Bucket"])
        for call in played.calls
        if "CopySource" in call.params or call.params.get("Bucket") == GIVEN["OriginBucket"]
    }
    assert agreed == reading
    assert {operation for operation, _ in reading} >= {"GetObject", "UploadPartCopy"}


def test_every_call_of_s3_names_the_expected_bucket_owner(played: Played) -> None:
    """The recorder's account was given; the clips' bucket is the stack's own."""
    owners = {GIVEN["OriginBucket"]: ANOTHER_ACCOUNT, GIVEN["DestinationBucket"]: ACCOUNT}
    for call in played.calls:
        if call.service == "s3":
            assert call.params.get("ExpectedBucketOwner") == owners[call.params["Bucket"]], call
        if call.operation == "UploadPartCopy":
            assert call.params["ExpectedSourceBucketOwner"] == ANOTHER_ACCOUNT


def test_a_denial_wins() -> None:
    """The small IAM itself: Deny before Allow, nothing without a statement, patterns."""
    allow = {"Effect": "Allow", "Action": ["s3:Get*"], "Resource": "arn:aws:s3:::b/*"}
    deny = {"Effect": "Deny", "Action": "S3:getobject", "Resource": "arn:aws:s3:::b/?.mp4"}
    assert allows([allow], Access("s3:GetObject", "arn:aws:s3:::b/a.mp4"))
    assert not allows([allow, deny], Access("s3:GetObject", "arn:aws:s3:::b/a.mp4"))
    assert allows([allow, deny], Access("s3:GetObject", "arn:aws:s3:::b/ab.mp4"))
    assert not allows([allow], Access("s3:PutObject", "arn:aws:s3:::b/a.mp4"))
    assert not allows([allow], Access("s3:GetObject", "arn:aws:s3:::b"))
    assert not allows([], Access("s3:GetObject", "arn:aws:s3:::b/a.mp4"))


def worker_statements() -> list[dict[str, Any]]:
    policy = json.loads(WORKER_POLICY.read_text())
    assert policy["Version"] == "2012-10-17"
    return list(policy["Statement"])


def test_the_workers_policy_is_the_functions_without_its_log() -> None:
    """The worker writes to its standard output; in all else it is the same service."""
    functions = Stack(WORKER, "your-stack").statements()
    assert worker_statements() == [each for each in functions if each["Sid"] != "WriteTheLog"]


def test_what_the_worker_itself_does_to_the_queue_is_allowed(aws: Aws) -> None:
    """It receives, extends and deletes, as Lambda does for the function."""
    calls, queue_url = Recorder(), aws.queue()
    calls.listen(aws.sqs)
    consumer = SqsConsumer(aws.sqs, queue_url, 0, 60)
    aws.sqs.send_message(QueueUrl=queue_url, MessageBody="{}")
    message = consumer.receive()
    assert message
    consumer.extend(message, time.monotonic() + 10)
    consumer.delete(message, time.monotonic() + 10)
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:your-stack-requests"
    made = {call.operation for call in calls.made}
    assert made == {"SendMessage", "ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage"}
    refused = [
        name for name in made if not allows(worker_statements(), Access(f"sqs:{name}", queue))
    ]
    assert refused == []


def test_a_clip_without_a_camera_api_takes_few_lists(played: Played) -> None:
    """Of the window, and of what is around it."""
    lists = [call for call in played.calls if call.operation == "ListObjectsV2"]
    assert {call.params["Bucket"] for call in lists} == {GIVEN["OriginBucket"]}
    assert 1 <= len(lists) <= 4
