"""A world of each family for every port."""

import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any

import imageio_ffmpeg
import pytest

from devtools.local_aws.cloud import moto_server
from infrastructure.mp4.boxes import box
from tests.contract import filesystem, in_memory, real
from tests.contract.worlds import (
    BucketCameraWorld,
    CameraWorld,
    ClipWorld,
    Footages,
    Media,
    NotifierWorld,
    QueueWorld,
    RecordingWorld,
    StatusWorld,
)
from tests.support.contracts import faults


@pytest.fixture(scope="session")
def aws() -> Iterator[real.Aws]:
    """Serve a stand-in for AWS on a free port of this machine."""
    with moto_server() as url:
        yield real.clients_of(url)


@pytest.fixture(scope="session")
def footages(tmp_path_factory: pytest.TempPathFactory) -> Footages:
    """Make a recording of 2 s, its index last, and then bytes that opening it does not read."""
    folder = tmp_path_factory.mktemp("footage")
    data = recorded(folder / "recording.mp4") + box(b"free", bytes(1_300_000))
    middle = data.index(b"mdat") + 1000
    return Footages(
        whole=Media(data),
        with_hole=Media(
            recorded(folder / "hole.mp4", "-vf", "select='lt(t,0.4)+gte(t,1.6)'"),
            hole_ms=(400, 1600),
        ),
        other=Media(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]),
        empty=Media(b"", None),
        unfinished=Media(data[: data.index(b"moov") - 4], None),
        text=Media(b"There is no recording in here.\n" * 100, readable=False),
        contradictory=Media(contradictory(data), readable=False),
    )


def recorded(path: Path, *filters: str) -> bytes:
    """Make a recording of 2 s."""
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=2", *filters]
    coded = ["-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-v", "error", *source, *coded, str(path)], check=True, timeout=60)
    return path.read_bytes()


def contradictory(data: bytes) -> bytes:
    """Return the recording with a sample table that contradicts itself: it has no first chunk."""
    first_chunk = data.index(b"stsc") + 12
    return data[:first_chunk] + (2).to_bytes(4) + data[first_chunk + 4 :]


@pytest.fixture
def http_cameras() -> Iterator[real.HttpCameraWorld]:
    """Serve a camera API without cameras."""
    with real.http_cameras() as world:
        yield world


FAMILIES = ("in_memory", "filesystem", "real")


def new_world(request: pytest.FixtureRequest, kinds: UnionType) -> Any:  # noqa: ANN401 - of these
    """Make a world of the test's family: it needs nothing, a folder, or AWS."""
    number = FAMILIES.index(request.param)
    needs: tuple[tuple[str, ...], ...] = ((), ("tmp_path",), ("aws",))
    return kinds.__args__[number](*map(request.getfixturevalue, needs[number]))


RECORDER = "recorder's folder"


@pytest.fixture
def bucket_cameras(aws: real.Aws) -> BucketCameraWorld:
    """Make a bucket without recordings."""
    return BucketCameraWorld(aws)


@pytest.fixture(params=(*FAMILIES, RECORDER, "bucket"))
def camera_world(
    request: pytest.FixtureRequest, tmp_path: Path, footages: Footages
) -> Iterator[CameraWorld]:
    """Make a world without cameras; docs/contracts must describe all that HTTP carries."""
    if request.param == "bucket":
        bucket: BucketCameraWorld = request.getfixturevalue("bucket_cameras")
        yield bucket
    else:
        yield from new_status_world(request, tmp_path, footages)


@pytest.fixture(params=(*FAMILIES, RECORDER))
def status_world(
    request: pytest.FixtureRequest, tmp_path: Path, footages: Footages
) -> Iterator[StatusWorld]:
    """Make a world without cameras that can know cameras and clips."""
    yield from new_status_world(request, tmp_path, footages)


def new_status_world(
    request: pytest.FixtureRequest, tmp_path: Path, footages: Footages
) -> Iterator[StatusWorld]:
    match request.param:
        case "in_memory":
            yield in_memory.InMemoryCameraWorld()
        case "filesystem":
            yield filesystem.FolderCameraWorld(tmp_path, footages.whole)
        case "recorder's folder":
            yield filesystem.TreeCameraWorld(tmp_path, footages.whole)
        case _:
            world: real.HttpCameraWorld = request.getfixturevalue("http_cameras")
            yield world
            assert [fault for each in world.exchanges for fault in each.faults()] == []


@pytest.fixture(params=(*FAMILIES, RECORDER))
def recording_world(request: pytest.FixtureRequest, tmp_path: Path) -> RecordingWorld:
    if request.param == RECORDER:
        return filesystem.TreeRecordingWorld(tmp_path)
    world: RecordingWorld = new_world(request, RecordingWorld)
    return world


@pytest.fixture(params=(*FAMILIES, "filesystem without links"))
def clip_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ClipWorld]:
    """Make a world without clips; its manifests must be those of docs/contracts."""
    world: ClipWorld = (
        new_world(request, ClipWorld)
        if request.param in FAMILIES
        else filesystem.FolderClipWorld(tmp_path, filesystem.refusing(errno.EPERM))
    )
    yield world
    assert [fault for each in world.manifests() for fault in faults("manifest", each)] == []


@pytest.fixture(params=FAMILIES)
def queue_world(request: pytest.FixtureRequest) -> QueueWorld:
    world: QueueWorld = new_world(request, QueueWorld)
    return world


@pytest.fixture(params=FAMILIES)
def notifier_world(request: pytest.FixtureRequest) -> NotifierWorld:
    world: NotifierWorld = new_world(request, NotifierWorld)
    return world
