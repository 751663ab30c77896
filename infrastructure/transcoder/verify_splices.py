"""Decode the encoded frames together with their copied neighbours, before the clip is committed.

A splice is right if the frames on both sides of it decode, each at its time, without a message. All
other copied frames are the recording's own bytes, from a clean access point on.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import evolve

from application.ports import RecordingPiece
from infrastructure.ffmpeg.decode import decode_all_frames
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.splicing.access_points import is_clean_access_point, presentation_bounds
from infrastructure.splicing.codecs import codec_of
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.layout import lay_out_clip
from infrastructure.splicing.tracks import SpanSamples, video_track
from infrastructure.transcoder.assemble import fill_holes, write_own_bytes

MIN_NEIGHBOUR_FRAMES = 8
MAX_FRAMES_SEARCHED = 600


def verify_splices(  # noqa: PLR0913, PLR0917
    ffmpeg: Ffmpeg,
    spans: Sequence[SpanSamples],
    sources: Sequence[CutSource],
    timescale: int,
    path: Path,
    deadline_s: float,
) -> None:
    """Decode every encoded span with the copied frames around it; UnusableFootage on any fault.

    Only the first frames of a clip that is copied as a whole are decoded.
    """
    groups = list(_groups(spans)) or [[first_frames(spans[0])]]
    for number, group in enumerate(groups):
        times = sorted(time for span in group for time in span.times)
        track = video_track(group, timescale, times[-1] + 1)
        clip = path.with_name(f"{path.stem}-{number}.mp4")
        layout = lay_out_clip([track], sources)
        write_own_bytes(layout, clip)
        fill_holes(layout, clip)
        decode_all_frames(ffmpeg, clip, times, timescale, deadline_s, audio=False)
        clip.unlink()


def _groups(spans: Sequence[SpanSamples]) -> Iterator[list[SpanSamples]]:
    """Yield the encoded spans, each with the copied frames before and after it."""
    group: list[SpanSamples] = []
    for span in spans:
        if not span.is_copied:
            group.append(span)
            continue
        if group:
            yield [*group, first_frames(span)]
        group = [tail] if (tail := last_frames(span)) else []
    if any(not span.is_copied for span in group):
        yield group


def first_frames(span: SpanSamples) -> SpanSamples:
    """Return a copied span's first frames: as few as decode without those that follow."""
    max_through, min_from = presentation_bounds(span.times)
    length = len(span.times)
    for stop in range(min(MIN_NEIGHBOUR_FRAMES, length), length):
        if max_through[stop - 1] < min_from[stop]:
            return _slice(span, 0, stop)
    return span


def last_frames(span: SpanSamples) -> SpanSamples | None:
    """Return a copied span's last frames, from a clean access point on.

    None if there is none near the end: the next span begins with a keyframe of its own anyway.
    """
    max_through, min_from = presentation_bounds(span.times)
    codec, config = codec_of(span.track), span.track.config
    length = len(span.times)
    for start in range(length - 1, max(0, length - MAX_FRAMES_SEARCHED), -1):
        sample = span.samples[start]
        is_closed = (
            span.sync[start] and max_through[start - 1] < min_from[start] == span.times[start]
        )
        if not is_closed or not isinstance(sample, RecordingPiece):
            continue
        if is_clean_access_point(sample, codec, config):
            return _slice(span, start, length)
    return span if length <= MAX_FRAMES_SEARCHED else None


def _slice(span: SpanSamples, start: int, stop: int) -> SpanSamples:
    return evolve(
        span,
        samples=span.samples[start:stop],
        times=span.times[start:stop],
        sync=span.sync[start:stop],
    )
