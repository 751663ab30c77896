"""`camclip doctor` on this machine and on a deployment in moto, with and without faults."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values

from devtools.local_aws.http_server import Response
from entrypoints.cli.doctor.incomplete_uploads import list_uploads
from tests.contract.real import Aws, HttpCameraWorld, clients_of
from tests.contract.worlds import Footages
from tests.integration.doctor.deployment import SECRET, MotoDeployment, camclip, deployed
from tests.support.loopback import Script, answer, loopback

NOT_HTTP = " must be an http or https address"

MIB = 1 << 20
WORDS = {"ok", "fault", "skipped"}
CHECKS = [
    *("python", "settings", "ffmpeg", "encoders", "scratch"),
    *("origin", "clock", "origin listing", "recording"),
    *("destination", "regions", "destination listing", "destination reading"),
    *("lifecycle", "uploads", "privacy"),
    *("queue", "queue visibility", "queue redrive", "queue retention"),
    *("dead letters", "dead letter retention", "topic", "camera API"),
]
COMPOSITION_CHECKS = [
    *("copies", "copy condition", "If-None-Match", "checksums", "metadata", "bucket owner"),
    *("cleaning up", "store settings"),
]


@pytest.fixture
def deployment(
    aws: Aws, http_cameras: HttpCameraWorld, footages: Footages
) -> Iterator[MotoDeployment]:
    """Deploy, with one recording of 12 MiB and one clip."""
    recording = footages.whole.data + (12 * MIB).to_bytes(4, "big") + b"free" + bytes(12 * MIB - 8)
    key = "rewinds/pier.20260501T120000.mp4"
    with deployed(aws, http_cameras) as made:
        made.aws.s3.put_object(Bucket=made.aws.origin, Key=key, Body=recording)
        made.aws.s3.put_object(Bucket=made.aws.destination, Key="pier/c1.mp4", Body=b"clip")
        yield made


def words_of(printed: str) -> dict[str, str]:
    """Return the findings' words, by name."""
    rows = [line for line in printed.splitlines() if line[:8].strip() in WORDS]
    return {line[9:33].strip(): line[:8].strip() for line in rows}


class TestThisMachine:
    """Without network."""

    def test_a_laptop_without_settings_has_no_fault(self) -> None:
        """A folder needs none; ffmpeg is installed with the package."""
        ran = camclip("doctor")
        assert ran.exit_code == 0, ran.output
        words = words_of(ran.stdout)
        assert words.pop("settings") == "skipped"
        assert words == dict.fromkeys(("python", "ffmpeg", "encoders", "scratch"), "ok")
        assert ran.stderr == (
            "4 checks, no fault. Not checked: settings, AWS and the camera API (--aws).\n"
        )

    @pytest.mark.parametrize("options", [[], ["--aws"]])
    @pytest.mark.parametrize("environment", ["sandbox", "staging", "prod"])
    def test_sample_settings_are_a_fault(
        self, tmp_path: Path, environment: str, options: list[str]
    ) -> None:
        """They are valid, and not complete; nothing is called."""
        sample = Path(__file__).parents[3] / f".env.sample_{environment}"
        values = dotenv_values(sample)
        ran = camclip("doctor", *options, **{**values, "CLIP_DOWNLOAD_DEST": str(tmp_path)})
        assert ran.exit_code == 1
        lines = ran.stdout.splitlines()
        at = lines.index(
            f"fault    {'settings':25}still as in a sample: CLIP_URL, S3_BUCKET_ORIGIN,"
            " S3_BUCKET_DESTINATION, AWS_SNS_TOPIC, AWS_SQS_QUEUE_URL, CAM_SERVICES_URL,"
            " RECORDINGS_URL"
        )
        fix = "Replace them in the environment or in .env (the environment wins)."
        assert lines[at + 1] == f"{'':34}-> {fix}"
        assert "complete" not in ran.stdout
        if options:
            assert lines[-2:] == [
                f"skipped  {'AWS':25}not checked: some settings are still as in a sample",
                f"{'':34}-> Replace them first.",
            ]
        else:
            assert ran.stderr == (
                "1 of 5 checks found a fault. Not checked: AWS and the camera API (--aws).\n"
            )

    def test_every_fault_of_the_settings_is_printed_and_no_secret(
        self, deployment: MotoDeployment
    ) -> None:
        """An address may hold a password, which is removed."""
        faulty = {"CLIP_URL": "ftp://me:hush@clips.example/?token=hush", "SQS_TIMEOUT": "0"}
        ran = deployment.camclip("doctor", **faulty)
        assert ran.exit_code == 1
        faults = [line for line in ran.stdout.splitlines() if line.startswith("fault")]
        assert faults == [
            f"fault    settings{' ' * 17}SQS_TIMEOUT='0' must be a whole number from 1 to 900",
            f"fault    settings{' ' * 17}CLIP_URL='ftp://...@clips.example/?...'{NOT_HTTP}",
        ]
        assert "hush" not in ran.output
        assert SECRET not in ran.output
        assert ran.stderr.startswith("2 of ")

    @pytest.mark.parametrize(
        ("script", "detail"),
        [
            (None, "CAMCLIP_FFMPEG names no executable file"),
            ("#!/nowhere/sh\n", "ffmpeg cannot be started"),
            ("#!/bin/sh\nexit 1\n", "ffmpeg exited with status 1"),
            ("#!/bin/sh\ntrue\n", "prints no version"),
        ],
    )
    def test_an_ffmpeg_that_does_not_run_is_a_fault(
        self, tmp_path: Path, script: str | None, detail: str
    ) -> None:
        """Its fix is printed."""
        fake = tmp_path / "ffmpeg"
        if script:
            fake.write_text(script)
            fake.chmod(0o755)
        ran = camclip("doctor", CAMCLIP_FFMPEG=str(fake))
        assert ran.exit_code == 1
        assert words_of(ran.stdout)["ffmpeg"] == "fault"
        assert detail in ran.stdout
        assert "-> Set CAMCLIP_FFMPEG" in ran.stdout

    def test_an_unusable_scratch_folder_is_a_fault(self, tmp_path: Path) -> None:
        """A usable one is empty afterwards."""
        (tmp_path / "file").write_text("in the way")
        ran = camclip("doctor", CLIP_DOWNLOAD_DEST=str(tmp_path / "file"))
        assert words_of(ran.stdout)["scratch"] == "fault"
        assert camclip("doctor", CLIP_DOWNLOAD_DEST=str(tmp_path / "new")).exit_code == 0
        assert list((tmp_path / "new").iterdir()) == []

    def test_the_env_file_configures_boto3_too(
        self, deployment: MotoDeployment, tmp_path: Path
    ) -> None:
        """Its credentials, region and endpoint."""
        settings = {**deployment.settings, "S3_BUCKET_DESTINATION": "no-such-bucket"}
        (tmp_path / ".env").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
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
        words = words_of(ran.stdout)
        assert words["origin"] == "ok"
        assert words["destination"] == "fault"
        assert "lifecycle" not in words  # a missing bucket has no rules either


class TestDeployment:
    """With --aws."""

    def test_a_correct_deployment_has_no_fault(self, deployment: MotoDeployment) -> None:
        """Every check prints a line."""
        deployment.cameras.has_segment("pier", 0)
        ran = deployment.camclip("doctor", "--aws")
        assert ran.exit_code == 0, ran.output
        assert words_of(ran.stdout) == dict.fromkeys(CHECKS, "ok")
        assert SECRET not in ran.output
        assert ran.stderr == (
            "24 checks, no fault. Not checked: what the store copies and honours (--compose), a"
            " camera's recordings (--camera), Lambda's loop detection (--function).\n"
        )

    def test_it_only_reads(self, deployment: MotoDeployment) -> None:
        """Unless --compose is given."""
        before = deployment.aws.s3.list_objects_v2(Bucket=deployment.aws.destination)["Contents"]
        deployment.camclip("doctor", "--aws")
        assert (
            deployment.aws.s3.list_objects_v2(Bucket=deployment.aws.destination)["Contents"]
            == before
        )
        assert deployment.receive(deployment.aws.queue_url) == []
        assert deployment.receive(deployment.aws.dead_url) == []

    def test_a_fault_is_followed_by_its_fix(self, deployment: MotoDeployment) -> None:
        """A line for the finding, and one below for its fix."""
        aws_ = deployment.aws
        aws_.sqs.set_queue_attributes(
            QueueUrl=deployment.aws.queue_url, Attributes={"VisibilityTimeout": "300"}
        )
        ran = deployment.camclip("doctor", "--camera", "pier")
        assert ran.exit_code == 1
        lines = ran.stdout.splitlines()
        fault = (
            f"fault    {'queue visibility':25}VisibilityTimeout is 300 s, FUNCTION_TIMEOUT is 300 s"
        )
        fix = "Set VisibilityTimeout to 1800 s: messages are delivered again while in progress."
        assert lines[lines.index(fault) + 1] == f"{'':34}-> {fix}"
        assert "fault    camera API               unknown camera pier" in lines
        assert ran.stderr == (
            "2 of 24 checks found a fault. Not checked: what the store copies and honours"
            " (--compose), Lambda's loop detection (--function).\n"
        )

    def test_json_output_has_a_line_for_each_finding(self, deployment: MotoDeployment) -> None:
        """Its keys are those of every version."""
        ran = deployment.camclip("doctor", "--aws", "--json")
        rows = [json.loads(line) for line in ran.stdout.splitlines()]
        assert [row["name"] for row in rows] == CHECKS
        assert set(rows[0]) == {"name", "finding", "said", "mend"}

    def test_abandoned_uploads_are_counted(self, deployment: MotoDeployment) -> None:
        """With the size of their parts, and the command that aborts one."""
        s3, bucket, key = deployment.aws.s3, deployment.aws.destination, "pier/c9.mp4"
        made = s3.create_multipart_upload(Bucket=bucket, Key=key)  # moto dates it 2010
        upload, data = made["UploadId"], b"x" * 1_500_000
        s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=data)
        ran = deployment.camclip("doctor", "--aws")
        assert words_of(ran.stdout)["uploads"] == "fault"
        assert (
            "1 incomplete for more than a day, with 1.5 MB of parts; the oldest, pier/c9.mp4, for"
        ) in ran.stdout
        assert f"--key 'pier/c9.mp4' --upload-id '{upload}'" in ran.stdout

    def test_denied_calls_name_the_permissions(self, deployment: MotoDeployment) -> None:
        """Without a traceback."""
        denied = answer("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>")
        with loopback(denied) as server:
            ran = deployment.camclip("doctor", "--aws", AWS_ENDPOINT_URL=server.url)
        assert ran.exit_code == 1
        words = words_of(ran.stdout)
        assert [words[name] for name in ("origin", "destination", "queue")] == ["fault"] * 3
        assert words["topic"] == "skipped"  # the service does not read it
        for permission in ("s3:ListBucket", "sqs:GetQueueAttributes", "sns:GetTopicAttributes"):
            assert f"-> Allow {permission}" in ran.stdout
        assert "Traceback" not in ran.output

    @pytest.mark.parametrize(("setting", "word"), [("Allow", "ok"), ("Terminate", "fault")])
    def test_a_function_that_terminates_loops_is_a_fault(
        self, deployment: MotoDeployment, setting: str, word: str
    ) -> None:
        """Terminate is Lambda's default: it would drop a request that waits for its footage."""
        with loopback(answer("200 OK", json.dumps({"RecursiveLoop": setting}).encode())) as server:
            ran = deployment.camclip(
                "doctor", "--function", "clips-prod", AWS_ENDPOINT_URL_LAMBDA=server.url
            )
        words = words_of(ran.stdout)
        assert words == {**dict.fromkeys(CHECKS, "ok"), "recursive loop": word}
        assert ran.exit_code == (word == "fault")
        fix = (
            "-> Set RecursiveLoop: Allow in the function's template, or: aws lambda"
            " put-function-recursion-config --function-name clips-prod --recursive-loop Allow"
        )
        assert (fix in ran.stdout) is (word == "fault")
        [request] = server.requests
        assert request.startswith("GET /2024-08-31/functions/clips-prod/recursion-config ")

    @pytest.mark.parametrize(
        ("status", "code", "word", "fix"),
        [
            (
                "404 Not Found",
                "ResourceNotFoundException",
                "fault",
                "-> Create it, or correct --function.",
            ),
            (
                "403 Forbidden",
                "AccessDeniedException",
                "skipped",
                "-> Allow lambda:GetFunctionRecursionConfig to your own credentials;",
            ),
        ],
    )
    def test_an_unknown_function_is_a_fault_but_not_a_missing_permission(
        self, deployment: MotoDeployment, status: str, code: str, word: str, fix: str
    ) -> None:
        """Only the doctor reads this setting."""
        refusal = answer(status, b"{}", f"x-amzn-ErrorType: {code}")
        with loopback(refusal) as server:
            ran = deployment.camclip(
                "doctor", "--aws", "--function", "clips-prod", AWS_ENDPOINT_URL_LAMBDA=server.url
            )
        assert words_of(ran.stdout)["recursive loop"] == word
        assert ran.exit_code == (word == "fault")
        assert fix in ran.stdout

    def test_expired_credentials_are_reported_once(self, deployment: MotoDeployment) -> None:
        """S3 answers a HEAD with a bare 400 then; no other call is made."""
        with loopback(answer("400 Bad Request")) as server:
            ran = deployment.camclip("doctor", "--aws", AWS_ENDPOINT_URL=server.url)
        assert [name for name, word in words_of(ran.stdout).items() if word == "fault"] == [
            "origin"
        ]
        assert "aws sts get-caller-identity" in ran.stdout
        assert len(server.requests) == 1

    def test_a_store_that_hides_missing_objects_is_a_fault(
        self, deployment: MotoDeployment
    ) -> None:
        """Without s3:ListBucket every clip's first HEAD would be a 403."""
        ok = answer("200 OK", b"", "x-amz-bucket-region: us-east-1")
        with loopback(ok, answer("403 Forbidden")) as server:
            ran = deployment.camclip("doctor", "--aws", AWS_ENDPOINT_URL=server.url)
        assert words_of(ran.stdout)["origin"] == "ok"
        assert words_of(ran.stdout)["origin listing"] == "fault"

    @pytest.mark.parametrize(
        ("pattern", "camera", "said", "fix"),
        [
            ("{camera}.%Y%m%dT%H%M%S", "pier", "pier: the last recording starts at 20", ""),
            (
                "{camera}.%Y%m%dT%H%M%S",
                "mole",
                "No key of the recordings' bucket begins with mole.: either the camera mole",
                "-> Pass --camera an id that is in the keys.",
            ),
            ("mediamtx", None, "0 of the first 2 recordings fit mediamtx (", "-> Write RECORDING"),
        ],
    )
    def test_without_a_camera_api_the_pattern_is_tried_on_the_keys(
        self, deployment: MotoDeployment, pattern: str, camera: str | None, said: str, fix: str
    ) -> None:
        """And no camera API is called, although its addresses are set."""
        name = f"pier.{time.strftime('%Y%m%dT%H%M%S', time.gmtime(time.time() - 60))}.mp4"
        deployment.aws.s3.put_object(Bucket=deployment.aws.origin, Key=f"rewinds/{name}")
        options = ["--camera", camera] if camera else []
        with loopback() as api:
            ran = deployment.camclip(
                *("doctor", "--aws", *options),
                CAMERAS="bucket",
                RECORDING_PATTERN=pattern,
                CAM_SERVICES_URL=api.url,
            )
        words = words_of(ran.stdout)
        assert words["recording pattern"] == ("fault" if pattern == "mediamtx" else "ok")
        assert words.get("camera") == {"pier": "ok", "mole": "fault"}.get(str(camera))
        assert "camera API" not in words
        assert (said in ran.stdout, fix in ran.stdout) == (True, True)
        assert ran.exit_code == ("fault" in words.values())
        assert api.requests == []

    def test_a_camera_api_without_unknown_cameras_is_a_fault(
        self, deployment: MotoDeployment
    ) -> None:
        """Requests for cameras that do not exist would wait for footage."""
        deployment.cameras.stand_in.fault = lambda request: Response.json(
            [] if "/recording/" in request.target else {"alias": "any"}
        )
        ran = deployment.camclip("doctor", "--aws")
        assert words_of(ran.stdout)["camera API"] == "fault"

    @pytest.mark.parametrize("camera", [None, "pier"])
    def test_a_wrong_path_of_the_camera_api_is_a_fault(
        self, deployment: MotoDeployment, camera: str | None
    ) -> None:
        """It answers 404 to everything, in JSON, as gateways do."""
        unknown = answer("404 No", b'{"message": "Not Found"}', "Content-Type: application/json")
        options = ["--camera", camera] if camera else []
        with loopback(unknown) as server:
            ran = deployment.camclip(
                "doctor", "--aws", *options, CAM_SERVICES_URL=f"{server.url}/v0"
            )
        assert ran.exit_code == 1
        assert words_of(ran.stdout)["camera API"] == "fault"
        assert "-> Correct the path of CAM_SERVICES_URL" in ran.stdout
        assert all(request.startswith("GET /v0/") for request in server.requests)

    def test_a_gateways_page_is_a_fault_of_the_camera_api(self, deployment: MotoDeployment) -> None:
        """No camera is unknown by it."""
        page = answer("404 Not Found", b"<html>404</html>", "Content-Type: text/html")
        with loopback(page) as server:
            ran = deployment.camclip("doctor", "--aws", CAM_SERVICES_URL=server.url)
        assert words_of(ran.stdout)["camera API"] == "fault"
        assert "The camera API answered 404 to the request for a camera." in ran.stdout

    def test_recordings_that_would_be_left_out_are_a_fault(
        self, deployment: MotoDeployment
    ) -> None:
        """The first of them is named, with the reason."""
        now_ms = time.time_ns() // 1_000_000
        name = deployment.cameras.has_unusable("pier", now_ms // 1000 * 1000 - 60_000)
        ran = deployment.camclip("doctor", "--camera", "pier")
        assert words_of(ran.stdout)["camera API"] == "fault"
        assert f"{name} was left out: its name does not end with" in ran.stdout

    def test_a_camera_api_that_is_down_is_a_fault(self, deployment: MotoDeployment) -> None:
        """Its address is not printed: it may hold a password."""
        gone = {"CAM_SERVICES_URL": "http://me:hush@127.0.0.1:1"}
        ran = deployment.camclip("doctor", "--aws", **gone)
        assert words_of(ran.stdout)["camera API"] == "fault"
        assert "-> Check CAM_SERVICES_URL, RECORDINGS_URL" in ran.stdout
        assert "hush" not in ran.output

    def test_a_store_is_tried_and_its_settings_are_printed(
        self, deployment: MotoDeployment
    ) -> None:
        """Moto ignores the copy condition, which is no fault; all test objects are deleted."""
        ran = deployment.camclip("doctor", "--compose", S3_CONDITIONS="auto")
        words = words_of(ran.stdout)
        assert list(words) == CHECKS + COMPOSITION_CHECKS
        assert [name for name, word in words.items() if word != "ok"] == []
        assert ran.stdout.splitlines()[-3:] == [
            "COMPOSE=auto",
            "AWS_REQUEST_CHECKSUM_CALCULATION=when_supported",
            "S3_CONDITIONS=both",
        ]
        assert "S3 copied 14 MB in " in ran.stdout
        keys = deployment.aws.s3.list_objects_v2(Bucket=deployment.aws.destination)["Contents"]
        assert [row["Key"] for row in keys] == ["pier/c1.mp4"]
        assert "Uploads" not in deployment.aws.s3.list_multipart_uploads(
            Bucket=deployment.aws.destination
        )

    def test_without_a_recording_the_composition_is_skipped(
        self, deployment: MotoDeployment
    ) -> None:
        """That is not a fault."""
        ran = deployment.camclip("doctor", "--compose", S3_BUCKET_ORIGIN_DIR="elsewhere")
        words = words_of(ran.stdout)
        assert (words["recording"], words["composition"]) == ("skipped", "skipped")
        assert ran.stderr.startswith("23 checks, no fault. Not checked: recording, composition, a ")
        assert ran.exit_code == 0


def test_uploads_are_listed_the_oldest_first() -> None:
    """From every page of the list."""

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
