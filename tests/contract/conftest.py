"""A world of each family for every port."""

import errno
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from moto.server import ThreadedMotoServer

from infrastructure.mp4.boxes import box
from tests.contract import filesystem, in_memory, real
from tests.contract.worlds import (
    CameraWorld,
    ClipWorld,
    Footages,
    Media,
    NotifierWorld,
    QueueWorld,
    RecordingWorld,
)

FAMILIES = ("in_memory", "filesystem", "real")


@pytest.fixture(scope="session")
def aws() -> Iterator[real.Aws]:
    """Serve a stand-in for AWS on a free port of this machine."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield real.clients_of(f"http://{host}:{port}")
    server.stop()


@pytest.fixture(scope="session")
def footages(tmp_path_factory: pytest.TempPathFactory) -> Footages:
    """Make a recording of 2 s, its index last, and then bytes that opening it does not read."""
    path = tmp_path_factory.mktemp("footage") / "recording.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=2"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-v", "error", *source, *coded, str(path)], check=True, timeout=60)
    data = path.read_bytes() + box(b"free", bytes(200_000))
    middle = data.index(b"mdat") + 1000
    return Footages(
        whole=Media(data),
        other=Media(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]),
        empty=Media(b"", None),
        unfinished=Media(data[: data.index(b"moov") - 4], None),
        text=Media(b"There is no recording in here.\n" * 100, is_recording=False),
    )


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """Name the family."""
    return str(request.param)


@pytest.fixture
def camera_world(
    family: str, tmp_path: Path, footages: Footages, request: pytest.FixtureRequest
) -> CameraWorld:
    """Make a world without cameras."""
    worlds: dict[str, Callable[[], CameraWorld]] = {
        "in_memory": in_memory.InMemoryCameraWorld,
        "filesystem": lambda: filesystem.FolderCameraWorld(tmp_path, footages.whole),
        "real": lambda: real.HttpCameraWorld(request.getfixturevalue("httpserver")),
    }
    return worlds[family]()


@pytest.fixture
def recording_world(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> RecordingWorld:
    """Make a world without recordings."""
    worlds: dict[str, Callable[[], RecordingWorld]] = {
        "in_memory": in_memory.InMemoryRecordingWorld,
        "filesystem": lambda: filesystem.FolderRecordingWorld(tmp_path),
        "real": lambda: real.S3RecordingWorld(request.getfixturevalue("aws")),
    }
    return worlds[family]()


@pytest.fixture(params=(*FAMILIES, "filesystem without links"))
def clip_world(tmp_path: Path, request: pytest.FixtureRequest) -> ClipWorld:
    """Make a world without clips."""
    worlds: dict[str, Callable[[], ClipWorld]] = {
        "in_memory": in_memory.InMemoryClipWorld,
        "filesystem": lambda: filesystem.FolderClipWorld(tmp_path / "store"),
        "filesystem without links": lambda: filesystem.FolderClipWorld(
            tmp_path / "store", filesystem.refusing(errno.EPERM)
        ),
        "real": lambda: real.S3ClipWorld(request.getfixturevalue("aws")),
    }
    return worlds[request.param]()


@pytest.fixture
def queue_world(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> QueueWorld:
    """Make a world with an empty queue."""
    worlds: dict[str, Callable[[], QueueWorld]] = {
        "in_memory": in_memory.InMemoryQueueWorld,
        "filesystem": lambda: filesystem.FolderQueueWorld(tmp_path),
        "real": lambda: real.SqsQueueWorld(request.getfixturevalue("aws")),
    }
    return worlds[family]()


@pytest.fixture
def notifier_world(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> NotifierWorld:
    """Make a world with a subscriber."""
    worlds: dict[str, Callable[[], NotifierWorld]] = {
        "in_memory": in_memory.InMemoryNotifierWorld,
        "filesystem": lambda: filesystem.FolderNotifierWorld(tmp_path),
        "real": lambda: real.SnsNotifierWorld(request.getfixturevalue("aws")),
    }
    return worlds[family]()
