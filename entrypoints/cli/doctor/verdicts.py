"""What is right and what is wrong about the facts that AWS tells. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from application.ports import AlreadyExists
from domain.errors import RecordingChanged
from entrypoints.cli.doctor.finding import Finding
from entrypoints.cli.doctor.incomplete_uploads import Upload
from entrypoints.cli.doctor.multipart_probe import ProbeResult
from entrypoints.cli.units import megabytes, span
from entrypoints.settings import ClipSettings
from infrastructure.s3.multipart import CopyRejected
from infrastructure.sqs import redrive_policy

DAY_MS = 86_400_000
ADVISED_TIMEOUTS = 6
"""Of the function, for a queue to hide a message (Lambda guide, "Using Lambda with Amazon SQS")."""
MAX_SKEW_S = 30
"""S3 bears 15 minutes; but a clip's age and freshness go by these clocks."""
RULE = "a lifecycle rule for the whole bucket with AbortIncompleteMultipartUpload after 1 day"


def judge_queue(attributes: Mapping[str, str], rules: ClipSettings) -> list[Finding]:
    """Judge the queue's attributes, as GetQueueAttributes gives them."""
    if attributes.get("FifoQueue") == "true":
        mend = "Use a standard queue: a FIFO queue takes no delay for a single message."
        return [Finding("queue", False, "a FIFO queue", mend)]
    waiting, hidden = (
        attributes.get(f"ApproximateNumberOfMessages{which}", "?") for which in ("", "NotVisible")
    )
    said = f"about {waiting} messages wait, {hidden} are being worked on"
    return [
        Finding("queue", True, said),
        _judge_visibility(_number(attributes, "VisibilityTimeout"), rules),
        _judge_redrive(attributes, rules),
        _judge_retention(attributes, rules),
    ]


def _judge_visibility(hidden_s: int, rules: ClipSettings) -> Finding:
    timeout_s = rules.function_timeout_ms // 1000
    advised_s = ADVISED_TIMEOUTS * timeout_s
    said = f"a message is hidden for {hidden_s} s, FUNCTION_TIMEOUT is {timeout_s} s"
    if hidden_s > timeout_s:
        better = f"VisibilityTimeout {advised_s} s is advised, {ADVISED_TIMEOUTS} x as long."
        return Finding("queue visibility", True, said, better if hidden_s < advised_s else "")
    mend = f"Set VisibilityTimeout to {advised_s} s: a message returns while it is worked on."
    return Finding("queue visibility", False, said, mend)


def _judge_redrive(attributes: Mapping[str, str], rules: ClipSettings) -> Finding:
    name, wanted = "queue redrive", rules.max_receive_count
    count = redrive_policy(attributes).get("maxReceiveCount")
    if count is None:
        mend = f"Give it a RedrivePolicy with maxReceiveCount {wanted}: now a failure never ends."
        return Finding(name, False, "there is no dead-letter queue", mend)
    said = f"a dead letter after {count} deliveries, MAX_RECEIVE_COUNT is {wanted}"
    if str(count) == str(wanted):
        return Finding(name, True, said)
    mend = "Make them equal: a failure is told on the last delivery, whichever that is."
    return Finding(name, False, said, mend)


def _judge_retention(attributes: Mapping[str, str], rules: ClipSettings) -> Finding:
    kept_s = _number(attributes, "MessageRetentionPeriod")
    tries_s = rules.max_receive_count * _number(attributes, "VisibilityTimeout")
    said = f"messages are kept for {span(kept_s)}, all deliveries may take {span(tries_s)}"
    mend = "Set MessageRetentionPeriod to 4 days: what is kept for less vanishes untold."
    return Finding("queue retention", kept_s > tries_s, said, "" if kept_s > tries_s else mend)


def judge_dead_letters(queue: Mapping[str, str], dead: Mapping[str, str]) -> list[Finding]:
    """Judge the dead-letter queue against its queue. In SQS a letter's age goes on counting."""
    waiting = dead.get("ApproximateNumberOfMessages", "?")
    look = "`camclip redrive` says what they are." if waiting != "0" else ""
    kept_s = _number(dead, "MessageRetentionPeriod")
    before_s = _number(queue, "MessageRetentionPeriod")
    said = f"kept for {span(kept_s)}, {span(before_s)} in the queue before"
    mend = "Set its MessageRetentionPeriod to 14 days: letters are as old as their first sending."
    longer = kept_s > before_s
    return [
        Finding("dead letters", True, f"about {waiting} letters", look),
        Finding("dead letter retention", longer, said, "" if longer else mend),
    ]


def judge_topic(topic_arn: str, attributes: Mapping[str, str]) -> Finding:
    """Judge the topic's attributes."""
    if topic_arn.endswith(".fifo"):
        mend = "Use a standard topic: a FIFO topic wants a group with every message."
        return Finding("topic", False, "a FIFO topic", mend)
    subscribers = attributes.get("SubscriptionsConfirmed", "?")
    mend = "Subscribe somebody, or nobody hears how requests end." if subscribers == "0" else ""
    return Finding("topic", True, f"{subscribers} confirmed subscriptions", mend)


def judge_regions(origin: str, destination: str, *, compose: bool) -> Finding:
    """Judge the buckets' regions, empty where the store does not say."""
    if not origin or not destination:
        return Finding("regions", None, "the store does not say where its buckets are")
    if origin == destination:
        return Finding("regions", True, f"both buckets are in {origin}")
    said = f"the recordings are in {origin}, the clips in {destination}"
    mend = "Put both into one region (S3 copies no parts across), or set COMPOSE=off."
    return Finding("regions", not compose, said, mend)


def judge_clock(skew_s: float) -> Finding:
    """Judge how far this clock is ahead of S3's."""
    said = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} S3's"
    if abs(skew_s) <= MAX_SKEW_S:
        return Finding("clock", True, f"within {MAX_SKEW_S} s of S3's")
    return Finding("clock", False, said, "Set this machine's clock (NTP).")


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
    said = f"incomplete uploads are aborted after {days} day{'s' if days != 1 else ''}"
    if days:
        return Finding("lifecycle", True, said)
    mend = f"Add {RULE}: a killed process leaves its parts behind, and they are paid for."
    return Finding("lifecycle", False, "no rule aborts every incomplete upload", mend)


def judge_uploads(
    uploads: Sequence[Upload], parts_bytes: int, now_ms: int, days: int | None, bucket: str
) -> Finding:
    """Judge incomplete uploads, the oldest first, that a rule aborts after `days`, if one does.

    `parts_bytes` is the size of those older than a day. Lifecycle rules run once a day.
    """
    old = [upload for upload in uploads if now_ms - upload.begun_ms > DAY_MS]
    if not old:
        said = f"{len(uploads)} under way, none for more than a day"
        return Finding("uploads", True, said)
    oldest = old[0]
    age_ms = now_ms - oldest.begun_ms
    said = (
        f"{len(old)} left behind for more than a day, {megabytes(parts_bytes)} of parts,"
        f" the oldest, of {oldest.key}, for {span(age_ms // 1000)}"
    )
    if days and age_ms <= (days + 2) * DAY_MS:
        return Finding("uploads", True, said + "; the lifecycle rule will abort them")
    mend = (
        f"Add {RULE}; or, each: aws s3api abort-multipart-upload --bucket {bucket}"
        f" --key '{oldest.key}' --upload-id '{oldest.upload_id}'"
    )
    return Finding("uploads", False, said, mend)


def judge_privacy(block: Mapping[str, bool], encryption: str) -> Finding:
    """Judge who may see the clips: a public bucket may be meant, so it is no fault."""
    open_ways = sorted(name for name, blocked in block.items() if not blocked)
    private = bool(block) and not open_ways
    said = f"public access is {'' if private else 'not wholly '}blocked, encryption: {encryption}"
    better = "Unless clips are meant for everybody, block public access to the bucket."
    return Finding("privacy", True, said, "" if private else better)


def judge_trial(trial: ProbeResult, *, compose: bool) -> list[Finding]:
    """Judge a composition; without `compose` the service does not want copies."""
    return [
        _judge_copies(trial, compose=compose),
        *([_judge_changed(trial.changed)] if trial.composed is None else []),
        _judge_condition("CompleteMultipartUpload", trial.completed_again),
        _judge_condition("PUT", trial.put_again),
        _judge_left(trial),
    ]


def _judge_copies(trial: ProbeResult, *, compose: bool) -> Finding:
    name = "copies"
    speed = f"{trial.took_s:.2f} s: {megabytes(trial.copied_bytes / max(trial.took_s, 0.01))}/s"
    match trial.composed or trial.alike:
        case None:
            better = "" if compose else "COMPOSE=auto would use them."
            said = f"{megabytes(trial.copied_bytes)} were copied inside S3 in {speed}"
            return Finding(name, True, said, better)
        case CopyRejected() as refused:
            because = "the store does not copy ranges" if refused.permanent else "they are refused"
            said = f"{because} ({refused}): each clip passes through the function"
            if not compose:
                return Finding(name, None, said, "COMPOSE=off is right for it.")
            mend = "Set COMPOSE=off, to spare the attempts."
            if not refused.permanent:
                mend = (
                    "Allow s3:GetObject on the recordings (and kms:Decrypt on their key),"
                    " have both buckets in one region; or set COMPOSE=off."
                )
            return Finding(name, False, said, mend)
        case error:
            mend = "Set COMPOSE=off until copies can be trusted."
            return Finding(name, False, str(error), mend)


def _judge_changed(changed: Exception | None) -> Finding:
    name, mend = "copy condition", "Set COMPOSE=off: a recording replaced meanwhile would mix in."
    match changed:
        case RecordingChanged():
            return Finding(name, True, "a recording with another ETag is not copied")
        case None:
            return Finding(name, False, "x-amz-copy-source-if-match is ignored", mend)
        case error:
            said = f"a recording with another ETag is answered otherwise than with 412: {error}"
            return Finding(name, False, said, "Set COMPOSE=off.")


def _judge_condition(operation: str, answer: Exception | None) -> Finding:
    name = f"If-None-Match ({operation.removesuffix('MultipartUpload')})"
    match answer:
        case AlreadyExists():
            return Finding(name, True, f"{operation} overwrites nothing")
        case None:
            mend = (
                "Statuses stay right without it, but two deliveries at once may store a clip twice:"
                " use a version of the store that honours it, or one delivery at a time."
            )
            return Finding(name, False, f"{operation} ignores it and overwrites", mend)
        case error:
            return Finding(
                name, False, f"{operation} was answered otherwise: {error}", "Try again."
            )


def _judge_left(trial: ProbeResult) -> Finding:
    if not trial.left:
        return Finding("cleaning up", True, "nothing is left of it")
    keys = " ".join(key for key, _ in trial.left)
    said = f"not deleted: {keys} ({trial.left[0][1]})"
    mend = "Delete it with credentials that may s3:DeleteObject; the service itself need not."
    return Finding("cleaning up", None, said, mend)


def _number(attributes: Mapping[str, str], name: str) -> int:
    text = attributes.get(name, "")
    return int(text) if text.isdecimal() else 0
