"""One session of `camclip local-aws`: start everything, print what happens, end everything."""

import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

from attrs import Factory, frozen

from devtools.local_aws.camera_api import CameraStandIn, recordings_of
from devtools.local_aws.cloud import ORIGIN_DIR, Cloud, cloud
from devtools.local_aws.event_source import EventSource
from devtools.local_aws.http_server import serve
from devtools.local_aws.log import Log
from devtools.local_aws.recursive_loop import RecursiveLoop
from devtools.local_aws.runtime import Function, link_client, source_path
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
from entrypoints.cli.times import now_ms
from entrypoints.settings import ClipSettings, read_clip_settings, with_new_defaults
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.folder.cameras import FolderCameraService
from infrastructure.formats.messages import message_body
from infrastructure.formats.object_keys import clip_key
from infrastructure.formats.reports import ReportFormat

TIMEOUT_S = 60
"""The function's timeout, unless FUNCTION_TIMEOUT says otherwise."""
HIDDEN_S = 10
"""The visibility timeout exceeds the function's by this."""
ONCE_S = 300
POLL_INTERVAL_S = 0.2
CLIP_SETTINGS = (
    *("SQS_TIMEOUT", "SQS_RETRY_LIMIT", "OUT_OF_RANGE_LIMIT", "VIDEO_MAX_LEN", "SEAM_TOLERANCE"),
    *("THUMBNAIL_SIZES", "THUMBNAIL_FORMAT", "TIMESTAMP_FORMAT", "OLD_FILE_FORMAT"),
    *("FUNCTION_TIMEOUT", "VERIFY", "COMPOSE", "LOG_LEVEL"),
)
"""Settings taken from the environment and `.env`; all others are local."""


@frozen
class Session:
    """Everything that runs."""

    root: Path
    cloud: Cloud
    cameras: CameraStandIn
    cameras_url: str
    log: Log
    source: EventSource
    settings: Mapping[str, str]
    """Those with which other commands reach the service."""
    notified: list[str] = Factory(list)
    """Ids of the clips that subscribers were notified of."""

    def print_addresses(self, sample: ClipRequest) -> None:
        """Print all addresses, and how to request a clip."""
        for name, where in (
            ("requests", self.cloud.queue_url),
            ("dead letters", self.cloud.dead_url),
            ("subscriber", self.cloud.subscriber_url),
            ("recordings", f"{self.cloud.endpoint}/{self.cloud.origin}/{ORIGIN_DIR}/"),
            ("clips", f"{self.cloud.endpoint}/{self.cloud.destination}/"),
            ("camera API", self.cameras_url),
        ):
            _print(f"{name:<13}{where}")
        _print("\nFor another terminal, where `camclip doctor --aws` then checks this service:")
        for name, value in self.settings.items():
            _print(f"export {name}={shlex.quote(value)}")
        body = message_body(sample)
        _print("\nRequest a clip (the report names the address of its bytes):")
        _print(
            f"aws sqs send-message --endpoint-url {self.cloud.endpoint}"
            f" --queue-url {self.cloud.queue_url} --message-body {shlex.quote(body)}"
        )
        _print("\nor, without the AWS CLI and these settings:")
        _print(
            "curl --user local:local --aws-sigv4 aws:amz:us-east-1:sqs"
            f" {self.cloud.queue_url} \\\n    -d Action=SendMessage -d Version=2012-11-05 \\\n"
            f"    --data-urlencode {shlex.quote(f'MessageBody={body}')}\n"
        )

    def follow(self, stop: Event) -> int:
        """Print what happens until `stop` is set."""
        _print("Ctrl-C ends everything; nothing is kept.\n")
        for line in self.log.until(stop):
            _print(line)
        return AVAILABLE

    def run_once(self, sample: ClipRequest, stop: Event) -> int:
        """Send the request, print what happens, and fetch the clip; return the exit code."""
        self.cloud.send(message_body(sample))

        def ended() -> bool:
            return sample.clip_id in self.notified and self.cloud.waiting(self.cloud.queue_url) == 0

        for line in self.log.until(stop, ended, ONCE_S):
            _print(line)
        status = (self.cameras.state(sample.clip_id) or {}).get("status")
        if not ended():
            err.print(f"camclip: the request has not ended: {status}", style="red", markup=False)
            return FAILED
        if status != ClipStatus.AVAILABLE.value:
            return REJECTED
        name = ClipName(sample.camera_id, sample.clip_id)
        path = self.root / "local-aws" / clip_key(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.cloud.s3.download_file(self.cloud.destination, clip_key(name), str(path))
        _print(f"\nThe clip: {path}")
        return AVAILABLE


def run(
    root: Path, package: Path | None, camera_id: str, recursive_loop: RecursiveLoop, *, once: bool
) -> int:
    """Serve until a signal, or until one clip is stored; return the exit code."""
    environ = {"FUNCTION_TIMEOUT": str(TIMEOUT_S), **with_new_defaults(environment())}
    settings = read_clip_settings(environ)
    _record_sample_if_empty(root, environ)
    stop = _stop_signal()
    with _session(root, package, environ, settings, recursive_loop) as session:
        sample = _sample(session, camera_id, settings)
        session.print_addresses(sample)
        return session.run_once(sample, stop) if once else session.follow(stop)


@contextmanager
def _session(
    root: Path,
    package: Path | None,
    environ: Mapping[str, str],
    settings: ClipSettings,
    recursive_loop: RecursiveLoop,
) -> Iterator[Session]:
    """Start everything; the end of the block ends the function first, moto last."""
    timeout_s = settings.function_timeout_ms // 1000
    log = Log()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="camclip-")))
        code = _unpacked(package, folder / "package") if package else source_path()
        path = [*code, link_client(folder / "runtime")]
        scratch = folder / "scratch"
        scratch.mkdir()
        there = stack.enter_context(cloud(timeout_s + HIDDEN_S, settings.max_receive_count))
        report_format = ReportFormat(there.destination, there.endpoint, settings.thumbnails)
        cameras = CameraStandIn(
            FolderCameraService(root, report_format, settings.naming), log.report
        )
        cameras_url = stack.enter_context(serve(cameras))
        for recording in recordings_of(root):
            key = f"{ORIGIN_DIR}/{recording.name}"
            there.s3.upload_file(str(recording), there.origin, key)
        shared = {name: environ[name] for name in CLIP_SETTINGS if name in environ}
        shared |= there.environ(cameras_url)
        function = Function(
            path,
            {
                **shared,
                "CAMCLIP_FFMPEG": str(find_ffmpeg(environ)),
                "CLIP_DOWNLOAD_DEST": str(scratch),
            },
            timeout_s,
            log.function_line,
        )
        source = EventSource(there.sqs, there.queue_url, function, log.delivery)
        if recursive_loop == RecursiveLoop.TERMINATE:
            source.loop_dead_letters_url = there.dead_url
        session = Session(root, there, cameras, cameras_url, log, source, shared)
        stop = Event()
        for work in (lambda: source.run(stop), lambda: _listen(session, stop)):
            thread = Thread(target=work)
            thread.start()
            stack.callback(thread.join)
        stack.callback(function.close)
        stack.callback(stop.set)
        yield session


def _listen(session: Session, stop: Event) -> None:
    """Log the notifications as they come."""
    while not stop.wait(POLL_INTERVAL_S):
        for note in session.cloud.notifications():
            session.log.notification(note)
            session.notified.append(note["Message"]["clipId"])


def _record_sample_if_empty(root: Path, environ: Mapping[str, str]) -> None:
    if recordings_of(root):
        return
    progress = ProgressReporter()
    start_ms = now_ms() - AGE_MS
    with progress.reporting("Encoding"):
        make_sample_camera(root, Ffmpeg(find_ffmpeg(environ)), start_ms, SAMPLE_FORMAT, progress)


def _sample(session: Session, camera_id: str, settings: ClipSettings) -> ClipRequest:
    """Return a request for the middle of the camera's newest recording."""
    at_ms = now_ms()
    cameras = session.cameras.cameras
    all_time = TimeWindow(0, 10**15)
    found = cameras.find_segments(camera_id, all_time, time.monotonic() + ONCE_S).segments
    if not found:
        raise UsageError(f"{session.root} holds no recordings of {camera_id}.")
    window = window_of(Flow.AVAILABLE, settings.policy, at_ms, found)
    return ClipRequest(f"local-{at_ms}", camera_id, window.start_ms, window.end_ms)


def _unpacked(package: Path, folder: Path) -> list[Path]:
    try:
        shutil.unpack_archive(package, folder, "zip")
    except OSError as error:  # ReadError is one
        raise UsageError(f"{package} cannot be read as a function package: {error}") from error
    return [folder]


def _stop_signal() -> Event:
    """Return an event that Ctrl-C and SIGTERM set."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _print(line: str) -> None:
    out.print(line, highlight=False, markup=False, soft_wrap=True)
