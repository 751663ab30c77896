"""`camclip doctor`: what it says of a sound deployment, and of each thing that can ail one."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from botocore.config import Config
from pytest_httpserver import HTTPServer

from application.ports import AlreadyExists
from domain.errors import DeadlineExceeded, RecordingChanged, Unavailable
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.doctor import lines
from entrypoints.cli.doctor.finding import Finding, fix_for, without_secrets
from entrypoints.cli.doctor.incomplete_uploads import Upload, list_uploads
from entrypoints.cli.doctor.local_checks import judge_encoders, judge_python, judge_scratch
from entrypoints.cli.doctor.multipart_probe import ProbeFailed, ProbeResult, probe_multipart
from entrypoints.cli.doctor.verdicts import (
    judge_clock,
    judge_dead_letters,
    judge_lifecycle,
    judge_privacy,
    judge_queue,
    judge_regions,
    judge_topic,
    judge_trial,
    judge_uploads,
)
from entrypoints.settings import read_clip_settings
from infrastructure.aws import CONFIG
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.s3.multipart import CopyRejected
from infrastructure.s3.recordings import S3Recording
from tests.contract.conftest import aws, footages
from tests.contract.real import Aws, aws_session, clients_of
from tests.contract.worlds import Footages
from tests.integration.doctor.deployment import SECRET, Deployment, camclip, deploy
from tests.support.loopback import Script, answer, loopback
from tests.support.strict_s3 import Fault, Reply, StrictS3, fails, lost, strict_s3

__all__ = ["aws", "footages"]  # fixtures

MIB = 1 << 20
DAY_MS = 86_400_000
RULES = read_clip_settings({})
NO_INDEX: Any = None
HTTP = " must be an http or https address"
SOUND = [
    *("python", "settings", "ffmpeg", "encoders", "scratch"),
    *("origin", "clock", "origin listing", "recording"),
    *("destination", "regions", "destination listing", "destination reading"),
    *("lifecycle", "uploads", "privacy"),
    *("queue", "queue visibility", "queue redrive", "queue retention"),
    *("dead letters", "dead letter retention", "topic", "camera API"),
]
COMPOSED = [
    *("copies", "copy condition", "If-None-Match (Complete)", "If-None-Match (PUT)"),
    "cleaning up",
]


@pytest.fixture
def deployment(aws: Aws, httpserver: HTTPServer, footages: Footages) -> Deployment:
    """Deploy, with one recording of 12 MiB and one clip."""
    deployed = deploy(aws, httpserver)
    film = footages.whole.data + (12 * MIB).to_bytes(4, "big") + b"free" + bytes(12 * MIB - 8)
    aws.s3.put_object(Bucket=deployed.origin, Key="rewinds/pier.20260501T120000.mp4", Body=film)
    aws.s3.put_object(Bucket=deployed.clips, Key="pier/c1.mp4", Body=b"clip")
    return deployed


def found(printed: str) -> dict[str, str]:
    """Return the findings' words by their names."""
    rows = [line for line in printed.splitlines() if line[:1] != " "]
    return {line[9:33].strip(): line[:8].strip() for line in rows}


class TestHere:
    """Without asking anybody."""

    def test_a_laptop_without_settings_is_sound(self) -> None:
        """A folder needs none; ffmpeg came with the install."""
        ran = camclip("doctor")
        assert ran.exit_code == 0, ran.output
        words = found(ran.stdout)
        assert words.pop("settings") == "skipped"
        assert words == dict.fromkeys(("python", "ffmpeg", "encoders", "scratch"), "ok")
        assert ran.stderr == "4 checks, no fault.\n"

    def test_every_fault_of_the_settings_is_told_and_no_secret(
        self, deployment: Deployment
    ) -> None:
        """An address may hold a password, which stays out of what is printed."""
        faulty = {"CLIP_URL": "ftp://me:hush@clips.example/?token=hush", "SQS_TIMEOUT": "0"}
        ran = deployment.camclip("doctor", **faulty)
        assert ran.exit_code == 1
        told = [line for line in ran.stdout.splitlines() if line.startswith("fault")]
        assert told == [
            f"fault    settings{' ' * 17}SQS_TIMEOUT='0' must be a whole number from 1 to 900",
            f"fault    settings{' ' * 17}CLIP_URL='ftp://...@clips.example/?...'{HTTP}",
        ]
        assert "hush" not in ran.output
        assert SECRET not in ran.output
        assert ran.stderr.startswith("2 of ")

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            (None, "CAMCLIP_FFMPEG names no program"),
            ("#!/nowhere/sh\n", "ffmpeg cannot be started"),
            ("#!/bin/sh\nexit 1\n", "ffmpeg left with 1"),
            ("#!/bin/sh\ntrue\n", "it does not say its version"),
        ],
    )
    def test_an_ffmpeg_that_does_not_run_is_a_fault(
        self, tmp_path: Path, script: str | None, said: str
    ) -> None:
        """And what to do about it is said."""
        fake = tmp_path / "ffmpeg"
        if script:
            fake.write_text(script)
            fake.chmod(0o755)
        ran = camclip("doctor", CAMCLIP_FFMPEG=str(fake))
        assert ran.exit_code == 1
        assert found(ran.stdout)["ffmpeg"] == "fault"
        assert said in ran.stdout
        assert "-> Set CAMCLIP_FFMPEG" in ran.stdout

    def test_a_scratch_folder_that_cannot_be_is_a_fault(self, tmp_path: Path) -> None:
        """Nothing is left of the attempt, nor of one that works."""
        (tmp_path / "file").write_text("in the way")
        ran = camclip("doctor", CLIP_DOWNLOAD_DEST=str(tmp_path / "file"))
        assert found(ran.stdout)["scratch"] == "fault"
        assert camclip("doctor", CLIP_DOWNLOAD_DEST=str(tmp_path / "new")).exit_code == 0
        assert list((tmp_path / "new").iterdir()) == []

    def test_the_env_file_is_read_as_make_invoke_reads_it(
        self, deployment: Deployment, tmp_path: Path
    ) -> None:
        """What only boto3 looks at included."""
        mine = {**deployment.settings, "S3_BUCKET_DESTINATION": "no-such-bucket"}
        (tmp_path / ".env").write_text("".join(f"{k}={v}\n" for k, v in mine.items()))
        ran = subprocess.run(
            [
                sys.executable,
                "-c",
                "from entrypoints.cli.app import main; main()",
                "doctor",
                "--aws",
            ],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 1, ran.stderr
        words = found(ran.stdout)
        assert words["origin"] == "ok"
        assert words["destination"] == "fault"
        assert "lifecycle" not in words  # what is not there has no rules either


class TestAround:
    """A deployment in moto, asked through the command."""

    def test_a_sound_deployment_has_no_fault(self, deployment: Deployment) -> None:
        """Every check is made, each in a line."""
        deployment.cameras.has_segment("pier", 0)
        ran = deployment.camclip("doctor", "--aws")
        assert ran.exit_code == 0, ran.output
        assert found(ran.stdout) == dict.fromkeys(SOUND, "ok")
        assert SECRET not in ran.output

    def test_it_only_reads(self, deployment: Deployment) -> None:
        """Unless a composition is asked for."""
        before = deployment.aws.s3.list_objects_v2(Bucket=deployment.clips)["Contents"]
        deployment.camclip("doctor", "--aws")
        assert deployment.aws.s3.list_objects_v2(Bucket=deployment.clips)["Contents"] == before
        assert deployment.letters(deployment.queue_url) == []
        assert deployment.letters(deployment.dead_url) == []

    def test_people_read_this(self, deployment: Deployment) -> None:
        """A line for what was found, one below for what to do."""
        aws_ = deployment.aws
        aws_.sqs.set_queue_attributes(
            QueueUrl=deployment.queue_url, Attributes={"VisibilityTimeout": "300"}
        )
        ran = deployment.camclip("doctor", "--camera", "pier")
        assert ran.exit_code == 1
        told = ran.stdout.splitlines()
        at = told.index(
            "fault    queue visibility         a message is hidden for 300 s,"
            " FUNCTION_TIMEOUT is 300 s"
        )
        assert told[at + 1] == (
            " " * 34 + "-> Set VisibilityTimeout to 1800 s:"
            " a message returns while it is worked on."
        )
        assert "fault    camera API               unknown camera pier" in told
        assert ran.stderr == "2 of 24 checks found a fault.\n"

    def test_json_is_a_finding_a_line(self, deployment: Deployment) -> None:
        """For programs."""
        ran = deployment.camclip("doctor", "--aws", "--json")
        rows = [json.loads(line) for line in ran.stdout.splitlines()]
        assert [row["name"] for row in rows] == SOUND
        assert set(rows[0]) == {"name", "finding", "said", "mend"}

    def test_uploads_left_behind_are_counted(self, deployment: Deployment) -> None:
        """With the size of their parts, and the call that ends one."""
        s3, bucket, key = deployment.aws.s3, deployment.clips, "pier/c9.mp4"
        made = s3.create_multipart_upload(Bucket=bucket, Key=key)  # moto dates it 2010
        upload, data = made["UploadId"], b"x" * 1_500_000
        s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=data)
        ran = deployment.camclip("doctor", "--aws")
        assert found(ran.stdout)["uploads"] == "fault"
        assert "1 left behind for more than a day, 1.5 MB of parts, the oldest, of pier/c9.mp4" in (
            ran.stdout
        )
        assert f"--key 'pier/c9.mp4' --upload-id '{upload}'" in ran.stdout

    def test_whoever_may_nothing_is_told_what_to_allow(self, deployment: Deployment) -> None:
        """Each permission by its name, and no traceback."""
        denied = answer("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>")
        with loopback(denied) as server:
            ran = deployment.camclip("doctor", "--aws", AWS_ENDPOINT_URL=server.url)
        assert ran.exit_code == 1
        words = found(ran.stdout)
        assert [words[name] for name in ("origin", "destination", "queue")] == ["fault"] * 3
        assert words["topic"] == "skipped"  # only the doctor reads it
        for permission in ("s3:ListBucket", "sqs:GetQueueAttributes", "sns:GetTopicAttributes"):
            assert f"-> Allow {permission}" in ran.stdout
        assert "Traceback" not in ran.output

    def test_credentials_that_ran_out_are_said_once(self, deployment: Deployment) -> None:
        """S3 answers a HEAD with a bare 400 then; nothing else is asked."""
        with loopback(answer("400 Bad Request")) as server:
            ran = deployment.camclip("doctor", "--aws", AWS_ENDPOINT_URL=server.url)
        assert [name for name, word in found(ran.stdout).items() if word == "fault"] == ["origin"]
        assert "aws sts get-caller-identity" in ran.stdout
        assert len(server.requests) == 1

    def test_a_store_that_hides_what_is_absent_is_a_fault(self, deployment: Deployment) -> None:
        """Without s3:ListBucket every clip's first HEAD would be a 403."""
        ok = answer("200 OK", b"", "x-amz-bucket-region: us-east-1")
        with loopback(ok, answer("403 Forbidden")) as server:
            ran = deployment.camclip("doctor", "--aws", AWS_ENDPOINT_URL=server.url)
        assert found(ran.stdout)["origin"] == "ok"
        assert found(ran.stdout)["origin listing"] == "fault"

    def test_a_camera_api_that_knows_every_camera_is_a_fault(
        self, deployment: Deployment, httpserver: HTTPServer
    ) -> None:
        """Its clips would be waited for in vain."""
        httpserver.clear()
        httpserver.expect_request("/cameras/recording/any").respond_with_json([])
        httpserver.expect_request(CATCH_ALL).respond_with_json({"alias": "any"})
        ran = deployment.camclip("doctor", "--aws")
        assert found(ran.stdout)["camera API"] == "fault"

    def test_a_camera_api_that_is_down_is_a_fault(self, deployment: Deployment) -> None:
        """Its address is not printed: it may hold a password."""
        gone = {"CAM_SERVICES_URL": "http://me:hush@127.0.0.1:1"}
        ran = deployment.camclip("doctor", "--aws", **gone)
        assert found(ran.stdout)["camera API"] == "fault"
        assert "-> See to CAM_SERVICES_URL, RECORDINGS_URL" in ran.stdout
        assert "hush" not in ran.output

    def test_moto_is_found_out(self, deployment: Deployment) -> None:
        """It composes, but copies from a recording that has changed; nothing stays behind."""
        ran = deployment.camclip("doctor", "--compose")
        words = found(ran.stdout)
        assert list(words) == SOUND + COMPOSED
        assert [name for name, word in words.items() if word != "ok"] == ["copy condition"]
        assert "13 MB were copied inside S3 in " in ran.stdout
        keys = deployment.aws.s3.list_objects_v2(Bucket=deployment.clips)["Contents"]
        assert [row["Key"] for row in keys] == ["pier/c1.mp4"]
        assert "Uploads" not in deployment.aws.s3.list_multipart_uploads(Bucket=deployment.clips)

    def test_without_a_recording_there_is_no_composition(self, deployment: Deployment) -> None:
        """It is skipped, not at fault."""
        ran = deployment.camclip("doctor", "--compose", S3_BUCKET_ORIGIN_DIR="elsewhere")
        words = found(ran.stdout)
        assert (words["recording"], words["composition"]) == ("skipped", "skipped")
        assert ran.exit_code == 0


CATCH_ALL = re.compile("/cameras/camclip-doctor-.*")


# The trial at a store that keeps all rules, and fails on demand


@pytest.fixture
def server() -> Iterator[StrictS3]:
    with strict_s3() as served:
        yield served


@pytest.fixture
def tried(server: StrictS3) -> Callable[[], ProbeResult]:
    """Try a composition of a recording of 12 MiB at the strict server."""
    config = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
    client = aws_session().client("s3", endpoint_url=server.url, config=config)
    data = bytes(range(251)) * (12 * MIB // 251)
    etag = server.put("origin/pier.mp4", data).etag

    def fetch(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    segment = RecordingSegment(TimeWindow(0, 1), "pier.mp4")
    file = RangeCache(fetch, len(data))
    recording = S3Recording(segment, etag, NO_INDEX, file, "origin", "pier.mp4")
    return lambda: probe_multipart(client, recording, "clips")


def ignoring(server: StrictS3, header: str, value: str | None = None) -> Fault:
    """Do it as if the header were not there, or another."""

    def fault(proper: Callable[[], Reply]) -> Reply:
        for request in server.requests:
            if header in request.headers and value:
                request.headers[header] = value
            elif header in request.headers:
                del request.headers[header]
        return proper()

    return fault


def told(trial: ProbeResult, *, compose: bool = True) -> dict[str, str]:
    return {finding.name: finding.word for finding in judge_trial(trial, compose=compose)}


def test_a_store_that_keeps_the_rules_passes(
    tried: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """And is left as it was."""
    trial = tried()
    assert told(trial) == dict.fromkeys(COMPOSED, "ok")
    assert trial.copied_bytes == len(server.objects["origin/pier.mp4"].data)
    assert list(server.objects) == ["origin/pier.mp4"]
    assert not server.uploads
    keys = {request.key for request in server.asked("complete")}
    assert all(key.startswith("clips/.camclip-doctor/") for key in keys)


@pytest.mark.parametrize(
    ("operation", "header", "ailing"),
    [
        ("complete", "if-none-match", "If-None-Match (Complete)"),
        ("put", "if-none-match", "If-None-Match (PUT)"),
    ],
)
def test_a_store_that_ignores_a_condition_is_found_out(
    tried: Callable[[], ProbeResult], server: StrictS3, operation: str, header: str, ailing: str
) -> None:
    """That one, and no other; what it stored by mistake is deleted."""
    server.faults[operation] = [ignoring(server, header)]
    assert told(tried()) == {**dict.fromkeys(COMPOSED, "ok"), ailing: "fault"}
    assert list(server.objects) == ["origin/pier.mp4"]


def test_a_store_that_copies_whatever_there_is_is_found_out(
    tried: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """As moto does."""
    etag = server.objects["origin/pier.mp4"].etag
    server.faults["copy"] = [ignoring(server, "x-amz-copy-source-if-match", etag)]
    assert told(tried()) == {**dict.fromkeys(COMPOSED, "ok"), "copy condition": "fault"}
    assert list(server.objects) == ["origin/pier.mp4"]


def test_a_store_that_copies_other_bytes_is_found_out(
    tried: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """Both ends of the range are compared."""
    size = len(server.objects["origin/pier.mp4"].data)
    shifted = f"bytes=1-{size - 1}"
    server.faults["copy"] = [ignoring(server, "x-amz-copy-source-range", shifted)]
    server.faults["complete"] = [ignoring(server, "x-amz-mp-object-size", str(size - 1 + 1000))]
    assert told(tried())["copies"] == "fault"


def test_a_store_that_does_not_copy_is_told_apart(
    tried: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """Its conditions are tried all the same, and COMPOSE=off makes it no fault."""
    server.faults["copy"] = [fails(501, "NotImplemented")]
    trial = tried()
    others = dict.fromkeys(("If-None-Match (Complete)", "If-None-Match (PUT)", "cleaning up"), "ok")
    assert told(trial) == {"copies": "fault", **others}
    assert told(trial, compose=False) == {"copies": "skipped", **others}
    assert list(server.objects) == ["origin/pier.mp4"]


def test_a_copy_that_is_denied_names_the_permission(
    tried: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """The recordings' key may be what is missing."""
    server.faults["copy"] = [fails(403, "AccessDenied")]
    copies = judge_trial(tried(), compose=True)[0]
    assert copies.word == "fault"
    assert "AccessDenied" in copies.said
    assert "s3:GetObject" in copies.mend
    assert "kms:Decrypt" in copies.mend


def test_where_nothing_can_be_stored_there_is_no_trial(
    tried: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """What the store said is the reason."""
    server.faults["create"] = server.faults["put"] = [fails(403, "AccessDenied")]
    with pytest.raises(ProbeFailed, match="AccessDenied"):
        tried()


def test_who_may_not_delete_is_told_what_is_left(
    tried: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """The service needs no such right, so it is no fault."""
    server.faults["delete"] = [fails(403, "AccessDenied")]
    left = judge_trial(tried(), compose=True)[-1]
    (key,) = set(server.objects) - {"origin/pier.mp4"}
    assert left.word == "skipped"
    assert key.removeprefix("clips/") in left.said
    assert "AccessDenied" in left.said
    assert "s3:DeleteObject" in left.mend


def test_a_lost_reply_leaves_nothing_behind(
    tried: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """The object is deleted although nobody said that it was stored."""
    server.faults["complete"] = [lost]
    with pytest.raises(ProbeFailed):
        tried()
    assert list(server.objects) == ["origin/pier.mp4"]


# Judgements

QUEUE = {
    "VisibilityTimeout": "1800",
    "MessageRetentionPeriod": "345600",
    "RedrivePolicy": '{"maxReceiveCount": 5, "deadLetterTargetArn": "arn"}',
}


@pytest.mark.parametrize(
    ("changed", "name", "word", "advised"),
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
def test_queues(changed: dict[str, str], name: str, word: str, advised: bool) -> None:
    """Against the settings' defaults: a timeout of 300 s, five deliveries."""
    judged = {finding.name: finding for finding in judge_queue({**QUEUE, **changed}, RULES)}
    assert (judged[name].word, bool(judged[name].mend)) == (word, advised)


@pytest.mark.parametrize(
    ("kept_s", "letters", "word", "advised"),
    [("1209600", "0", "ok", False), ("345600", "0", "fault", False), ("345601", "3", "ok", True)],
)
def test_dead_letter_queues(kept_s: str, letters: str, word: str, advised: bool) -> None:
    """Letters are as old as their first sending; those that wait are no fault of the set-up."""
    dead = {"MessageRetentionPeriod": kept_s, "ApproximateNumberOfMessages": letters}
    waiting, retention = judge_dead_letters(QUEUE, dead)
    assert (waiting.word, retention.word) == ("ok", word)
    assert ("camclip redrive" in waiting.mend) == advised


@pytest.mark.parametrize(
    ("arn", "subscribers", "word", "advised"),
    [
        ("arn:aws:sns:eu-west-1:1:clips", "2", "ok", False),
        ("arn:aws:sns:eu-west-1:1:clips", "0", "ok", True),
        ("arn:aws:sns:eu-west-1:1:clips.fifo", "2", "fault", True),
    ],
)
def test_topics(arn: str, subscribers: str, word: str, advised: bool) -> None:
    """A topic that nobody hears is no fault, but worth a word."""
    judged = judge_topic(arn, {"SubscriptionsConfirmed": subscribers})
    assert (judged.word, bool(judged.mend)) == (word, advised)


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
    """Only one that is on, and for the whole bucket, counts."""
    assert judge_lifecycle([rule]).word == word
    assert judge_lifecycle([]).word == "fault"


@pytest.mark.parametrize(
    ("age_days", "days", "word"),
    [(0.9, None, "ok"), (1.1, None, "fault"), (2.9, 1, "ok"), (3.1, 1, "fault"), (8, 7, "ok")],
)
def test_uploads(age_days: float, days: int | None, word: str) -> None:
    """A rule has its days, and a day or two to run."""
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
    """Two are a fault only if copies are wanted."""
    assert judge_regions(origin, destination, compose=compose).word == word


@pytest.mark.parametrize(
    ("skew_s", "word"), [(-31, "fault"), (-29, "ok"), (29, "ok"), (31, "fault")]
)
def test_clocks(skew_s: float, word: str) -> None:
    """Half a minute either way is borne."""
    assert judge_clock(skew_s).word == word


def test_other_judgements() -> None:
    """The bounds of what needs no table."""
    assert judge_python((3, 11)).word == "ok"
    assert judge_python((3, 10, 9)).word == "fault"
    need = 64 * MIB + 300 * 1_000_000
    assert judge_scratch(Path(), need, RULES).word == "ok"
    assert judge_scratch(Path(), need - 1, RULES).word == "fault"
    all_but_jpeg = [" V....D libx264 H.264", " A....D aac AAC", " V..... wrapped_avframe x"]
    assert judge_encoders(all_but_jpeg, "jpg").said == "mjpeg lacking"
    assert judge_encoders([*all_but_jpeg, " V..... libwebp WebP"], "webp").word == "ok"
    assert judge_privacy({"BlockPublicAcls": True}, "AES256").mend == ""
    assert judge_privacy({"BlockPublicAcls": True, "IgnorePublicAcls": False}, "").mend != ""
    assert judge_privacy({}, "").mend != ""


@pytest.mark.parametrize(
    ("step", "error", "name", "word"),
    [
        ("changed", CopyRejected("InvalidRequest", permanent=False), "copy condition", "fault"),
        ("changed", Unavailable("S3 answered InternalError."), "copy condition", "fault"),
        ("completed_again", DeadlineExceeded("late"), "If-None-Match (Complete)", "fault"),
        ("alike", Unavailable("S3 answered AccessDenied."), "copies", "fault"),
        ("composed", Unavailable("S3 answered InternalError."), "copies", "fault"),
    ],
)
def test_steps_that_fail_otherwise(step: str, error: Exception, name: str, word: str) -> None:
    """What is not the right refusal is a fault, and what was said is passed on."""
    kept = ProbeResult(1, 1.0, None, None, RecordingChanged(), AlreadyExists(), AlreadyExists(), ())
    failing: dict[str, Any] = {step: error}
    judged = judge_trial(evolve(kept, **failing), compose=True)
    (finding,) = [finding for finding in judged if finding.name == name]
    assert finding.word == word
    assert str(error) in finding.said


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        ("403", "Allow s3:ListBucket"),
        ("AccessDenied", "Allow s3:ListBucket"),
        ("NoSuchBucket", "Create it, or put S3_BUCKET_ORIGIN right"),
        ("ExpiredToken", "Give valid AWS credentials"),
        ("NoCredentialsError", "Give valid AWS credentials"),
        ("EndpointConnectionError", "See to AWS_DEFAULT_REGION"),
        ("SlowDown", "See to S3_BUCKET_ORIGIN, and try again"),
    ],
)
def test_each_kind_of_answer_has_its_remedy(code: str, mend: str) -> None:
    """By the service's code, or the library's error."""
    assert fix_for(code, "s3:ListBucket", "S3_BUCKET_ORIGIN").startswith(mend)


def test_a_finding_holds_no_secret() -> None:
    """Wherever its text came from."""
    text = "GET https://me:hush@api.example/cameras?token=hush failed"
    assert without_secrets(text) == "GET https://...@api.example/cameras?... failed"
    assert "hush" not in "\n".join(lines(Finding("camera API", False, text, "See to it.")))


def test_uploads_are_listed_the_oldest_first() -> None:
    """Those of every page."""

    def page(key: str, day: int, more: str) -> Script:
        upload = f"<Key>{key}</Key><UploadId>u</UploadId><Initiated>2026-05-0{day}T00:00:00Z"
        body = f"{more}<Upload>{upload}</Initiated></Upload>"
        tag = "ListMultipartUploadsResult"
        return answer("200 OK", f"<{tag}>{body}</{tag}>".encode())

    more = "<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>"
    more += "<NextUploadIdMarker>u</NextUploadIdMarker>"
    with loopback(page("a", 3, more), page("b", 1, "")) as server:
        listed = list_uploads(clients_of(server.url).s3, "clips", time.monotonic() + 10)
    assert [upload.key for upload in listed] == ["b", "a"]
    assert listed[0].begun_ms == 1_777_593_600_000
    assert "key-marker=a" in server.requests[1]
