"""Clips put together inside S3: what is stored, what it costs, and what is left when it fails."""

import logging
import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve, frozen
from botocore.config import Config

from application.ports import AlreadyExists, FilePiece, Piece, RecordingPiece, Rendition
from devtools.local_aws.http_server import Response
from domain.clip import ClipRequest
from domain.coverage import Coverage
from domain.errors import DeadlineExceeded, RecordingChanged, Unavailable
from domain.manifest import MediaInfo
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.aws import CONFIG
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.s3 import S3ClipStore, S3Recording, S3RecordingStore
from infrastructure.s3.conditions import NAMED
from tests.contract.real import Aws, aws_session
from tests.contract.worlds import Footages
from tests.integration.s3.test_s3 import CountingRecording
from tests.support.clip_store import clip_store
from tests.support.service import wait_until
from tests.support.strict_s3 import Fault, StrictS3, error, fails, lost, properly, strict_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MIB = 1 << 20
SEGMENT = RecordingSegment(TimeWindow(0, 600_000), "pier.mp4")
REQUEST = ClipRequest("c1", "pier", 10**12, 10**12 + 1000)
FOOTAGE = MediaInfo(25, 0.0, 960.0, 1000.0, "avc1", 64, 64)
NO_INDEX: Any = None
KEY = "clips/pier/c1.mp4"


def soon() -> float:
    return time.monotonic() + 20


@cache
def noise(seed: int, size_bytes: int) -> bytes:
    return random.Random(seed).randbytes(size_bytes)


@frozen
class World:
    """Two buckets, of recordings and clips, and a folder with what was rendered."""

    client: "S3Client"
    sources: str
    clips: str
    folder: Path
    server: StrictS3 | None = None

    @property
    def store(self) -> S3ClipStore:
        return clip_store(self.client, self.clips)

    def recording(self, seed: int, size_bytes: int = 40 * MIB) -> S3Recording:
        key, data = f"rewinds/{seed} à.mp4", noise(seed, size_bytes)
        if self.server:
            etag = self.server.put(f"{self.sources}/{key}", data).etag
        else:
            etag = self.client.put_object(Bucket=self.sources, Key=key, Body=data)["ETag"]

        def fetch(offset: int, length: int) -> bytes:
            span = f"bytes={offset}-{offset + length - 1}"
            found = self.client.get_object(Bucket=self.sources, Key=key, Range=span)
            return found["Body"].read()

        file = RangeCache(fetch, size_bytes)
        return S3Recording(SEGMENT, etag, NO_INDEX, file, self.sources, key)

    def own(self, length: int) -> FilePiece:
        """Take some bytes of a file that is longer on both sides."""
        path = self.folder / f"own-{length}"
        path.write_bytes(noise(length, length + 30))
        return FilePiece(path, 10, length)

    def stored(self) -> bytes:
        return self.client.get_object(Bucket=self.clips, Key="pier/c1.mp4")["Body"].read()


def expected(pieces: Sequence[Piece]) -> bytes:
    data = b""
    for piece in pieces:
        if isinstance(piece, FilePiece):
            whole = piece.path.read_bytes()
        else:
            assert isinstance(piece.recording, S3Recording)
            seed = int(piece.recording.key.removeprefix("rewinds/").split(" ")[0])
            whole = noise(seed, piece.recording.size_bytes)
        data += whole[piece.offset : piece.offset + piece.length]
    return data


def commit(store: S3ClipStore, *pieces: Piece, deadline_s: float = 0) -> None:
    rendition = Rendition(pieces, {}, FOOTAGE)
    store.commit(REQUEST, rendition, "m#1", Coverage(), deadline_s or soon())


@pytest.fixture
def server() -> Iterator[StrictS3]:
    with strict_s3() as served:
        yield served


@pytest.fixture
def world(server: StrictS3, tmp_path: Path) -> World:
    """Ask the strict server, and only twice."""
    config = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))
    client = aws_session().client("s3", endpoint_url=server.url, config=config)
    return World(client, "sources", "clips", tmp_path, server)


@pytest.fixture
def clip(world: World, server: StrictS3) -> tuple[Piece, ...]:
    """Render a clip of one recording, stored already; its parts: sent, copied, copied, sent."""
    recording = world.recording(1)
    pieces = world.own(2 * MIB), RecordingPiece(recording, 7, 39 * MIB), world.own(100_000)
    server.requests.clear()
    return pieces


@pytest.fixture
def moto(aws: Aws, tmp_path: Path) -> World:
    return World(aws.s3, aws.bucket(), aws.bucket(), tmp_path)


# What is stored

SHAPES: dict[str, list[tuple[int, int]]] = {
    "a header and a range": [(0, 300_000), (1, 20 * MIB)],
    "a range and a tail": [(1, 11 * MIB), (0, 1)],
    "a range alone": [(1, 12 * MIB)],
    "just below 10 MiB": [(0, 1), (1, 10 * MIB - 2)],
    "just 10 MiB": [(0, 1), (1, 10 * MIB - 1)],
    "a header of 5 MiB less 1": [(0, 5 * MIB - 1), (1, 11 * MIB)],
    "a header of 5 MiB": [(0, 5 * MIB), (1, 11 * MIB)],
    "a header of 5 MiB and 1": [(0, 5 * MIB + 1), (1, 11 * MIB)],
    "three recordings, loose bytes at the seams": [
        *[(0, MIB), (1, 9 * MIB), (0, 2000), (0, 100), (2, 13 * MIB)],
        *[(0, 3000), (3, 36 * MIB), (0, 77)],
    ],
    "three recordings, the middle one small": [
        *[(0, MIB), (1, 9 * MIB), (2, 4 * MIB), (3, 9 * MIB), (0, 77)]
    ],
    "many small ranges": [(seed % 3, MIB) for seed in range(18)],
    "a last range of 5 MiB": [(0, 6 * MIB), (1, 6 * MIB), (2, 5 * MIB)],
    "a last range of less": [(0, 6 * MIB), (1, 6 * MIB), (2, 5 * MIB - 1)],
    "files alone": [(0, 6 * MIB), (0, 7 * MIB), (0, 1)],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stand_in", ["world", "moto"])
def test_the_object_is_the_pieces_one_after_the_other(
    stand_in: str, shape: str, request: pytest.FixtureRequest
) -> None:
    """Whoever moved which of them; and it bears what every clip does."""
    world: World = request.getfixturevalue(stand_in)
    max_bytes = {seed: length for length, seed in sorted((n, s) for s, n in SHAPES[shape]) if seed}
    recordings = {seed: world.recording(seed, size + 2000) for seed, size in max_bytes.items()}
    pieces = [
        RecordingPiece(recordings[seed], 1000 + seed, length) if seed else world.own(length)
        for seed, length in SHAPES[shape]
    ]
    commit(world.store, *pieces)
    assert world.stored() == expected(pieces)
    head = world.client.head_object(Bucket=world.clips, Key="pier/c1.mp4")
    assert head["ContentType"] == "video/mp4"
    assert head["CacheControl"] == "public, max-age=31536000, immutable"
    assert head["Metadata"]["writer"] == "m#1"


def test_a_recording_s_own_store_tells_where_it_is(moto: World, footages: Footages) -> None:
    """So that ranges of what it opened are copied."""
    film = footages.whole.data + (12 * MIB).to_bytes(4, "big") + b"free" + bytes(12 * MIB - 8)
    moto.client.put_object(Bucket=moto.sources, Key="rewinds/pier.mp4", Body=film)
    recording = S3RecordingStore(moto.client, moto.sources, "rewinds").open(
        SEGMENT, SEGMENT.window, soon()
    )
    found = moto.client.head_object(Bucket=moto.sources, Key="rewinds/pier.mp4")
    assert (recording.bucket, recording.key) == (moto.sources, "rewinds/pier.mp4")
    assert recording.version == found["ETag"]
    unreadable = RangeCache(lambda _, __: b"", len(film))  # only S3 itself can read it now
    gone = evolve(recording, file=unreadable)
    commit(moto.store, RecordingPiece(gone, 100, len(film) - 100))
    assert moto.stored() == film[100:]


# What is asked


def test_what_is_asked_of_s3(world: World, server: StrictS3, clip: tuple[Piece, ...]) -> None:
    """Conditions on every source and on the whole; the size of the whole."""
    commit(world.store, *clip)
    counts = {name: len(server.asked(name)) for name in set(server.operations())}
    assert counts == {"create": 1, "get": 1, "send": 2, "copy": 2, "head": 1, "complete": 1}
    (create,) = server.asked("create")
    assert create.headers["content-type"] == "video/mp4"
    assert create.headers["x-amz-checksum-algorithm"] == "CRC32"
    copies = sorted(server.asked("copy"), key=lambda copy: int(copy.query["partNumber"]))
    etag = server.objects["sources/rewinds/1 à.mp4"].etag
    assert [copy.headers["x-amz-copy-source-if-match"] for copy in copies] == [etag, etag]
    middle = 7 + 3 * MIB
    assert [copy.headers["x-amz-copy-source-range"] for copy in copies] == [
        f"bytes={middle}-{middle + 18 * MIB - 1}",
        f"bytes={middle + 18 * MIB}-{middle + 36 * MIB - 1}",
    ]
    assert {copy.headers["x-amz-copy-source"] for copy in copies} == {
        "sources/rewinds/1%20%C3%A0.mp4"
    }
    assert all("x-amz-checksum-crc32" in sent.headers for sent in server.asked("send"))
    (complete,) = server.asked("complete")
    assert complete.headers["if-none-match"] == "*"
    assert complete.headers["x-amz-mp-object-size"] == str(sum(piece.length for piece in clip))


@pytest.mark.parametrize(
    ("size_bytes", "requests", "down_bytes", "up_bytes"),
    [
        (4_000_000, 2, 2_400_000, 4_000_000),
        (24_000_000, 7, 5 * MIB - 1_500_000, 5 * MIB + 100_000),
        (116_000_000, 10, 5 * MIB - 1_500_000, 5 * MIB + 100_000),
    ],
    ids=["10 s", "60 s", "300 s"],
)
def test_a_long_clip_costs_what_a_short_one_costs(
    world: World, size_bytes: int, requests: int, down_bytes: int, up_bytes: int
) -> None:
    """Clips of 1080p: the head is 1.5 MB, the tail 100 KB."""
    server = world.server
    assert server
    middle = RecordingPiece(world.recording(1, 120_000_000), 1_000_000, size_bytes - 1_600_000)
    commit(world.store, world.own(1_500_000), middle, world.own(100_000))
    assert len(server.requests) == requests
    spans = [request.headers["range"][6:].split("-") for request in server.asked("get")]
    assert sum(int(last) - int(first) + 1 for first, last in spans) == down_bytes
    sent = server.asked("send") + server.asked("put")
    assert sum(len(request.body) for request in sent) == up_bytes


def test_a_short_clip_is_one_request(world: World, server: StrictS3) -> None:
    """Under the condition that there is none."""
    recording = world.recording(1)
    server.requests.clear()
    commit(world.store, world.own(MIB), RecordingPiece(recording, 0, 3 * MIB), world.own(1))
    assert server.operations() == ["get", "put"]
    assert server.asked("put")[0].headers["if-none-match"] == "*"
    with pytest.raises(AlreadyExists):
        commit(world.store, world.own(2))


def test_files_alone_are_one_request(world: World, server: StrictS3) -> None:
    """However long: they need not be held in memory."""
    commit(world.store, world.own(20 * MIB), world.own(3))
    assert server.operations() == ["put"]
    assert server.asked("put")[0].headers["if-none-match"] == "*"


def test_a_recording_that_is_not_in_s3_is_sent(world: World, server: StrictS3) -> None:
    """In parts, each range of it read once."""
    recording = CountingRecording()
    commit(world.store, world.own(3), RecordingPiece(recording, 5, 23 * MIB))
    assert world.stored()[3:] == bytes(23 * MIB)
    assert not server.asked("copy")
    assert sum(length for _, length in recording.ranges) == 23 * MIB


# When it fails


def fails_late(status: int) -> Fault:
    """Return a fault that answers when another part has been copied."""

    def fault(_: object) -> Response:
        time.sleep(0.3)
        return error(status, "InternalError")

    return fault


DISTURBED: dict[str, tuple[str, list[Fault], type[Exception]]] = {
    "a source was replaced": ("copy", [fails(412, "PreconditionFailed")], RecordingChanged),
    "a source was replaced later": (
        "copy",
        [properly, fails(412, "PreconditionFailed")],
        RecordingChanged,
    ),
    "a source was deleted": ("copy", [fails(404, "NoSuchKey")], RecordingChanged),
    "a source was cut": ("copy", [fails(416, "InvalidRange")], RecordingChanged),
    "a copy fails after another": (
        "copy",
        [properly, fails_late(500)],
        Unavailable,
    ),
    "a copy fails within its answer": (
        "copy",
        [properly, fails_late(200)],
        Unavailable,
    ),
    "a copy answers nothing": ("copy", [lambda _: Response()], Unavailable),
    "a copy answers no ETag": (
        "copy",
        [lambda _: Response(200, b"<CopyPartResult></CopyPartResult>")],
        Unavailable,
    ),
    "a copy has no upload": ("copy", [fails(404, "NoSuchUpload")], Unavailable),
    "copies are throttled": ("copy", [fails(503, "SlowDown")], Unavailable),
    "a part is denied": ("send", [fails(403, "AccessDenied")], Unavailable),
    "a part arrives broken": ("send", [fails(400, "BadDigest")], Unavailable),
    "there is an object": ("complete", [fails(412, "PreconditionFailed")], AlreadyExists),
    "two write at once": ("complete", [fails(409, "ConditionalRequestConflict")], Unavailable),
    "the end fails within its answer": ("complete", [fails(200, "InternalError")], Unavailable),
    "the end fails": ("complete", [fails(500, "InternalError")], Unavailable),
    "a part is too small": ("complete", [fails(400, "EntityTooSmall")], Unavailable),
    "the upload is gone": ("complete", [fails(404, "NoSuchUpload")], Unavailable),
}


@pytest.mark.parametrize("case", DISTURBED)
def test_a_failure_leaves_nothing(
    world: World, server: StrictS3, clip: tuple[Piece, ...], case: str
) -> None:
    """No object, no upload; the error says what happens next."""
    operation, faults, meaning = DISTURBED[case]
    server.faults[operation] = faults
    with pytest.raises(meaning):
        commit(world.store, *clip)
    assert len(server.asked("abort")) == len(server.asked("create")) == 1
    assert not server.uploads
    assert KEY not in server.objects


def test_a_recording_replaced_meanwhile_is_noticed(
    world: World, server: StrictS3, clip: tuple[Piece, ...]
) -> None:
    """By its ETag."""
    server.put("sources/rewinds/1 à.mp4", noise(9, 40 * MIB))
    with pytest.raises(RecordingChanged):
        commit(world.store, *clip)
    assert not server.uploads


@pytest.mark.parametrize("failure", [OSError("1"), RecordingChanged("1"), DeadlineExceeded("1")])
def test_what_goes_wrong_with_a_piece_comes_through(
    world: World, server: StrictS3, clip: tuple[Piece, ...], failure: Exception
) -> None:
    """Itself, and nothing stays."""

    class Broken(CountingRecording):
        def read(self, offset: int, length: int) -> bytes:  # noqa: ARG002 - the port's
            raise failure

    with pytest.raises(type(failure)) as caught:
        commit(world.store, *clip, RecordingPiece(Broken(), 0, 5))
    assert caught.value is failure
    assert not server.uploads
    assert len(server.asked("abort")) == 1


def test_nothing_is_to_be_aborted_where_nothing_was_begun(
    world: World, server: StrictS3, clip: tuple[Piece, ...]
) -> None:
    """A denied upload is Unavailable."""
    server.faults["create"] = [fails(403, "AccessDenied")]
    with pytest.raises(Unavailable):
        commit(world.store, *clip)
    assert server.operations() == ["create"]


@pytest.mark.parametrize("operation", ["copy", "send", "complete"])
def test_the_deadline_ends_what_stalls(
    world: World, server: StrictS3, clip: tuple[Piece, ...], operation: str
) -> None:
    """And the upload is aborted all the same."""
    server.faults[operation] = [server.stalls]
    began_s = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        commit(world.store, *clip, deadline_s=began_s + 1)
    assert time.monotonic() - began_s < 2
    assert not server.uploads
    assert len(server.asked("abort")) == 1


def test_what_stalls_holds_up_no_failure(
    world: World, server: StrictS3, clip: tuple[Piece, ...]
) -> None:
    """The message goes back as soon as one part has failed."""
    server.faults["copy"] = [server.stalls, fails(412, "PreconditionFailed")]
    began_s = time.monotonic()
    with pytest.raises(RecordingChanged):
        commit(world.store, *clip, deadline_s=began_s + 10)
    assert time.monotonic() - began_s < 5
    assert not server.uploads


def test_an_upload_that_begins_too_late_is_aborted_too(
    world: World, server: StrictS3, clip: tuple[Piece, ...]
) -> None:
    """Although its name is no longer needed."""

    def late(proper: Any) -> Response:  # noqa: ANN401 - a fault's
        time.sleep(1)
        response: Response = proper()
        return response

    server.faults["create"] = [late]
    with pytest.raises(DeadlineExceeded):
        commit(world.store, *clip, deadline_s=time.monotonic() + 0.5)
    ends_s = soon()
    while not server.asked("abort") and time.monotonic() < ends_s:
        time.sleep(0.05)
    time.sleep(0.1)
    assert server.operations() == ["create", "abort"]
    assert not server.uploads


@pytest.mark.parametrize("fault", ["denied", "lost", "stalled"])
def test_an_abort_that_fails_hides_nothing(
    world: World,
    server: StrictS3,
    clip: tuple[Piece, ...],
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    """The first error is reported; that an upload may remain is logged."""
    faults = {"denied": fails(403, "AccessDenied"), "lost": lambda _: None}
    server.faults["abort"] = [faults.get(fault, server.stalls)]
    server.faults["send"] = [server.stalls]
    began_s = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        commit(world.store, *clip, deadline_s=began_s + 1)
    assert time.monotonic() - began_s < 2
    (warning,) = warnings(caplog)
    assert warning.startswith("An incomplete upload of pier/c1.mp4 may be left behind: ")


@pytest.mark.parametrize(
    "second", [properly, fails(412, "PreconditionFailed"), fails(404, "NoSuchUpload")]
)
def test_a_lost_reply_leads_to_the_object_being_there(
    world: World, server: StrictS3, clip: tuple[Piece, ...], second: Fault
) -> None:
    """The library asks again: there is an object, or no such upload. Its writer tells whose."""
    server.faults["complete"] = [lost, second]
    with pytest.raises(AlreadyExists):
        commit(world.store, *clip)
    assert world.stored() == expected(clip)
    found = world.store.find(REQUEST.name, soon())
    assert found
    assert found.writer == "m#1"
    assert not server.uploads


def test_of_two_uploads_at_once_one_wins(
    world: World, server: StrictS3, clip: tuple[Piece, ...]
) -> None:
    """The others leave nothing."""

    def attempt(_: int) -> bool:
        try:
            commit(world.store, *clip)
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(attempt, range(3))) == [False, False, True]
    assert world.stored() == expected(clip)
    assert not server.uploads


def test_nothing_is_left_behind_at_another_stand_in(moto: World, tmp_path: Path) -> None:
    """Whatever was copied and sent by then."""
    recording = moto.recording(1, 16 * MIB)
    missing = FilePiece(tmp_path / "missing", 0, 9)
    with pytest.raises(FileNotFoundError):
        commit(moto.store, moto.own(MIB), RecordingPiece(recording, 0, 16 * MIB), missing)
    moto.client.put_object(Bucket=moto.clips, Key="pier/c1.mp4", Body=b"foreign")
    with pytest.raises(AlreadyExists):
        commit(moto.store, moto.own(MIB), RecordingPiece(recording, 0, 16 * MIB))
    assert moto.stored() == b"foreign"
    assert "Uploads" not in moto.client.list_multipart_uploads(Bucket=moto.clips)


# Clips that are sent while they are verified


def test_only_the_last_request_is_left_to_the_commit(
    world: World, server: StrictS3, clip: tuple[Piece, ...]
) -> None:
    """All parts are there by then."""
    rendition = Rendition(clip, {}, FOOTAGE)
    with world.store.sending(REQUEST, rendition, "m#1", Coverage(), soon()):
        pass  # another store of the same bucket does not use it
    server.requests.clear()
    store = world.store
    with store.sending(REQUEST, rendition, "m#1", Coverage(), soon()):
        wait_until(lambda: server.asked("head") and len(server.sent()) == 2)
        server.requests.clear()
        store.commit(REQUEST, rendition, "m#1", Coverage(), soon())
        assert server.operations() == ["complete"]
    assert world.stored() == expected(clip)
    assert not server.uploads


@pytest.mark.parametrize("ends", [0.0, 0.05, 0.3], ids=["at once", "soon", "later"])
def test_whatever_was_sent_in_vain_is_removed(
    world: World, server: StrictS3, clip: tuple[Piece, ...], ends: float
) -> None:
    """However far it was."""
    store, rendition = world.store, Rendition(clip, {}, FOOTAGE)
    with store.sending(REQUEST, rendition, "m#1", Coverage(), soon()):
        time.sleep(ends)
    assert not server.uploads
    with pytest.raises(Unavailable):
        store.open(REQUEST.name, soon())


def test_a_recording_replaced_while_it_is_sent_ends_the_commit(
    world: World, server: StrictS3, clip: tuple[Piece, ...]
) -> None:
    """The error is that of an upload without a head start, and nothing is left."""
    store, rendition = world.store, Rendition(clip, {}, FOOTAGE)
    world.recording(1, 39 * MIB)
    with (
        store.sending(REQUEST, rendition, "m#1", Coverage(), soon()),
        pytest.raises(RecordingChanged),
    ):
        store.commit(REQUEST, rendition, "m#1", Coverage(), soon())
    assert not server.uploads


def test_nothing_is_sent_before_it_is_known_that_completing_is_conditional(
    world: World, server: StrictS3, clip: tuple[Piece, ...]
) -> None:
    """A claim, where one is needed, goes before the upload."""
    store = clip_store(world.client, world.clips, NAMED["put"])
    rendition = Rendition(clip, {}, FOOTAGE)
    with store.sending(REQUEST, rendition, "m#1", Coverage(), soon()):
        time.sleep(0.2)
        assert not server.requests
        store.commit(REQUEST, rendition, "m#1", Coverage(), soon())
    assert world.stored() == expected(clip)


# Stores that do not copy


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("infrastructure") and record.levelno == logging.WARNING
    ]


def commit_again(world: World, server: StrictS3, store: S3ClipStore, clip: Sequence[Piece]) -> int:
    """Commit the clip once more, and count the copies that were tried."""
    del server.objects[KEY]
    server.requests.clear()
    commit(store, *clip)
    assert world.stored() == expected(clip)
    return len(server.asked("copy"))


@pytest.mark.parametrize(
    "rejection",
    [
        (501, "NotImplemented"),
        (501, "What"),
        (405, "MethodNotAllowed"),
        (500, "InternalError"),
        (200, "InternalError"),
    ],
)
def test_a_store_that_cannot_copy_is_asked_once(
    world: World,
    server: StrictS3,
    clip: tuple[Piece, ...],
    caplog: pytest.LogCaptureFixture,
    rejection: tuple[int, str],
) -> None:
    """The clip is the same; the next ones are sent at once, and one line is logged."""
    server.faults["copy"] = [fails(*rejection)]
    store = world.store
    commit(store, *clip)
    assert world.stored() == expected(clip)
    assert not server.uploads
    assert commit_again(world, server, store, clip) == 0
    code = rejection[1]
    (warning,) = warnings(caplog)
    assert warning == (
        f"S3 did not make a clip of copied parts ({code}): all bytes are uploaded, from now on."
        " COMPOSE=off spares the attempt."
    )


@pytest.mark.parametrize(
    "rejection",
    [
        (403, "AccessDenied"),
        (400, "InvalidRequest"),
        (400, "KMS.DisabledException"),
        (301, "PermanentRedirect"),
        (400, "AuthorizationHeaderMalformed"),
    ],
)
def test_a_copy_that_is_rejected_is_tried_again_for_the_next_clip(
    world: World,
    server: StrictS3,
    clip: tuple[Piece, ...],
    caplog: pytest.LogCaptureFixture,
    rejection: tuple[int, str],
) -> None:
    """It may be this recording's region, key or rights."""
    server.faults["copy"] = [fails(*rejection)]
    store = world.store
    commit(store, *clip)
    assert world.stored() == expected(clip)
    assert not server.uploads
    assert len(warnings(caplog)) == 1
    server.faults["copy"] = [properly]
    assert commit_again(world, server, store, clip) == 2


def test_a_rejected_range_that_cannot_be_read_either_is_unavailable(
    world: World, server: StrictS3
) -> None:
    """Nothing is left of either attempt."""

    class AccessDenied(S3Recording):
        def read_once(self, offset: int, length: int) -> bytes:  # noqa: ARG002 - the port's
            raise Unavailable("S3, for pier.mp4, answered AccessDenied.")

    stored = world.recording(1)
    recording = AccessDenied(SEGMENT, stored.version, NO_INDEX, stored.file, "a", "b")
    server.faults["copy"] = [fails(403, "AccessDenied")]
    with pytest.raises(Unavailable):
        commit(world.store, RecordingPiece(recording, 0, 20 * MIB))
    assert not server.uploads


def test_without_composing_every_byte_is_read_once_and_few_at_a_time(
    world: World, server: StrictS3
) -> None:
    """Plain HTTP included, where the library reads a body three times."""
    reading, peaks, reads = [0], [0], []
    lock = threading.Lock()

    class Slow(S3Recording):
        def read_once(self, offset: int, length: int) -> bytes:
            with lock:
                reading[0] += 1
                peaks.append(reading[0])
                reads.append((offset, length))
            time.sleep(0.02)
            with lock:
                reading[0] -= 1
            return super().read_once(offset, length)

    stored = world.recording(1, 90 * MIB)
    recording = Slow(SEGMENT, stored.version, NO_INDEX, stored.file, stored.bucket, stored.key)
    pieces = world.own(MIB), RecordingPiece(recording, 3, 88 * MIB), world.own(7)
    commit(clip_store(world.client, world.clips, copy_in_s3=False), *pieces)
    assert world.stored() == expected(pieces)
    assert not server.asked("copy")
    reads.sort()
    assert [offset for offset, _ in reads] == [3, *(sum(read) for read in reads)][:-1]
    assert sum(length for _, length in reads) == 88 * MIB
    assert max(peaks) == 2
    assert max(length for _, length in reads) <= 5 * MIB
