"""The template: cfn-lint's rules, and further ones."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC
from pathlib import Path

import pytest

from deploy.deploy import (
    ARTIFACTS,
    ENVIRONMENTS,
    package_names,
    read_environment,
    template_parameters,
)
from deploy.package import DEPLOYED
from deploy.wheels import ARCHITECTURES, PYTHON
from devtools.footage.recording import FFMPEG
from entrypoints.log_line import METRIC_UNITS, with_metrics
from entrypoints.settings import read_settings, with_new_defaults
from infrastructure.camera_api.network import CA_VARIABLES
from infrastructure.ffmpeg.locate import LAYER, find_ffmpeg
from tests.integration.deploy.conftest import GIVEN
from tests.integration.deploy.packaged import packaged
from tests.integration.deploy.template import ACCOUNT, REGION, TEMPLATE, Stack, read_document

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key"
TIMEOUTS = read_document()["Parameters"]["FunctionTimeout"]["AllowedValues"]


def stack(**given: str) -> Stack:
    return Stack({**GIVEN, **given})


class RecordingEnvironment(Mapping[str, str]):
    """An environment that records which variables are read."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ, self.names = environ, set[str]()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.environ)

    def __len__(self) -> int:
        return len(self.environ)


def test_cfn_lint_finds_nothing() -> None:
    """No error and no warning."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), str(TEMPLATE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_the_times_fit_each_other(timeout: str) -> None:
    """A message is hidden for six times the function's timeout; alarms follow from both."""
    made = stack(FunctionTimeout=timeout)
    timeout_s = int(made.properties("Function")["Timeout"])
    visibility_s = made.properties("Requests")["VisibilityTimeout"]
    assert timeout_s == int(timeout)
    assert visibility_s >= 6 * timeout_s
    assert visibility_s <= 43_200  # SQS's limit
    assert made.properties("OldestRequestAlarm")["Threshold"] == 2 * visibility_s
    assert made.properties("SlowAlarm")["Threshold"] == 800 * timeout_s


def test_requests_are_retained_longer_than_their_deliveries_take() -> None:
    """The last delivery of a request comes before the queue drops it."""
    requests, dead = (stack().properties(name) for name in ("Requests", "DeadLetters"))
    deliveries = requests["RedrivePolicy"]["maxReceiveCount"]
    assert deliveries == 5
    assert requests["MessageRetentionPeriod"] == 4 * 86_400
    assert requests["MessageRetentionPeriod"] > deliveries * requests["VisibilityTimeout"]
    assert dead["MessageRetentionPeriod"] == 14 * 86_400
    assert requests["RedrivePolicy"]["deadLetterTargetArn"].endswith(dead["QueueName"])


def test_messages_are_encrypted() -> None:
    """At rest, by SQS's own keys, which need no permission, or by one that is given: never both."""
    for queue in stack().resources("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in queue
    made = stack(QueueKeyArn=f"{KEY}/queue", TopicKeyArn=f"{KEY}/topic")
    for queue in made.resources("AWS::SQS::Queue").values():
        assert queue["KmsMasterKeyId"] == f"{KEY}/queue"
        assert "SqsManagedSseEnabled" not in queue
    assert made.properties("Topic")["KmsMasterKeyId"] == f"{KEY}/topic"
    assert "KmsMasterKeyId" not in stack().properties("Topic")


def test_the_trigger_reads_partial_responses() -> None:
    """Without ReportBatchItemFailures Lambda would treat every response as success."""
    event = stack().properties("Function")["Events"]["Request"]["Properties"]
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["Queue"].endswith(":camclip-test-requests")
    assert 1 <= event["BatchSize"] <= 10
    assert event["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_every_setting_that_is_read_is_set() -> None:
    """By its parameter or with its default; PATH is Lambda's own, the network the operator's."""
    made = stack(
        OriginBucketOwner=ACCOUNT, RecordingPattern="mediamtx", RecordingTz="Europe/Madrid"
    )
    given = {**made.environment(), "CAMCLIP_FFMPEG": FFMPEG}
    environment = RecordingEnvironment(given)
    read_settings(environment)
    find_ffmpeg(environment)
    proxies = {name for name in environment.names if name.lower().endswith("_proxy")}
    assert environment.names - proxies - set(CA_VARIABLES) == set(given)


def test_settings_come_from_the_values_that_aws_gets() -> None:
    """The code's settings of its timeout and its queue are the real ones."""
    made = stack(FunctionTimeout="600", MaxReceiveCount="7")
    settings = read_settings(made.environment())
    assert settings.clips.function_timeout_ms == 1000 * int(made.properties("Function")["Timeout"])
    redrive = made.properties("Requests")["RedrivePolicy"]
    assert settings.clips.max_receive_count == int(redrive["maxReceiveCount"])
    assert settings.aws.queue_url.endswith("/" + made.properties("Requests")["QueueName"])
    assert settings.aws.topic_arn.endswith(":" + made.properties("Topic")["TopicName"])
    assert settings.aws.destination_bucket == made.properties("Clips")["BucketName"]
    assert settings.aws.bucket_owners == {
        "policy-clips": ACCOUNT,
        "policy-recordings": GIVEN["OriginBucketOwner"],
    }
    assert Path(made.environment()["CAMCLIP_FFMPEG"]) == LAYER


def test_defaults_are_those_of_the_code() -> None:
    """A parameter that is not given leaves the default; each stack has its own namespace."""
    rules = read_settings(stack().environment()).clips
    few = {name: stack().environment()[name] for name in read_places()}
    few["METRICS_NAMESPACE"] = "camclip-test"
    assert rules == read_settings(with_new_defaults(few)).clips


def test_a_stack_without_a_camera_api_names_how_keys_are_read() -> None:
    """And no address; what is not given is not set."""
    api = ("CamServicesUrl", "RecordingsUrl")
    given = {name: value for name, value in GIVEN.items() if name not in api}
    own = {"Cameras": "bucket", "RecordingPattern": "{camera}/%Y-%m-%d_%H-%M-%S"}
    environment = Stack({**given, **own}).environment()
    assert {"CAM_SERVICES_URL", "RECORDINGS_URL", "RECORDING_TZ"} & set(environment) == set()
    aws = read_settings(environment).aws
    assert (aws.cameras, aws.zone) == ("bucket", UTC)
    assert str(aws.recording_layout) == "strftime ({camera}/%Y-%m-%d_%H-%M-%S)"


def read_places() -> set[str]:
    """The variables without which nothing starts."""
    return {
        *("CAM_SERVICES_URL", "RECORDINGS_URL", "CLIP_URL", "S3_BUCKET_ORIGIN"),
        *("S3_BUCKET_DESTINATION", "AWS_SNS_TOPIC", "AWS_SQS_QUEUE_URL"),
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_settings_of_each_environment_make_sense(environment: str) -> None:
    """Its file names parameters only, each with a value that is allowed."""
    path = TEMPLATE.parent / "environments" / f"{environment}.env"
    values = read_environment(path)
    parameters = read_document()["Parameters"]
    assert set(parameters) == template_parameters()
    assert values.pop(ARTIFACTS)
    assert set(values) <= set(parameters)
    for name, value in values.items():
        rules = parameters[name]
        assert re.fullmatch(str(rules.get("AllowedPattern", ".*")), value), name
        assert value in map(str, rules.get("AllowedValues", [value])), name
        assert rules.get("MinValue", 0) <= int(value if rules["Type"] == "Number" else 0), name
    unset = {name for name, rules in parameters.items() if "Default" not in rules}
    assert unset <= set(values)
    read_settings(Stack(values).environment())


def test_the_template_names_the_built_package(packages: Path) -> None:
    """Handler, runtime, processor, and the places of the zips."""
    function, layer = (stack().properties(name) for name in ("Function", "FfmpegLayer"))
    arch = DEPLOYED
    assert function["Architectures"] == [arch]
    assert function["Runtime"] == f"python{PYTHON}"
    built = packaged(packages, arch)
    assert [function["CodeUri"], layer["ContentUri"]] == [f"../dist/{z.name}" for z in built]
    assert [path.name for path in built] == list(package_names(arch))
    assert layer["CompatibleArchitectures"] == [arch]
    assert layer["CompatibleRuntimes"] == [function["Runtime"]]
    assert function["Handler"] == "entrypoints.aws_lambda.handler"
    with zipfile.ZipFile(built[0]) as zipped:
        assert "entrypoints/aws_lambda.py" in zipped.namelist()


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_function_and_layer_have_the_chosen_processor(arch: str) -> None:
    """Each that can be packaged for, and no other."""
    made = stack(Architecture=arch)
    assert made.properties("Function")["Architectures"] == [arch]
    assert made.properties("FfmpegLayer")["CompatibleArchitectures"] == [arch]
    parameter = read_document()["Parameters"]["Architecture"]
    assert parameter["AllowedValues"] == list(ARCHITECTURES)
    assert parameter["Default"] == DEPLOYED


def test_clips_are_private_encrypted_and_kept() -> None:
    """Uploads that killed functions left behind expire."""
    bucket = stack().properties("Clips")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert read_document()["Resources"]["Clips"]["DeletionPolicy"] == "Retain"
    assert read_document()["Resources"]["DeadLetters"]["DeletionPolicy"] == "Retain"


def test_clips_are_encrypted_with_the_key_that_is_given() -> None:
    """By the bucket's default, so that no request needs to name it."""
    bucket = stack(DestinationKeyArn=f"{KEY}/clips").properties("Clips")
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {
        "ServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": f"{KEY}/clips",
        },
        "BucketKeyEnabled": True,
    }


@pytest.mark.parametrize(
    "text", ["alias/clips", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/clips", f"{KEY}/*"]
)
def test_a_key_is_named_by_its_own_arn(text: str) -> None:
    """A policy cannot name it by an alias (KMS developer guide, "Specifying KMS keys")."""
    parameters = read_document()["Parameters"]
    for name in ("OriginKeyArn", "DestinationKeyArn", "QueueKeyArn", "TopicKeyArn"):
        pattern = parameters[name]["AllowedPattern"]
        assert not re.fullmatch(pattern, text)
        assert re.fullmatch(pattern, f"{KEY}/1234abcd-12ab-34cd-56ef-1234567890ab")
        assert re.fullmatch(pattern, parameters[name]["Default"])


def test_clips_are_fetched_through_tls_only() -> None:
    """The distribution that was named may read them."""
    (denial,) = stack().properties("ClipsPolicy")["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Principal"]) == ("Deny", "*")
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denial["Resource"] == ["arn:aws:s3:::policy-clips", "arn:aws:s3:::policy-clips/*"]
    arn = f"arn:aws:cloudfront::{ACCOUNT}:distribution/D1"
    policy = stack(DistributionArn=arn).properties("ClipsPolicy")
    _, reading = policy["PolicyDocument"]["Statement"]
    assert reading["Action"] == "s3:GetObject"
    assert reading["Condition"] == {"StringEquals": {"aws:SourceArn": arn}}


def test_the_2018_services_bucket_and_topic_can_be_used() -> None:
    """They are then not created."""
    arn = f"arn:aws:sns:us-west-1:{ACCOUNT}:clips-prod"
    made = stack(CreateDestinationBucket="false", ExistingTopicArn=arn)
    assert made.resources("AWS::S3::Bucket") == {}
    assert made.resources("AWS::S3::BucketPolicy") == {}
    assert made.resources("AWS::SNS::Topic") == {}
    settings = read_settings(made.environment())
    assert settings.aws.topic_arn == arn
    assert "policy-clips" not in settings.aws.bucket_owners


def test_the_function_may_send_to_its_own_queue_as_often_as_it_waits() -> None:
    """By default Lambda drops a message of such a chain after about 16 invocations."""
    assert stack().properties("Function")["RecursiveLoop"] == "Allow"


def test_alarms_watch_existing_metrics() -> None:
    """Each names a queue or the function of this stack, or the service's metric, and notifies."""
    made = stack(AlarmTopicArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:alarms")
    alarms = made.resources("AWS::CloudWatch::Alarm")
    watched = {
        name: [_metric(part) for part in alarm.get("Metrics", [alarm]) if "Expression" not in part]
        for name, alarm in alarms.items()
    }
    function = ("AWS/Lambda", "FunctionName", "camclip-test")
    assert watched == {
        "DeadLetterAlarm": [
            (
                "ApproximateNumberOfMessagesVisible",
                "AWS/SQS",
                "QueueName",
                "camclip-test-dead-letters",
            )
        ],
        "OldestRequestAlarm": [
            ("ApproximateAgeOfOldestMessage", "AWS/SQS", "QueueName", "camclip-test-requests")
        ],
        "ErrorAlarm": [("Errors", *function)],
        "DroppedAlarm": [("RecursiveInvocationsDropped", *function)],
        "FatalErrorAlarm": [
            ("clips", "camclip-test", "status", "FATAL_ERROR"),
            ("Invocations", *function),
        ],
        "SlowAlarm": [("Duration", *function)],
    }
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [made.given["AlarmTopicArn"]]
        assert alarm["TreatMissingData"] == "notBreaching"
    assert alarms["DeadLetterAlarm"]["Threshold"] == 0


def _metric(part: dict[str, dict[str, object]]) -> tuple[object, ...]:
    metric = part.get("MetricStat", {}).get("Metric", part)
    assert isinstance(metric, dict)
    (dimension,) = metric["Dimensions"]
    return metric["MetricName"], metric["Namespace"], dimension["Name"], dimension["Value"]


def test_the_dashboard_is_json_and_names_this_stack() -> None:
    """Its queues, its function and its log."""
    body = json.loads(stack().properties("Dashboard")["DashboardBody"])
    text = json.dumps(body)
    assert len(body["widgets"]) == 9
    for name in ("camclip-test-requests", "camclip-test-dead-letters", "/aws/lambda/camclip-test"):
        assert name in text
    assert "${" not in text


def test_the_services_own_metrics_are_those_that_it_writes() -> None:
    """The alarm's and the dashboard's, by namespace, name and dimensions."""
    line = with_metrics(
        {"status": "FATAL_ERROR", **dict.fromkeys(METRIC_UNITS, 1)},
        read_settings(stack().environment()).clips.metrics_namespace,
        0,
    )
    written: set[tuple[str, str, tuple[str, ...]]] = {
        (group["Namespace"], metric["Name"], dimensions)
        for group in line["_aws"]["CloudWatchMetrics"]  # type: ignore[index]
        for dimensions in map(tuple, group["Dimensions"])
        for metric in group["Metrics"]
    }
    fatal = stack().properties("FatalErrorAlarm")["Metrics"][1]["MetricStat"]["Metric"]
    watched: set[tuple[str, str, tuple[str, ...]]] = {
        (fatal["Namespace"], fatal["MetricName"], ("status",))
    }
    body = json.loads(stack().properties("Dashboard")["DashboardBody"])
    for widget in body["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            if metric[0] == fatal["Namespace"]:
                watched.add((metric[0], metric[1], ()))
            elif isinstance(metric[0], dict):
                pattern = r'\{"([\w-]+)",(\w+)\} MetricName="(\w+)"'
                found = re.search(pattern, metric[0]["expression"])
                assert found
                watched.add((found[1], found[3], (found[2],)))
    assert len(watched) > 8
    assert watched - written == set()
