"""S3 as it fails, and what the objects bear there."""

import base64
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from attrs import define, evolve, frozen
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import HTTPClientError

from application.ports import AlreadyExists, FilePiece, Recording, RecordingPiece, Rendition
from devtools.local_aws.http_server import Response
from domain.clip import ClipName, ClipReport, ClipRequest
from domain.coverage import Coverage
from domain.errors import DeadlineExceeded, NotRecordedYet, RecordingChanged, Unavailable
from domain.manifest import Manifest, MediaInfo
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.aws import CONFIG
from infrastructure.mp4.index import FIRST_READ_BYTES, first_read_bytes
from infrastructure.mp4.recording import Mp4Recording
from infrastructure.s3 import S3Recording, S3RecordingStore
from infrastructure.s3.claims import S3Claims
from tests.contract.real import Aws, aws_session, clients_of
from tests.contract.worlds import Footages
from tests.support.clip_store import clip_store
from tests.support.loopback import Script, answer, head, loopback, stall
from tests.support.strict_s3 import properly, strict_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SEGMENT = RecordingSegment(TimeWindow(0, 600_000), "pier.mp4")
REQUEST = ClipRequest("c1", "pier", 10**12, 10**12 + 1000)
FOOTAGE = MediaInfo(25, 0.0, 960.0, 1000.0, "avc1", 64, 64)
ETAG = '"etag"'


def soon() -> float:
    return time.monotonic() + 20


def opened(url: str) -> Mp4Recording:
    recordings = S3RecordingStore(clients_of(url).s3, "bucket", "rewinds")
    return recordings.open(SEGMENT, SEGMENT.window, soon())


UNREAD = 150_000


def part(data: bytes, *, sent: int | None = None, etag: str = ETAG, offset: int = 0) -> Script:
    """Answer a range with `data`, at most 128 KiB, of which only `sent` bytes arrive."""
    size_bytes = offset + len(data)
    data = data[:FIRST_READ_BYTES]
    whole = f"bytes {offset}-{offset + len(data) - 1}/{size_bytes}"
    start = head("206 Partial Content", len(data), f"ETag: {etag}", f"Content-Range: {whole}")
    return lambda line: line.sendall(start + data[:sent])


def error(status: str, code: str) -> Script:
    return answer(status, f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode())


# Recordings


def test_one_request_opens_a_small_recording(footages: Footages) -> None:
    """Size, ETag and index come with the first bytes; there is no HEAD."""
    with loopback(part(footages.whole.data)) as server:
        recording = opened(server.url)
    (request,) = server.requests
    assert request.startswith("GET /bucket/rewinds/pier.mp4 ")
    last = first_read_bytes(SEGMENT.window.duration_ms) - 1
    assert f"\r\nRange: bytes=0-{last}\r\n" in request
    assert (recording.size_bytes, recording.version) == (len(footages.whole.data), ETAG)


def test_a_read_is_bound_to_the_version(footages: Footages) -> None:
    """And asks for exactly its bytes."""
    data = footages.whole.data
    with loopback(part(data), part(data[UNREAD : UNREAD + 50], offset=UNREAD)) as server:
        assert opened(server.url).read(UNREAD, 50) == data[UNREAD : UNREAD + 50]
    assert f"\r\nIf-Match: {ETAG}\r\n" in server.requests[1]
    assert f"\r\nRange: bytes={UNREAD}-{UNREAD + 49}\r\n" in server.requests[1]


def test_a_stream_that_breaks_off_is_read_again(footages: Footages) -> None:
    """Up to twice."""
    whole, cut = part(footages.whole.data), part(footages.whole.data, sent=5000)
    with loopback(cut, cut, whole) as server:
        assert opened(server.url).size_bytes == len(footages.whole.data)
    with loopback(cut) as server, pytest.raises(Unavailable):
        opened(server.url)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        (error("412 Precondition Failed", "PreconditionFailed"), RecordingChanged),
        (error("404 Not Found", "NoSuchKey"), RecordingChanged),
        (error("416 Range Not Satisfiable", "InvalidRange"), RecordingChanged),
        (part(b"x" * 50, etag='"other"'), RecordingChanged),
        (part(b"x" * 49), Unavailable),
        (part(b"x" * 51), Unavailable),
        (answer("200 OK", b"x" * 50, f"ETag: {ETAG}"), Unavailable),
        (error("403 Forbidden", "AccessDenied"), Unavailable),
        (error("404 Not Found", "NoSuchBucket"), Unavailable),
        (error("400 Bad Request", "ExpiredToken"), Unavailable),
        (answer("400 Bad Request"), Unavailable),
    ],
)
def test_a_read_gives_the_bytes_of_the_version_or_none(
    footages: Footages, fault: Script, meaning: type[Exception]
) -> None:
    """Some S3 clones ignore If-Match, or ranges."""
    with loopback(part(footages.whole.data), fault) as server:
        recording = opened(server.url)
        with pytest.raises(meaning):
            recording.read(UNREAD, 50)


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        (error("404 Not Found", "NoSuchKey"), NotRecordedYet),
        (error("416 Range Not Satisfiable", "InvalidRange"), NotRecordedYet),
        (answer("200 OK", b"", f"ETag: {ETAG}"), NotRecordedYet),
        (answer("200 OK", b"x" * 50, f"ETag: {ETAG}"), Unavailable),
        (error("404 Not Found", "NoSuchBucket"), Unavailable),
        (error("403 Forbidden", "AccessDenied"), Unavailable),
        (error("400 Bad Request", "ExpiredToken"), Unavailable),
    ],
)
def test_only_an_absent_or_empty_file_is_not_recorded_yet(
    fault: Script, meaning: type[Exception]
) -> None:
    """Anything else says nothing about the camera."""
    with loopback(fault) as server, pytest.raises(meaning):
        opened(server.url)


def test_slow_down_is_retried(footages: Footages) -> None:
    """By the library."""
    busy = error("503 Slow Down", "SlowDown")
    with loopback(busy, part(footages.whole.data)) as server:
        assert opened(server.url).size_bytes == len(footages.whole.data)


def test_a_stalled_stream_ends_with_the_deadline() -> None:
    """The library would wait for 20 s."""
    start = head("206 Partial Content", 1000, f"ETag: {ETAG}", "Content-Range: bytes 0-999/1000")
    with loopback(stall(start)) as server:
        recordings = S3RecordingStore(clients_of(server.url).s3, "bucket")
        began_s = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            recordings.open(SEGMENT, SEGMENT.window, began_s + 0.5)
        assert time.monotonic() - began_s < 1.5


# Clips


@pytest.fixture
def rendered(tmp_path: Path) -> Rendition:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"clip")
    return Rendition((FilePiece(path, 0, 4),), {}, FOOTAGE)


@pytest.fixture
def bucket(aws: Aws) -> str:
    return aws.bucket()


def test_the_clip_bears_what_a_player_and_a_person_need(
    aws: Aws, bucket: str, rendered: Rendition
) -> None:
    """Its type, that it never changes, and what it is."""
    clip_store(aws.s3, bucket).commit(REQUEST, rendered, "m#1", Coverage(), soon())
    found = aws.s3.head_object(Bucket=bucket, Key="pier/c1.mp4")
    assert found["ContentType"] == "video/mp4"
    assert found["CacheControl"] == "public, max-age=31536000, immutable"
    assert found["Metadata"]["fingerprint"] == REQUEST.fingerprint
    assert found["Metadata"]["writer"] == "m#1"
    assert found["Metadata"]["start"] == str(REQUEST.start_ms)
    assert found["Metadata"]["end"] == str(REQUEST.end_ms)


def test_a_saved_clip_is_named_after_its_camera_and_local_time(
    aws: Aws, bucket: str, rendered: Rendition
) -> None:
    """A browser still plays it in place (RFC 6266, 4.2: inline)."""
    clips = evolve(clip_store(aws.s3, bucket), zone=ZoneInfo("Europe/Madrid"))
    request = evolve(REQUEST, start_ms=1_777_636_810_250, end_ms=1_777_636_831_000)
    clips.commit(request, rendered, "m#1", Coverage(), soon())
    found = aws.s3.head_object(Bucket=bucket, Key="pier/c1.mp4")
    name = "pier_2026-05-01_14-00-10.250+0200.mp4"
    assert found["ContentDisposition"] == f'inline; filename="{name}"'


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_thumbnails_have_their_content_type(
    aws: Aws, bucket: str, tmp_path: Path, suffix: str
) -> None:
    """And may be stored once more, so that they are not kept forever."""
    picture = tmp_path / f"thumbnail.{suffix}"
    picture.write_bytes(b"still")
    clip_store(aws.s3, bucket).store_thumbnails(REQUEST.name, {300: picture}, soon())
    found = aws.s3.head_object(Bucket=bucket, Key=f"pier/c1_300.{suffix}")
    assert found["ContentType"] == "image/" + suffix.replace("jpg", "jpeg")
    assert found["CacheControl"] == "public, max-age=3600"


def test_the_manifest_is_json_that_may_change(aws: Aws, bucket: str) -> None:
    """A rejection's gives way to a clip's."""
    manifest = Manifest(ClipReport.available(REQUEST, Coverage()), "m#1")
    clip_store(aws.s3, bucket).write_manifest(REQUEST.name, manifest, soon(), replace=True)
    found = aws.s3.head_object(Bucket=bucket, Key="pier/c1.json")
    assert (found["ContentType"], found["CacheControl"]) == ("application/json", "no-cache")


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[" * 100_000], ids=ascii)
def test_a_broken_manifest_is_not_an_absent_one(aws: Aws, bucket: str, body: bytes) -> None:
    """The message is redelivered: what was published is unknown."""
    aws.s3.put_object(Bucket=bucket, Key="pier/c1.json", Body=body)
    with pytest.raises(Unavailable):
        clip_store(aws.s3, bucket).read_manifest(REQUEST.name, soon())


def test_a_missing_bucket_is_unavailable(aws: Aws, rendered: Rendition, tmp_path: Path) -> None:
    """Nothing is reported as stored. Only a HEAD cannot distinguish the bucket from the clip."""
    clips = clip_store(aws.s3, "no-such-bucket")
    picture = tmp_path / "still.jpg"
    picture.write_bytes(b"still")
    with pytest.raises(Unavailable):
        clips.read_manifest(REQUEST.name, soon())
    with pytest.raises(Unavailable):
        clips.commit(REQUEST, rendered, "m#1", Coverage(), soon())
    with pytest.raises(Unavailable):
        clips.store_thumbnails(REQUEST.name, {300: picture}, soon())


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "501 What"])
def test_a_head_that_fails_says_nothing_of_the_clip(status: str) -> None:
    """An expired token shows as a bare 400: it has no body to say more."""
    fault: Script = lambda line: line.sendall(head(status, 0))  # noqa: E731
    with loopback(fault) as server, pytest.raises(Unavailable):
        clip_store(clients_of(server.url).s3, "bucket").find(ClipName("pier", "c1"), soon())


def test_a_lost_reply_leads_to_the_object_being_there(rendered: Rendition) -> None:
    """The library asks again, and meets what the first request stored."""
    there = error("412 Precondition Failed", "PreconditionFailed")
    with loopback(lambda line: line.close(), there) as server, pytest.raises(AlreadyExists):
        clip_store(clients_of(server.url).s3, "bucket").commit(
            REQUEST, rendered, "m#1", Coverage(), soon()
        )
    assert len(server.requests) == 2
    assert all("\r\nIf-None-Match: *\r\n" in request for request in server.requests)
    assert all(request.endswith("\r\n\r\nclip") for request in server.requests)


def test_a_conflict_of_two_writes_decides_nothing(rendered: Rendition) -> None:
    """S3 asks for another try then (User Guide, conditional writes)."""
    fault = error("409 Conflict", "ConditionalRequestConflict")
    with loopback(fault) as server, pytest.raises(Unavailable):
        clip_store(clients_of(server.url).s3, "bucket").commit(
            REQUEST, rendered, "m#1", Coverage(), soon()
        )


@define(eq=False)
class CountingRecording(Recording):
    """Remembers which ranges were read."""

    segment: RecordingSegment = SEGMENT
    size_bytes: int = 40 << 20
    version: str = "1"
    ranges: Any = ()

    def read(self, offset: int, length: int) -> bytes:
        self.ranges = (*self.ranges, (offset, length))
        return bytes(length)


def base64_crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@frozen
class Sink:
    """Takes a request in the network's place, reading and wrapping as botocore's session does."""

    bodies: list[bytes]
    headers: list[HTTPHeaders]

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body: Any = request.body
        self.headers.append(request.headers)
        try:
            is_file = hasattr(body, "read")
            read = b"".join(iter(lambda: body.read(65536), b"")) if is_file else body
            self.bodies.append(read)
        except Exception as error:
            raise HTTPClientError(error=error) from error
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw())


class _Raw:
    def stream(self, **_: object) -> Iterator[bytes]:
        return iter(())


def secure(bodies: list[bytes], headers: list[HTTPHeaders]) -> "S3Client":
    sink: Any = Sink(bodies, headers)
    client = aws_session().client("s3", endpoint_url="https://s3.example", config=CONFIG)
    client.meta.events.register("before-send.s3.PutObject", sink)
    return client


def test_within_tls_the_checksum_is_a_header(tmp_path: Path) -> None:
    """Not a trailer, which some stores reject; ranges of recordings are read once."""
    bodies: list[bytes] = []
    headers: list[HTTPHeaders] = []
    client = secure(bodies, headers)
    recording = CountingRecording()
    path = tmp_path / "head"
    path.write_bytes(b"head" + bytes(11 << 20))
    small = (
        FilePiece(path, 0, 4),
        RecordingPiece(recording, 7, (5 << 20) + 1),
        FilePiece(path, 0, 4),
    )
    clip_store(client, "bucket").commit(
        REQUEST, Rendition(small, {}, FOOTAGE), "m#1", Coverage(), soon()
    )
    large = FilePiece(path, 0, 11 << 20), FilePiece(path, 0, 4)
    clip_store(client, "bucket").commit(
        REQUEST, Rendition(large, {}, FOOTAGE), "m#1", Coverage(), soon()
    )
    assert [body.count(b"head") for body in bodies] == [2, 2]
    for body, sent in zip(bodies, headers, strict=True):
        assert sent["x-amz-checksum-crc32"] in {base64_crc32(body), base64_crc32(body).encode()}
        assert sent["Content-Length"] == str(len(body))
        assert not {"x-amz-trailer", "transfer-encoding"} & {name.lower() for name in sent}
    assert recording.ranges == ((7, 5 << 20), (7 + (5 << 20), 1))


def test_within_tls_a_claims_checksum_is_a_header() -> None:
    """As a clip's."""
    bodies: list[bytes] = []
    headers: list[HTTPHeaders] = []
    client = secure(bodies, headers)
    assert S3Claims(client, "bucket", REQUEST, "m#1", soon()).create(0)
    ((body,), (sent,)) = bodies, headers
    assert sent["x-amz-checksum-crc32"] in {base64_crc32(body), base64_crc32(body).encode()}
    assert "x-amz-trailer" not in {name.lower() for name in sent}


@pytest.mark.parametrize(
    "error", [ValueError("1"), OSError("1"), DeadlineExceeded("1"), Unavailable("1")]
)
@pytest.mark.parametrize("within_tls", [True, False])
def test_what_goes_wrong_with_a_piece_comes_through_at_once(
    aws: Aws, bucket: str, error: Exception, within_tls: bool
) -> None:
    """The library would take it for S3's fault, try again four times, and wrap it."""

    class Broken(CountingRecording):
        def read(self, offset: int, length: int) -> bytes:
            super().read(offset, length)
            raise error

    recording = Broken()
    rendition = Rendition((RecordingPiece(recording, 3, 5),), {}, FOOTAGE)
    clips = clip_store(secure([], []) if within_tls else aws.s3, bucket)
    with pytest.raises(type(error)) as caught:
        clips.commit(REQUEST, rendition, "m#1", Coverage(), soon())
    assert caught.value is error
    assert recording.ranges == ((3, 5),)


def test_clip_and_manifest_are_looked_for_at_once() -> None:
    """Each request waits for the other."""
    together = Barrier(2, timeout=10)

    def waits(proper: Callable[[], Response]) -> Response:
        together.wait()
        return proper()

    with strict_s3() as server:
        server.faults["head"] = [waits]
        server.faults["get"] = [waits]
        found = clip_store(clients_of(server.url).s3, "bucket").look(REQUEST.name, soon())
    assert found == (None, None)
    assert not together.broken


def test_recordings_are_opened_at_once(footages: Footages) -> None:
    """Each waits for the others' first requests to come."""
    together = Barrier(3, timeout=10)

    def waits(proper: Callable[[], Response]) -> Response:
        together.wait()
        return proper()

    names = [f"{letter}.mp4" for letter in "abc"]
    with strict_s3() as server:
        for name in names:
            server.put(f"bucket/{name}", footages.whole.data)
        server.faults["get"] = [waits, waits, waits, properly]
        recordings = S3RecordingStore(clients_of(server.url).s3, "bucket")
        opened = recordings.open_all(
            [evolve(SEGMENT, name=name) for name in names], SEGMENT.window, soon()
        )
    assert not together.broken
    assert all(isinstance(recording, S3Recording) for recording in opened)
