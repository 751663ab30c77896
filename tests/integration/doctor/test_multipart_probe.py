"""The test upload, to a strict stand-in for S3 with faults on demand."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config

from devtools.local_aws.http_server import Response
from domain.errors import AccessDenied, Unavailable
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.doctor.multipart_probe import ProbeResult, probe_multipart
from entrypoints.cli.doctor.verdicts import judge_probe
from infrastructure.aws import CONFIG
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.s3.recordings import S3Recording
from tests.contract.real import aws_session
from tests.support.strict_s3 import Fault, StrictS3, fails, lost, strict_s3

MIB = 1 << 20
NO_INDEX: Any = None
CONDITIONS = ("If-None-Match (Complete)", "If-None-Match (PUT)", "cleaning up")
ALL_OK = dict.fromkeys(("copies", "copy condition", *CONDITIONS), "ok")


@pytest.fixture
def server() -> Iterator[StrictS3]:
    with strict_s3() as served:
        yield served


@pytest.fixture
def probe(server: StrictS3) -> Callable[[], ProbeResult]:
    """Return the probe with a recording of 12 MiB at the strict server."""
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
    """Process the request without the header, or with another value."""

    def fault(proper: Callable[[], Response]) -> Response:
        for request in server.requests:
            if header in request.headers and value:
                request.headers[header] = value
            elif header in request.headers:
                del request.headers[header]
        return proper()

    return fault


def words_of(result: ProbeResult, *, compose: bool = True) -> dict[str, str]:
    return {finding.name: finding.word for finding in judge_probe(result, compose=compose)}


def test_a_correct_store_passes(probe: Callable[[], ProbeResult], server: StrictS3) -> None:
    """Its objects and uploads are as before."""
    result = probe()
    assert words_of(result) == ALL_OK
    assert result.copied_bytes == len(server.objects["origin/pier.mp4"].data)
    assert list(server.objects) == ["origin/pier.mp4"]
    assert not server.uploads
    keys = {request.key for request in server.asked("complete")}
    assert all(key.startswith("clips/.camclip-doctor/") for key in keys)


@pytest.mark.parametrize(
    ("operation", "header", "name"),
    [
        ("complete", "if-none-match", "If-None-Match (Complete)"),
        ("put", "if-none-match", "If-None-Match (PUT)"),
    ],
)
def test_a_store_that_ignores_a_condition_is_a_fault(
    probe: Callable[[], ProbeResult], server: StrictS3, operation: str, header: str, name: str
) -> None:
    """Of that condition alone; the object stored by mistake is deleted."""
    server.faults[operation] = [ignoring(server, header)]
    assert words_of(probe()) == {**ALL_OK, name: "fault"}
    assert list(server.objects) == ["origin/pier.mp4"]


def test_a_store_that_ignores_the_copy_condition_is_a_fault(
    probe: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """As in moto."""
    etag = server.objects["origin/pier.mp4"].etag
    server.faults["copy"] = [ignoring(server, "x-amz-copy-source-if-match", etag)]
    assert words_of(probe()) == {**ALL_OK, "copy condition": "fault"}
    assert list(server.objects) == ["origin/pier.mp4"]


def test_a_store_that_copies_other_bytes_is_a_fault(
    probe: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """Both ends of the range are compared."""
    size = len(server.objects["origin/pier.mp4"].data)
    shifted = f"bytes=1-{size - 1}"
    server.faults["copy"] = [ignoring(server, "x-amz-copy-source-range", shifted)]
    server.faults["complete"] = [ignoring(server, "x-amz-mp-object-size", str(size - 1 + 1000))]
    assert words_of(probe())["copies"] == "fault"


def test_a_store_without_copies_needs_compose_off(
    probe: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """With COMPOSE=off it is not a fault; its conditions are checked all the same."""
    server.faults["copy"] = [fails(501, "NotImplemented")]
    result = probe()
    conditions = dict.fromkeys(CONDITIONS, "ok")
    assert words_of(result) == {"copies": "fault", **conditions}
    assert words_of(result, compose=False) == {"copies": "skipped", **conditions}
    assert list(server.objects) == ["origin/pier.mp4"]


def test_a_copy_that_is_denied_names_the_permission(
    probe: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """And that of the recordings' KMS key."""
    server.faults["copy"] = [fails(403, "AccessDenied")]
    copies = judge_probe(probe(), compose=True)[0]
    assert copies.word == "fault"
    assert "AccessDenied" in copies.detail
    assert "s3:GetObject" in copies.fix
    assert "kms:Decrypt" in copies.fix


def test_a_store_that_stores_nothing_fails_the_probe(
    probe: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """With the store's error."""
    server.faults["create"] = server.faults["put"] = [fails(403, "AccessDenied")]
    with pytest.raises(AccessDenied, match="AccessDenied"):
        probe()


def test_undeleted_test_objects_are_named(
    probe: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """The service needs no permission to delete, so it is not a fault."""
    server.faults["delete"] = [fails(403, "AccessDenied")]
    finding = judge_probe(probe(), compose=True)[-1]
    (key,) = set(server.objects) - {"origin/pier.mp4"}
    assert finding.word == "skipped"
    assert key.removeprefix("clips/") in finding.detail
    assert "AccessDenied" in finding.detail
    assert "s3:DeleteObject" in finding.fix


def test_an_object_is_deleted_even_if_its_response_is_lost(
    probe: Callable[[], ProbeResult], server: StrictS3
) -> None:
    """It may have been stored."""
    server.faults["complete"] = [lost]
    with pytest.raises(Unavailable, match="already"):
        probe()
    assert list(server.objects) == ["origin/pier.mp4"]
