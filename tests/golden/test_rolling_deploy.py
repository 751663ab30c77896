"""A delivery of the present version finds what another version left in the bucket."""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve, frozen

from application.make_clip import ClipResult, MakeClip
from application.ports import Rendition, ThumbnailSpec
from application.verify_clip import said_evidence
from devtools import footage
from domain.clip import ClipReport, ClipStatus, UnknownStatus
from domain.delivery import Delivery
from domain.errors import Conflict
from domain.proof import ThumbnailHash
from domain.recording import RecordingSegment
from domain.retry import RetryPolicy
from infrastructure.aws import CONFIG
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.formats.manifests import read_manifest
from infrastructure.in_memory import (
    InMemoryCameraService,
    InMemoryNotifier,
    InMemoryRecordingStore,
    InMemoryRetryQueue,
    InMemoryTranscoder,
    StoredFile,
)
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.contract.real import aws_session
from tests.golden import cases
from tests.golden.write import goldens
from tests.support.clip_store import clip_store
from tests.support.strict_s3 import StrictS3, strict_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

GOLDENS = goldens()
NEWEST = GOLDENS["2026-11-26-coverage"]
CLIP_KEY, MANIFEST_KEY = "clips/pier/clip-1.mp4", "clips/pier/clip-1.json"


class Transcoder(FfmpegTranscoder):
    """Renders in memory; thumbnails are made of the real bytes of stored clips."""

    def render_reporting(self, *args: Any) -> Rendition:  # noqa: ANN401 - the port's
        return InMemoryTranscoder().render_reporting(*args)


@frozen
class Service:
    """The present service on a bucket; all else is in memory."""

    server: StrictS3
    make_clip: MakeClip
    cameras: InMemoryCameraService
    recordings: InMemoryRecordingStore
    notifier: InMemoryNotifier
    folder: Path
    footage: bytes
    """The bytes of a clip, before its box."""

    def put_clip(self, written: dict[str, Any]) -> None:
        headers = {f"x-amz-meta-{name}": text for name, text in written["metadata"].items()}
        box = written.get("box", "").encode("latin-1")
        self.server.put(CLIP_KEY, self.footage + box, headers)

    def put_manifest(self, written: object) -> None:
        self.server.put(MANIFEST_KEY, json.dumps(written).encode())

    def deliver(self) -> ClipResult:
        """Deliver the message of the clip's writer once more."""
        message_id, _, receive_count = cases.WRITER.partition("#")
        delivery = Delivery(
            cases.REQUEST,
            message_id,
            cases.SENT_MS,
            cases.SENT_MS + 1000,
            time.monotonic() + 30,
            int(receive_count) + 1,
        )
        return self.make_clip(delivery, self.folder)

    @property
    def manifest(self) -> dict[str, Any]:
        written: dict[str, Any] = json.loads(self.server.objects[MANIFEST_KEY].data)
        return written


@pytest.fixture
def service(tmp_path: Path, films: Path) -> Iterator[Service]:
    cameras, notifier = InMemoryCameraService({"pier": []}), InMemoryNotifier()
    recordings = InMemoryRecordingStore()
    with strict_s3() as server:
        client: S3Client = aws_session().client("s3", endpoint_url=server.url, config=CONFIG)
        make_clip = MakeClip(
            cameras,
            recordings,
            Transcoder(find_ffmpeg({})),
            clip_store(client, "clips"),
            InMemoryRetryQueue(),
            notifier,
            RetryPolicy(retry_limit_ms=1000),
            ThumbnailSpec((300,)),
        )
        film = footage.Recording(first_number=0, frames=10, size=(64, 64))
        data = footage.cached_recording(films, film).read_bytes()
        yield Service(server, make_clip, cameras, recordings, notifier, tmp_path, data)


def published(report: ClipReport) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(json.dumps(cases.REPORT_FORMAT.report(report)))
    return members


@pytest.mark.parametrize(
    ("version", "case"),
    [(version, case) for version, golden in GOLDENS.items() for case in golden["clips"]],
)
def test_a_clip_that_another_version_stored_is_announced(
    service: Service, version: str, case: str
) -> None:
    """Nothing is rendered; report and proof say what is stored with the clip."""
    service.put_clip(GOLDENS[version]["clips"][case])
    result = service.deliver()
    coverage, media, evidence = cases.CLIPS[case]
    expected = ClipReport.available(cases.REQUEST, coverage)
    assert (result.report, result.media) == (expected, media)
    assert service.cameras.reports == service.notifier.published == [expected]
    assert service.manifest["report"]["fingerprint"] == cases.REQUEST.fingerprint
    picture = service.server.objects["clips/pier/clip-1_300.jpg"].data
    manifest = read_manifest(json.dumps(service.manifest))
    assert said_evidence(manifest) == evidence
    hashes = (ThumbnailHash(300, hashlib.sha256(picture).hexdigest()),)
    assert manifest.proof is None or manifest.proof.thumbnails == hashes


@pytest.mark.parametrize("case", ["whole", "gaps"])
@pytest.mark.parametrize("version", GOLDENS)
def test_a_clip_that_another_version_announced_is_not_made_twice(
    service: Service, version: str, case: str
) -> None:
    """It is reported again, in the same words, and not published again."""
    service.put_clip(GOLDENS[version]["clips"][case])
    service.put_manifest(GOLDENS[version]["manifests"][case])
    service.deliver()
    assert service.cameras.reports == [cases.MANIFESTS[case].report]
    assert service.notifier.published == []
    assert "put" not in service.server.operations()


@pytest.mark.parametrize("case", cases.REJECTIONS)
@pytest.mark.parametrize("version", GOLDENS)
def test_a_rejection_by_another_version_stands(service: Service, version: str, case: str) -> None:
    """Whatever this version would have said."""
    service.put_manifest(GOLDENS[version]["manifests"][case])
    service.deliver()
    assert service.cameras.reports == [cases.REJECTIONS[case]]
    assert service.notifier.published == []
    assert "put" not in service.server.operations()


def test_a_clip_of_2018_is_not_touched(service: Service) -> None:
    """It has no metadata, so its request is unknown."""
    service.put_clip({"metadata": {}})
    with pytest.raises(Conflict):
        service.deliver()
    assert service.cameras.reports == service.notifier.published == []


NEWER_COVERAGE = {
    "gaps": [{"startTimestampInMs": cases.START_MS, "endTimestampInMs": cases.START_MS + 1500}],
    "damaged": [
        {
            "startTimestampInMs": cases.START_MS + 2000,
            "endTimestampInMs": cases.START_MS + 2333,
            "cause": {"packets": [5]},
        }
    ],
    "held": [],
    "unused": [],
    "notes": [],
    "clock": {"rate": 1.0, "differenceInMs": 5, "source": "ntp"},
    "verified": "sampled",
    "colour": {"primaries": 9},
}
"""A coverage of a version that does not exist yet."""


def test_a_clip_of_a_newer_version_is_announced_in_its_words(service: Service) -> None:
    """Members that this version does not know survive at every level, and so does an unknown word.

    If the metadata were taken for another request's, the message would be dead-lettered at once.
    """
    described = dict(NEWEST["clips"]["whole"]["metadata"])
    described |= {"coverage": json.dumps(NEWER_COVERAGE), "poster": "7"}
    described["footage"] += " hdr10 2"
    service.put_clip({"metadata": described})
    result = service.deliver()
    (report,) = service.notifier.published
    coverage = published(report)["coverage"]
    assert coverage == {"complete": False, "deliveredInMs": 58_500, **NEWER_COVERAGE}
    assert service.manifest["report"]["coverage"] == NEWER_COVERAGE
    assert result.media == cases.MEDIA


def newer(members: dict[str, Any]) -> dict[str, Any]:
    """Add a member to every object."""
    grown = {
        key: newer(value)
        if isinstance(value, dict)
        else [newer(item) if isinstance(item, dict) else item for item in value]
        if isinstance(value, list)
        else value
        for key, value in members.items()
    }
    return {**grown, "ofTomorrow": {"more": [1]}}


@pytest.mark.parametrize("case", NEWEST["manifests"])
def test_an_ending_of_a_newer_version_is_repeated_in_its_words(service: Service, case: str) -> None:
    """With unknown members at every level of the manifest."""
    manifest = newer(NEWEST["manifests"][case])
    service.put_manifest(manifest)
    if cases.MANIFESTS[case].report.has_clip:
        service.put_clip(NEWEST["clips"]["whole"])
    service.deliver()
    (report,) = service.cameras.reports
    assert report == cases.MANIFESTS[case].report
    members = published(report)
    assert members["ofTomorrow"] == {"more": [1]}
    coverage = members["coverage"]
    assert {**manifest["report"]["coverage"], **coverage} == coverage
    assert service.notifier.published == []


def rejected_by_a_newer_version() -> dict[str, Any]:
    manifest = json.loads(json.dumps(NEWEST["manifests"]["CLIP_NOT_AVAILABLE"]))
    manifest["report"]["status"] = "CLIP_WITHHELD"
    written: dict[str, Any] = manifest
    return written


def test_an_unknown_rejection_stands(service: Service) -> None:
    """It is reported as it is, and not published: the newer version has done that."""
    service.put_manifest(rejected_by_a_newer_version())
    service.deliver()
    (report,) = service.cameras.reports
    assert report.status == UnknownStatus("CLIP_WITHHELD")
    assert published(report)["status"] == "CLIP_WITHHELD"
    assert service.notifier.published == []
    assert "put" not in service.server.operations()


def test_an_unknown_rejection_gives_way_to_footage(service: Service) -> None:
    """As every rejection does."""
    service.put_manifest(rejected_by_a_newer_version())
    window = cases.REQUEST.window
    service.cameras.segments["pier"] = [RecordingSegment(window, "a.mp4")]
    service.recordings.files["a.mp4"] = StoredFile(b"a", window.duration_ms)
    result = service.deliver()
    assert result.report.status is ClipStatus.AVAILABLE
    assert service.manifest["report"]["status"] == "CLIP_AVAILABLE"


def test_an_older_version_never_takes_a_gap_for_delivered(service: Service) -> None:
    """Versions before the coverage read `gaps`; where they do not fit, one gap spans them all."""
    starts_ms = range(cases.START_MS, cases.END_MS - 1000, 100)
    gaps = tuple(evolve(cases.REQUEST.window, start_ms=at, end_ms=at + 1) for at in starts_ms)
    coverage = evolve(cases.WHOLE, gaps=gaps)
    clip = cases.clip_as_written(coverage, cases.MEDIA, cases.MANY_SOURCES)
    described = clip["metadata"]
    bounds_ms = [cases.START_MS + int(word, 36) for word in described["gaps"].split()]
    assert bounds_ms == [gaps[0].start_ms, gaps[-1].end_ms]
    service.put_clip(clip)
    assert service.deliver().report.coverage == coverage
