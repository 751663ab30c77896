"""The contract of every Transcoder: the frames seen within the cuts, each in time, or a reason."""

import re
import subprocess
import time
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Literal

import pytest
from attrs import frozen

from application.ports import Recording, Rendition, ThumbnailSpec, Transcoder
from devtools import footage
from devtools.footage.picture import SCALED_DOWN, read_number
from devtools.footage.recording import FFMPEG
from domain.errors import DeadlineExceeded, NoPicture, Rejected, UnusableFootage
from domain.options import ClipOptions
from domain.planning import ClipPlan, plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.in_memory import (
    InMemoryRecording,
    InMemoryRecordingStore,
    InMemoryTranscoder,
    StoredFile,
    piece_bytes,
)
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import open_mp4
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.contract.worlds import LENGTH_MS, START_MS

FRAME_MS = 40
THUMBNAILS = ThumbnailSpec((160, 301))
NAMES = ("a.mp4", "b.mp4", "c.mp4")
AFTER_MS = (0, 2000, 5000)
"""The second follows the first; the third follows a gap of 1 s."""


@frozen
class ShownFrame:
    """A frame: when the clip shows it, and when it was recorded, in ms after START_MS."""

    clip_ms: float
    recorded_ms: int


class InMemoryTranscoderWorld:
    """Three recordings without footage, of a frame every 40 ms."""

    def __init__(self) -> None:
        self.transcoder: Transcoder = InMemoryTranscoder()

    def damage_recordings(self) -> None:
        self.transcoder = InMemoryTranscoder(broken=True)

    def recordings(self) -> Mapping[str, Recording]:
        store = InMemoryRecordingStore({name: StoredFile(b"bytes", LENGTH_MS) for name in NAMES})
        return {segment.name: store.open(segment, segment.window, soon()) for segment in segments()}

    def frames(self, clip: Path) -> list[ShownFrame]:
        found = []
        for line in clip.read_text().splitlines():
            clip_ms, name, media_ms = line.split()
            found.append(ShownFrame(float(clip_ms), AFTER_MS[NAMES.index(name)] + int(media_ms)))
        return found

    def stored(self, clip: Path, duration_ms: int) -> Recording:
        """Open a clip as its store does."""
        file = StoredFile(clip.read_bytes(), duration_ms)
        segment = RecordingSegment(TimeWindow(0, duration_ms), "clip")
        return InMemoryRecording(segment, file, {"clip": file}, soon())

    def thumbnail(self, path: Path, frames: list[ShownFrame]) -> tuple[ShownFrame, int, int]:
        """Return which of the clip's `frames` a thumbnail shows, its width and its height."""
        clip_ms, _, _, size = path.read_text().split()
        width, height = size.split("x")
        (shown,) = (frame for frame in frames if frame.clip_ms == float(clip_ms))
        return shown, int(width), int(height)


class FfmpegTranscoderWorld:
    """Recordings whose frames carry numbers, one for each 40 ms."""

    def __init__(self, folder: Path) -> None:
        self.transcoder: Transcoder = FfmpegTranscoder(find_ffmpeg({}))
        self._folder = folder
        self._damaged = False

    def damage_recordings(self) -> None:
        self._damaged = True

    def recordings(self) -> Mapping[str, Recording]:
        found = {}
        for segment, after_ms in zip(segments(), AFTER_MS, strict=True):
            film = footage.Recording(
                start_ms=START_MS + after_ms,
                first_number=after_ms // FRAME_MS,
                frames=LENGTH_MS // FRAME_MS,
                fps=Fraction(1000, FRAME_MS),
            )
            data = bytearray(footage.cached_recording(self._folder, film).read_bytes())
            if self._damaged:
                media = data.index(b"mdat") + 4
                data[media:] = bytes(len(data) - media)
            found[segment.name] = _open(segment, bytes(data))
        return found

    def frames(self, clip: Path) -> list[ShownFrame]:
        reading = footage.read_clip(clip)
        return [
            ShownFrame(time_ms, number * FRAME_MS)
            for time_ms, number in zip(reading.times_ms, reading.numbers, strict=True)
        ]

    def stored(self, clip: Path, duration_ms: int) -> Recording:  # noqa: ARG002 - it says so itself
        return _open(RecordingSegment(TimeWindow(0, 1), "clip"), clip.read_bytes())

    def thumbnail(self, path: Path, frames: list[ShownFrame]) -> tuple[ShownFrame, int, int]:
        number, width, height = look_at(path)
        (shown,) = (frame for frame in frames if frame.recorded_ms == number * FRAME_MS)
        return shown, width, height


TranscoderWorld = InMemoryTranscoderWorld | FfmpegTranscoderWorld


def look_at(picture: Path) -> tuple[int, int, int]:
    """Read the number, the width and the height of a picture in a file."""
    argv = [FFMPEG, "-i", str(picture), "-vf", f"scale={SCALED_DOWN}:{SCALED_DOWN}:flags=area"]
    argv += ["-pix_fmt", "gray", "-f", "rawvideo", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, env={}, timeout=60)
    size = re.search(r"Video: .*, (\d+)x(\d+)", done.stderr.decode())
    assert size is not None
    return read_number(done.stdout), int(size[1]), int(size[2])


def _open(segment: RecordingSegment, data: bytes) -> Recording:
    file = RangeCache(lambda at, size: data[at : at + size], len(data))
    return open_mp4(segment, segment.window, "1", file, 1000)


def segments() -> list[RecordingSegment]:
    """Return the segments of the recordings."""
    return [
        RecordingSegment(TimeWindow(START_MS + at, START_MS + at + LENGTH_MS), name)
        for name, at in zip(NAMES, AFTER_MS, strict=True)
    ]


def planned(from_ms: int, to_ms: int) -> ClipPlan:
    """Plan the clip between two moments after START_MS."""
    return plan_clip(TimeWindow(START_MS + from_ms, START_MS + to_ms), segments(), 500)


def soon() -> float:
    """Return a deadline."""
    return time.monotonic() + 60


@pytest.fixture(params=["in_memory", "ffmpeg"])
def world(request: pytest.FixtureRequest, films: Path) -> TranscoderWorld:
    """Return a world for each adapter."""
    in_memory = request.param == "in_memory"
    return InMemoryTranscoderWorld() if in_memory else FfmpegTranscoderWorld(films)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Return the only folder that may be written to."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def rendered(
    world: TranscoderWorld, scratch: Path, plan: ClipPlan, thumbnails: ThumbnailSpec = THUMBNAILS
) -> tuple[Rendition, list[ShownFrame]]:
    """Render; return the rendition, and the frames of the clip that its pieces make."""
    rendition = world.transcoder.render(plan, world.recordings(), thumbnails, scratch, soon())
    clip = scratch.parent / "clip"
    clip.write_bytes(b"".join(map(piece_bytes, rendition.pieces)))
    assert rendition.size_bytes == clip.stat().st_size
    return rendition, world.frames(clip)


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "recorded_ms"),
    [
        (400, 1200, [*range(400, 1200, FRAME_MS)]),
        (401, 1201, [*range(440, 1201, FRAME_MS)]),
        (399, 1199, [*range(400, 1199, FRAME_MS)]),
        (400, 401, [400]),
        (401, 439, [400]),
        (1500, 2500, [*range(1520, 2500, FRAME_MS)]),
        (3600, 5400, [*range(3600, 4000, FRAME_MS), *range(5000, 5400, FRAME_MS)]),
        (-300, 300, [*range(0, 300, FRAME_MS)]),
    ],
    ids=[
        "on frames",
        "just behind frames",
        "just before frames",
        "one frame",
        "within a frame",
        "across a join",
        "across a gap",
        "across the beginning",
    ],
)
def test_the_clip_holds_exactly_the_frames_seen_within_the_cuts(
    world: TranscoderWorld,
    scratch: Path,
    from_ms: int,
    to_ms: int,
    recorded_ms: list[int],
) -> None:
    """Each occurs once, at its time on the plan's clock, but the first at 0."""
    plan = planned(from_ms, to_ms)
    rendition, frames = rendered(world, scratch, plan)
    assert [frame.recorded_ms for frame in frames] == recorded_ms
    times_ms = [
        float(plan.delivered_before_ms(START_MS + time_ms)) if number else 0
        for number, time_ms in enumerate(recorded_ms)
    ]
    assert [frame.clip_ms for frame in frames] == pytest.approx(times_ms, abs=0.1)
    media = rendition.media
    assert media.frames == len(recorded_ms)
    assert media.first_ms == 0
    assert media.last_ms == pytest.approx(times_ms[-1], abs=0.1)
    assert media.duration_ms == pytest.approx(plan.delivered_ms, abs=0.1)


@pytest.mark.parametrize(("from_ms", "to_ms"), [(0, 1600), (1500, 5900), (41, 201), (0, 100)])
def test_thumbnails_show_the_frame_after_a_quarter_of_the_clip(
    world: TranscoderWorld, scratch: Path, from_ms: int, to_ms: int
) -> None:
    """They show the frame that is on at that time, in the widths requested, of even height."""
    plan = planned(from_ms, to_ms)
    rendition, frames = rendered(world, scratch, plan)
    on = [frame for frame in frames if frame.clip_ms <= plan.delivered_ms / 4]
    assert set(rendition.thumbnails) == set(THUMBNAILS.widths)
    for width, path in rendition.thumbnails.items():
        shown, wide, high = world.thumbnail(path, frames)
        assert shown == (on[-1] if on else frames[0])
        assert (wide, high % 2) == (width, 0)


@pytest.mark.parametrize(("from_ms", "to_ms"), [(0, 1600), (1500, 5900), (41, 201), (0, 100)])
def test_thumbnails_of_a_stored_clip_show_the_same_picture(
    world: TranscoderWorld, scratch: Path, tmp_path: Path, from_ms: int, to_ms: int
) -> None:
    """In the requested widths and with even heights, whatever has become of its recordings."""
    plan = planned(from_ms, to_ms)
    rendition, frames = rendered(world, scratch, plan)
    clip = world.stored(scratch.parent / "clip", plan.duration_ms)
    folder = tmp_path / "later"
    folder.mkdir()
    later = world.transcoder.thumbnails(clip, THUMBNAILS, folder, soon())
    assert set(later) == set(THUMBNAILS.widths)
    for width, path in later.items():
        assert path.parent == folder
        assert world.thumbnail(path, frames) == world.thumbnail(rendition.thumbnails[width], frames)


@pytest.mark.parametrize("hevc", ["splice", "h264"])
def test_no_option_changes_the_frames(
    world: TranscoderWorld, scratch: Path, hevc: Literal["splice", "h264"]
) -> None:
    """Nor their times, nor the thumbnails' widths."""
    plan = planned(41, 1201)
    _, usual = rendered(world, scratch, plan)
    rendition = world.transcoder.render(
        plan, world.recordings(), THUMBNAILS, scratch, soon(), ClipOptions(hevc=hevc)
    )
    clip = scratch.parent / "clip"
    clip.write_bytes(b"".join(map(piece_bytes, rendition.pieces)))
    assert world.frames(clip) == usual
    assert set(rendition.thumbnails) == set(THUMBNAILS.widths)


def test_no_thumbnails_are_made_if_no_width_is_requested(
    world: TranscoderWorld, scratch: Path
) -> None:
    """The rendition then has none."""
    assert rendered(world, scratch, planned(0, 400), ThumbnailSpec(()))[0].thumbnails == {}


def test_only_the_folder_is_written_to(world: TranscoderWorld, scratch: Path) -> None:
    """Every file that the rendition names lies in it."""
    rendition = world.transcoder.render(
        planned(0, 400), world.recordings(), THUMBNAILS, scratch, soon()
    )
    assert [path.name for path in scratch.parent.iterdir()] == ["scratch"]
    assert {path.parent for path in rendition.thumbnails.values()} == {scratch}


def test_cuts_without_a_frame_are_rejected(world: TranscoderWorld, scratch: Path) -> None:
    """There is nothing to show."""
    with pytest.raises(Rejected, match="no frame"):
        world.transcoder.render(
            planned(9000, 9500), world.recordings(), THUMBNAILS, scratch, soon()
        )


def test_footage_without_any_picture_is_no_rendition(world: TranscoderWorld, scratch: Path) -> None:
    """Where a decoder was asked, the error names the windows."""
    world.damage_recordings()
    with pytest.raises((NoPicture, UnusableFootage)) as raised:
        world.transcoder.render(planned(0, 400), world.recordings(), THUMBNAILS, scratch, soon())
    if isinstance(raised.value, NoPicture):
        assert raised.value.name == NAMES[0]
        assert raised.value.windows == (TimeWindow(START_MS, START_MS + 400),)


def test_nothing_is_rendered_after_the_deadline(world: TranscoderWorld, scratch: Path) -> None:
    """The error is DeadlineExceeded."""
    with pytest.raises(DeadlineExceeded):
        world.transcoder.render(
            planned(0, 400), world.recordings(), THUMBNAILS, scratch, time.monotonic() - 1
        )


def test_no_thumbnails_are_made_after_the_deadline(world: TranscoderWorld, scratch: Path) -> None:
    """The error is DeadlineExceeded."""
    plan = planned(0, 400)
    rendered(world, scratch, plan)
    clip = world.stored(scratch.parent / "clip", plan.duration_ms)
    with pytest.raises(DeadlineExceeded):
        world.transcoder.thumbnails(clip, THUMBNAILS, scratch, time.monotonic() - 1)
