"""What must hold of any file, whoever made it: a clear error, or an index that can be used.

A file is carried as far as the service carries it without ffmpeg: its index, the plan of a clip of
it, the frames that are copied and the excerpts that are written for those that are not.
"""

import io
import re
import time
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from attrs import frozen

from application.ports import ThumbnailSpec
from domain.errors import ClipError, NotRecordedYet, Rejected, UnusableFootage
from domain.planning import plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.mp4.excerpt_writer import write_excerpt
from infrastructure.mp4.index import SampleIndex, Track, read_index
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import open_mp4
from infrastructure.splicing.audio import audio_in_cut, is_audio_copyable, plan_audio
from infrastructure.splicing.frames import CutSource, clip_times, clip_timescale, resolve_cuts
from infrastructure.splicing.layout import lay_out_clip
from infrastructure.splicing.picture_format import majority_format
from infrastructure.splicing.spans import CopiedSpan, plan_spans
from infrastructure.splicing.tracks import copied_audio, copied_samples, video_track
from infrastructure.transcoder.assemble import fill_holes, write_own_bytes
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.campaigns.fuzz_mp4.files import File

BEGAN_MS = 1_784_000_000_000
MAX_MS = 300_000
"""VIDEO_MAX_LEN's default: no clip is longer."""
NO_FFMPEG = FfmpegTranscoder(Path("/nowhere/ffmpeg"))
RENDERED_OF = 8
"""The transcoder itself is asked for a clip of one file in so many; it fails for want of ffmpeg."""
READ_BACK_FRAMES = 1000
NUMBERS = re.compile(r"\d+")
SHORT_BYTES = 2 << 20
MAX_READS, READS_PER_MIB = 120, 30


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
        recording = open_mp4(segment, "1", RangeCache(read, file.size_bytes), 1000)
    except (NotRecordedYet, UnusableFootage) as error:
        _check_reads(file, 1)
        return Verdict(_shape(error))
    index = recording.index
    assert index.has_video
    assert index.duration_ms > index.last_frame_ms >= 0
    assert recording.segment.window.duration_ms == index.duration_ms
    shapes, frames = [], 0
    windows = _windows(index.duration_ms, is_short=file.size_bytes < SHORT_BYTES)
    for window in windows:
        plan = plan_clip(window, [recording.segment], 1000)
        try:
            sources = resolve_cuts(plan, {segment.name: recording})
        except (Rejected, UnusableFootage) as error:
            shapes.append(_shape(error))
            continue
        (source,) = sources
        _check_index(source.index, file.size_bytes)
        _check_take(source, window)
        frames += len(source.frames)
        shapes += _carried(source, plan.delivered_ms, folder)
        if file.size_bytes % RENDERED_OF == 0:
            recordings = {segment.name: recording}
            with pytest.raises(ClipError):
                NO_FFMPEG.render(
                    plan, recordings, ThumbnailSpec((300,)), folder, time.monotonic() + 60
                )
    _check_reads(file, len(windows) + frames)
    return Verdict(" ".join(shapes), frames)


def _shape(error: Exception) -> str:
    return NUMBERS.sub("#", f"{type(error).__name__} {error}")[:120]


def _windows(duration_ms: int, *, is_short: bool) -> list[TimeWindow]:
    """Choose windows within the file, and one that reaches over its end."""
    third = min(duration_ms, 3 * MAX_MS) // 3
    first = min(duration_ms, MAX_MS) if is_short else 100
    spans = [(0, first), (third, third + min(third, 300)), (duration_ms - 1, duration_ms + 900)]
    return [TimeWindow(BEGAN_MS + a, BEGAN_MS + b) for a, b in spans if b > a]


def _check_reads(file: File, factor: int) -> None:
    """Neither requests nor bytes span away."""
    allowed = MAX_READS + factor + READS_PER_MIB * (file.size_bytes >> 20)
    assert len(file.asked) <= allowed, f"{len(file.asked)} reads"


def _check_index(index: SampleIndex, size_bytes: int) -> None:
    for track in (index.video, index.audio):
        if track is None:
            continue
        count = len(track.sizes)
        columns: Sequence[Sequence[int]] = (track.offsets, track.pts, track.durations, track.sync)
        assert count > 0
        assert {len(column) for column in columns} == {count}
        assert count <= size_bytes
        assert sum(track.sizes) <= size_bytes
        assert min(track.offsets) >= 0
        assert max(map(int.__add__, track.offsets, track.sizes)) <= size_bytes
        assert track.timescale > 0
        assert min(track.durations) >= 0
        assert set(track.sync) <= {0, 1}
        for times in (track.pts, array("q", [track.shown_from, track.shown_until])):
            assert max(map(abs, times)) < 1 << 62
    if index.video:
        assert 0 not in index.video.sizes
        assert index.video.shown_until > 0


def _check_take(source: CutSource, window: TimeWindow) -> None:
    video = source.video
    pts = [video.pts[i] for i in source.frames]
    assert len(set(source.frames)) == len(source.frames) > 0
    assert pts == sorted(pts)
    assert 0 <= source.decode_start <= len(video.pts)
    begins, ends = (instant - BEGAN_MS for instant in (window.start_ms, window.end_ms))
    assert all(begins * video.timescale <= 1000 * time < ends * video.timescale for time in pts)


def _carried(source: CutSource, duration_ms: int, folder: Path) -> Iterator[str]:
    """Plan, write excerpts, and lay out the copied frames, as the transcoder does."""
    timescale = clip_timescale([source])
    times = clip_times([source], timescale)
    picture_format = majority_format([source])
    spans = plan_spans([source], times, picture_format)
    assert sorted(i for span in spans for i in span.frames) == sorted(source.frames)
    for span in [*spans, *plan_spans([source], times, picture_format, splice=False)]:
        if isinstance(span, CopiedSpan):
            yield _copied(span, source, timescale, duration_ms, folder)
        else:
            yield _written(source, span.frames, span.decode_start)
    plan = plan_audio([source], duration_ms)
    if plan and source.index.audio:
        samples = audio_in_cut(source)
        in_cut = {*source.pieces(source.index.audio, samples)}
        assert all(packet.piece in in_cut for packet in plan.packets if packet.piece)
        yield "audio" + _written(source, source.frames, source.decode_start, samples)


def _written(source: CutSource, frames: Sequence[int], start: int, audio: range = range(0)) -> str:
    """Write an excerpt with some frames, and find them in it."""
    out = io.BytesIO()
    pts_offset = write_excerpt(source.index, source.recording.read, start, max(frames), out, audio)
    data = out.getvalue()
    if audio or max(frames) - start > READ_BACK_FRAMES:
        return "excerpt"
    index = read_index(lambda at, length: data[at : at + length], len(data))
    video = index.video
    assert video is not None
    shown = {video.pts[i]: i for i in range(len(video.pts))}
    for frame in frames:
        if (time := source.video.pts[frame] - pts_offset) >= 0:
            assert time in shown, "a requested frame is not in its excerpt"
            assert time < video.shown_until
    first = source.video.pts.index(source.video.pts[start], start)
    assert _bytes_of(source.video, first, source.recording.read) == _bytes_of(
        video, 0, lambda at, length: data[at : at + length]
    )
    return "excerpt"


def _bytes_of(track: Track, sample: int, read) -> bytes:  # type: ignore[no-untyped-def]  # noqa: ANN001
    found: bytes = read(track.offsets[sample], track.sizes[sample])
    return found


def _copied(
    span: CopiedSpan, source: CutSource, timescale: int, duration_ms: int, folder: Path
) -> str:
    """Lay out a clip of the copied frames alone, and read it back."""
    part = copied_samples(span)
    tracks = [video_track([part], timescale, max(span.times) + 1)]
    plan = plan_audio([source], duration_ms) if is_audio_copyable([source]) else None
    if plan and not plan.needs_silence:
        tracks.append(copied_audio(plan, None))
    layout, clip = lay_out_clip(tracks, [source]), folder / "clip.mp4"
    write_own_bytes(layout, clip)
    fill_holes(layout, clip)
    if len(span.times) > READ_BACK_FRAMES:
        return "copied"
    data = clip.read_bytes()
    video = read_index(lambda at, length: data[at : at + length], len(data)).video
    assert video is not None
    assert len(video.pts) == len(span.times)
    return "copied"
