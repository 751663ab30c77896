"""What must hold of any file, whoever made it: a clear error, or an index that can be used.

A file is carried as far as the service carries it without ffmpeg: its index, the plan of a clip of
it, the frames that are taken over and the windows that are written for those that are not.
"""

import io
import re
import time
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from attrs import frozen

from application.ports import Stills
from domain.errors import ClipError, NotRecordedYet, Refused, Undecodable
from domain.planning import plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.ffmpeg.clip_tracks import copied_part, copied_sound, video_track
from infrastructure.ffmpeg.frames import Take, clip_times, clip_timescale, find_takes
from infrastructure.ffmpeg.layout import lay_out
from infrastructure.ffmpeg.look import common_look
from infrastructure.ffmpeg.runs import Run, plan_runs
from infrastructure.ffmpeg.sound import can_be_copied, plan_sound, sounding
from infrastructure.ffmpeg.transcoder import FfmpegTranscoder
from infrastructure.mp4.index import Index, Track, read_index
from infrastructure.mp4.recording import open_mp4
from infrastructure.mp4.writer import write_window
from tests.hostile.files import File

BEGAN_MS = 1_784_000_000_000
LONGEST_MS = 300_000
"""VIDEO_MAX_LEN's default: no clip is longer."""
NO_FFMPEG = FfmpegTranscoder(Path("/nowhere/ffmpeg"))
RENDERED_OF = 8
"""The transcoder itself is asked for a clip of one file in so many; it fails for want of ffmpeg."""
READ_BACK_FRAMES = 1000
NUMBERS = re.compile(r"\d+")
SHORT_BYTES = 2 << 20
READS_AT_MOST, READS_PER_MIB = 120, 30


@frozen
class Verdict:
    """How far a file came: `shape` is the same for files that came equally far."""

    shape: str
    frames: int = 0


def judge(file: File, folder: Path) -> Verdict:
    """Carry the file as far as it goes; an AssertionError, or another, if it breaks the rules."""
    read = file.opened()
    segment = RecordingSegment(TimeWindow(BEGAN_MS, BEGAN_MS + 600_000), "pier.mp4")
    try:
        recording = open_mp4(segment, file.size_bytes, "1", read, 1000)
    except (NotRecordedYet, Undecodable) as error:
        _check_reads(file, 1)
        return Verdict(_shape(error))
    index = recording.index
    assert index.has_video
    assert index.length_ms > index.last_frame_ms >= 0
    assert recording.segment.window.length_ms == index.length_ms
    shapes, frames = [], 0
    windows = _windows(index.length_ms, is_short=file.size_bytes < SHORT_BYTES)
    for window in windows:
        plan = plan_clip(window, [recording.segment], 1000)
        try:
            takes = find_takes(plan, {segment.name: recording})
        except (Refused, Undecodable) as error:
            shapes.append(_shape(error))
            continue
        (take,) = takes
        _check_index(take.index, file.size_bytes)
        _check_take(take, window)
        frames += len(take.frames)
        shapes += _carried(take, plan.delivered_ms, folder)
        if file.size_bytes % RENDERED_OF == 0:
            recordings = {segment.name: recording}
            with pytest.raises(ClipError):
                NO_FFMPEG.render(plan, recordings, Stills((300,)), folder, time.monotonic() + 60)
    _check_reads(file, len(windows) + frames)
    return Verdict(" ".join(shapes), frames)


def _shape(error: Exception) -> str:
    return NUMBERS.sub("#", f"{type(error).__name__} {error}")[:120]


def _windows(length_ms: int, *, is_short: bool) -> list[TimeWindow]:
    """Choose windows within the file, and one that reaches over its end."""
    third = min(length_ms, 3 * LONGEST_MS) // 3
    first = min(length_ms, LONGEST_MS) if is_short else 100
    spans = [(0, first), (third, third + min(third, 300)), (length_ms - 1, length_ms + 900)]
    return [TimeWindow(BEGAN_MS + a, BEGAN_MS + b) for a, b in spans if b > a]


def _check_reads(file: File, factor: int) -> None:
    """Neither requests nor bytes run away."""
    allowed = READS_AT_MOST + factor + READS_PER_MIB * (file.size_bytes >> 20)
    assert len(file.asked) <= allowed, f"{len(file.asked)} reads"


def _check_index(index: Index, size_bytes: int) -> None:
    for track in (index.video, index.sound):
        if track is None:
            continue
        count = len(track.sizes)
        columns: Sequence[Sequence[int]] = (
            *(track.offsets, track.dts, track.pts, track.durations, track.sync),
        )
        assert count > 0
        assert {len(column) for column in columns} == {count}
        assert count <= size_bytes
        assert sum(track.sizes) <= size_bytes
        assert min(track.offsets) >= 0
        assert max(map(int.__add__, track.offsets, track.sizes)) <= size_bytes
        assert track.timescale > 0
        assert min(track.durations) >= 0
        assert set(track.sync) <= {0, 1}
        for times in (track.dts, track.pts, array("q", [track.shown_from, track.shown_until])):
            assert max(map(abs, times)) < 1 << 62
    if index.video:
        assert 0 not in index.video.sizes
        assert index.video.shown_until > 0


def _check_take(take: Take, window: TimeWindow) -> None:
    video = take.video
    pts = [video.pts[i] for i in take.frames]
    assert len(set(take.frames)) == len(take.frames) > 0
    assert pts == sorted(pts)
    assert 0 <= take.decoded_from <= len(video.pts)
    begins, ends = (instant - BEGAN_MS for instant in (window.start_ms, window.end_ms))
    assert all(begins * video.timescale <= 1000 * time < ends * video.timescale for time in pts)


def _carried(take: Take, length_ms: int, folder: Path) -> Iterator[str]:
    """Plan, write windows, and lay out what is taken over, as the transcoder does."""
    timescale = clip_timescale([take])
    times = clip_times([take], timescale)
    look = common_look([take])
    runs = plan_runs([take], times, look)
    assert sorted(i for run in runs for i in run.take.frames) == sorted(take.frames)
    for run in [*runs, *plan_runs([take], times, look, splice=False)]:
        if run.copied:
            yield _copied(run, take, timescale, length_ms, folder)
        else:
            yield _written(run.take)
    if take.index.sound:
        plan = plan_sound([take], length_ms)
        if plan:
            own = sounding(take, take.index.sound)
            assert all(packet.sample in own for packet in plan.packets if not packet.silent)
            yield "sound" + _written(take, own)


def _written(take: Take, sound: range = range(0)) -> str:
    """Write the window of a take, and find its frames in it."""
    out = io.BytesIO()
    note = write_window(take.index, take.read, take.decoded_from, max(take.frames), out, sound)
    data = out.getvalue()
    assert note.size_bytes == len(data)
    if sound or max(take.frames) - take.decoded_from > READ_BACK_FRAMES:
        return "window"
    index = read_index(lambda at, length: data[at : at + length], len(data))
    video = index.video
    assert video is not None
    shown = {video.pts[i]: i for i in range(len(video.pts))}
    for frame in take.frames:
        if (time := take.video.pts[frame] - note.pts_offset) >= 0:
            assert time in shown, "a wanted frame is not in its window"
            assert time < video.shown_until
    first = take.video.pts.index(take.video.pts[take.decoded_from], take.decoded_from)
    assert _bytes_of(take.video, first, take.read) == _bytes_of(
        video, 0, lambda at, length: data[at : at + length]
    )
    return "window"


def _bytes_of(track: Track, sample: int, read) -> bytes:  # type: ignore[no-untyped-def]  # noqa: ANN001
    found: bytes = read(track.offsets[sample], track.sizes[sample])
    return found


def _copied(run: Run, take: Take, timescale: int, length_ms: int, folder: Path) -> str:
    """Lay out a clip of what is taken over alone, and read it back."""
    part = copied_part(run)
    tracks = [video_track([part], timescale, max(run.times) + 1)]
    plan = plan_sound([take], length_ms) if can_be_copied([take]) else None
    if plan and not plan.has_silence:
        tracks.append(copied_sound(plan, [take], None))
    layout = lay_out(tracks, folder / "clip.mp4")
    layout.fill()
    if len(run.times) > READ_BACK_FRAMES:
        return "copied"
    data = layout.path.read_bytes()
    video = read_index(lambda at, length: data[at : at + length], len(data)).video
    assert video is not None
    assert len(video.pts) == len(run.times)
    return "copied"
