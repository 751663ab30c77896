"""Cut a clip out of numbered recordings, as the service does, and read it back."""

import time
from collections.abc import Sequence
from math import ceil
from pathlib import Path

import pytest
from attrs import frozen

from application.ports import Rendition, ThumbnailSpec, Transcoder
from devtools.footage import (
    ClipReading,
    Recording,
    Wanted,
    assert_clip,
    cached_recording,
    read_clip,
    wanted,
)
from domain.planning import ClipPlan, plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.in_memory import piece_bytes
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording, open_mp4

START_MS = 1_534_341_619_000
"""When the first recording of every test starts."""
TOLERANCE_MS = 1000
DEADLINE_S = 60.0
AUDIO_WITHIN_MS = 15.0


class Buckets:
    """Where recordings and clips are stored: here, in memory."""

    def open(self, segment: RecordingSegment, data: bytes) -> Mp4Recording:
        """Open a recording of these bytes."""

        def fetch(offset: int, length: int) -> bytes:
            return data[offset : offset + length]

        return open_mp4(segment, segment.window, "1", RangeCache(fetch, len(data)), TOLERANCE_MS)

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
    ) -> Clip:
        """Cut the clip from `from_ms` to `to_ms` after START_MS."""
        opened = {r.segment.name: r for r in map(self.open, recordings)}
        window = TimeWindow(START_MS + from_ms, START_MS + to_ms)
        plan = plan_clip(window, [r.segment for r in opened.values()], TOLERANCE_MS)
        scratch = self.folder / "scratch"
        scratch.mkdir()
        rendition = self.transcoder.render(
            plan, opened, thumbnails, scratch, time.monotonic() + DEADLINE_S
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
        """Open a recording as its store would."""
        window = TimeWindow(recording.start_ms, recording.start_ms + ceil(recording.duration_ms))
        segment = RecordingSegment(window, f"pier.{recording.start_ms}.mp4")
        return self.buckets.open(segment, self.path(recording).read_bytes())


def check_clip(clip: Clip, audio_within_ms: float = AUDIO_WITHIN_MS) -> None:
    """Hold a clip and what is reported of it against the plan."""
    assert_clip(clip.reading, clip.wanted, audio_within_ms=audio_within_ms)
    media = clip.rendition.media
    assert media.frames == len(clip.wanted.numbers)
    assert media.first_ms == pytest.approx(float(clip.wanted.times_ms[0]), abs=1)
    assert media.last_ms == pytest.approx(float(clip.wanted.times_ms[-1]), abs=1)
    assert media.duration_ms == pytest.approx(clip.plan.delivered_ms, abs=1)
    assert (media.width, media.height) == clip.reading.size
    assert clip.reading.video_codec == media.codec
    # Without audio from 0 on, ffmpeg counts from the first frame.
    uncounted_ms = media.first_ms if clip.reading.audio_start_ms is None else 0
    assert clip.reading.duration_ms == pytest.approx(clip.plan.delivered_ms - uncounted_ms, abs=11)
