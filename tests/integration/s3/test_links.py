"""Links to objects: what they are signed for."""

from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from domain.errors import Unavailable
from infrastructure.aws import CONFIG
from infrastructure.s3 import expect_owners
from infrastructure.s3.links import S3Links, link_config

KEYS = ("AKIDEXAMPLE", "made-up")


@pytest.fixture(autouse=True)
def no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the endpoint of whatever emulates S3 for other tests."""
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")


def links(
    endpoint: str | None = None,
    bucket: str = "clips",
    keys: tuple[str | None, str | None] = KEYS,
) -> S3Links:
    session = boto3.Session(*keys, region_name="eu-west-1")
    calls = session.client("s3", config=CONFIG, endpoint_url=endpoint)
    expect_owners(calls, {bucket: "123456789012"})
    config = link_config(calls)
    return S3Links(session.client("s3", config=config, endpoint_url=endpoint), bucket)


@pytest.mark.parametrize(
    ("endpoint", "bucket", "place"),
    [
        (None, "clips", "https://clips.s3.eu-west-1.amazonaws.com/pier/c1.mp4"),
        (None, "my.clips", "https://s3.eu-west-1.amazonaws.com/my.clips/pier/c1.mp4"),
        ("https://minio.example:9000", "clips", "https://minio.example:9000/clips/pier/c1.mp4"),
    ],
)
def test_a_link_is_to_the_region_and_needs_no_header_of_ours(
    endpoint: str | None, bucket: str, place: str
) -> None:
    """By version 4 of the signature, which KMS keys need; other stores have no hosts of buckets."""
    made = links(endpoint, bucket)
    link = made.link("pier/c1.mp4", "GET", 900, ResponseContentDisposition='inline; filename="a b"')
    parts = urlsplit(link)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == place
    signed = parse_qs(parts.query)
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert signed["X-Amz-SignedHeaders"] == ["host"]
    assert signed["X-Amz-Expires"] == ["900"]
    assert signed["response-content-disposition"] == ['inline; filename="a b"']
    assert place.startswith(f"{made.origin}/")


def test_a_link_is_for_one_method() -> None:
    """HEAD has a signature of its own."""
    made = links()
    found = {
        parse_qs(urlsplit(made.link("a", method, 900)).query)["X-Amz-Signature"][0]
        for method in ("GET", "HEAD")
    }
    assert len(found) == 2


def test_without_credentials_there_are_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the fault."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(Unavailable, match="NoCredentialsError"):
        _ = links(keys=(None, None)).origin
