"""One session of `camclip local-aws`: everything started, told of, and ended again."""

import signal
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from types import FrameType

from attrs import Factory, frozen

from devtools.local_aws.camera_api import CameraStandIn, recordings_of
from devtools.local_aws.cloud import ORIGIN_DIR, Cloud, cloud
from devtools.local_aws.event_source import EventSource
from devtools.local_aws.log import Log
from devtools.local_aws.runtime import Function, copy_client, source_path
from devtools.local_aws.serving import serve
from domain.clip import ClipName, ClipRequest, ClipStatus
from domain.window import TimeWindow
from entrypoints.cli.console import (
    AVAILABLE,
    FAILED,
    REJECTED,
    ProgressReporter,
    UsageError,
    err,
    out,
)
from entrypoints.cli.demo.sample_camera import AGE_MS, SAMPLE_FORMAT, make_sample_camera
from entrypoints.cli.environment import environment
from entrypoints.cli.sample_event import Flow, window_of
from entrypoints.settings import ClipSettings, read_clip_settings
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.folder.cameras import FolderCameraService
from infrastructure.formats.messages import message_body
from infrastructure.formats.object_keys import clip_key
from infrastructure.formats.reports import ReportFormat

TIMEOUT_S = 60
"""The function's timeout, unless FUNCTION_TIMEOUT says otherwise."""
HIDDEN_S = 10
"""How much longer than that a message is hidden."""
ONCE_S = 300
LISTEN_EVERY_S = 0.2
RULES = (
    *("SQS_TIMEOUT", "SQS_RETRY_LIMIT", "OUT_OF_RANGE_LIMIT", "VIDEO_MAX_LEN", "SEAM_TOLERANCE"),
    *("THUMBNAIL_SIZES", "THUMBNAIL_FORMAT", "TIMESTAMP_FORMAT", "OLD_FILE_FORMAT"),
    *("FUNCTION_TIMEOUT", "VERIFY", "COMPOSE", "LOG_LEVEL"),
)
"""Settings taken from the environment and `.env`; all others are of this place."""


@frozen
class Place:
    """What runs."""

    root: Path
    cloud: Cloud
    cameras: CameraStandIn
    cameras_url: str
    log: Log
    source: EventSource
    heard: list[str] = Factory(list)
    """Ids of the clips that subscribers were told of."""

    def introduce(self, sample: ClipRequest) -> None:
        """Say where everything is, and how to ask for a clip."""
        for name, where in (
            ("requests", self.cloud.queue_url),
            ("dead letters", self.cloud.dead_url),
            ("subscriber", self.cloud.subscriber_url),
            ("recordings", f"{self.cloud.endpoint}/{self.cloud.origin}/{ORIGIN_DIR}/"),
            ("clips", f"{self.cloud.endpoint}/{self.cloud.destination}/"),
            ("camera API", self.cameras_url),
        ):
            _say(f"{name:<13}{where}")
        _say("\nAsk for a clip (its bytes are then at the address that the report names):")
        _say(
            "  curl --user local:local --aws-sigv4 aws:amz:us-east-1:sqs"
            f" {self.cloud.queue_url} \\\n    -d Action=SendMessage -d Version=2012-11-05 \\\n"
            f"    --data-urlencode 'MessageBody={message_body(sample)}'\n"
        )

    def follow(self, stop: Event) -> int:
        """Print what happens until `stop` is set."""
        _say("Ctrl-C ends it all; nothing of it is kept.\n")
        for line in self.log.lines(stop):
            _say(line)
        return AVAILABLE

    def run_once(self, sample: ClipRequest, stop: Event) -> int:
        """Send the request, print what happens, and fetch the clip; return the exit code."""
        self.cloud.send(message_body(sample))

        def ended() -> bool:
            told = sample.clip_id in self.heard
            return told and self.cloud.waiting(self.cloud.queue_url) == 0

        for line in self.log.until(ended, ONCE_S, stop):
            _say(line)
        status = self.cameras.states.get(sample.clip_id, {}).get("status")
        if not ended():
            err.print(f"camclip: the request has not ended: {status}", style="red", markup=False)
            return FAILED
        if status != ClipStatus.AVAILABLE.value:
            return REJECTED
        name = ClipName(sample.camera_id, sample.clip_id)
        path = self.root / "local-aws" / clip_key(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.cloud.s3.download_file(self.cloud.destination, clip_key(name), str(path))
        _say(f"\nThe clip: {path}")
        return AVAILABLE


def run(root: Path, package: Path | None, camera_id: str, *, once: bool) -> int:
    """Serve until told to stop, or until one clip is there; return the exit code."""
    environ = {"FUNCTION_TIMEOUT": str(TIMEOUT_S), **environment()}
    rules = read_clip_settings(environ)
    _film_if_empty(root, environ)
    with _signals_set() as stop, _place(root, package, environ, rules) as place:
        sample = _sample(place, camera_id, rules)
        place.introduce(sample)
        return place.run_once(sample, stop) if once else place.follow(stop)


@contextmanager
def _place(
    root: Path, package: Path | None, environ: Mapping[str, str], rules: ClipSettings
) -> Iterator[Place]:
    """Start everything, and end it with the block: the function first, moto last."""
    timeout_s = rules.function_timeout_ms // 1000
    log = Log()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="camclip-")))
        code = _unpacked(package, folder / "package") if package else source_path()
        path = [*code, copy_client(folder / "runtime")]
        scratch = folder / "scratch"
        scratch.mkdir()
        there = stack.enter_context(cloud(timeout_s + HIDDEN_S, rules.max_receive_count))
        report_format = ReportFormat(there.destination, there.endpoint, rules.thumbnails)
        cameras = CameraStandIn(FolderCameraService(root, report_format, rules.naming), log.report)
        cameras_url = stack.enter_context(serve(cameras))
        for recording in recordings_of(root):
            key = f"{ORIGIN_DIR}/{recording.name}"
            there.s3.upload_file(str(recording), there.origin, key)
        function = Function(
            path,
            {
                **{name: environ[name] for name in RULES if name in environ},
                **there.environ(cameras_url),
                "CAMCLIP_FFMPEG": str(find_ffmpeg(environ)),
                "CLIP_DOWNLOAD_DEST": str(scratch),
            },
            timeout_s,
            log.function_line,
        )
        source = EventSource(there.sqs, there.queue_url, function, log.delivery)
        place = Place(root, there, cameras, cameras_url, log, source)
        stop = Event()
        for work in (lambda: source.run(stop), lambda: _listen(place, stop)):
            thread = Thread(target=work)
            thread.start()
            stack.callback(thread.join)
        stack.callback(function.close)
        stack.callback(stop.set)
        yield place


def _listen(place: Place, stop: Event) -> None:
    """Take the notifications as they come."""
    while not stop.wait(LISTEN_EVERY_S):
        for note in place.cloud.notifications():
            place.log.notification(note)
            place.heard.append(note["Message"]["clipId"])


def _film_if_empty(root: Path, environ: Mapping[str, str]) -> None:
    if recordings_of(root):
        return
    told = ProgressReporter()
    start_ms = time.time_ns() // 1_000_000 - AGE_MS
    with told.reporting("Encoding"):
        make_sample_camera(root, Ffmpeg(find_ffmpeg(environ)), start_ms, SAMPLE_FORMAT, told)


def _sample(place: Place, camera_id: str, rules: ClipSettings) -> ClipRequest:
    """Ask for footage from the middle of the camera's newest recording."""
    now_ms = time.time_ns() // 1_000_000
    cameras = place.cameras.cameras
    found = cameras.find_segments(camera_id, TimeWindow(0, 10**15), time.monotonic() + ONCE_S)
    if not found:
        raise UsageError(f"{place.root} holds no recordings of {camera_id}.")
    window = window_of(Flow.AVAILABLE, rules.policy, now_ms, found)
    return ClipRequest(f"local-{now_ms}", camera_id, window.start_ms, window.end_ms)


def _unpacked(package: Path, folder: Path) -> list[Path]:
    try:
        with zipfile.ZipFile(package) as archive:
            archive.extractall(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"{package} is no package that can be read: {error}") from error
    return [folder]


@contextmanager
def _signals_set() -> Iterator[Event]:
    """Give an event that Ctrl-C and SIGTERM set."""
    told = Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    out.print(line, highlight=False, markup=False, soft_wrap=True)
