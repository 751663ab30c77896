"""The test upload, to a strict stand-in for S3 with switches and faults."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from botocore.config import Config

from devtools.local_aws.http_server import Response
from domain.errors import AccessDenied, RecordingChanged
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.doctor.multipart_probe import ProbeResult, probe_store
from entrypoints.cli.doctor.probe_verdicts import (
    CHECKSUMS,
    COMPOSE,
    CONDITIONS,
    REQUIRED,
    SUPPORTED,
    judge_probe,
    settings_for,
)
from infrastructure.aws import CONFIG
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.s3.recordings import S3Recording
from tests.contract.real import aws_session
from tests.support.strict_s3 import Fault, StrictS3, fails, lost, strict_s3

MIB = 1 << 20
NO_INDEX: Any = None
DEFAULTS = {COMPOSE: "auto", CONDITIONS: "auto", CHECKSUMS: SUPPORTED}

Probe = Callable[[], ProbeResult]


@pytest.fixture
def server() -> Iterator[StrictS3]:
    with strict_s3() as served:
        yield served


@pytest.fixture
def probe(server: StrictS3) -> Probe:
    """Return the probe with a recording of 12 MiB at the strict server."""

    def client(checksums: Literal["when_supported", "when_required"]) -> Any:  # noqa: ANN401 - boto3's
        once: Any = {"mode": "standard", "total_max_attempts": 1}
        own = Config(retries=once, request_checksum_calculation=checksums)
        return aws_session().client("s3", endpoint_url=server.url, config=CONFIG.merge(own))

    data = bytes(range(251)) * (12 * MIB // 251)
    etag = server.put("origin/pier.mp4", data).etag

    def fetch(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    segment = RecordingSegment(TimeWindow(0, 1), "pier.mp4")
    file = RangeCache(fetch, len(data))
    recording = S3Recording(segment, etag, NO_INDEX, file, "origin", "pier.mp4")
    clients = {SUPPORTED: client(SUPPORTED), REQUIRED: client(REQUIRED)}
    return lambda: probe_store(clients, recording, "clips")


def changing(server: StrictS3, header: str, value: str) -> Fault:
    """Process requests with another value of the header."""

    def fault(proper: Callable[[], Response]) -> Response:
        for request in server.requests:
            if header in request.headers:
                request.headers[header] = value
        return proper()

    return fault


def values(result: ProbeResult) -> tuple[str, ...]:
    """Return the values of COMPOSE, S3_CONDITIONS and the checksums that the store needs."""
    return tuple(settings_for(result)[name] for name in (COMPOSE, CONDITIONS, CHECKSUMS))


def faults_of(result: ProbeResult) -> set[str]:
    return {f.name for f in judge_probe(result, DEFAULTS) if f.word == "fault"}


def test_a_correct_store_passes(probe: Probe, server: StrictS3) -> None:
    """Its objects and uploads are as before."""
    result = probe()
    assert not faults_of(result)
    assert values(result) == ("auto", "both", SUPPORTED)
    assert result.copied_bytes == len(server.objects["origin/pier.mp4"].data)
    assert isinstance(result.source_compared, RecordingChanged)
    assert result.checksum_compared
    assert list(server.objects) == ["origin/pier.mp4"]
    assert not server.uploads
    keys = {request.key for request in server.asked("complete")}
    assert all(key.startswith("clips/.camclip-doctor/") for key in keys)


@pytest.mark.parametrize(
    ("switches", "needed"),
    [
        ({"conditions_on_complete": False}, ("auto", "put", SUPPORTED)),
        ({"conditions_on_put": False}, ("auto", "complete", SUPPORTED)),
        ({"knows_condition_on_put": False}, ("auto", "complete", SUPPORTED)),
        (
            {"conditions_on_put": False, "conditions_on_complete": False},
            ("auto", "none", SUPPORTED),
        ),
        ({"own_codes": True}, ("auto", "both", SUPPORTED)),
        ({"compares_sources": False}, ("auto", "both", SUPPORTED)),
        ({"checksums_copies": False}, ("auto", "both", REQUIRED)),
        ({"wants_equal_parts": True}, ("off", "both", SUPPORTED)),
    ],
)
def test_each_kind_of_store_gets_its_settings(
    probe: Probe, server: StrictS3, switches: dict[str, bool], needed: tuple[str, ...]
) -> None:
    """Nothing is left of what was tried."""
    for switch, value in switches.items():
        setattr(server, switch, value)
    assert values(probe()) == needed
    assert list(server.objects) == ["origin/pier.mp4"]
    assert not server.uploads


def test_a_store_that_ignores_the_copy_condition_is_no_fault(
    probe: Probe, server: StrictS3
) -> None:
    """The service compares the ETags; it is only said."""
    server.compares_sources = False
    result = probe()
    assert result.source_compared is None
    assert not faults_of(result)


def test_a_store_that_copies_other_bytes_is_a_fault(probe: Probe, server: StrictS3) -> None:
    """Both ends of the range are compared."""
    size = len(server.objects["origin/pier.mp4"].data)
    shifted = f"bytes=1-{size - 1}"
    server.faults["copy"] = [changing(server, "x-amz-copy-source-range", shifted)]
    total = str(5 * MIB + 1000 + size - 1 + 1000)
    server.faults["complete"] = [changing(server, "x-amz-mp-object-size", total)]
    result = probe()
    assert "copies" in faults_of(result)
    assert values(result)[0] == "off"


def test_a_store_without_copies_needs_compose_off(probe: Probe, server: StrictS3) -> None:
    """Its conditions are tried all the same."""
    server.faults["copy"] = [fails(501, "NotImplemented")]
    result = probe()
    assert values(result) == ("off", "both", SUPPORTED)
    assert faults_of(result) == {"copies"}
    assert list(server.objects) == ["origin/pier.mp4"]


def test_a_store_that_supports_nothing_gets_the_safest_settings(
    probe: Probe, server: StrictS3
) -> None:
    """Plain PUTs are all that it knows."""
    server.faults["create"] = [fails(501, "NotImplemented")]
    server.knows_condition_on_put = False
    result = probe()
    assert values(result) == ("off", "none", SUPPORTED)
    assert "If-None-Match" in faults_of(result)


def test_checksums_that_are_rejected_are_switched_off(probe: Probe, server: StrictS3) -> None:
    """Everything succeeds without them."""

    def rejecting(proper: Callable[[], Response]) -> Response | None:
        has_checksum = "x-amz-checksum-crc32" in server.requests[-1].headers
        return fails(400, "InvalidArgument")(proper) if has_checksum else proper()

    server.faults["put"] = server.faults["send"] = [rejecting]
    assert values(probe()) == ("auto", "both", REQUIRED)


def test_metadata_that_are_dropped_are_a_fault(probe: Probe, server: StrictS3) -> None:
    """And Content-Type."""

    def dropping(proper: Callable[[], Response]) -> Response:
        response = proper()
        kept = {k: v for k, v in response.headers.items() if k.lower() != "content-type"}
        return Response(response.status, response.body, kept)

    server.faults["head"] = [dropping]
    assert faults_of(probe()) == {"metadata"}


def test_a_wrong_owner_is_refused_or_not(probe: Probe, server: StrictS3) -> None:
    """By 403; all other answers mean that it was not compared."""
    assert not probe().owner_compared
    server.faults["head"] = [fails(403, "")]
    assert probe().owner_compared


def test_a_copy_that_is_denied_names_the_permission(probe: Probe, server: StrictS3) -> None:
    """And that of the recordings' KMS key."""
    server.faults["copy"] = [fails(403, "AccessDenied")]
    copies = judge_probe(probe(), DEFAULTS)[0]
    assert copies.word == "fault"
    assert "AccessDenied" in copies.detail
    assert "s3:GetObject" in copies.fix
    assert "kms:Decrypt" in copies.fix


def test_a_store_that_stores_nothing_fails_the_probe(probe: Probe, server: StrictS3) -> None:
    """With the store's error."""
    server.faults["create"] = server.faults["put"] = [fails(403, "AccessDenied")]
    with pytest.raises(AccessDenied, match="AccessDenied"):
        probe()


def test_undeleted_test_objects_are_named(probe: Probe, server: StrictS3) -> None:
    """The service needs no permission to delete, so it is not a fault."""
    server.faults["delete"] = [fails(403, "AccessDenied")]
    findings = judge_probe(probe(), DEFAULTS)
    (finding,) = [finding for finding in findings if finding.name == "cleaning up"]
    assert finding.word == "skipped"
    for key in set(server.objects) - {"origin/pier.mp4"}:
        assert key.removeprefix("clips/") in finding.detail
    assert "AccessDenied" in finding.detail
    assert "s3:DeleteObject" in finding.fix


def test_an_object_is_deleted_even_if_its_response_is_lost(probe: Probe, server: StrictS3) -> None:
    """It may have been stored."""
    server.faults["complete"] = [lost]
    probe()
    assert list(server.objects) == ["origin/pier.mp4"]
