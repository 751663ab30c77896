"""Which values are a sample's."""

from pathlib import Path

import attrs
import pytest
from dotenv import dotenv_values

from entrypoints.cli.sample_values import sample_values
from entrypoints.settings import AwsSettings, read_settings

TOP = Path(__file__).parents[3]
OWN = {
    "CAM_SERVICES_URL": "https://cameras.our-harbour.com/v2",
    "RECORDINGS_URL": "http://127.0.0.1:8080",
    "CLIP_URL": "https://clips.our-example.com",
    "S3_BUCKET_ORIGIN": "cameras-recordings",
    "S3_BUCKET_DESTINATION": "clips-prod",
    "AWS_SNS_TOPIC": "arn:aws:sns:us-east-1:123456789012:clips",
    "AWS_SQS_QUEUE_URL": "http://127.0.0.1:5000/123456789012/requests",
}


@pytest.mark.parametrize("environment", ["sandbox", "staging", "prod"])
def test_every_required_setting_of_the_samples_is_one(environment: str) -> None:
    """Whoever copies the file has to replace them all."""
    values = {k: v for k, v in dotenv_values(TOP / f".env.sample_{environment}").items() if v}
    required = [
        field.metadata["variable"]
        for field in attrs.fields(AwsSettings)
        if field.default is attrs.NOTHING
    ]
    of_the_camera_api = ["CAM_SERVICES_URL", "RECORDINGS_URL"]
    assert sample_values(read_settings(values).aws) == [*required, *of_the_camera_api]


def test_other_values_are_not() -> None:
    """An emulator's account is the one that Amazon's documents use."""
    assert sample_values(read_settings(OWN).aws) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com",
        "https://cameras.example.org/v2",
        "http://clips.example:8080",
        "https://a.b.example.net",
    ],
)
def test_addresses_reserved_for_documents_are(address: str) -> None:
    """No service answers there."""
    assert sample_values(read_settings({**OWN, "CLIP_URL": address}).aws) == ["CLIP_URL"]
