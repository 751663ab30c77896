"""Recordings whose stamps are wrong, cut into clips: every frame once, in order, holes reported."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from application.ports import ThumbnailSpec
from devtools.footage import ClipReading, read_clip
from devtools.footage.fragments import move_fragments
from devtools.footage.recording import FFMPEG, cached_recording
from domain.planning import Availability, ClipPlan, plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.in_memory import piece_bytes
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording, open_mp4
from tests.integration.exactness.camera import DEADLINE_S, START_MS, TOLERANCE_MS, Camera
from tests.integration.exactness.cases import recording

SMALL: dict[str, Any] = {"size": (160, 90), "gop_frames": 30}


@frozen
class Listed:
    """A file, when it is listed to begin, and for how long."""

    path: Path
    after_ms: int
    listed_ms: int

    def open(self) -> Mp4Recording:
        """Open it as its store would."""
        data = self.path.read_bytes()
        start_ms = START_MS + self.after_ms
        window = TimeWindow(start_ms, start_ms + self.listed_ms)
        segment = RecordingSegment(window, f"pier.{start_ms}.mp4", self.listed_ms)
        file = RangeCache(lambda at, length: data[at : at + length], len(data))
        return open_mp4(segment, window.widened(10 * 3_600_000), "1", file, TOLERANCE_MS)


def changed(source: Path, target: Path, *argv: str) -> Path:
    """Run a file through ffmpeg."""
    command = [FFMPEG, "-nostdin", "-v", "error", "-y", "-i", str(source), *argv, str(target)]
    subprocess.run(command, check=True, env={}, timeout=60)
    return target


def cut(
    camera: Camera, files: Sequence[Listed], from_ms: int, to_ms: int
) -> tuple[ClipPlan, ClipReading]:
    """Cut a clip of the files, in ms after START_MS, and read it."""
    opened = {r.segment.name: r for r in (file.open() for file in files)}
    window = TimeWindow(START_MS + from_ms, START_MS + to_ms)
    plan = plan_clip(window, [r.segment for r in opened.values()], TOLERANCE_MS)
    scratch = camera.folder / "scratch"
    scratch.mkdir()
    rendition = camera.transcoder.render(
        plan, opened, ThumbnailSpec(()), scratch, time.monotonic() + DEADLINE_S
    )
    path = camera.folder / "clip.mp4"
    path.write_bytes(b"".join(map(piece_bytes, rendition.pieces)))
    reading = read_clip(path)
    assert reading.messages == ""
    return plan, reading


def gaps(plan: ClipPlan) -> list[tuple[int, int]]:
    """Return the gaps, in ms after START_MS."""
    return [(gap.start_ms - START_MS, gap.end_ms - START_MS) for gap in plan.gaps]


def numbers(*ranges: tuple[int, int]) -> list[int]:
    """Return the numbers of the frames of some seconds."""
    return [1000 + number for begin, end in ranges for number in range(begin * 30, end * 30)]


def setts(camera: Camera, expressions: str, **kind: Any) -> Path:  # noqa: ANN401
    """Return a recording of 10 s whose packets have other times."""
    plain = cached_recording(camera.footage, recording(10, audio=None, **SMALL, **kind))
    target = camera.folder / "setts.mp4"
    return changed(plain, target, "-c", "copy", "-an", "-bsf:v", f"setts={expressions}")


HOUR = "duration='if(eq(N,299),3600/TB,DURATION)'"


@pytest.mark.parametrize("bframes", [0, 2])
def test_a_last_frame_of_an_hour_hides_no_other_file(camera: Camera, bframes: int) -> None:
    """The gap is between the two files."""
    later = cached_recording(camera.footage, recording(10, after_ms=30_000, **SMALL))
    hour = setts(camera, f"pts=PTS:dts=DTS:{HOUR}", bframes=bframes)
    files = [Listed(hour, 0, 10_000), Listed(later, 30_000, 10_000)]
    plan, reading = cut(camera, files, 5_000, 35_000)
    assert reading.numbers == numbers((5, 10), (30, 35))
    assert gaps(plan) == [(10_000, 30_000)]


def test_a_last_frame_of_an_hour_is_no_footage(camera: Camera) -> None:
    """The tail is missing."""
    hour = setts(camera, HOUR, bframes=0)
    plan, reading = cut(camera, [Listed(hour, 0, 10_000)], 5_000, 25_000)
    assert reading.numbers == numbers((5, 10))
    assert gaps(plan) == [(10_000, 25_000)]
    assert plan.availability is Availability.TAIL_MISSING


def test_a_frame_in_the_middle_of_20_s_is_a_hole(camera: Camera) -> None:
    """As long as its duration says."""
    file = setts(camera, "ts='if(gt(N,149),TS+20/TB,TS)'", bframes=0)
    plan, reading = cut(camera, [Listed(file, 0, 30_000)], 2_000, 29_000)
    assert reading.numbers == numbers((2, 9))
    assert gaps(plan) == [(5_000, 25_000)]


@pytest.mark.parametrize("frame", [100, 101, 102, 103, 150])
def test_a_frame_stamped_far_ahead_is_shown_in_its_place(camera: Camera, frame: int) -> None:
    """For one frame of a progressive file."""
    file = setts(camera, f"pts='if(eq(N,{frame}),PTS+1000/TB,PTS)':dts=DTS")
    plan, reading = cut(camera, [Listed(file, 0, 10_000)], 1_500, 8_000)
    assert reading.numbers == numbers((0, 10))[45:240]
    assert gaps(plan) == []
    assert "the times of 1 frame are doubtful" in plan.cuts[0].segment.notes[0]


def holed(camera: Camera, *layout: str) -> Path:
    """Return a recording of 15 s without its seconds 4 to 11."""
    plain = cached_recording(camera.footage, recording(15, audio=None, **SMALL))
    select = ["-vf", "select='lt(t,4)+gte(t,11)'", "-fps_mode", "vfr"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-bf", "2"]
    return changed(plain, camera.folder / "holed.mp4", *select, *encode, *layout)


LAYOUTS = {
    "progressive": [],
    "fragmented": ["-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-g", "15"],
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_hole_inside_a_file_is_a_gap(camera: Camera, layout: list[str]) -> None:
    """It is reported."""
    plan, reading = cut(camera, [Listed(holed(camera, *layout), 0, 15_000)], 2_000, 13_000)
    assert reading.numbers == numbers((2, 4), (11, 13))
    assert gaps(plan) == [(4_000, 11_000)]


def test_another_file_fills_a_hole_inside_a_file(camera: Camera) -> None:
    """Its frames are shown where the first has none."""
    other = cached_recording(camera.footage, recording(10, after_ms=3_000, audio=None, **SMALL))
    files = [Listed(holed(camera), 0, 15_000), Listed(other, 3_000, 10_000)]
    plan, reading = cut(camera, files, 2_000, 13_000)
    assert reading.numbers == numbers((2, 13))
    assert gaps(plan) == []


@pytest.mark.parametrize("by_s", [-1000, 1000, -3])
@pytest.mark.parametrize("layout", ["fragmented", "fragmented_no_index"])
def test_a_fragment_out_of_step_is_shown_once(camera: Camera, layout: str, by_s: int) -> None:
    """In file order, and said to be of doubtful time."""
    kind = recording(8, layout=layout, start_time_s=2000.0, **SMALL)
    path = camera.folder / "stray.mp4"
    path.write_bytes(cached_recording(camera.footage, kind).read_bytes())
    move_fragments(path, by_s, range(3, 4))
    file = Listed(path, 0, 8_000)
    plan, reading = cut(camera, [file], 1_500, 7_000)
    assert reading.numbers == numbers((0, 8))[45:210]
    assert gaps(plan) == []
    assert plan.cuts[0].segment.notes[0].endswith(f"by {abs(by_s)} s.")
    assert reading.audio_duration_ms == pytest.approx(5500, abs=25)


def test_a_clock_that_restarts_inside_a_file_goes_on(camera: Camera) -> None:
    """A step back continues in file order."""
    kind = recording(8, layout="fragmented", start_time_s=2000.0, **SMALL)
    path = camera.folder / "restarted.mp4"
    path.write_bytes(cached_recording(camera.footage, kind).read_bytes())
    move_fragments(path, -1990, range(4, 8))
    plan, reading = cut(camera, [Listed(path, 0, 8_000)], 1_000, 7_000)
    assert reading.numbers == numbers((1, 7))
    assert gaps(plan) == []
    assert [beep.second for beep in reading.beeps] == [
        (START_MS // 1000 + second) % 8 for second in range(1, 7)
    ]


@pytest.mark.parametrize("bframes", [0, 2])
def test_a_file_that_begins_between_keyframes_costs_no_other(camera: Camera, bframes: int) -> None:
    """Its undecodable start is a gap."""
    kind = recording(6, after_ms=4_000, audio=None, size=(160, 90), gop_frames=50, bframes=bframes)
    headless = changed(
        *(cached_recording(camera.footage, kind), camera.folder / "headless.mp4"),
        *("-c", "copy", "-copyinkf", "-bsf:v", r"noise=drop=lt(n\,8)"),
    )
    before = cached_recording(camera.footage, recording(4, audio=None, **SMALL))
    files = [Listed(before, 0, 4_000), Listed(headless, 4_000, 6_000)]
    first = files[1].open().index.first_frame_ms
    plan, reading = cut(camera, files, 2_000, 9_000)
    later = [number for number in numbers((4, 9)) if number >= 1000 + 120 + 50]
    assert reading.numbers[:60] == numbers((2, 4))
    # The file's own clock begins with its first stored frame.
    shift = reading.numbers[-1] - later[-1]
    assert reading.numbers[60:] == [*later, *range(later[-1] + 1, later[-1] + 1 + shift)]
    assert gaps(plan) == [(4_000, 4_000 + int(first))]
