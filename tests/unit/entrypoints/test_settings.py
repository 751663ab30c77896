"""Settings: the 2018 service's variables, defaults, and every fault in one message."""

from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.retry import RetryPolicy
from entrypoints.settings import (
    VARIABLES,
    ClipSettings,
    InvalidSettings,
    Settings,
    WorkerSettings,
    read_clip_settings,
    read_settings,
    read_worker_settings,
    with_new_defaults,
)
from infrastructure.layouts.layout import Layout
from infrastructure.layouts.presets import PRESETS
from infrastructure.signing import signer_of
from tests.support.keys import OTHER_KEY, SIGNING_KEY, public_key

SAMPLES = sorted(Path(__file__).parents[3].glob(".env.sample_*"))
REQUIRED = {
    "CAM_SERVICES_URL": "https://cameras.example.com/",
    "RECORDINGS_URL": "https://cameras.example.com/v2",
    "CLIP_URL": "https://clips.example.com",
    "S3_BUCKET_ORIGIN": "recordings",
    "S3_BUCKET_DESTINATION": "clips",
    "AWS_SNS_TOPIC": "arn:aws:sns:us-west-1:123456789012:clips",
    "AWS_SQS_QUEUE_URL": "https://sqs.us-west-1.amazonaws.com/123456789012/requests",
}


def test_clip_settings_all_have_defaults() -> None:
    """An empty environment gives the defaults that the README lists."""
    settings = read_clip_settings({})
    assert settings.policy == RetryPolicy(900_000, 259_200_000, 60_000, 300_000)
    assert settings.thumbnails.widths == (300, 640, 1500, 3000)
    assert settings.thumbnails.format == "jpg"
    assert settings.seam_tolerance_ms == 1000
    assert settings.max_receive_count == 5
    assert settings.function_timeout_ms == 300_000
    assert settings.log_level == "INFO"


def test_seconds_become_milliseconds() -> None:
    """The variables are in seconds, as in 2018."""
    settings = read_clip_settings(
        {
            "SQS_RETRY_LIMIT": "60",
            "OUT_OF_RANGE_LIMIT": "70",
            "SQS_TIMEOUT": "80",
            "VIDEO_MAX_LEN": "90",
            "SEAM_TOLERANCE": "0",
        }
    )
    assert settings.policy == RetryPolicy(60_000, 70_000, 80_000, 90_000)
    assert settings.seam_tolerance_ms == 0


@pytest.mark.parametrize("text", ["300 640", "300,640", "300, 640", " 300  640 ", "[300, 640]"])
def test_widths_are_separated_by_spaces_or_commas(text: str) -> None:
    """As they were written in 2018, or as a list."""
    assert read_clip_settings({"THUMBNAIL_SIZES": text}).thumbnails.widths == (300, 640)


def test_addresses_and_folders_lose_their_outer_slashes() -> None:
    """So that they can be joined with what follows."""
    aws = read_settings({**REQUIRED, "S3_BUCKET_ORIGIN_DIR": "/rewinds/"}).aws
    assert aws.cam_services_url == "https://cameras.example.com"
    assert aws.origin_folder == "rewinds"


@pytest.mark.parametrize("text", ['"rewinds"', "'/rewinds/'", ' "rewinds" ', "rewinds\r"])
def test_values_lose_the_quotes_that_docker_keeps(text: str) -> None:
    """`docker run --env-file` passes the lines of a file on as they are."""
    quoted = {name: f'"{value}"' for name, value in REQUIRED.items()}
    settings = {**quoted, "S3_BUCKET_ORIGIN_DIR": text, "SQS_TIMEOUT": "'90'", "VERIFY": '"decode"'}
    read = read_settings(settings)
    assert read.aws.origin_folder == "rewinds"
    assert read.aws.cam_services_url == "https://cameras.example.com"
    assert (read.clips.retry_delay_s, read.clips.verify) == (90, "decode")
    assert read_settings({**REQUIRED, "S3_BUCKET_ORIGIN_DIR": '""'}).aws.origin_folder == ""


@pytest.mark.parametrize(
    "text",
    ['"rewinds', "rewinds'", "“rewinds”", "„rewinds“", "B\udcfcro", "re\0winds", "re\nwinds"],
)
def test_a_prefix_that_cannot_be_meant_is_refused_by_name(text: str) -> None:
    """No recording would be found under it, which looks like no footage."""
    with pytest.raises(InvalidSettings, match="S3_BUCKET_ORIGIN_DIR=") as refused:
        read_settings({**REQUIRED, "S3_BUCKET_ORIGIN_DIR": text})
    assert str(refused.value).isascii()


@pytest.mark.parametrize("sample", SAMPLES, ids=[s.name for s in SAMPLES])
def test_the_sample_files_are_valid(sample: Path) -> None:
    """Each environment's sample file can be used as it is."""
    lines = [line for line in sample.read_text().splitlines() if line and line[0] != "#"]
    settings = read_settings(dict(line.split("=", 1) for line in lines))
    assert settings.aws.destination_bucket.startswith("cameras-service-clips-cdn-")


def test_every_fault_is_named_in_one_message() -> None:
    """A deployment shows all faults at once, each with the given text."""
    nonsense = {
        **REQUIRED,
        "SQS_TIMEOUT": "901",
        "VIDEO_MAX_LEN": "five minutes",
        "CAM_SERVICES_URL": "file:///etc/passwd",
        "AWS_SNS_TOPIC": "",
    }
    with pytest.raises(InvalidSettings) as caught:
        read_settings(nonsense)
    message = str(caught.value)
    assert "SQS_TIMEOUT='901' must be a whole number from 1 to 900" in message
    assert "VIDEO_MAX_LEN='five minutes' must be" in message
    assert "CAM_SERVICES_URL='file:///etc/passwd' must be an http or https address" in message
    assert "AWS_SNS_TOPIC is not set: it must be the ARN" in message
    assert message.count("\n") == 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SQS_TIMEOUT", "0"),
        ("SQS_TIMEOUT", "1.5"),
        ("SQS_RETRY_LIMIT", "-1"),
        ("VIDEO_MAX_LEN", "0"),
        ("VIDEO_MAX_LEN", "１００"),
        ("MAX_RECEIVE_COUNT", "0"),
        ("THUMBNAIL_SIZES", "300 wide"),
        ("THUMBNAIL_SIZES", "0"),
        ("THUMBNAIL_FORMAT", "gif"),
        ("OLD_FILE_FORMAT", "perhaps"),
        ("TIMESTAMP_FORMAT", "yesterday"),
        ("LOG_LEVEL", "LOUD"),
        ("CLIP_TZ", "Madrid"),
        ("CLIP_TZ", "../../etc/passwd"),
    ],
)
def test_an_invalid_setting_is_rejected(name: str, text: str) -> None:
    """No other value is assumed in its place."""
    with pytest.raises(InvalidSettings, match=name):
        read_clip_settings({name: text})


def layout_named(name: str) -> Layout:
    return next(preset for preset in PRESETS if preset.name == name)


READ: dict[str, tuple[str, str, object]] = {
    "SQS_RETRY_LIMIT": ("clips.retry_limit_s", "0", 0),
    "OUT_OF_RANGE_LIMIT": ("clips.out_of_range_limit_s", "1000000000", 10**9),
    "SQS_TIMEOUT": ("clips.retry_delay_s", "900", 900),
    "VIDEO_MAX_LEN": ("clips.max_duration_s", "86400", 86_400),
    "THUMBNAIL_SIZES": ("clips.thumbnail_widths", "640 640 16", (640, 16)),
    "THUMBNAIL_FORMAT": ("clips.thumbnail_format", "WEBP", "webp"),
    "TIMESTAMP_FORMAT": ("clips.timestamp_format", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S"),
    "OLD_FILE_FORMAT": ("clips.old_file_format", "Yes", True),
    "SEAM_TOLERANCE": ("clips.seam_tolerance_s", "60", 60),
    "MAX_RECEIVE_COUNT": ("clips.max_receive_count", "1000", 1000),
    "GIVEN_BACK_REST": ("clips.backoff_base_s", "3600", 3600),
    "FUNCTION_TIMEOUT": ("clips.function_timeout_s", "43200", 43_200),
    "METRICS_NAMESPACE": ("clips.metrics_namespace", "camclip/test", "camclip/test"),
    "VERIFY": ("clips.verify", "decode", "decode"),
    "PROOF_KEY": ("clips.sign", SIGNING_KEY, signer_of(SIGNING_KEY)),
    "COMPOSE": ("clips.compose", "off", "off"),
    "HEVC": ("clips.hevc", "Splice", "splice"),
    "CLIP_TZ": ("clips.zone", "Europe/Madrid", ZoneInfo("Europe/Madrid")),
    "S3_CONDITIONS": ("clips.s3_conditions", "put", "put"),
    "LOG_LEVEL": ("clips.log_level", "debug", "DEBUG"),
    "CAMERAS": ("aws.cameras", "Bucket", "bucket"),
    "RECORDING_PATTERN": ("aws.recording_layout", "frigate", layout_named("frigate")),
    "RECORDING_TZ": ("aws.recording_zone", "Europe/Madrid", ZoneInfo("Europe/Madrid")),
    "CAM_SERVICES_URL": ("aws.cam_services_url", "http://a.example/", "http://a.example"),
    "RECORDINGS_URL": ("aws.recordings_url", "https://b.example/v2/", "https://b.example/v2"),
    "CLIP_URL": ("aws.clip_url", " https://c.example ", "https://c.example"),
    "S3_BUCKET_ORIGIN": ("aws.origin_bucket", "other-recordings", "other-recordings"),
    "S3_BUCKET_DESTINATION": ("aws.destination_bucket", "other.clips", "other.clips"),
    "AWS_SNS_TOPIC": ("aws.topic_arn", "arn:aws-cn:sns:x:1:t", "arn:aws-cn:sns:x:1:t"),
    "AWS_SQS_QUEUE_URL": ("aws.queue_url", "https://q.example/1/q", "https://q.example/1/q"),
    "S3_BUCKET_ORIGIN_DIR": ("aws.origin_folder", "/a/b/", "a/b"),
    "S3_BUCKET_ORIGIN_OWNER": ("aws.origin_owner", "123456789012", "123456789012"),
    "S3_BUCKET_ORIGIN_REQUESTER_PAYS": ("aws.origin_requester_pays", "true", True),
    "S3_BUCKET_DESTINATION_OWNER": ("aws.destination_owner", "210987654321", "210987654321"),
    "CLIP_DOWNLOAD_DEST": ("aws.scratch", "/mnt/scratch", Path("/mnt/scratch")),
    "WORKER_SLOTS": ("worker.slots", "64", 64),
    "WORKER_VISIBILITY": ("worker.visibility_s", "2", 2),
    "WORKER_POLL": ("worker.poll_s", "0", 0),
    "WORKER_GRACE": ("worker.grace_s", "0", 0),
    "WORKER_METRICS_PORT": ("worker.metrics_port", "9464", 9464),
    "WORKER_HEALTH_FILE": ("worker.health_file", "/run/healthy", Path("/run/healthy")),
}
"""Of each variable: the attribute that it sets, a text, and the value that this text means."""


def attribute(settings: Settings, worker: WorkerSettings, path: str) -> object:
    kind, name = path.split(".")
    return getattr(worker if kind == "worker" else getattr(settings, kind), name)


def test_every_variable_has_a_case() -> None:
    """A new setting needs one."""
    assert READ.keys() == VARIABLES


@pytest.mark.parametrize("name", READ)
def test_each_variable_sets_its_attribute_alone(name: str) -> None:
    """All others keep their values, and spaces around the text are ignored."""
    path, text, value = READ[name]
    complete = {**REQUIRED, "RECORDING_PATTERN": "mediamtx"}
    before = read_worker_settings(complete)
    after = read_worker_settings({**complete, name: f" {text} "})
    changed = {p for p, _, _ in READ.values() if attribute(*before, p) != attribute(*after, p)}
    assert changed == {path}
    assert attribute(*after, path) == value


@pytest.mark.parametrize(
    "written", [SIGNING_KEY, SIGNING_KEY.replace("\n", "\\n"), SIGNING_KEY.replace("\n", " ")]
)
def test_a_key_survives_what_environments_do_to_line_ends(written: str) -> None:
    """And it may be in a file."""
    assert read_clip_settings({"PROOF_KEY": written}).sign == signer_of(SIGNING_KEY)


def test_a_key_may_be_in_a_file(tmp_path: Path) -> None:
    """Whose path is the setting."""
    path = tmp_path / "key.pem"
    path.write_text(OTHER_KEY)
    assert read_clip_settings({"PROOF_KEY": str(path)}).sign == signer_of(OTHER_KEY)


@pytest.mark.parametrize(
    "text",
    [
        "hidden",
        "/nowhere/hidden",
        SIGNING_KEY.replace("BwcHBwc", ""),
        public_key(SIGNING_KEY),
        f"-----BEGIN hidden-----\n{SIGNING_KEY}",
    ],
    ids=["words", "a path", "too short", "a public key", "two keys"],
)
def test_what_is_no_key_is_refused_and_not_shown(text: str) -> None:
    """The message names the variable, and nothing of its value."""
    with pytest.raises(InvalidSettings, match="PROOF_KEY must be an Ed25519 private key") as caught:
        read_clip_settings({"PROOF_KEY": text})
    assert "hid" not in str(caught.value)
    assert "Bwc" not in str(caught.value)


def test_a_key_is_not_shown_with_the_settings() -> None:
    """A log may show them."""
    assert "Key" not in repr(read_clip_settings({"PROOF_KEY": SIGNING_KEY}))


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_variable_that_is_missing_or_empty_is_named(name: str) -> None:
    """The message gives its name and what it must be."""
    for environ in ({k: v for k, v in REQUIRED.items() if k != name}, {**REQUIRED, name: "  "}):
        with pytest.raises(InvalidSettings, match=f"{name} is not set: it must be"):
            read_settings(environ)


def test_an_empty_variable_counts_as_unset() -> None:
    """Templates pass an empty text for a parameter without a value."""
    assert read_clip_settings(dict.fromkeys(VARIABLES, "")) == ClipSettings()


def test_only_an_environment_that_may_be_of_2018_has_h264_by_default() -> None:
    """The command line and the worker, which are newer, keep what a camera recorded."""
    assert read_settings(REQUIRED).clips.hevc == "h264"
    for environ in ({}, {"HEVC": " "}):
        assert read_clip_settings(with_new_defaults(environ)).hevc == "splice"
    assert with_new_defaults({"HEVC": "h264"}) == {"HEVC": "h264"}


def test_a_bucket_has_an_owner_only_if_one_is_set() -> None:
    """Buckets without one may belong to any account."""
    assert read_settings(REQUIRED).aws.bucket_owners == {}
    owned = read_settings({**REQUIRED, "S3_BUCKET_DESTINATION_OWNER": "123456789012"})
    assert owned.aws.bucket_owners == {"clips": "123456789012"}


def test_worker_settings_have_defaults_and_their_faults_join_the_others() -> None:
    """One message names the faults of all three kinds."""
    _, worker = read_worker_settings(REQUIRED)
    assert worker == WorkerSettings(worker.slots, 60, 20, 60, None)
    assert worker.slots >= 1
    invalid = {**REQUIRED, "WORKER_POLL": "21", "SQS_TIMEOUT": "0", "CLIP_URL": "c"}
    with pytest.raises(InvalidSettings) as caught:
        read_worker_settings(invalid)
    assert all(name in str(caught.value) for name in ("WORKER_POLL", "SQS_TIMEOUT", "CLIP_URL"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("S3_BUCKET_ORIGIN", "Recordings"),
        ("S3_BUCKET_ORIGIN_OWNER", "12345678901"),
        ("AWS_SNS_TOPIC", "arn:aws:sqs:us-west-1:1:q"),
        ("AWS_SQS_QUEUE_URL", "requests"),
        ("CLIP_URL", "https://"),
        ("METRICS_NAMESPACE", "AWS/Lambda"),
        ("VERIFY", "all"),
        ("COMPOSE", "on"),
        ("HEVC", "h265"),
        ("S3_CONDITIONS", "all"),
        ("WORKER_SLOTS", "0"),
        ("WORKER_VISIBILITY", "1"),
        ("WORKER_METRICS_PORT", "65536"),
    ],
)
def test_an_invalid_setting_of_a_worker_is_rejected(name: str, text: str) -> None:
    """Addresses, buckets, accounts and topics have a form."""
    with pytest.raises(InvalidSettings, match=name):
        read_worker_settings({**REQUIRED, name: text})


ADDRESSES = [name for name in REQUIRED if name.endswith("_URL")]


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.example/v1?token=hidden", "a query"),
        ("https://a.example/v1?", "a query"),
        ("https://a.example/v1/?x=hidden#hidden", "a query"),
        ("https://a.example/#hidden", "a fragment"),
        ("https://a.example/#", "a fragment"),
        ("https://a .example/v1", "spaces"),
        ("https://a.example/v 1", "spaces"),
        ("https://a.example\t/v1", "printable"),
        ('https://a.example/"v1"/x', "quotation marks"),
        ("<https://a.example/v1>", "quotation marks"),
        ("https:\\\\a.example", "backslashes"),
        ("https://a.example:port", "an http or https address"),
        ("https://a.example:99999", "an http or https address"),
        ("https://[a.example", "an http or https address"),
        ("https://:443", "an http or https address"),
        ("https://user:hidden@", "an http or https address"),
        ("ftp://user:hidden/word@a.example", "an http or https address"),
        ("a.example", "an http or https address"),
    ],
)
def test_an_address_that_cannot_be_a_base_is_refused_by_name(
    name: str, text: str, expected: str
) -> None:
    """Paths are added to it; neither its query nor its credentials are repeated."""
    with pytest.raises(InvalidSettings, match=f"{name}='.*must be .*{expected}") as refused:
        read_settings({**REQUIRED, name: text})
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://a.example/v1/", "https://a.example/v1"),
        (" 'https://a.example//' ", "https://a.example"),
        ("http://user:p%40ss@[::1]:8080/v1", "http://user:p%40ss@[::1]:8080/v1"),
        ("https://kameras.m\u00fcller.example/v1", "https://kameras.m\u00fcller.example/v1"),
    ],
)
def test_an_address_is_read_without_its_outer_slash(name: str, text: str, read: str) -> None:
    """Nor the spaces and the quotes around it."""
    assert attribute(*read_worker_settings({**REQUIRED, name: text}), READ[name][0]) == read


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("S3_BUCKET_ORIGIN", "recordings/"),
        ("S3_BUCKET_ORIGIN", "s3://recordings"),
        ("S3_BUCKET_DESTINATION", "my clips"),
        ("S3_BUCKET_DESTINATION", "'clips"),
        ("AWS_SNS_TOPIC", "arn:aws:sns:us-west-1:123456789012:clips/"),
        ("AWS_SNS_TOPIC", "arn:aws:sns:us-west-1:123456789012:my clips"),
        ("S3_BUCKET_ORIGIN_OWNER", "1234 5678 9012"),
        ("METRICS_NAMESPACE", "my clips"),
        ("CLIP_DOWNLOAD_DEST", '/mnt/scratch"'),
    ],
)
def test_a_slash_a_space_or_a_quote_too_many_is_refused_by_name(name: str, text: str) -> None:
    """No service would find what is meant."""
    with pytest.raises(InvalidSettings, match=f"{name}="):
        read_settings({**REQUIRED, name: text})


IN_BUCKET = {
    **{name: text for name, text in REQUIRED.items() if name.startswith(("CLIP_", "S3_", "AWS_"))},
    "CAMERAS": "bucket",
    "RECORDING_PATTERN": "mediamtx",
}
"""All that a service without a camera API needs."""


def test_a_bucket_needs_no_camera_api() -> None:
    """But the pattern of its keys; an address that is set all the same is not reached."""
    aws = read_settings(IN_BUCKET).aws
    assert aws.recording_layout == layout_named("mediamtx")
    assert aws.camera_api_addresses == ()
    set_too = {**IN_BUCKET, "CAM_SERVICES_URL": "https://cameras.example.com"}
    assert read_settings(set_too).aws.camera_api_addresses == ()
    without = {name: text for name, text in IN_BUCKET.items() if name != "RECORDING_PATTERN"}
    with pytest.raises(InvalidSettings, match="RECORDING_PATTERN is not set: it must be camclip"):
        read_settings(without)
    with pytest.raises(InvalidSettings) as refused:
        read_settings({**IN_BUCKET, "CAMERAS": "files"})
    assert str(refused.value).splitlines()[1:] == ["  CAMERAS='files' must be one of api, bucket"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, UTC),
        ({"RECORDING_PATTERN": "frigate"}, UTC),
        ({"RECORDING_TZ": "Europe/Madrid"}, ZoneInfo("Europe/Madrid")),
        ({"RECORDING_PATTERN": "frigate", "RECORDING_TZ": "Asia/Tokyo"}, ZoneInfo("Asia/Tokyo")),
    ],
    ids=str,
)
def test_times_are_of_the_zone_that_is_set(given: dict[str, str], expected: tzinfo) -> None:
    """Else of the preset's, else UTC."""
    assert read_settings({**IN_BUCKET, **given}).aws.zone == expected


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("RECORDING_PATTERN", "unifi", "must be camclip, mediamtx, frigate, dashcam, or a pattern"),
        ("RECORDING_PATTERN", "ffmpeg", "has many patterns: write the one that fits, such as"),
        ("RECORDING_PATTERN", "{camera}/%Y-%m-%d", "lacks %H %M: a start needs day and time"),
        ("RECORDING_PATTERN", "%Y%m%d%H%M%S", "must name the camera, such as {camera}/%Y-%m"),
        ("RECORDING_TZ", "Madrid", "must be a time zone such as Europe/Madrid"),
        ("RECORDING_TZ", "../../etc/passwd", "must be a time zone such as Europe/Madrid"),
    ],
)
def test_a_pattern_or_zone_that_makes_no_sense_is_refused(name: str, text: str, fault: str) -> None:
    """With what it must be."""
    with pytest.raises(InvalidSettings) as refused:
        read_settings({**IN_BUCKET, name: text})
    [line] = str(refused.value).splitlines()[1:]
    assert line.startswith(f"  {name}='{text}' ")
    assert fault in line
