"""The verdicts on the facts that AWS returns. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.window import DAY_MS
from entrypoints.cli.doctor.finding import Finding, judged
from entrypoints.cli.doctor.incomplete_uploads import Upload
from entrypoints.cli.units import in_largest_unit, size
from entrypoints.settings import ClipSettings
from infrastructure.sqs.queue import redrive_policy

ADVISED_TIMEOUTS = 6
"""Visibility timeout per function timeout (Lambda guide, "Using Lambda with Amazon SQS")."""
MAX_SKEW_S = 30
"""S3 accepts 15 minutes; but a clip's age and freshness depend on these clocks."""
RULE = "a lifecycle rule for the whole bucket with AbortIncompleteMultipartUpload after 1 day"


def judge_queue(attributes: Mapping[str, str], clips: ClipSettings) -> list[Finding]:
    """Judge the queue's attributes, as GetQueueAttributes returns them."""
    if attributes.get("FifoQueue") == "true":
        fix = "Use a standard queue: a FIFO queue has no delay for a single message."
        return [Finding("queue", False, "a FIFO queue", fix)]
    waiting, hidden = (
        attributes.get(f"ApproximateNumberOfMessages{suffix}", "?") for suffix in ("", "NotVisible")
    )
    return [
        Finding("queue", True, f"about {waiting} messages waiting, {hidden} in progress"),
        _judge_visibility(_number(attributes, "VisibilityTimeout"), clips),
        _judge_redrive(attributes, clips),
        _judge_retention(attributes, clips),
    ]


def _judge_visibility(visibility_s: int, clips: ClipSettings) -> Finding:
    name, timeout_s = "queue visibility", clips.function_timeout_ms // 1000
    advised_s = ADVISED_TIMEOUTS * timeout_s
    detail = f"VisibilityTimeout is {visibility_s} s, FUNCTION_TIMEOUT is {timeout_s} s"
    if visibility_s > timeout_s:
        better = f"AWS advises {ADVISED_TIMEOUTS} x FUNCTION_TIMEOUT: {advised_s} s."
        return Finding(name, True, detail, better if visibility_s < advised_s else "")
    fix = f"Set VisibilityTimeout to {advised_s} s: messages are delivered again while in progress."
    return Finding(name, False, detail, fix)


def _judge_redrive(attributes: Mapping[str, str], clips: ClipSettings) -> Finding:
    name, expected = "queue redrive", clips.max_receive_count
    count = redrive_policy(attributes).get("maxReceiveCount")
    if count is None:
        fix = (
            f"Set a RedrivePolicy with maxReceiveCount {expected}: without one, a failing message"
            " is redelivered until it expires."
        )
        return Finding(name, False, "the queue has no dead-letter queue", fix)
    detail = f"maxReceiveCount is {count}, MAX_RECEIVE_COUNT is {expected}"
    fix = "Make them equal: a failure is reported on the last delivery."
    return judged(name, str(count) == str(expected), detail, fix)


def _judge_retention(attributes: Mapping[str, str], clips: ClipSettings) -> Finding:
    retention_s = _number(attributes, "MessageRetentionPeriod")
    deliveries_s = clips.max_receive_count * _number(attributes, "VisibilityTimeout")
    detail = (
        f"messages are kept for {in_largest_unit(retention_s)},"
        f" all deliveries may take {in_largest_unit(deliveries_s)}"
    )
    fix = "Set MessageRetentionPeriod to 4 days: messages expire before their last delivery."
    return judged("queue retention", retention_s > deliveries_s, detail, fix)


def judge_dead_letters(queue: Mapping[str, str], dead: Mapping[str, str]) -> list[Finding]:
    """Judge the dead-letter queue against its queue. In SQS a message keeps its age in both."""
    waiting = dead.get("ApproximateNumberOfMessages", "?")
    triage = "`camclip redrive` groups them by cause." if waiting != "0" else ""
    retention_s = _number(dead, "MessageRetentionPeriod")
    queue_s = _number(queue, "MessageRetentionPeriod")
    detail = (
        f"messages are kept for {in_largest_unit(retention_s)},"
        f" in the queue before for {in_largest_unit(queue_s)}"
    )
    fix = "Set its MessageRetentionPeriod to 14 days: it counts from the first sending."
    return [
        Finding("dead letters", True, f"about {waiting} messages", triage),
        judged("dead letter retention", retention_s > queue_s, detail, fix),
    ]


def judge_recursive_loop(function: str, setting: str) -> Finding:
    """Judge the function's RecursiveLoop, as GetFunctionRecursionConfig returns it.

    Lambda's default, Terminate, counts each retry of a request as a turn of a loop (Lambda
    developer guide, "Use Lambda recursive loop detection to prevent infinite loops").
    """
    name = "recursive loop"
    if setting == "Allow":
        return Finding(name, True, "RecursiveLoop is Allow: requests may wait for their footage")
    detail = (
        f"RecursiveLoop is {setting}: Lambda drops a request that waits for its footage after"
        " about 16 invocations"
    )
    fix = (
        "Set RecursiveLoop: Allow in the function's template, or: aws lambda"
        f" put-function-recursion-config --function-name {function} --recursive-loop Allow"
    )
    return Finding(name, False, detail, fix)


def judge_topic(topic_arn: str, attributes: Mapping[str, str]) -> Finding:
    """Judge the topic's attributes."""
    if topic_arn.endswith(".fifo"):
        fix = "Use a standard topic: a FIFO topic requires a message group."
        return Finding("topic", False, "a FIFO topic", fix)
    subscribers = attributes.get("SubscriptionsConfirmed", "?")
    better = "Subscribe to it: reports are published to no one." if subscribers == "0" else ""
    return Finding("topic", True, f"{subscribers} confirmed subscriptions", better)


def judge_regions(origin: str, destination: str, *, compose: bool) -> Finding:
    """Judge the buckets' regions, empty if the store does not return them."""
    if not origin or not destination:
        return Finding("regions", None, "the store does not return its buckets' regions")
    if origin == destination:
        return Finding("regions", True, f"both buckets are in {origin}")
    detail = f"the recordings are in {origin}, the clips in {destination}"
    fix = "Use one region, since S3 copies no parts between regions; or set COMPOSE=off."
    return Finding("regions", not compose, detail, fix)


def judge_clock(skew_s: float) -> Finding:
    """Judge how far this clock is ahead of S3's."""
    if abs(skew_s) <= MAX_SKEW_S:
        return Finding("clock", True, f"within {MAX_SKEW_S} s of S3's")
    detail = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} S3's"
    return Finding("clock", False, detail, "Synchronize this machine's clock (NTP).")


def abort_days(rules: Sequence[Mapping[str, Any]]) -> int | None:
    """Return after how many days lifecycle rules abort every incomplete upload, if they do."""
    days = [
        rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        for rule in rules
        if rule.get("Status") == "Enabled"
        and rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation")
        and not rule.get("Prefix")
        and not any(rule.get("Filter", {}).values())
    ]
    return min(days, default=None)


def judge_lifecycle(rules: Sequence[Mapping[str, Any]]) -> Finding:
    """Judge the destination's lifecycle rules."""
    days = abort_days(rules)
    if days:
        detail = f"incomplete uploads are aborted after {days} day{'s' if days != 1 else ''}"
        return Finding("lifecycle", True, detail)
    fix = f"Add {RULE}: the parts that a killed process leaves are charged for."
    return Finding("lifecycle", False, "no rule aborts every incomplete upload", fix)


def judge_uploads(
    uploads: Sequence[Upload], parts_bytes: int, now_ms: int, days: int | None, bucket: str
) -> Finding:
    """Judge incomplete uploads, the oldest first, which a rule aborts after `days`, if any does.

    `parts_bytes` is the size of those older than a day. S3 applies lifecycle rules once a day.
    """
    abandoned = [upload for upload in uploads if now_ms - upload.begun_ms > DAY_MS]
    if not abandoned:
        return Finding("uploads", True, f"{len(uploads)} in progress, none for more than a day")
    oldest = abandoned[0]
    age_ms = now_ms - oldest.begun_ms
    detail = (
        f"{len(abandoned)} incomplete for more than a day, with {size(parts_bytes)} of parts;"
        f" the oldest, {oldest.key}, for {in_largest_unit(age_ms // 1000)}"
    )
    if days and age_ms <= (days + 2) * DAY_MS:
        return Finding("uploads", True, f"{detail}; the lifecycle rule will abort them")
    fix = (
        f"Add {RULE}; or abort each: aws s3api abort-multipart-upload --bucket {bucket}"
        f" --key '{oldest.key}' --upload-id '{oldest.upload_id}'"
    )
    return Finding("uploads", False, detail, fix)


def judge_privacy(block: Mapping[str, bool], encryption: str) -> Finding:
    """Judge who can read the clips. A public bucket may be intended, so it is not a fault."""
    private = bool(block) and all(block.values())
    state = "blocked" if private else "not fully blocked"
    better = "" if private else "Block public access to the bucket, unless clips are public."
    return Finding("privacy", True, f"public access is {state}, encryption: {encryption}", better)


def _number(attributes: Mapping[str, str], name: str) -> int:
    text = attributes.get(name, "")
    return int(text) if text.isdecimal() else 0
