"""What must hold of any file, whoever made it: a clear error, or an index that can be used.

A file is carried as far as the service carries it without ffmpeg: its index, the plan of a clip of
it, the frames that are copied and the excerpts that are written for those that are not.
"""

import io
import re
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, pairwise
from math import ceil, floor
from pathlib import Path

import pytest
from attrs import frozen

from application.ports import ThumbnailSpec
from domain.errors import ClipError, NotRecordedYet, Rejected, UnusableFootage
from domain.planning import ClipPlan, plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.mp4.excerpt_writer import write_excerpt
from infrastructure.mp4.index import SampleIndex, Track, read_index
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording, open_mp4
from infrastructure.splicing.audio import audio_in_cut, is_audio_copyable, plan_audio
from infrastructure.splicing.copied_ranges import copied_ranges
from infrastructure.splicing.frames import CutSource, clip_times, clip_timescale, resolve_cuts
from infrastructure.splicing.layout import lay_out_clip
from infrastructure.splicing.picture_format import majority_format
from infrastructure.splicing.spans import CopiedSpan, plan_spans
from infrastructure.splicing.stored_samples import StoredSamples
from infrastructure.splicing.tracks import copied_audio, copied_samples, video_track
from infrastructure.transcoder.assemble import fill_holes, write_own_bytes
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.campaigns.fuzz_mp4.files import File

BEGAN_MS = 1_784_000_000_000
MAX_MS = 300_000
"""VIDEO_MAX_LEN's default: no clip is longer."""
TOLERANCE_MS = 1000
"""SEAM_TOLERANCE's default."""
ROUNDED_MS = 2
"""Instants of the plan are whole milliseconds."""
NO_FFMPEG = FfmpegTranscoder(Path("/nowhere/ffmpeg"))
RENDERED_OF = 8
"""The transcoder itself is asked for a clip of one file in so many; it fails for want of ffmpeg."""
READ_BACK_FRAMES = 1000
NUMBERS = re.compile(r"\d+")
SHORT_BYTES = 2 << 20
LONG_MS = 30_000
"""What the camera says of longer files: where their index contradicts it, all of it is read."""
MAX_READS, READS_PER_MIB = 120, 30


@frozen
class Verdict:
    """How far a file came: `shape` is the same for files that came equally far."""

    shape: str
    frames: int = 0


def judge(file: File, folder: Path) -> Verdict:
    """Carry the file as far as it goes; an AssertionError, or another, if it breaks the rules."""
    cache = RangeCache(file.opened(), file.size_bytes)
    is_short = file.size_bytes < SHORT_BYTES
    listed_ms = 600_000 if is_short else LONG_MS
    listed = RecordingSegment(
        TimeWindow(BEGAN_MS, BEGAN_MS + listed_ms), "pier.mp4", 0 if is_short else listed_ms
    )
    try:
        recording = open_mp4(listed, listed.window, "1", cache, TOLERANCE_MS)
    except (NotRecordedYet, UnusableFootage) as error:
        _check_reads(file, 1)
        return Verdict(_shape(error))
    index = recording.index
    assert index.has_video
    assert index.duration_ms > index.last_frame_ms >= 0
    shapes, frames = [], 0
    windows = _windows(index.duration_ms, is_short=is_short)
    for window in windows:
        try:
            if not index.is_whole:
                recording = open_mp4(listed, window, "1", cache, TOLERANCE_MS)
            _check_stretches(recording, listed.window if index.is_whole else window)
            plan = plan_clip(window, [recording.segment], TOLERANCE_MS)
            _check_plan(plan)
            sources = resolve_cuts(plan, {listed.name: recording})
        except (NotRecordedYet, Rejected, UnusableFootage) as error:
            shapes.append(_shape(error))
            continue
        # Cuts of a file that is read whole share its columns.
        for index in {id(source.video.pts): source.index for source in sources}.values():
            _check_index(index, file.size_bytes)
        _check_frames(plan, sources, recording)
        _check_times(plan, sources)
        frames += sum(len(source.frames) for source in sources)
        shapes += _carried(sources, plan.duration_ms, folder)
        if file.size_bytes % RENDERED_OF == 0:
            recordings = {listed.name: recording}
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


def _check_stretches(recording: Mp4Recording, asked: TimeWindow) -> None:
    """The stretches lie in the file's window, with gaps between them; pictures are held in them."""
    segment, index = recording.segment, recording.index
    if inside := asked.intersection(TimeWindow(BEGAN_MS, BEGAN_MS + index.duration_ms)):
        # Fragments that contradict each other are only then found to.
        index = index.slice(inside.start_ms - BEGAN_MS, inside.end_ms - BEGAN_MS)
    window, stretches = segment.window, segment.stretches
    assert window.start_ms == BEGAN_MS + floor(index.first_frame_ms)
    assert window.end_ms > BEGAN_MS + index.last_frame_ms
    assert (stretches[0].start_ms, stretches[-1].end_ms) == (window.start_ms, window.end_ms)
    assert all(before.end_ms < after.start_ms for before, after in pairwise(stretches))
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(segment.held))
    for held in segment.held:
        assert any(stretch.intersection(held) == held for stretch in stretches)


def _check_plan(plan: ClipPlan) -> None:
    """Each instant of the window is in one cut, seam or gap; the clip skips gaps alone."""
    # A held picture's cut is an instant in the seam that it is held over.
    is_held = bool(plan.cuts) and any(plan.cuts[0].window.overlaps(s) for s in plan.seams)
    parts = sorted([*(cut.window for cut in plan.cuts[is_held:]), *plan.seams, *plan.gaps])
    if is_held:
        assert plan.cuts[0].window.start_ms == plan.window.start_ms
    bounds_ms = [plan.window.start_ms, *(part.end_ms for part in parts)]
    assert [*(part.start_ms for part in parts), plan.window.end_ms] == bounds_ms
    assert plan.duration_ms == plan.delivered_ms
    assert plan.clock is None
    assert not plan.unused


def _check_frames(plan: ClipPlan, sources: Sequence[CutSource], recording: Mp4Recording) -> None:
    """The clip's frames are those that the recording has in the window: in order, each once.

    One from before the window may come first. Frames that refer to others which are not stored are
    no footage.
    """
    segment, window = recording.segment, plan.window
    shown: list[tuple[int, int]] = []
    for source in sources:
        video = source.video
        assert len(set(source.frames)) == len(source.frames) > 0
        assert 0 <= source.decode_start <= len(video.pts)
        assert source.held_frames <= (source is sources[0])
        begins, ends = map(segment.media_ms, (source.cut.window.start_ms, source.cut.window.end_ms))
        times = [Fraction(video.pts[i] * 1000, video.timescale) for i in source.copyable]
        assert all(begins <= at < ends for at in times)
        for i in source.frames[: source.held_frames]:
            held_pts = video.pts[i]
            assert 0 <= held_pts * 1000 < begins * video.timescale
            assert not any(
                held_pts < pts and pts * 1000 < begins * video.timescale and pts < video.shown_until
                for pts in video.pts
            ), "the held picture is not the one on screen"
        shown += [(video.pts[i], video.offsets[i]) for i in source.frames]
    assert [pts for pts, _ in shown] == sorted(pts for pts, _ in shown)
    from_ms, to_ms = map(segment.media_ms, (window.start_ms, window.end_ms))
    stored = recording.index.slice(max(0, floor(from_ms)), ceil(to_ms)).video
    assert stored is not None
    from_ms = max(from_ms, Fraction(recording.index.first_frame_ms))
    wanted = Counter(
        (pts, stored.offsets[i])
        for i, pts in enumerate(stored.pts)
        if from_ms * stored.timescale <= pts * 1000 < to_ms * stored.timescale
        and pts < stored.shown_until
    )
    assert not wanted - Counter(shown), "frames of the window are not in the clip"


def _check_times(plan: ClipPlan, sources: Sequence[CutSource]) -> None:
    """The first frame is shown from 0, the others when they were seen, less the gaps.

    No picture stands for longer than the tolerance, and one that stands noticeably is reported.
    """
    timescale = clip_timescale(sources)
    shown = [time for times in clip_times(sources, timescale) for time in times]
    assert shown[0] == 0
    assert all(before < after for before, after in pairwise(shown))
    frames = [(source, i) for source in sources for i in source.frames]
    segment = sources[0].cut.segment
    first_due_ms = Fraction(0)
    for at, (time_shown, (source, i)) in enumerate(zip(shown, frames, strict=True)):
        seen_ms = BEGAN_MS + Fraction(source.video.pts[i] * 1000, source.video.timescale)
        skipped_ms = sum(gap.duration_ms for gap in plan.gaps if gap.end_ms <= ceil(seen_ms))
        due = (seen_ms - plan.window.start_ms - skipped_ms) * timescale / 1000
        # Frames of one time follow each other a tick apart.
        assert at == 0 or -1 <= time_shown - due <= at + 1
        first_due_ms = first_due_ms if at else max(due * 1000 / timescale, first_due_ms)
    interval_ms, tolerance_ms = segment.frame_interval_ms, segment.tolerance_ms(TOLERANCE_MS)
    followed_ms = [Fraction(time_shown * 1000, timescale) for time_shown in shown[1:]]
    bounds = [Fraction(0), first_due_ms, *followed_ms, Fraction(plan.duration_ms)]
    for before_ms, after_ms in pairwise(bounds):
        stands_ms = after_ms - before_ms
        assert stands_ms <= tolerance_ms + ROUNDED_MS, "a picture stands for too long"
        if stands_ms > interval_ms * 1.5 + ROUNDED_MS:
            assert any(
                plan.delivered_before_ms(held.start_ms) < after_ms + ROUNDED_MS
                and plan.delivered_before_ms(held.end_ms) > before_ms - ROUNDED_MS
                for held in plan.held
            ), "a held picture is not reported"


def _carried(sources: Sequence[CutSource], duration_ms: int, folder: Path) -> Iterator[str]:
    """Plan, write excerpts, and lay out the copied frames, as the transcoder does."""
    timescale = clip_timescale(sources)
    times = clip_times(sources, timescale)
    picture_format = majority_format(sources)
    spans = plan_spans(sources, times, picture_format)
    for source in sources:
        own = [span for span in spans if span.source is source]
        assert sorted(i for span in own for i in span.frames) == sorted(source.frames)
        copied = {i for span in own if isinstance(span, CopiedSpan) for i in span.frames}
        assert copied.isdisjoint(source.frames[: source.held_frames])
    for span in [*spans, *plan_spans(sources, times, picture_format, codecs=())]:
        if isinstance(span, CopiedSpan):
            yield _copied(span, timescale, duration_ms, folder)
        else:
            yield _written(span.source, span.frames, span.decode_start)
    plan = plan_audio(sources, duration_ms)
    if plan:
        samples = {id(source): audio_in_cut(source) for source in sources}
        in_cuts = {
            piece
            for source in sources
            if source.index.audio
            for piece in source.samples_of(source.index.audio, samples[id(source)])
        }
        runs = [run for run in plan.runs if isinstance(run, StoredSamples)]
        assert in_cuts.issuperset(chain.from_iterable(runs))
        for source in sources:
            yield "audio" + _written(
                source, source.frames, source.decode_start, samples[id(source)]
            )


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
    assert len(video.pts) == max(frames) - start + 1
    if index.notes:  # our reader doubts times that only the rest of the recording explains
        return "excerpt"
    shown = {video.pts[i]: i for i in range(len(video.pts))}
    for frame in frames:
        if (time := source.video.pts[frame] - pts_offset) >= 0:
            assert time in shown, "a requested frame is not in its excerpt"
            assert time < video.shown_until
    assert _bytes_of(source.video, start, source.recording.read) == _bytes_of(
        video, 0, lambda at, length: data[at : at + length]
    )
    return "excerpt"


def _bytes_of(track: Track, sample: int, read) -> bytes:  # type: ignore[no-untyped-def]  # noqa: ANN001
    found: bytes = read(track.offsets[sample], track.sizes[sample])
    return found


def _copied(span: CopiedSpan, timescale: int, duration_ms: int, folder: Path) -> str:
    """Lay out a clip of the copied frames alone, and read it back."""
    part, source = copied_samples(span), span.source
    tracks = [video_track([part], timescale, max(span.times) + 1)]
    plan = plan_audio([source], duration_ms) if is_audio_copyable([source]) else None
    if plan and not plan.needs_silence:
        tracks.append(copied_audio(plan, None))
    ranges = copied_ranges([run for track in tracks for run in track.samples], [source])
    layout, clip = lay_out_clip(tracks, ranges), folder / "clip.mp4"
    write_own_bytes(layout, clip)
    fill_holes(layout, clip)
    if len(span.times) > READ_BACK_FRAMES:
        return "copied"
    data = clip.read_bytes()
    video = read_index(lambda at, length: data[at : at + length], len(data)).video
    assert video is not None
    assert len(video.pts) == len(span.times)
    return "copied"
