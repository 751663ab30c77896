"""The checks of the queue, the function that it feeds, the topic and the camera API."""

from collections.abc import Iterator, Mapping
from uuid import uuid4

from domain.errors import ClipError, Rejected
from domain.window import HOUR_MS, TimeWindow
from entrypoints.cli.doctor import verdicts
from entrypoints.cli.doctor.check import Deployment, check
from entrypoints.cli.doctor.finding import Finding
from entrypoints.cli.service import call_deadline_s
from entrypoints.cli.times import now_ms, utc
from entrypoints.settings import BUCKET
from infrastructure.aws import call
from infrastructure.camera_api.client import HttpCameraService
from infrastructure.sqs.dead_letters import dead_letter_url
from infrastructure.sqs.queue import queue_attributes

QUEUE = "AWS_SQS_QUEUE_URL"
DEAD_LETTERS = "sqs:GetQueueUrl and sqs:GetQueueAttributes"
FUNCTION = "--function"


@check("queue", "sqs:GetQueueAttributes", QUEUE, is_first=True)
def queue(deployment: Deployment) -> Iterator[Finding]:
    """Check the queue's attributes."""
    deployment.queue = queue_attributes(deployment.sqs, deployment.aws.queue_url, call_deadline_s())
    yield from verdicts.judge_queue(deployment.queue, deployment.clips)


@check("dead letters", DEAD_LETTERS, QUEUE, doctor_only=True)
def dead_letters(deployment: Deployment) -> Iterator[Finding]:
    """Check the attributes of the queue's dead-letter queue, if it has one."""
    url = dead_letter_url(deployment.sqs, deployment.queue, call_deadline_s())
    if url:
        dead = queue_attributes(deployment.sqs, url, call_deadline_s())
        yield from verdicts.judge_dead_letters(deployment.queue, dead)


@check("recursive loop", "lambda:GetFunctionRecursionConfig", FUNCTION, doctor_only=True)
def recursive_loop(deployment: Deployment) -> Iterator[Finding]:
    """Check whether Lambda allows the function's loop through its queue, if it is given."""
    functions, name = deployment.service.functions, deployment.function
    if name is None:
        return
    found: Mapping[str, str] = call(
        "Lambda",
        call_deadline_s(),
        lambda: functions().get_function_recursion_config(FunctionName=name),
    )
    yield verdicts.judge_recursive_loop(name, found["RecursiveLoop"])


@check("topic", "sns:GetTopicAttributes", "AWS_SNS_TOPIC", doctor_only=True)
def topic(deployment: Deployment) -> Iterator[Finding]:
    """Check the topic's attributes."""
    sns, arn = deployment.service.sns, deployment.aws.topic_arn
    found = call("SNS", call_deadline_s(), lambda: sns().get_topic_attributes(TopicArn=arn))
    yield verdicts.judge_topic(arn, found["Attributes"])


@check("camera API", "", "CAM_SERVICES_URL")
def cameras(deployment: Deployment) -> Iterator[Finding]:
    """Request a camera's recordings of the last hour; of an unknown camera if none is given."""
    if deployment.aws.cameras == BUCKET:
        return
    name = "camera API"
    camera_id = deployment.camera_id or f"camclip-doctor-{uuid4().hex[:8]}"
    window = TimeWindow(now_ms() - HOUR_MS, now_ms())
    try:
        listing = deployment.service.cameras().find_segments(camera_id, window, call_deadline_s())
    except Rejected as rejection:
        yield _judge_unknown(deployment, rejection)
        return
    except ClipError as error:
        fix = "Check CAM_SERVICES_URL, RECORDINGS_URL and the network."
        yield Finding(name, False, str(error), fix)
        return
    if not deployment.camera_id:
        detail = f"does not answer 404 for the unknown camera {camera_id}"
        fix = "Make it answer 404: requests for unknown cameras wait for footage until then."
        yield Finding(name, False, detail, fix)
        return
    last_ms = max((segment.window.end_ms for segment in listing.segments), default=None)
    until = f", the last until {utc(last_ms)} UTC" if last_ms else ""
    detail = f"{camera_id}: {len(listing.segments)} recordings in the last hour{until}"
    if listing.left_out:
        fix = "Correct what the camera API lists: such recordings are never used."
        yield Finding(name, False, f"{detail}; {listing.left_out[0]}", fix)
        return
    yield Finding(name, True, detail, "" if listing.segments else "Check that the camera records.")


def _judge_unknown(deployment: Deployment, rejection: Rejected) -> Finding:
    """Judge the 404 for a camera, which a wrong path in CAM_SERVICES_URL causes, too."""
    name, api = "camera API", deployment.service.cameras()
    try:
        is_path_in_doubt = isinstance(api, HttpCameraService) and api.answers_alike(
            f"camclip-doctor-{uuid4().hex[:8]}", call_deadline_s()
        )
    except ClipError as error:
        return Finding(name, False, str(error), "Check CAM_SERVICES_URL and the network.")
    if deployment.camera_id:
        wrong_path = "Correct the path of CAM_SERVICES_URL, or pass" if is_path_in_doubt else "Pass"
        fix = f"{wrong_path} --camera an id that the camera API knows."
        return Finding(name, False, str(rejection), fix)
    if is_path_in_doubt:
        detail = "answers an unknown camera like an unknown path, with the same 404"
        fix = (
            "Correct the path of CAM_SERVICES_URL; --camera with a known id shows that it is right."
        )
        return Finding(name, False, detail, fix)
    return Finding(name, True, "reachable; answers 404 for an unknown camera")
