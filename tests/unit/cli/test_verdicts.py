"""The doctor's verdicts, and the fix for each fault."""

from pathlib import Path
from typing import Any

import pytest

from domain.window import DAY_MS
from entrypoints.cli.doctor.doctor import lines
from entrypoints.cli.doctor.finding import Finding, fix_for, without_secrets
from entrypoints.cli.doctor.incomplete_uploads import Upload
from entrypoints.cli.doctor.local_checks import judge_encoders, judge_python, judge_scratch
from entrypoints.cli.doctor.verdicts import (
    judge_clock,
    judge_dead_letters,
    judge_lifecycle,
    judge_privacy,
    judge_queue,
    judge_regions,
    judge_topic,
    judge_uploads,
)
from entrypoints.settings import read_clip_settings

MIB = 1 << 20
RULES = read_clip_settings({})
QUEUE = {
    "VisibilityTimeout": "1800",
    "MessageRetentionPeriod": "345600",
    "RedrivePolicy": '{"maxReceiveCount": 5, "deadLetterTargetArn": "arn"}',
}


@pytest.mark.parametrize(
    ("changed", "name", "word", "has_fix"),
    [
        ({}, "queue visibility", "ok", False),
        ({"VisibilityTimeout": "1799"}, "queue visibility", "ok", True),
        ({"VisibilityTimeout": "301"}, "queue visibility", "ok", True),
        ({"VisibilityTimeout": "300"}, "queue visibility", "fault", True),
        ({"RedrivePolicy": ""}, "queue redrive", "fault", True),
        ({"RedrivePolicy": "{"}, "queue redrive", "fault", True),
        ({"RedrivePolicy": '{"maxReceiveCount": "5"}'}, "queue redrive", "ok", False),
        ({"RedrivePolicy": '{"maxReceiveCount": 4}'}, "queue redrive", "fault", True),
        ({"RedrivePolicy": '{"maxReceiveCount": 6}'}, "queue redrive", "fault", True),
        ({"MessageRetentionPeriod": "9001"}, "queue retention", "ok", False),
        ({"MessageRetentionPeriod": "9000"}, "queue retention", "fault", True),
        ({"FifoQueue": "true"}, "queue", "fault", True),
    ],
)
def test_queues(changed: dict[str, str], name: str, word: str, has_fix: bool) -> None:
    """Against the settings' defaults: a timeout of 300 s, five deliveries."""
    judged = {finding.name: finding for finding in judge_queue({**QUEUE, **changed}, RULES)}
    assert (judged[name].word, bool(judged[name].fix)) == (word, has_fix)


@pytest.mark.parametrize(
    ("retention_s", "count", "word", "has_fix"),
    [("1209600", "0", "ok", False), ("345600", "0", "fault", False), ("345601", "3", "ok", True)],
)
def test_dead_letter_queues(retention_s: str, count: str, word: str, has_fix: bool) -> None:
    """A message's age counts from its first sending; messages in the queue are not a fault."""
    dead = {"MessageRetentionPeriod": retention_s, "ApproximateNumberOfMessages": count}
    waiting, retention = judge_dead_letters(QUEUE, dead)
    assert (waiting.word, retention.word) == ("ok", word)
    assert ("camclip redrive" in waiting.fix) == has_fix


@pytest.mark.parametrize(
    ("arn", "subscribers", "word", "has_fix"),
    [
        ("arn:aws:sns:eu-west-1:1:clips", "2", "ok", False),
        ("arn:aws:sns:eu-west-1:1:clips", "0", "ok", True),
        ("arn:aws:sns:eu-west-1:1:clips.fifo", "2", "fault", True),
    ],
)
def test_topics(arn: str, subscribers: str, word: str, has_fix: bool) -> None:
    """A topic without subscribers is not a fault, but has a fix."""
    judged = judge_topic(arn, {"SubscriptionsConfirmed": subscribers})
    assert (judged.word, bool(judged.fix)) == (word, has_fix)


ABORT = {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ({**ABORT, "Filter": {"Prefix": ""}}, "ok"),
        ({**ABORT, "Filter": {}}, "ok"),
        ({**ABORT, "Prefix": ""}, "ok"),
        ({**ABORT, "Filter": {"Prefix": "pier/"}}, "fault"),
        ({**ABORT, "Prefix": "pier/"}, "fault"),
        ({**ABORT, "Filter": {"And": {"Prefix": "pier/"}}}, "fault"),
        ({**ABORT, "Status": "Disabled"}, "fault"),
        ({"Status": "Enabled", "Expiration": {"Days": 7}, "Filter": {}}, "fault"),
    ],
)
def test_lifecycle_rules(rule: dict[str, Any], word: str) -> None:
    """Only an enabled one for the whole bucket counts."""
    assert judge_lifecycle([rule]).word == word
    assert judge_lifecycle([]).word == "fault"


@pytest.mark.parametrize(
    ("age_days", "days", "word"),
    [(0.9, None, "ok"), (1.1, None, "fault"), (2.9, 1, "ok"), (3.1, 1, "fault"), (8, 7, "ok")],
)
def test_uploads(age_days: float, days: int | None, word: str) -> None:
    """S3 applies a rule a day or two after it is due."""
    upload = Upload("pier/c1.mp4", "id", 0)
    judged = judge_uploads([upload], 10, round(age_days * DAY_MS), days, "clips")
    assert judged.word == word


@pytest.mark.parametrize(
    ("origin", "destination", "compose", "word"),
    [
        ("eu-west-1", "eu-west-1", True, "ok"),
        ("eu-west-1", "us-west-1", True, "fault"),
        ("eu-west-1", "us-west-1", False, "ok"),
        ("", "eu-west-1", True, "skipped"),
    ],
)
def test_regions(origin: str, destination: str, compose: bool, word: str) -> None:
    """Two are a fault only if the service uses copies."""
    assert judge_regions(origin, destination, compose=compose).word == word


@pytest.mark.parametrize(
    ("skew_s", "word"), [(-31, "fault"), (-29, "ok"), (29, "ok"), (31, "fault")]
)
def test_clocks(skew_s: float, word: str) -> None:
    """Half a minute either way is accepted."""
    assert judge_clock(skew_s).word == word


def test_other_verdicts() -> None:
    """Python, disk space, encoders and privacy."""
    assert judge_python((3, 11)).word == "ok"
    assert judge_python((3, 10, 9)).word == "fault"
    need = 64 * MIB + 300 * 1_000_000
    assert judge_scratch(Path(), need, RULES).word == "ok"
    assert judge_scratch(Path(), need - 1, RULES).word == "fault"
    all_but_jpeg = [" V....D libx264 H.264", " A....D aac AAC", " V..... wrapped_avframe x"]
    assert judge_encoders(all_but_jpeg, "jpg").detail == "mjpeg missing"
    assert judge_encoders([*all_but_jpeg, " V..... libwebp WebP"], "webp").word == "ok"
    assert judge_privacy({"BlockPublicAcls": True}, "AES256").fix == ""
    assert judge_privacy({"BlockPublicAcls": True, "IgnorePublicAcls": False}, "").fix != ""
    assert judge_privacy({}, "").fix != ""


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("403", "Allow s3:ListBucket"),
        ("AccessDenied", "Allow s3:ListBucket"),
        ("NoSuchBucket", "Create it, or correct S3_BUCKET_ORIGIN"),
        ("ExpiredToken", "Provide valid AWS credentials"),
        ("NoCredentialsError", "Provide valid AWS credentials"),
        ("EndpointConnectionError", "Check AWS_DEFAULT_REGION"),
        ("SlowDown", "Check S3_BUCKET_ORIGIN, and try again"),
    ],
)
def test_each_kind_of_error_has_its_fix(code: str, fix: str) -> None:
    """By AWS's error code, or the library's error."""
    assert fix_for(code, "s3:ListBucket", "S3_BUCKET_ORIGIN").startswith(fix)


def test_a_finding_holds_no_secret() -> None:
    """Not even in an address."""
    text = "GET https://me:hush@api.example/cameras?token=hush failed"
    assert without_secrets(text) == "GET https://...@api.example/cameras?... failed"
    assert "hush" not in "\n".join(lines(Finding("camera API", False, text, "Check it.")))
