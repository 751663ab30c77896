"""All ports but the transcoder on a plain folder, for a laptop.

::

    cameras.json                       {"<camera id>": {"alias": "<alias>"}, ...}; may be missing
    recordings/<alias>/*.mp4           the name carries the start: pier.20180815T140019.mp4
    clips/<camera id>/<clip id>.mp4    beside it <clip id>_<width>.jpg, <clip id>.json (manifest)
                                       and .<clip id>.<inode>.json, what the clip is
    status/<clip id>.json              the last report; <clip id>.deleted marks a deleted clip
    notifications.jsonl                one line per notification
    queue/<due ms>-<message id>.json   a request that rests; queue/dead/ holds those given up

Files appear whole under their names: they are written under another one, flushed, and moved. A
clip is committed by a hard link, which fails if the name is taken. What describes it is written
before and bears the number of its inode, so that no crash leaves a clip without its description,
and no loser of a race describes the winner's.
"""

import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from attrs import Factory, frozen

from application.ports import (
    AlreadyStored,
    CameraService,
    ClipStore,
    FilePiece,
    Notifier,
    Piece,
    RecordingStore,
    Rendition,
    RetryQueue,
)
from domain.clip import ClipName, ClipReport, ClipRequest
from domain.errors import (
    ClipDeleted,
    NotRecordedYet,
    OutOfTime,
    Refused,
    SourceChanged,
    Unavailable,
    Undecodable,
)
from domain.recording import RecordingSegment
from domain.retry import LONGEST_DELAY_S
from domain.standing import Manifest, StoredClip
from domain.window import TimeWindow
from infrastructure import wire
from infrastructure.mp4.recording import Mp4Recording, open_mp4

CHUNK_BYTES = 2 << 20
LONGEST_RECORDING_MS = 86_400_000
"""Recordings that start longer than this before a window are not looked at."""
ABANDONED_S = 3600
"""After this time without a write, what a killed attempt left half-written is cleared away."""
HIDDEN_MS = 3_600_000
"""How long a received message stays hidden from other receivers, unless it is settled."""


def now_ms() -> int:
    """Read the clock: milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@contextmanager
def _files(what: str, deadline_s: float) -> Iterator[None]:
    """Begin only before the deadline, and translate what the file system says."""
    _check(deadline_s)
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{what}: {error.strerror or error}.") from error


def _check(deadline_s: float) -> None:
    if time.monotonic() >= deadline_s:
        raise OutOfTime("The time for this attempt is over.")


@frozen
class FolderCameras(CameraService):
    """Cameras by `cameras.json`, or else by their folders; the states of clips in `status/`.

    A clip is deleted by a file `status/<clip id>.deleted`.
    """

    root: Path
    report_format: wire.ReportFormat
    naming: wire.SegmentNaming = Factory(wire.SegmentNaming)

    def find_segments(
        self, camera_id: str, window: TimeWindow, deadline_s: float
    ) -> Sequence[RecordingSegment]:
        """List the camera's recordings that overlap `window`, as long as their media is.

        One that cannot be read, or is being written, is taken to last as long as recordings usually
        do. Left out are those whose name does not say when they start (see `undated`), and those
        that start more than LONGEST_RECORDING_MS before the window.
        """
        with _files(f"The recordings of {camera_id}", deadline_s):
            found = []
            for path in _recordings(self.root, self._alias(camera_id)):
                start_ms = self.naming.start_ms(path.name)
                if start_ms is None or not (
                    window.start_ms - LONGEST_RECORDING_MS < start_ms < window.end_ms
                ):
                    continue
                usual = TimeWindow(start_ms, start_ms + wire.DEFAULT_LENGTH_MS)
                segment = RecordingSegment(usual, path.name)
                with suppress(NotRecordedYet, Undecodable, SourceChanged):
                    segment = _open(path, segment, deadline_s, 0).segment
                if segment.window.overlaps(window):
                    found.append(segment)
            return found

    def undated(self, camera_id: str) -> list[str]:
        """Return the camera's recordings that are never found, as their names tell no start."""
        with _files(f"The recordings of {camera_id}", math.inf):
            names = (path.name for path in _recordings(self.root, self._alias(camera_id)))
            return [name for name in names if self.naming.start_ms(name) is None]

    def record(self, report: ClipReport, deadline_s: float) -> None:
        """Write the report to `status/`."""
        with _files("The clip's status", deadline_s):
            if (self.root / "status" / f"{report.clip_id}.deleted").exists():
                raise ClipDeleted(f"The clip {report.clip_id} was deleted.")
            text = json.dumps(self.report_format.report(report), indent=1)
            _write(self.root / "status" / f"{report.clip_id}.json", text)

    def _alias(self, camera_id: str) -> str:
        try:
            cameras = json.loads((self.root / "cameras.json").read_bytes())
        except FileNotFoundError:
            cameras = {}
        except ValueError as error:
            raise Unavailable("cameras.json is no JSON.") from error
        if not isinstance(cameras, dict):
            raise Unavailable("cameras.json is no object with a key for each camera.")
        if camera_id in cameras:
            return _folder_name(camera_id, cameras[camera_id])
        if (self.root / "recordings" / camera_id).is_dir():
            return camera_id
        raise Refused(f"unknown camera {camera_id}")


def _folder_name(camera_id: str, camera: object) -> str:
    fault = f"cameras.json gives {camera_id} no alias that can be a folder's name."
    try:
        alias = wire.read_alias(camera)
    except Unavailable as error:
        raise Unavailable(fault) from error
    if "/" in alias:
        raise Unavailable(fault)
    return alias


def _recordings(root: Path, alias: str) -> list[Path]:
    folder = root / "recordings" / alias
    return sorted(p for p in folder.glob("[!.]*.mp4") if p.is_file())


@frozen
class FolderRecordings(RecordingStore):
    """The files in the folders below `recordings/`, found by their names.

    One name in two folders is Undecodable: nothing says which of the two is meant.
    """

    root: Path
    tolerance_ms: int = 1000

    def open(self, segment: RecordingSegment, deadline_s: float) -> Mp4Recording:
        """Open the file of that name, whose version is its size, time and inode."""
        with _files(segment.name, deadline_s):
            recordings = self.root / "recordings"
            if segment.name in {"", ".", ".."} or "/" in segment.name or not recordings.is_dir():
                raise NotRecordedYet(f"{segment.name} is not there.")
            folders = sorted(p for p in recordings.iterdir() if p.is_dir())
            found = [path for f in folders if (path := f / segment.name).is_file()]
            if not found:
                raise NotRecordedYet(f"{segment.name} is not there yet.")
            if len(found) > 1:
                raise Undecodable(
                    f"{segment.name} is in two folders, {found[0].parent.name} and"
                    f" {found[1].parent.name}: rename one of them."
                )
            return _open(found[0], segment, deadline_s, self.tolerance_ms)


def _open(
    path: Path, segment: RecordingSegment, deadline_s: float, tolerance_ms: int
) -> Mp4Recording:
    try:
        stat = path.stat()
    except FileNotFoundError as error:
        raise NotRecordedYet(f"{path.name} is not there any more.") from error
    version = _version(stat)

    def fetch(offset: int, length: int) -> bytes:
        with _files(path.name, deadline_s):
            try:
                with path.open("rb") as file:
                    file.seek(offset)
                    data = file.read(length)
                    same = _version(os.fstat(file.fileno())) == version and len(data) == length
            except FileNotFoundError:
                same = False
            if not same:
                raise SourceChanged(f"{path.name} was replaced while it was read.")
            return data

    return open_mp4(segment, stat.st_size, version, fetch, tolerance_ms)


def _version(stat: os.stat_result) -> str:
    return f"{stat.st_size}-{stat.st_mtime_ns}-{stat.st_ino}"


@frozen
class FolderClips(ClipStore):
    """Clips, their stills and their manifests below `clips/`."""

    root: Path

    def path(self, name: ClipName) -> Path:
        """Say where the clip is, or would be."""
        return self.root / "clips" / wire.clip_key(name)

    def manifest_path(self, name: ClipName) -> Path:
        """Say where the manifest is, or would be."""
        return self.root / "clips" / wire.manifest_key(name)

    def stills(self, name: ClipName) -> list[Path]:
        """Return the stills beside the clip, the smallest first."""
        still = re.compile(name.clip_id + r"_(\d+)\.(?:jpg|png|webp)")
        found = self.path(name).parent.glob(f"{name.clip_id}_*")
        widths = {path: int(m[1]) for path in found if (m := still.fullmatch(path.name))}
        return sorted(widths, key=widths.__getitem__)

    def find(self, name: ClipName, deadline_s: float) -> StoredClip | None:
        """Describe the clip; one that was put there by others has no fingerprint."""
        path = self.path(name)
        with _files(path.name, deadline_s):
            try:
                stat = path.stat()
            except FileNotFoundError:
                return None
            try:
                metadata = json.loads(_about(path, stat.st_ino).read_bytes())
            except (FileNotFoundError, ValueError):
                metadata = {}
            return wire.stored_clip(metadata, stat.st_mtime_ns // 1_000_000)

    def store_stills(self, name: ClipName, stills: Mapping[int, Path], deadline_s: float) -> None:
        """Copy the stills to `<clip id>_<width>` and their own suffix."""
        with _files("The stills", deadline_s):
            for width, still in stills.items():
                _check(deadline_s)
                key = wire.still_key(name, width, still.suffix.removeprefix("."))
                target = self.root / "clips" / key
                with _part_of(target) as part:
                    part.write_bytes(still.read_bytes())
                    part.replace(target)

    def commit(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        gaps: Sequence[TimeWindow],
        deadline_s: float,
    ) -> None:
        """Write the clip, then what describes it, then give it its name."""
        path = self.path(request.name)
        with _files(path.name, deadline_s), _part_of(path) as part:
            with part.open("wb") as file:
                for piece in rendition.pieces:
                    for chunk in _chunks(piece):
                        _check(deadline_s)
                        file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            about = _about(path, part.stat().st_ino)
            _write(about, json.dumps(wire.metadata(request, rendition.footage, writer, gaps)))
            try:
                os.link(part, path)
            except OSError as error:
                about.unlink()
                if isinstance(error, FileExistsError):
                    raise AlreadyStored(f"There is a file {path.name} already.") from error
                raise
            _sync(path.parent)

    def read_manifest(self, name: ClipName, deadline_s: float) -> Manifest | None:
        """Read `<clip id>.json`."""
        path = self.manifest_path(name)
        with _files(path.name, deadline_s):
            try:
                return wire.read_manifest(path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                return None
            except ValueError as error:
                raise Unavailable(f"{path.name}: {error}.") from error

    def write_manifest(
        self, name: ClipName, manifest: Manifest, deadline_s: float, *, replace: bool
    ) -> None:
        """Write `<clip id>.json`."""
        path = self.manifest_path(name)
        with _files(path.name, deadline_s):
            try:
                _write(path, wire.manifest_json(manifest), replace=replace)
            except FileExistsError as error:
                raise AlreadyStored(f"There is a file {path.name} already.") from error


def _chunks(piece: Piece) -> Iterator[bytes]:
    if isinstance(piece, FilePiece):
        with piece.path.open("rb") as file:
            file.seek(piece.offset)
            for at in range(0, piece.length, CHUNK_BYTES):
                wanted = min(CHUNK_BYTES, piece.length - at)
                chunk = file.read(wanted)
                if len(chunk) < wanted:
                    raise Unavailable("The rendered clip is shorter than it was.")
                yield chunk
    else:
        for at in range(0, piece.length, CHUNK_BYTES):
            wanted = min(CHUNK_BYTES, piece.length - at)
            yield piece.recording.read(piece.offset + at, wanted)


def _about(clip: Path, inode: int) -> Path:
    return clip.with_name(f".{clip.stem}.{inode}.json")


@contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """Give a name to write under until `path` may appear; clear it away, and abandoned ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name}.*.part"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > ABANDONED_S:
                left.unlink()
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _write(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a file that appears whole; FileExistsError if it may not replace one."""
    with _part_of(path) as part:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            part.replace(path)
        else:
            os.link(part, path)
        _sync(path.parent)


def _sync(folder: Path) -> None:
    """Flush a folder's entries, so that what has a name keeps it through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@frozen
class QueuedMessage:
    """A request that rested, and is hidden from other receivers while this one handles it."""

    message_id: str
    sent_ms: int
    """When it was queued, since the epoch."""
    receive_count: int
    """How often it was received, this time included."""
    body: str
    path: Path


@frozen
class FolderQueue(RetryQueue):
    """Requests in `queue/`, one a file, named `<due ms>-<sent ms>-<chance>[.<received>].json`.

    A message is received by renaming its file to a later due time: if its receiver dies, it is due
    again by itself. One that was received `max_receive_count` times in vain is put into `dead/`.
    """

    root: Path
    max_receive_count: int = 5
    now_ms: Callable[[], int] = now_ms

    def send(self, request: ClipRequest, delay_s: int, deadline_s: float) -> None:
        """Write the request's message."""
        if not 1 <= delay_s <= LONGEST_DELAY_S:
            raise ValueError(f"a delay of {delay_s} s is not within 1..{LONGEST_DELAY_S}")
        with _files("The queue", deadline_s):
            sent_ms = self.now_ms()
            name = f"{sent_ms + 1000 * delay_s}-{sent_ms}-{uuid4().hex[:8]}.json"
            _write(self._folder / name, wire.message_body(request))

    def receive(self) -> QueuedMessage | None:
        """Take the message that has been due the longest, and hide it; None if none is due."""
        for due_ms, path in self._resting():
            if due_ms > self.now_ms():
                break
            match = _NAME.fullmatch(path.name)
            assert match  # noqa: S101 - it is resting
            received = int(match[4] or 0) + 1
            if received > self.max_receive_count:
                self._move(path, self._folder / "dead" / path.name)
                continue
            hidden = self._folder / _named(self.now_ms() + HIDDEN_MS, match[2], received)
            if self._move(path, hidden):
                body = hidden.read_text(encoding="utf-8")
                return QueuedMessage(match[2], int(match[3]), received, body, hidden)
        return None

    def next_due_ms(self) -> int | None:
        """Say when the next message is due, since the epoch; None if the queue is empty."""
        return next((due_ms for due_ms, _ in self._resting()), None)

    def done(self, message: QueuedMessage) -> None:
        """Remove a message that was handled."""
        message.path.unlink(missing_ok=True)

    def give_back(self, message: QueuedMessage, delay_s: int) -> None:
        """Let a message be due again in `delay_s`, or put it with the dead after its last time."""
        if message.receive_count >= self.max_receive_count:
            self._move(message.path, self._folder / "dead" / message.path.name)
            return
        due_ms = self.now_ms() + 1000 * delay_s
        name = _named(due_ms, message.message_id, message.receive_count)
        self._move(message.path, self._folder / name)

    @property
    def _folder(self) -> Path:
        return self.root / "queue"

    def _resting(self) -> list[tuple[int, Path]]:
        found = self._folder.glob("*.json")
        return sorted((int(m[1]), p) for p in found if (m := _NAME.fullmatch(p.name)))

    def _move(self, path: Path, target: Path) -> bool:
        """Rename a message, unless another receiver has just done it."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.rename(target)
        except FileNotFoundError:
            return False
        return True


_NAME = re.compile(r"(\d+)-((\d+)-[0-9a-f]+)(?:\.(\d+))?\.json")


def _named(due_ms: int, message_id: str, received: int) -> str:
    return f"{due_ms}-{message_id}.{received}.json"


@frozen
class FolderNotifier(Notifier):
    """Notifications, a line each, at the end of `notifications.jsonl`."""

    root: Path
    report_format: wire.ReportFormat

    def publish(self, report: ClipReport, deadline_s: float) -> None:
        """Append one line, whole even if others append at the same time."""
        with _files("The notifications", deadline_s):
            self.root.mkdir(parents=True, exist_ok=True)
            line = {
                "eventId": report.event_id,
                "status": report.status.value,
                "message": self.report_format.report(report),
            }
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            handle = os.open(self.root / "notifications.jsonl", flags, 0o644)
            try:
                data = json.dumps(line).encode() + b"\n"
                if os.write(handle, data) < len(data):
                    raise Unavailable("The notification could not be written whole.")
                os.fsync(handle)
            finally:
                os.close(handle)
