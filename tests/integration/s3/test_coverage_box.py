"""The coverage at the end of a clip, where the object's metadata has no room for it."""

import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imageio_ffmpeg
import pytest

from application.ports import FilePiece, Piece, RecordingPiece, Rendition
from domain.clip import ClipRequest
from domain.coverage import Coverage
from domain.errors import Unavailable
from domain.manifest import MediaInfo, StoredClip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.aws import CONFIG
from infrastructure.formats.coverage_box import BOX_BYTES, COVERAGE_UUID
from infrastructure.formats.coverages import coverage_text
from infrastructure.mp4.index import read_index
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.s3 import S3ClipStore, S3Recording
from tests.contract.real import aws_session
from tests.contract.worlds import Footages
from tests.support.clip_store import clip_store
from tests.support.coverages import every_kind, windows
from tests.support.strict_s3 import MIN_PART_BYTES, Fault, Stored, StrictS3, fails, strict_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MIB = 1 << 20
REQUEST = ClipRequest("c1", "pier", 10**12, 10**12 + 300_000)
MEDIA = MediaInfo(25, 0.0, 960.0, 1000.0, "avc1", 64, 64, 20, 1)
LONG = every_kind(REQUEST.start_ms, 100, unused=200)
KEY = "clips/pier/c1.mp4"
NO_INDEX: Any = None


def soon() -> float:
    return time.monotonic() + 20


@pytest.fixture
def server() -> Iterator[StrictS3]:
    with strict_s3() as served:
        yield served


@pytest.fixture
def store(server: StrictS3) -> S3ClipStore:
    client: S3Client = aws_session().client("s3", endpoint_url=server.url, config=CONFIG)
    return clip_store(client, "clips")


def own(folder: Path, data: bytes) -> FilePiece:
    path = folder / f"own-{len(data)}"
    path.write_bytes(data)
    return FilePiece(path, 0, len(data))


def copied(server: StrictS3, length: int) -> RecordingPiece:
    data = bytes(length + 1)
    etag = server.put("sources/pier.mp4", data).etag
    segment = RecordingSegment(TimeWindow(0, 600_000), "pier.mp4")
    file = RangeCache(lambda at, size: data[at : at + size], len(data))
    recording = S3Recording(segment, etag, NO_INDEX, file, "sources", "pier.mp4")
    return RecordingPiece(recording, 1, length)


def commit(store: S3ClipStore, coverage: Coverage, *pieces: Piece) -> StoredClip:
    store.commit(REQUEST, Rendition(pieces, {}, MEDIA), "m#1", coverage, soon())
    found = store.find(REQUEST.name, soon())
    assert found
    return found


def box_of(server: StrictS3) -> bytes:
    """Return the box at the object's end."""
    stored = server.objects[KEY]
    return stored.data[-int(stored.headers[f"x-amz-meta-{BOX_BYTES}"]) :]


def test_a_usual_coverage_is_in_the_metadata(
    server: StrictS3, store: S3ClipStore, tmp_path: Path
) -> None:
    """No request and no byte more than before."""
    coverage = every_kind(REQUEST.start_ms)
    assert commit(store, coverage, own(tmp_path, b"clip")).coverage == coverage
    assert server.objects[KEY].data == b"clip"
    assert server.operations() == ["put", "head"]


def test_a_long_one_is_a_box_at_the_end(
    server: StrictS3, store: S3ClipStore, tmp_path: Path
) -> None:
    """Of the kind `uuid`, with JSON; one ranged read gives it back."""
    found = commit(store, LONG, own(tmp_path, b"clip"))
    assert (found.coverage, found.media, found.writer) == (LONG, MEDIA, "m#1")
    box = box_of(server)
    assert server.objects[KEY].data == b"clip" + box
    assert (int.from_bytes(box[:4]), box[4:8], box[8:24]) == (
        len(box),
        b"uuid",
        COVERAGE_UUID.bytes,
    )
    assert box[24:].decode() == coverage_text(LONG)
    assert server.operations() == ["put", "head", "get"]
    (get,) = server.asked("get")
    assert get.headers["range"] == f"bytes=4-{3 + len(box)}"


@pytest.mark.parametrize("gaps", range(0, 60, 3))
def test_the_metadata_never_exceeds_what_s3_accepts(
    server: StrictS3, store: S3ClipStore, tmp_path: Path, gaps: int
) -> None:
    """Just below the limit, and just above it: the server rejects more."""
    coverage = Coverage(windows(gaps, REQUEST.start_ms, 1000, 500))
    assert commit(store, coverage, own(tmp_path, b"clip")).coverage == coverage
    boxed = f"x-amz-meta-{BOX_BYTES}" in server.objects[KEY].headers
    assert boxed == (server.objects[KEY].data != b"clip")


def test_gaps_are_one_in_the_metadata_only_if_they_exceed_it_alone(
    server: StrictS3, store: S3ClipStore, tmp_path: Path
) -> None:
    """Services of before read them there, and take nothing that is missing for delivered."""
    coverage = Coverage(windows(1000, REQUEST.start_ms, 300, 1))
    assert commit(store, coverage, own(tmp_path, b"clip")).coverage == coverage
    assert server.objects[KEY].headers["x-amz-meta-gaps"] == "0 6f91"
    del server.objects[KEY]
    assert commit(store, LONG, own(tmp_path, b"clip")).coverage == LONG
    assert len(server.objects[KEY].headers["x-amz-meta-gaps"].split()) == 200


@pytest.mark.parametrize(
    "tail", [0, 5, MIN_PART_BYTES - 1, MIN_PART_BYTES, 11 * MIB], ids=lambda tail: f"tail {tail}"
)
def test_the_box_belongs_to_the_last_part_of_our_own(
    server: StrictS3, store: S3ClipStore, tmp_path: Path, tail: int
) -> None:
    """After a copied range it is one; the order of the parts is that of the pieces."""
    head, data = b"h" * (6 * MIB), b"t" * tail
    pieces = own(tmp_path, head), copied(server, 20 * MIB), own(tmp_path, data)
    assert commit(store, LONG, *pieces).coverage == LONG
    box = box_of(server)
    assert server.objects[KEY].data == head + bytes(20 * MIB) + data + box
    last = max(server.asked("send"), key=lambda request: int(request.query["partNumber"]))
    assert last.body.endswith(box)
    assert len(server.asked("copy")) == 1
    expected_sends = 2 if tail < MIN_PART_BYTES * 2 - len(box) else 3
    assert len(server.asked("send")) == expected_sends


def test_a_long_clip_of_files_alone_is_one_request(
    server: StrictS3, store: S3ClipStore, tmp_path: Path
) -> None:
    """The box is streamed after them."""
    assert commit(store, LONG, own(tmp_path, bytes(12 * MIB))).coverage == LONG
    assert server.objects[KEY].data == bytes(12 * MIB) + box_of(server)
    assert server.operations() == ["put", "head", "get"]


def test_a_store_that_does_not_copy_gets_the_box_too(
    server: StrictS3, store: S3ClipStore, tmp_path: Path
) -> None:
    """Whatever way the bytes take."""
    server.faults["copy"] = [fails(501, "NotImplemented")]
    pieces = own(tmp_path, b"head"), copied(server, 20 * MIB)
    assert commit(store, LONG, *pieces).coverage == LONG
    assert server.objects[KEY].data == b"head" + bytes(20 * MIB) + box_of(server)


@pytest.mark.parametrize(
    "changed",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data.replace(COVERAGE_UUID.bytes, bytes(16)),
        lambda data: data.replace(b'{"gaps"', b'["gaps"'),
        lambda data: data[:-1] + b"\xff",
        lambda _: b"x",
    ],
)
def test_a_clip_that_lost_its_box_is_another_clips(
    server: StrictS3, store: S3ClipStore, tmp_path: Path, changed: Callable[[bytes], bytes]
) -> None:
    """Another program wrote it again with its metadata: no request takes it for its own."""
    commit(store, LONG, own(tmp_path, b"clip"))
    stored = server.objects[KEY]
    server.objects[KEY] = Stored(changed(stored.data), '"other"', stored.headers)
    found = store.find(REQUEST.name, soon())
    assert found
    assert (found.fingerprint, found.coverage) == ("", Coverage())


@pytest.mark.parametrize("size", ["", "x", "-1", "0", "9999999"])
def test_a_size_that_is_none_is_another_clips(
    server: StrictS3, store: S3ClipStore, tmp_path: Path, size: str
) -> None:
    """Nothing is read then."""
    commit(store, LONG, own(tmp_path, b"clip"))
    stored = server.objects[KEY]
    headers = {**stored.headers, f"x-amz-meta-{BOX_BYTES}": size}
    server.objects[KEY] = Stored(stored.data, stored.etag, headers)
    server.requests.clear()
    found = store.find(REQUEST.name, soon())
    assert found
    assert found.fingerprint == ""
    assert server.operations() == ["head"]


@pytest.mark.parametrize(
    "fault",
    [fails(412, "PreconditionFailed"), fails(404, "NoSuchKey"), fails(403, "AccessDenied")],
)
def test_a_box_that_cannot_be_read_says_nothing_of_the_clip(
    server: StrictS3, store: S3ClipStore, tmp_path: Path, fault: Fault
) -> None:
    """The clip was replaced in the meantime, or S3 refuses: the message comes again."""
    commit(store, LONG, own(tmp_path, b"clip"))
    server.faults["get"] = [fault]
    with pytest.raises(Unavailable):
        store.find(REQUEST.name, soon())


def test_players_and_our_reader_skip_the_box(
    server: StrictS3, store: S3ClipStore, tmp_path: Path, footages: Footages
) -> None:
    """Decoders see the same frames and find no fault, and the index is the same."""
    commit(store, LONG, own(tmp_path, footages.whole.data))
    with_box = server.objects[KEY].data
    path = tmp_path / "clip.mp4"
    sums = []
    for data in (footages.whole.data, with_box):
        path.write_bytes(data)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-xerror", "-i", str(path)]
        ran = subprocess.run(
            [*command, "-f", "framemd5", "-"], check=True, capture_output=True, timeout=60
        )
        assert ran.stderr == b""
        sums.append(ran.stdout)
    assert sums[0] == sums[1]
    before, after = (
        read_index(RangeCache(partial(_slice, data), len(data)).read, len(data))
        for data in (footages.whole.data, with_box)
    )
    assert before.duration_ms == after.duration_ms == 2000
    assert before.video
    assert after.video
    assert (before.video.pts, before.video.offsets) == (after.video.pts, after.video.offsets)


def _slice(data: bytes, at: int, length: int) -> bytes:
    return data[at : at + length]
