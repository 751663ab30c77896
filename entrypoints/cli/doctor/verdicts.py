"""The verdicts on the facts that AWS returns. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from application.ports import AlreadyExists
from domain.errors import RecordingChanged
from entrypoints.cli.doctor.finding import Finding, judged
from entrypoints.cli.doctor.incomplete_uploads import Upload
from entrypoints.cli.doctor.multipart_probe import ProbeResult
from entrypoints.cli.units import in_largest_unit, size
from entrypoints.settings import ClipSettings
from infrastructure.s3.multipart import UploadRejected
from infrastructure.sqs.queue import redrive_policy

DAY_MS = 86_400_000
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


def judge_probe(probe: ProbeResult, *, compose: bool) -> list[Finding]:
    """Judge a test upload; without `compose` the service does not use copies."""
    return [
        _judge_copies(probe, compose=compose),
        *([_judge_changed(probe.changed)] if probe.composed is None else []),
        _judge_condition("CompleteMultipartUpload", probe.completed_again),
        _judge_condition("PUT", probe.put_again),
        _judge_undeleted(probe),
    ]


def _judge_copies(probe: ProbeResult, *, compose: bool) -> Finding:
    name = "copies"
    match probe.composed or probe.compared:
        case None:
            speed = f"{size(probe.copied_bytes / max(probe.duration_s, 0.01))}/s"
            detail = f"S3 copied {size(probe.copied_bytes)} in {probe.duration_s:.2f} s: {speed}"
            return Finding(name, True, detail, "" if compose else "COMPOSE=auto would use that.")
        case UploadRejected() as rejection:
            reason = "S3 does not copy ranges" if rejection.permanent else "S3 rejects copies"
            detail = f"{reason} ({rejection}): every clip passes through the function"
            if not compose:
                return Finding(name, None, detail, "COMPOSE=off is the right setting for it.")
            fix = "Set COMPOSE=off, so that the service does not try."
            if not rejection.permanent:
                fix = (
                    "Allow s3:GetObject on the recordings (and kms:Decrypt on their key) and use"
                    " one region for both buckets; or set COMPOSE=off."
                )
            return Finding(name, False, detail, fix)
        case error:
            fix = "Set COMPOSE=off until copies are correct."
            return Finding(name, False, str(error), fix)


def _judge_changed(changed: Exception | None) -> Finding:
    name = "copy condition"
    match changed:
        case RecordingChanged():
            return Finding(name, True, "a recording with another ETag is not copied")
        case None:
            fix = "Set COMPOSE=off: a clip could mix two versions of a recording."
            return Finding(name, False, "x-amz-copy-source-if-match is ignored", fix)
        case error:
            detail = f"a recording with another ETag is not answered with 412: {error}"
            return Finding(name, False, detail, "Set COMPOSE=off.")


def _judge_condition(operation: str, response: Exception | None) -> Finding:
    name = f"If-None-Match ({operation.removesuffix('MultipartUpload')})"
    match response:
        case AlreadyExists():
            return Finding(name, True, f"{operation} overwrites nothing")
        case None:
            fix = (
                "Use a version of the store that supports it, or process one message at a time."
                " Statuses stay right, but two concurrent deliveries may store a clip twice."
            )
            return Finding(name, False, f"{operation} ignores it and overwrites", fix)
        case error:
            return Finding(name, False, f"{operation} failed: {error}", "Try again.")


def _judge_undeleted(probe: ProbeResult) -> Finding:
    if not probe.undeleted:
        return Finding("cleaning up", True, "all test objects are deleted")
    keys = " ".join(key for key, _ in probe.undeleted)
    detail = f"not deleted: {keys} ({probe.undeleted[0][1]})"
    fix = "Delete it with credentials that may s3:DeleteObject; the service does not need that."
    return Finding("cleaning up", None, detail, fix)


def _number(attributes: Mapping[str, str], name: str) -> int:
    text = attributes.get(name, "")
    return int(text) if text.isdecimal() else 0
