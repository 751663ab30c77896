"""Cut a clip out of numbered recordings, as the service does, and read it back."""

import time
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

import pytest
from attrs import frozen

from application.gather_footage import GatherFootage
from application.ports import (
    CameraService,
    Listing,
    RecordingStore,
    Rendition,
    ThumbnailSpec,
    Transcoder,
)
from devtools.footage import (
    ClipReading,
    Recording,
    Wanted,
    assert_clip,
    cached_recording,
    read_clip,
    wanted,
)
from domain.clip import ClipReport, ClipRequest
from domain.clip_label import ClipLabel
from domain.errors import Rejected, UnusableFootage
from domain.options import USUAL, ClipOptions
from domain.planning import ClipPlan
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.in_memory import piece_bytes
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording, open_mp4

START_MS = 1_534_341_619_000
"""When the first recording of every test starts."""
TOLERANCE_MS = 1000
DEADLINE_S = 60.0
WITHIN_MS = 2
"""The plan's bounds are whole milliseconds."""
AUDIO_WITHIN_MS = 15.0


class Buckets:
    """Where recordings and clips are stored: here, in memory."""

    def open(
        self, segment: RecordingSegment, data: bytes, window: TimeWindow | None = None
    ) -> Mp4Recording:
        """Open a recording of these bytes, for a clip of `window` or of all of it."""

        def fetch(offset: int, length: int) -> bytes:
            return data[offset : offset + length]

        return open_mp4(
            segment, window or segment.window, "1", RangeCache(fetch, len(data)), TOLERANCE_MS
        )

    def join(self, rendition: Rendition) -> bytes:
        """Return the clip that the rendition's pieces make."""
        return b"".join(map(piece_bytes, rendition.pieces))


IN_MEMORY = Buckets()


@frozen
class Clip:
    """A clip, what a player shows of it, and what it must hold."""

    rendition: Rendition
    path: Path
    reading: ClipReading
    wanted: Wanted
    plan: ClipPlan
    sources: tuple[Path, ...]


@frozen
class Camera:
    """Cuts clips of recordings that are made in the folder `footage`."""

    footage: Path
    folder: Path
    transcoder: Transcoder
    buckets: Buckets = IN_MEMORY

    def cut(
        self,
        recordings: Sequence[Recording],
        from_ms: int,
        to_ms: int,
        thumbnails: ThumbnailSpec = ThumbnailSpec(()),  # noqa: B008 - a value that cannot change
        options: ClipOptions = USUAL,
    ) -> Clip:
        """Cut the clip from `from_ms` to `to_ms` after START_MS."""
        bounds = START_MS + from_ms, START_MS + to_ms
        window = TimeWindow(*bounds)
        deadline_s = time.monotonic() + DEADLINE_S
        listed = ListedRecordings(self, {name_of(r): r for r in recordings})
        request = ClipRequest("exact", "pier", *bounds, options=options)
        gather = GatherFootage(listed, StoredRecordings(listed), TOLERANCE_MS)
        around = listed.find_segments("pier", window.widened(TOLERANCE_MS), deadline_s)
        footage = gather(request, around, deadline_s)
        plan = footage.plan
        if plan is None or not plan.cuts:
            if footage.left_out:
                raise UnusableFootage(" ".join(footage.left_out))
            raise Rejected("There is no footage.")
        scratch = self.folder / "scratch"
        scratch.mkdir()
        rendition = self.transcoder.render(
            plan,
            footage.recordings,
            thumbnails,
            scratch,
            deadline_s,
            options,
            ClipLabel(request.name, window),
        )
        path = self.folder / "clip.mp4"
        path.write_bytes(self.buckets.join(rendition))
        return Clip(
            rendition,
            path,
            read_clip(path),
            wanted(recordings, window.start_ms, window.end_ms),
            plan,
            tuple(self.path(recording) for recording in recordings),
        )

    def path(self, recording: Recording) -> Path:
        """Return the recording's file."""
        return cached_recording(self.footage, recording)

    def open(self, recording: Recording) -> Mp4Recording:
        """Open a recording as its store would, for a clip of all of it."""
        segment = segment_of(recording)
        return self.buckets.open(segment, self.path(recording).read_bytes())


def name_of(recording: Recording) -> str:
    """Return the name of a recording's file: those of a date are in the order of their numbers."""
    return f"pier.{recording.start_ms}.{recording.first_number:08}.mp4"


@frozen
class ListedRecordings(CameraService):
    """What a camera lists."""

    camera: Camera
    recordings: Mapping[str, Recording]

    def find_segments(self, camera_id: str, window: TimeWindow, deadline_s: float) -> Listing:
        """Return what is listed of the window."""
        del camera_id, deadline_s
        segments = [segment_of(recording) for recording in self.recordings.values()]
        return Listing(tuple(s for s in segments if s.window.overlaps(window)))

    def update_clip(self, report: ClipReport, deadline_s: float) -> None:
        """Ignore the report."""


def segment_of(recording: Recording) -> RecordingSegment:
    """Return what the camera says of a recording."""
    listed_ms = recording.listed_ms or ceil(recording.duration_ms)
    window = TimeWindow(recording.start_ms, recording.start_ms + listed_ms)
    return RecordingSegment(window, name_of(recording), listed_ms)


@frozen
class StoredRecordings(RecordingStore):
    """The files of a camera's recordings."""

    listed: ListedRecordings

    def open(
        self, segment: RecordingSegment, window: TimeWindow, deadline_s: float
    ) -> Mp4Recording:
        """Open the file in the camera's bucket."""
        del deadline_s
        camera = self.listed.camera
        data = camera.path(self.listed.recordings[segment.name]).read_bytes()
        return camera.buckets.open(segment, data, window)


def check_clip(clip: Clip, audio_within_ms: float = AUDIO_WITHIN_MS) -> None:
    """Hold a clip and what is reported of it against the plan."""
    assert_clip(clip.reading, clip.wanted, audio_within_ms=audio_within_ms)
    media = clip.rendition.media
    assert media.frames == len(clip.wanted.numbers)
    assert media.first_ms == 0
    assert media.last_ms == pytest.approx(float(clip.wanted.times_ms[-1]), abs=1)
    assert media.duration_ms == pytest.approx(clip.plan.duration_ms, abs=1)
    assert (media.width, media.height) == clip.reading.size
    assert clip.reading.video_codec == media.codec
    assert clip.reading.duration_ms == pytest.approx(clip.plan.duration_ms, abs=11)
    assert clip.plan.duration_ms == pytest.approx(float(clip.wanted.duration_ms), abs=WITHIN_MS)
