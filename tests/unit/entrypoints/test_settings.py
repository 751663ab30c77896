"""Settings: the 2018 service's variables, defaults, and every fault in one message."""

from pathlib import Path

import pytest

from domain.retry import RetryPolicy
from entrypoints.settings import InvalidSettings, read_clip_settings, read_settings

SAMPLES = sorted(Path(__file__).parents[3].glob(".env.sample_*"))
PLACES = {
    "CAM_SERVICES_URL": "https://cameras.example.com/",
    "RECORDINGS_URL": "https://cameras.example.com/v2",
    "CLIP_URL": "https://clips.example.com",
    "S3_BUCKET_ORIGIN": "recordings",
    "S3_BUCKET_DESTINATION": "clips",
    "AWS_SNS_TOPIC": "arn:aws:sns:us-west-1:123456789012:clips",
    "AWS_SQS_QUEUE_URL": "https://sqs.us-west-1.amazonaws.com/123456789012/requests",
}


def test_the_rules_all_have_defaults() -> None:
    """An empty environment gives what the README says."""
    rules = read_clip_settings({})
    assert rules.policy == RetryPolicy(900_000, 259_200_000, 60_000, 300_000)
    assert rules.thumbnails.widths == (300, 640, 1500, 3000)
    assert rules.thumbnails.format == "jpg"
    assert rules.seam_tolerance_ms == 1000
    assert rules.max_receive_count == 5
    assert rules.function_timeout_ms == 300_000
    assert rules.log_level == "INFO"


def test_seconds_become_milliseconds() -> None:
    """The variables are in seconds, as in 2018."""
    rules = read_clip_settings(
        {
            "SQS_RETRY_LIMIT": "60",
            "OUT_OF_RANGE_LIMIT": "70",
            "SQS_TIMEOUT": "80",
            "VIDEO_MAX_LEN": "90",
            "SEAM_TOLERANCE": "0",
        }
    )
    assert rules.policy == RetryPolicy(60_000, 70_000, 80_000, 90_000)
    assert rules.seam_tolerance_ms == 0


@pytest.mark.parametrize("text", ["300 640", "300,640", "300, 640", " 300  640 ", "[300, 640]"])
def test_widths_are_separated_by_spaces_or_commas(text: str) -> None:
    """As they were written in 2018, or as a list."""
    assert read_clip_settings({"THUMBNAIL_SIZES": text}).thumbnails.widths == (300, 640)


def test_addresses_and_folders_lose_their_outer_slashes() -> None:
    """So that they can be joined with what follows."""
    places = read_settings({**PLACES, "S3_BUCKET_ORIGIN_DIR": "/rewinds/"}).aws
    assert places.cam_services_url == "https://cameras.example.com"
    assert places.origin_folder == "rewinds"


@pytest.mark.parametrize("sample", SAMPLES, ids=[s.name for s in SAMPLES])
def test_the_samples_make_sense(sample: Path) -> None:
    """Each environment's sample file can be used as it is."""
    lines = [line for line in sample.read_text().splitlines() if line and line[0] != "#"]
    settings = read_settings(dict(line.split("=", 1) for line in lines))
    assert settings.aws.destination_bucket.startswith("cameras-service-clips-cdn-")


def test_every_fault_stands_in_one_message() -> None:
    """Whoever deploys it sees all of them at once, with what was given."""
    nonsense = {
        **PLACES,
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
    ],
)
def test_nonsense_is_refused(name: str, text: str) -> None:
    """A setting that cannot be meant is not guessed at."""
    with pytest.raises(InvalidSettings, match=name):
        read_clip_settings({name: text})
