"""The worlds of the adapters in memory."""

import json
from collections.abc import Mapping

from application.ports import LeftOut
from domain.clip import ClipName, ClipRequest
from domain.manifest import StoredClip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.formats.manifests import manifest_json
from infrastructure.in_memory import (
    InMemoryCameraService,
    InMemoryClipStore,
    InMemoryNotifier,
    InMemoryRecordingStore,
    InMemoryRetryQueue,
    StoredFile,
)
from tests.contract.media import FORMAT, LENGTH_MS, Media


class InMemoryCameraWorld:
    """Plain attributes."""

    def __init__(self) -> None:
        self.cameras: InMemoryCameraService = InMemoryCameraService()

    def has_camera(self, camera_id: str) -> None:
        """Add a camera without recordings."""
        self.cameras.segments.setdefault(camera_id, [])

    def has_segment(self, camera_id: str, start_ms: int, suffix: str = "mp4") -> RecordingSegment:
        """List one more segment of LENGTH_MS, which starts at a whole second."""
        self.has_camera(camera_id)
        window = TimeWindow(start_ms, start_ms + LENGTH_MS)
        segment = RecordingSegment(window, f"{camera_id}.{start_ms}.{suffix}")
        self.cameras.segments[camera_id].append(segment)
        return segment

    def has_unusable(self, camera_id: str, start_ms: int) -> str:
        self.has_camera(camera_id)
        left = LeftOut(f"{camera_id}.{start_ms}.ts", "its name does not end with .mp4")
        window = TimeWindow(start_ms, start_ms + LENGTH_MS)
        self.cameras.unusable.setdefault(camera_id, []).append((window, left))
        return left.name

    def forgets_clip(self, clip_id: str) -> None:
        self.cameras.deleted.add(clip_id)

    def state(self, clip_id: str) -> Mapping[str, object] | None:
        report = self.cameras.state(clip_id)
        return FORMAT.report(report) if report else None


class InMemoryRecordingWorld:
    """A dictionary of files."""

    def __init__(self) -> None:
        self.recordings: InMemoryRecordingStore = InMemoryRecordingStore()

    def stores(self, name: str, media: Media) -> None:
        self.recordings.files[name] = StoredFile(
            media.data, media.duration_ms, media.readable, media.hole_ms
        )

    def removes(self, name: str) -> None:
        del self.recordings.files[name]


class InMemoryClipWorld:
    """Dictionaries of clips and thumbnails."""

    def __init__(self) -> None:
        self.clips: InMemoryClipStore = InMemoryClipStore()

    def clip_bytes(self, name: ClipName) -> bytes | None:
        return self.clips.objects[name][1] if name in self.clips.objects else None

    def thumbnail_bytes(self, name: ClipName, width: int) -> bytes | None:
        return self.clips.thumbnails.get(name, {}).get(width)

    def sidecar_bytes(self, name: ClipName, sidecar: str) -> bytes | None:
        return self.clips.sidecars.get(name, {}).get(sidecar)

    def has_foreign_clip(self, name: ClipName) -> None:
        self.clips.objects[name] = (StoredClip("", "", 0), b"foreign")

    def manifests(self) -> list[object]:
        return [json.loads(manifest_json(found)) for found in self.clips.manifests.values()]


class InMemoryQueueWorld:
    """A list of requests with their delays."""

    def __init__(self) -> None:
        self.queue: InMemoryRetryQueue = InMemoryRetryQueue()

    def received_within(self, time_s: float) -> list[ClipRequest]:
        """Receive what is delivered within `time_s`."""
        return [
            request
            for request, redelivery_backoff_s in self.queue.sent
            if redelivery_backoff_s <= time_s
        ]


class InMemoryNotifierWorld:
    """A list of reports."""

    def __init__(self) -> None:
        self.notifier: InMemoryNotifier = InMemoryNotifier()

    def heard(self) -> list[tuple[str, Mapping[str, object]]]:
        """Return the event ids and reports that were published, in order."""
        return [(report.event_id, FORMAT.report(report)) for report in self.notifier.published]
