"""The contract of every Transcoder: the frames seen within the cuts, each in time, or a reason."""

import re
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve, frozen

from application.ports import Recording, Rendition, ThumbnailSpec, Transcoder
from devtools import footage
from devtools.footage.picture import SCALED_DOWN, read_number
from devtools.footage.recording import FFMPEG
from domain.clip import ClipName, ClipReport, ClipRequest
from domain.clip_label import ClipLabel
from domain.coverage import Coverage
from domain.errors import DeadlineExceeded, NoPicture, Rejected, UnusableFootage
from domain.manifest import Manifest
from domain.options import USUAL, ClipOptions
from domain.planning import ClipPlan, plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.in_memory import (
    LABEL,
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
from tests.support.previews import sprite_cues
from tests.support.proofs import assert_proven
from tests.support.said import said_by

FRAME_MS = 40
THUMBNAILS = ThumbnailSpec((160, 301))
NAMES = ("a.mp4", "b.mp4", "c.mp4")
LABELLED = TimeWindow(START_MS, START_MS + 1000)
MADRID = ZoneInfo("Europe/Madrid")
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
        for line in clip.read_text().partition(LABEL)[0].splitlines():
            clip_ms, name, media_ms = line.split()
            found.append(ShownFrame(float(clip_ms), AFTER_MS[NAMES.index(name)] + int(media_ms)))
        return found

    def said(self, clip: Path) -> tuple[int, str, str]:
        """Return what a clip says of itself: its time in s since the epoch, its title, its id."""
        (line,) = (line for line in clip.read_text().splitlines() if line.startswith(LABEL))
        seen_s, clip_id, title = line.removeprefix(LABEL).split(" ", 2)
        return int(seen_s), title, clip_id

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

    def said(self, clip: Path) -> tuple[int, str, str]:
        said = said_by(clip)
        seen = datetime.fromisoformat(said["creation_time"])
        return round(seen.timestamp()), said["title"], said["comment"]

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


@pytest.mark.parametrize(
    ("from_ms", "to_ms"), [(401, 439), (401, 1201), (1500, 2500), (3600, 5400), (41, 6999)]
)
def test_the_proof_names_each_byte_once_and_when_its_frames_were_seen(
    world: TranscoderWorld, scratch: Path, from_ms: int, to_ms: int
) -> None:
    """In runs of one recording each, in the clip's order."""
    rendition, frames = rendered(world, scratch, planned(from_ms, to_ms))
    proof = assert_proven(rendition, (scratch.parent / "clip").read_bytes())
    seen_ms = [START_MS + frame.recorded_ms for frame in frames]
    at = 0
    for run in proof.frames:
        own_ms = seen_ms[at : at + run.frames]
        assert (run.first_timestamp_ms, run.last_timestamp_ms) == (own_ms[0], own_ms[-1])
        after_ms = START_MS + AFTER_MS[NAMES.index(run.source)]
        assert all(after_ms <= ms < after_ms + LENGTH_MS for ms in own_ms)
        at += run.frames


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


@pytest.mark.parametrize(("from_ms", "to_ms"), [(3600, 5400), (-1500, 700), (3800, 9000)])
def test_a_plan_that_fills_its_gaps_gives_filler(
    world: TranscoderWorld, scratch: Path, tmp_path: Path, from_ms: int, to_ms: int
) -> None:
    """From the beginning of each gap; thumbnails show a frame that is none, later, too."""
    window = TimeWindow(START_MS + from_ms, START_MS + to_ms)
    plan = plan_clip(window, segments(), 500, fills_gaps=True)
    options = ClipOptions(gaps="hold")
    usual, _ = rendered(world, scratch, planned(from_ms, to_ms))
    rendition = world.transcoder.render(
        plan, world.recordings(), THUMBNAILS, scratch, soon(), options
    )
    clip = scratch.parent / "clip"
    clip.write_bytes(b"".join(map(piece_bytes, rendition.pieces)))
    assert rendition.media.duration_ms == pytest.approx(to_ms - from_ms, abs=0.1)
    proof = assert_proven(rendition, clip.read_bytes())
    assert len(proof.filler) == len(plan.filled) >= 1
    filler = {number for run in proof.filler for number in run}
    assert rendition.media.frames - len(filler) == usual.media.frames
    folder = tmp_path / "later"
    folder.mkdir()
    stored = world.stored(clip, plan.duration_ms)
    later = world.transcoder.thumbnails(stored, THUMBNAILS, folder, soon(), proof.filler)
    assert set(later) == set(rendition.thumbnails) == set(THUMBNAILS.widths)


def test_a_clip_is_reported_as_soon_as_it_is_assembled(
    world: TranscoderWorld, scratch: Path
) -> None:
    """What was reported last is returned, with its thumbnails; an adapter need not report."""
    reported: list[Rendition] = []
    rendition = world.transcoder.render_reporting(
        planned(400, 1200),
        world.recordings(),
        THUMBNAILS,
        scratch,
        soon(),
        USUAL,
        None,
        reported.append,
    )
    assert set(rendition.thumbnails) == set(THUMBNAILS.widths)
    assert reported[-1:] in ([], [evolve(rendition, thumbnails={})])


@pytest.mark.parametrize(
    "options",
    [
        ClipOptions(hevc="splice"),
        ClipOptions(hevc="h264"),
        ClipOptions(wall_clock="Europe/Madrid"),
        ClipOptions(previews=("sheet", "sprite")),
    ],
    ids=lambda options: options.canonical,
)
def test_no_option_changes_the_frames(
    world: TranscoderWorld, scratch: Path, options: ClipOptions
) -> None:
    """Nor their times, nor the thumbnails' widths."""
    plan = planned(41, 1201)
    _, usual = rendered(world, scratch, plan)
    rendition = world.transcoder.render(
        plan, world.recordings(), THUMBNAILS, scratch, soon(), options
    )
    clip = scratch.parent / "clip"
    clip.write_bytes(b"".join(map(piece_bytes, rendition.pieces)))
    assert world.frames(clip) == usual
    assert set(rendition.thumbnails) == set(THUMBNAILS.widths)


def test_a_wall_clock_of_an_unknown_zone_is_rejected(world: TranscoderWorld, scratch: Path) -> None:
    """The reason names the option."""
    options = ClipOptions(wall_clock="Europe/Atlantis")
    with pytest.raises(Rejected, match=r"options\.wallClock must be a time zone"):
        world.transcoder.render(
            planned(41, 1201), world.recordings(), THUMBNAILS, scratch, soon(), options
        )


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "seen_s"),
    [
        pytest.param(41, 1201, 0, id="the second in which the first frame was seen"),
        pytest.param(961, 1201, 1, id="the second after the window's start"),
        pytest.param(1001, 1015, 1, id="the frame on screen at the window's start"),
        pytest.param(-1500, 1201, 0, id="the first frame, not the window's start"),
        pytest.param(2500, 3000, 2, id="in the second recording"),
    ],
)
def test_a_labelled_clip_says_what_it_is(
    world: TranscoderWorld, scratch: Path, from_ms: int, to_ms: int, seen_s: int
) -> None:
    """When its first frame was seen, the label's title, and its id; its frames are the same."""
    plan, label = planned(from_ms, to_ms), ClipLabel(ClipName("pier", "clip-1"), LABELLED, MADRID)
    _, frames = rendered(world, scratch, plan)
    rendition = world.transcoder.render(
        plan, world.recordings(), THUMBNAILS, scratch, soon(), label=label
    )
    clip = scratch.parent / "clip"
    clip.write_bytes(b"".join(map(piece_bytes, rendition.pieces)))
    assert world.said(clip) == (START_MS // 1000 + seen_s, label.title, "clip-1")
    assert world.frames(clip) == frames
    again = world.transcoder.render(
        plan, world.recordings(), THUMBNAILS, scratch, soon(), label=label
    )
    assert b"".join(map(piece_bytes, again.pieces)) == clip.read_bytes()


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


CHOSEN = ClipOptions(previews=("sheet", "sprite"), wall_clock="Europe/Madrid")


def with_sidecars(
    world: TranscoderWorld, scratch: Path, options: ClipOptions, folder: Path
) -> tuple[Mapping[str, Path], list[ShownFrame], ClipPlan]:
    """Render a clip with a gap, and make its sidecars of its bytes."""
    plan = planned(400, 5800)
    rendition = world.transcoder.render(
        plan, world.recordings(), ThumbnailSpec(()), scratch, soon(), options
    )
    path = scratch.parent / "clip"
    path.write_bytes(b"".join(map(piece_bytes, rendition.pieces)))
    window = plan.window
    request = ClipRequest("c1", "pier", window.start_ms, window.end_ms, options=options)
    report = ClipReport.available(request, Coverage(gaps=plan.gaps))
    manifest = Manifest(report, "w#1", rendition.media, proof=rendition.evidence.proof)
    clip = world.stored(path, plan.duration_ms)
    folder.mkdir()
    made = world.transcoder.sidecars(clip, manifest, options, folder, soon())
    return made, world.frames(path), plan


def test_sidecars_are_those_that_the_report_names(
    world: TranscoderWorld, scratch: Path, tmp_path: Path
) -> None:
    """They are in the folder, and not empty; the same clip has the same ones."""
    made, _, _ = with_sidecars(world, scratch, CHOSEN, tmp_path / "made")
    assert set(made) == {"sheet.jpg", "sprite.jpg", "sprite.vtt", "vtt"}
    assert {path.parent for path in made.values()} == {tmp_path / "made"}
    assert all(path.stat().st_size for path in made.values())
    again, _, _ = with_sidecars(world, scratch, CHOSEN, tmp_path / "again")
    for name, path in made.items():
        assert path.read_bytes() == again[name].read_bytes()
    only, _, _ = with_sidecars(world, scratch, ClipOptions(previews=("sheet",)), tmp_path / "only")
    assert set(only) == {"sheet.jpg"}


@pytest.mark.parametrize(
    ("options", "offset_h"),
    [(CHOSEN, 2), (ClipOptions(previews=("sprite",)), 0)],
    ids=["the wall clock's zone", "UTC"],
)
def test_the_index_of_a_sprite_has_the_clips_pictures(
    world: TranscoderWorld, scratch: Path, tmp_path: Path, options: ClipOptions, offset_h: int
) -> None:
    """Each from when the clip shows it until the next, with the instant at which it was seen."""
    made, frames, plan = with_sidecars(world, scratch, options, tmp_path / "made")
    cues = sprite_cues(made["sprite.vtt"].read_text())
    shown = {ceil(frame.clip_ms): frame.recorded_ms for frame in frames}
    assert cues[0].start_ms == 0
    assert [cue.end_ms for cue in cues] == [*(c.start_ms for c in cues[1:]), plan.duration_ms]
    assert len({cue.box for cue in cues}) == len(cues)
    for cue in cues:
        assert cue.start_ms < cue.end_ms
        assert cue.image == "c1.sprite.jpg"
        assert cue.seen_ms - START_MS == shown[cue.start_ms]
        assert cue.seen.utcoffset() == timedelta(hours=offset_h)


def test_no_sidecars_are_made_after_the_deadline(
    world: TranscoderWorld, scratch: Path, tmp_path: Path
) -> None:
    """The error is DeadlineExceeded."""
    plan = planned(0, 400)
    rendition, _ = rendered(world, scratch, plan)
    window = plan.window
    request = ClipRequest("c1", "pier", window.start_ms, window.end_ms, options=CHOSEN)
    manifest = Manifest(ClipReport.available(request, Coverage()), "w#1", rendition.media)
    clip = world.stored(scratch.parent / "clip", plan.duration_ms)
    with pytest.raises(DeadlineExceeded):
        world.transcoder.sidecars(clip, manifest, CHOSEN, tmp_path, time.monotonic() - 1)
