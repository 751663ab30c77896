"""The worlds of the adapters on a folder."""

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from domain.clip import ClipName, ClipRequest
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.folder.cameras import FolderCameraService
from infrastructure.folder.clips import FolderClipStore
from infrastructure.folder.files import OPERATIONS, FileOperations
from infrastructure.folder.notifier import FolderNotifier
from infrastructure.folder.queue import FolderRetryQueue
from infrastructure.folder.recording_tree import RecordingTree, TreeRecordingStore
from infrastructure.folder.recordings import FolderRecordingStore
from infrastructure.formats.messages import read_message
from infrastructure.formats.object_keys import clip_key, sidecar_key, thumbnail_key
from infrastructure.layouts.presets import PRESETS
from infrastructure.layouts.wall_clock import EPOCH
from tests.contract.media import FORMAT, LENGTH_MS, Media
from tests.support.contracts import faults

if TYPE_CHECKING:
    from application.ports import RecordingStore


def refusing(number: int, claim_s: float = 0.5) -> FileOperations:
    """Return the operations of a file system that refuses links and flushing folders so."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return FileOperations(refuse, refuse, claim_s)


class FolderCameraWorld:
    """Recordings in the camera's folder, states in another."""

    def __init__(self, root: Path, media: Media) -> None:
        self.root = root
        self.media = media
        self.cameras: FolderCameraService = FolderCameraService(root, FORMAT)

    def has_camera(self, camera_id: str) -> None:
        (self.root / "recordings" / camera_id).mkdir(parents=True, exist_ok=True)

    def has_segment(self, camera_id: str, start_ms: int, suffix: str = "mp4") -> RecordingSegment:
        self.has_camera(camera_id)
        start = datetime.fromtimestamp(start_ms // 1000, UTC)
        name = f"{camera_id}.{start:%Y%m%dT%H%M%S}.{suffix}"
        (self.root / "recordings" / camera_id / name).write_bytes(self.media.data)
        return RecordingSegment(TimeWindow(start_ms, start_ms + LENGTH_MS), name)

    def has_unusable(self, camera_id: str, start_ms: int) -> str:
        return self.has_segment(camera_id, start_ms, "ts").name

    def forgets_clip(self, clip_id: str) -> None:
        (self.root / "status").mkdir(exist_ok=True)
        (self.root / "status" / f"{clip_id}.deleted").touch()

    def state(self, clip_id: str) -> Mapping[str, object] | None:
        path = self.root / "status" / f"{clip_id}.json"
        if not path.exists():
            return None
        report: dict[str, object] = json.loads(path.read_text())
        assert faults("report", report) == []
        return report


class TreeCameraWorld(FolderCameraWorld):
    """Recordings as mediamtx stores them, read only."""

    def __init__(self, root: Path, media: Media) -> None:
        super().__init__(root, media)
        self.folder = root / "dvr"
        self.folder.mkdir()
        [mediamtx] = (preset for preset in PRESETS if preset.name == "mediamtx")
        recordings = RecordingTree(self.folder, mediamtx, ZoneInfo("Europe/Madrid"))
        self.cameras = FolderCameraService(root, FORMAT, recorded=recordings)

    def has_camera(self, camera_id: str) -> None:
        (self.folder / camera_id).mkdir(exist_ok=True)

    def has_segment(self, camera_id: str, start_ms: int, suffix: str = "mp4") -> RecordingSegment:
        self.has_camera(camera_id)
        start = EPOCH + timedelta(milliseconds=start_ms)
        stamp = f"{start.astimezone(ZoneInfo('Europe/Madrid')):%Y-%m-%d_%H-%M-%S-%f}"
        name = f"{camera_id}/{stamp}.{suffix}"
        (self.folder / name).write_bytes(self.media.data)
        return RecordingSegment(TimeWindow(start_ms, start_ms + LENGTH_MS), name)


class FolderRecordingWorld:
    """Files of one camera."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "recordings" / "pier"
        self.folder.mkdir(parents=True)
        self.recordings: RecordingStore = FolderRecordingStore(root)

    def stores(self, name: str, media: Media) -> None:
        written = self.folder / "upload"
        written.write_bytes(media.data)
        written.replace(self.folder / name)

    def removes(self, name: str) -> None:
        (self.folder / name).unlink()


class TreeRecordingWorld(FolderRecordingWorld):
    """Files in folders of any depth."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.recordings = TreeRecordingStore(self.folder)


class FolderClipWorld:
    """Files below `clips/`."""

    def __init__(self, root: Path, operations: FileOperations = OPERATIONS) -> None:
        self.folder = root / "clips"
        self.clips: FolderClipStore = FolderClipStore(root, operations)

    def clip_bytes(self, name: ClipName) -> bytes | None:
        path = self.folder / clip_key(name)
        return path.read_bytes() if path.exists() else None

    def thumbnail_bytes(self, name: ClipName, width: int) -> bytes | None:
        path = self.folder / thumbnail_key(name, width, "jpg")
        return path.read_bytes() if path.exists() else None

    def sidecar_bytes(self, name: ClipName, sidecar: str) -> bytes | None:
        path = self.folder / sidecar_key(name, sidecar)
        return path.read_bytes() if path.exists() else None

    def has_foreign_clip(self, name: ClipName) -> None:
        path = self.folder / clip_key(name)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"foreign")

    def manifests(self) -> list[object]:
        return [json.loads(path.read_text()) for path in self.folder.glob("*/[!.]*.json")]


class FolderQueueWorld:
    """Files in `queue/`, and a clock that can be put forward."""

    def __init__(self, root: Path) -> None:
        self.began_ms = time.time_ns() // 1_000_000
        self.now_ms = self.began_ms
        self.queue: FolderRetryQueue = FolderRetryQueue(root, now_ms=lambda: self.now_ms)

    def received_within(self, time_s: float) -> list[ClipRequest]:
        self.now_ms = self.began_ms + round(1000 * time_s)
        received = []
        while message := self.queue.receive():
            assert faults("request", json.loads(message.body)) == []
            request = read_message(message.body, message.sent_at_ms)
            assert isinstance(request, ClipRequest)
            received.append(request)
        return received


class FolderNotifierWorld:
    """Lines of a file."""

    def __init__(self, root: Path) -> None:
        self.lines = root / "notifications.jsonl"
        self.notifier: FolderNotifier = FolderNotifier(root, FORMAT)

    def heard(self) -> list[tuple[str, Mapping[str, object]]]:
        lines = [json.loads(line) for line in self.lines.read_text().splitlines()]
        assert [fault for line in lines for fault in faults("report", line["message"])] == []
        return [(line["eventId"], line["message"]) for line in lines]
