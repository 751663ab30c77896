"""The role of `camclip serve --aws`: all that the code asks for, and nothing else."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.footage import Recording, cached_recording
from devtools.footage.recording import FFMPEG
from devtools.local_aws.cloud import moto_server
from entrypoints.container import AwsService, aws_service
from entrypoints.serve.application import aws_serving
from entrypoints.serve.aws.files import AwsFiles
from entrypoints.serve.guard import Access as Visitors
from tests.integration.deploy.calls import Recorder
from tests.integration.deploy.iam import Access, actions, allows, matches, resources
from tests.integration.deploy.template import ACCOUNT, REGION, TEMPLATE
from tests.support.served import Served, running
from tests.support.service import CLIP_URL, clip_body, sqs_record

POLICY = TEMPLATE.parents[1] / "docs" / "contracts" / "serve-policy.json"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:your-stack-requests"
FOOTAGE = Recording(first_number=0, frames=120, size=(160, 90))
START_MS = time.time_ns() // 10**9 * 1000 - 300_000
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "made-up-secret",
    "AWS_DEFAULT_REGION": REGION,
    "CLIP_URL": CLIP_URL,
    "S3_BUCKET_ORIGIN": "your-recordings",
    "S3_BUCKET_ORIGIN_DIR": "folder",
    "S3_BUCKET_DESTINATION": "your-clips",
    "S3_CONDITIONS": "both",
    "AWS_SNS_TOPIC": f"arn:aws:sns:{REGION}:{ACCOUNT}:your-stack-clips",
    "CAMERAS": "bucket",
    "RECORDING_PATTERN": "{camera}/%s",
    "THUMBNAIL_SIZES": "160",
    "CAMCLIP_FFMPEG": FFMPEG,
}


def statements() -> list[dict[str, Any]]:
    policy = json.loads(POLICY.read_text())
    assert policy["Version"] == "2012-10-17"
    return list(policy["Statement"])


@pytest.fixture(scope="module")
def needed(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Iterator[set[Access]]:
    """Play every kind of request to the server; yield the access that its calls need."""
    folder = tmp_path_factory.mktemp("serve-policy")
    with moto_server() as url, pytest.MonkeyPatch.context() as env:
        here = {"AWS_ENDPOINT_URL": url, "CLIP_DOWNLOAD_DEST": str(folder)}
        for name, text in {**ENVIRONMENT, **here, "AWS_SQS_QUEUE_URL": url}.items():
            env.setenv(name, text)
        function = aws_service(os.environ)
        where: Any = {"LocationConstraint": REGION}
        for bucket in ("your-recordings", "your-clips"):
            function.s3().create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        queue = function.sqs().create_queue(QueueName="your-stack-requests")["QueueUrl"]
        function.sns().create_topic(Name="your-stack-clips")
        film = str(cached_recording(films, FOOTAGE))
        key = f"folder/pier/{START_MS // 1000}.mp4"
        function.s3().upload_file(film, "your-recordings", key)
        env.setenv("AWS_SQS_QUEUE_URL", queue)
        service = aws_service(os.environ)
        made = aws_serving(service, [], folder / "state", Visitors())
        calls = Recorder()
        assert isinstance(made.files, AwsFiles)
        for client in (service.s3(), service.sqs(), service.sns(), made.files.links.client):
            calls.listen(client)
        with running(made) as server:
            _play(server, aws_service(os.environ))
        assert {call.operation for call in calls.made} == {
            *("GetObject", "HeadObject", "ListObjectsV2", "SendMessage")
        }
        yield set().union(*(call.needs() for call in calls.made))


def _play(server: Served, function: AwsService) -> None:
    """Send every kind of request; the function makes the clip."""
    body = clip_body("c1", "pier", START_MS, START_MS + 2000)
    clip = "/api/v1/clips/pier/c1"
    camera = "/api/v1/cameras/pier"
    answered = [
        server.get("/api/v1/cameras"),
        server.get(f"{camera}/footage?from={START_MS}&to={START_MS + 4000}"),
        server.get(f"{camera}/frames?at={START_MS + 100}&exact=true"),
        server.get(f"{camera}/frames/last"),
        server.get(f"{camera}/frames/times?from={START_MS}&to={START_MS + 4000}"),
        server.post("/api/v1/plans", body),
        server.post("/api/v1/clips", body),
    ]
    assert [each.status_code for each in answered] == [*[200] * 6, 202]
    record: Any = sqs_record(body, START_MS + 300_000)
    assert not function.handle_batch()({"Records": [record]}, lambda: 120_000)["batchItemFailures"]
    assert server.wait_for(clip)["status"] == "CLIP_AVAILABLE"
    listed = server.get("/api/v1/clips?camera=pier").json()["clips"]
    assert [each["clipId"] for each in listed] == ["c1"]
    for path in ("video", "thumbnails/160"):
        for method in ("GET", "HEAD"):
            url = f"{server.url}{clip}/{path}"
            assert server.client.request(method, url, timeout=30).status_code == 200
    for path in (f"{clip}/manifest", f"{clip}/clock", "/clips", "/clips/pier/c1"):
        assert server.get(path).status_code == 200
    assert server.get("/api/v1/clips/pier/none").status_code == 404
    assert server.delete(clip).status_code == 405


def test_every_call_is_allowed(needed: set[Access]) -> None:
    """Those that links stand for, too: S3 judges them by the role of their signer."""
    assert [each for each in sorted(needed) if not allows(statements(), each)] == []


def test_every_word_of_the_policy_is_needed(needed: set[Access]) -> None:
    """Each action and each resource of each statement is needed by some call."""
    unneeded = [
        (statement["Sid"], action, resource)
        for statement in statements()
        for action in actions(statement)
        for resource in resources(statement)
        if not any(
            matches({**statement, "Action": action, "Resource": resource}, access)
            for access in needed
        )
    ]
    assert unneeded == []


DENIED = [
    Access("s3:PutObject", "arn:aws:s3:::your-clips/pier/c1.mp4"),
    Access("s3:DeleteObject", "arn:aws:s3:::your-clips/pier/c1.mp4"),
    Access("s3:PutObject", "arn:aws:s3:::your-recordings/folder/pier/1.mp4"),
    Access("s3:GetObject", "arn:aws:s3:::your-recordings/elsewhere/1.mp4"),
    Access("s3:ListBucket", "arn:aws:s3:::another-bucket"),
    Access("sqs:ReceiveMessage", QUEUE),
    Access("sqs:DeleteMessage", QUEUE),
    Access("sqs:PurgeQueue", QUEUE),
    Access("sqs:SendMessage", QUEUE.replace("requests", "dead-letters")),
    Access("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:your-stack-clips"),
    Access("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:your-stack"),
]


@pytest.mark.parametrize("access", DENIED, ids=lambda access: f"{access.action} {access.arn}")
def test_all_else_is_denied(access: Access) -> None:
    """A server that others reach writes nothing but requests."""
    assert not allows(statements(), access)


def test_it_reads_what_the_worker_reads() -> None:
    """Whoever has set up the one knows where everything is."""
    worker = json.loads(POLICY.with_name("worker-policy.json").read_text())["Statement"]
    both = [each for each in statements() if each in worker]
    assert [each["Sid"] for each in both] == ["ReadRecordings", "LearnWhatIsAbsent"]
