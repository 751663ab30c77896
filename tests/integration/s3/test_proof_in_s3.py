"""What S3 keeps of a proof, and what it says of recordings: with no request more."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from botocore.config import Config

from application.ports import FilePiece, RecordingPiece, Rendition
from domain.clip import ClipRequest
from domain.coverage import Coverage
from domain.manifest import Evidence, MediaInfo
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.aws import CONFIG
from infrastructure.formats.coverage_box import (
    BOX_BYTES,
    COVERAGE_UUID,
    PROOF_BOX_BYTES,
    PROOF_UUID,
    texts_in_boxes,
)
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.s3 import S3ClipStore, S3Recording, S3RecordingStore
from tests.contract.real import Aws, aws_session
from tests.contract.worlds import Footages
from tests.golden import cases
from tests.support.clip_store import clip_store
from tests.support.coverages import every_kind
from tests.support.strict_s3 import StrictS3, strict_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MIB = 1 << 20
REQUEST = ClipRequest("c1", "pier", 10**12, 10**12 + 300_000)
MEDIA = MediaInfo(25, 0.0, 960.0, 1000.0, "avc1", 64, 64, 20, 1)
LONG = every_kind(REQUEST.start_ms, 100, unused=200)
KEY = "clips/pier/c1.mp4"
NO_INDEX: Any = None
CHECKED = {"x-amz-checksum-crc64nvme": "AuUcyF784aU=", "x-amz-checksum-type": "FULL_OBJECT"}


def soon() -> float:
    return time.monotonic() + 20


@pytest.fixture
def server() -> Iterator[StrictS3]:
    with strict_s3() as served:
        yield served


def client_of(server: StrictS3, config: Config = CONFIG) -> "S3Client":
    client: S3Client = aws_session().client("s3", endpoint_url=server.url, config=config)
    return client


@pytest.fixture
def store(server: StrictS3) -> S3ClipStore:
    return clip_store(client_of(server), "clips")


def rendition(tmp_path: Path, evidence: Evidence) -> Rendition:
    path = tmp_path / "own"
    path.write_bytes(b"clip")
    return Rendition((FilePiece(path, 0, 4),), {}, MEDIA, evidence=evidence)


def of_sources(count: int) -> Evidence:
    source, proof = cases.OTHER_SOURCE, cases.PROOF
    return Evidence(
        tuple(evolve(source, name=f"{n}.mp4", version=f'"{n * n * n:032x}"') for n in range(count)),
        evolve(proof, copied=tuple(evolve(proof.copied[0], source=f"{n}") for n in range(count))),
    )


def test_the_proof_of_a_usual_clip_costs_no_request_and_no_byte(
    server: StrictS3, store: S3ClipStore, tmp_path: Path
) -> None:
    """It is in the metadata."""
    store.commit(REQUEST, rendition(tmp_path, of_sources(4)), "m#1", Coverage(), soon())
    found = store.find(REQUEST.name, soon())
    assert found
    assert found.evidence == of_sources(4)
    assert server.objects[KEY].data == b"clip"
    assert server.operations() == ["put", "head"]


def test_a_long_proof_is_a_box_and_the_coverage_stays_in_the_metadata(
    server: StrictS3, store: S3ClipStore, tmp_path: Path
) -> None:
    """So that older versions find it there."""
    coverage = every_kind(REQUEST.start_ms)
    store.commit(REQUEST, rendition(tmp_path, of_sources(200)), "m#1", coverage, soon())
    found = store.find(REQUEST.name, soon())
    assert found
    assert (found.evidence, found.coverage) == (of_sources(200), coverage)
    headers = server.objects[KEY].headers
    assert "x-amz-meta-coverage" in headers
    box = server.objects[KEY].data[4:]
    assert len(box) == int(headers[f"x-amz-meta-{PROOF_BOX_BYTES}"])
    assert box[8:24] == PROOF_UUID.bytes
    assert server.operations() == ["put", "head", "get"]


def test_where_both_are_long_the_coverage_is_the_last_box(
    server: StrictS3, store: S3ClipStore, tmp_path: Path
) -> None:
    """Older versions read it from the end, and know of no other."""
    store.commit(REQUEST, rendition(tmp_path, of_sources(200)), "m#1", LONG, soon())
    found = store.find(REQUEST.name, soon())
    assert found
    assert (found.evidence, found.coverage) == (of_sources(200), LONG)
    stored = server.objects[KEY]
    last = stored.data[-int(stored.headers[f"x-amz-meta-{BOX_BYTES}"]) :]
    assert last[8:24] == COVERAGE_UUID.bytes
    assert set(texts_in_boxes(stored.data[4:])) == {"proof", "coverage"}
    assert server.operations() == ["put", "head", "get"]


@pytest.mark.parametrize("count", range(0, 40, 3))
def test_the_metadata_never_exceeds_what_s3_accepts(
    server: StrictS3, store: S3ClipStore, tmp_path: Path, count: int
) -> None:
    """Just below the limit, and just above it: the server rejects more."""
    store.commit(REQUEST, rendition(tmp_path, of_sources(count)), "m#1", Coverage(), soon())
    found = store.find(REQUEST.name, soon())
    assert found
    assert found.evidence == of_sources(count)
    boxed = f"x-amz-meta-{PROOF_BOX_BYTES}" in server.objects[KEY].headers
    assert boxed == (server.objects[KEY].data != b"clip")


BOX = b"\0\0\0\x1cuuid" + PROOF_UUID.bytes + b"text"


@pytest.mark.parametrize(
    "data", [BOX + b"x", BOX[:-1], BOX + BOX, b"x" * 24, b"\0\0\0\0" + BOX[4:], BOX[:-1] + b"\xff"]
)
def test_only_whole_boxes_may_follow_a_clip(data: bytes) -> None:
    """Each kind at most once."""
    assert texts_in_boxes(b"") == {}
    assert texts_in_boxes(BOX) == {"proof": "text"}
    with pytest.raises(ValueError, match=r"box|ascii"):
        texts_in_boxes(data)


def copied(
    server: StrictS3, headers: Mapping[str, str], config: Config = CONFIG
) -> tuple[S3Recording, list[str]]:
    """Copy most of a recording into a clip; return it, and the requests."""
    data = bytes(20 * MIB)
    etag = server.put("sources/pier.mp4", data, dict(headers)).etag
    segment = RecordingSegment(TimeWindow(0, 600_000), "pier.mp4")
    file = RangeCache(lambda at, size: data[at : at + size], len(data))
    recording = S3Recording(segment, etag, NO_INDEX, file, "sources", "pier.mp4")
    pieces = (RecordingPiece(recording, 0, 15 * MIB),)
    store = clip_store(client_of(server, config), "clips")
    store.commit(REQUEST, Rendition(pieces, {}, MEDIA), "m#1", Coverage(), soon())
    return recording, server.operations()


def test_the_checksum_of_a_recording_comes_with_a_request_that_is_made_anyway(
    server: StrictS3,
) -> None:
    """The HEAD that compares the ETag after the copy."""
    recording, operations = copied(server, CHECKED)
    assert recording.checksum == "CRC64NVME:AuUcyF784aU="
    assert operations == ["create", "copy", "head", "complete"]
    (head,) = server.asked("head")
    assert head.headers["x-amz-checksum-mode"] == "ENABLED"


@pytest.mark.parametrize(
    ("headers", "checksum"),
    [
        ({}, ""),
        ({"x-amz-checksum-crc32": "AAAAAA==-3"}, ""),
        ({"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-type": "COMPOSITE"}, ""),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, "CRC32:AAAAAA=="),
        ({**CHECKED, "x-amz-checksum-sha256": "47DEQpj8HBSa"}, "SHA256:47DEQpj8HBSa"),
    ],
)
def test_only_a_checksum_of_the_whole_object_is_taken(
    server: StrictS3, headers: dict[str, str], checksum: str
) -> None:
    """The strongest, if there are several."""
    recording, _ = copied(server, headers)
    assert recording.checksum == checksum


def test_no_checksum_is_asked_for_where_aws_own_setting_says_so(server: StrictS3) -> None:
    """A store may not know the header."""
    config = CONFIG.merge(Config(response_checksum_validation="when_required"))
    recording, _ = copied(server, CHECKED, config)
    (head,) = server.asked("head")
    assert "x-amz-checksum-mode" not in head.headers
    assert recording.checksum == "CRC64NVME:AuUcyF784aU="  # It gave it nevertheless.


def test_a_recording_has_its_key_and_in_a_bucket_with_versions_its_version(
    aws: Aws, footages: Footages
) -> None:
    """As the first read of it says."""
    bucket = aws.bucket()
    store = S3RecordingStore(aws.s3, bucket, "/rewinds/")
    segment = RecordingSegment(TimeWindow(0, 2000), "pier.mp4")
    for status in ("", "Enabled"):
        if status:
            aws.s3.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )
        put = aws.s3.put_object(Bucket=bucket, Key="rewinds/pier.mp4", Body=footages.whole.data)
        opened = store.open(segment, segment.window, soon())
        assert (opened.key, opened.version) == ("rewinds/pier.mp4", put["ETag"])
        assert opened.version_id == put.get("VersionId", "")
        assert bool(opened.version_id) == bool(status)
