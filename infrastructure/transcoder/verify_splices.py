"""Decode the encoded frames together with their copied neighbours, before the clip is committed.

A splice is right if the frames on both sides of it decode, each at its time, without a message. All
other copied frames are the recording's own bytes, from a clean access point on.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from math import inf
from pathlib import Path
from threading import Semaphore

from attrs import evolve

from application.ports import RecordingPiece
from infrastructure.ffmpeg.decode import decode_all_frames
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.splicing.access_points import presentation_bounds, read_access_point
from infrastructure.splicing.codecs import AccessPoint, codec_of
from infrastructure.splicing.layout import lay_out_clip
from infrastructure.splicing.tracks import SpanSamples, video_track
from infrastructure.transcoder.assemble import write_own_bytes

DECODE_CONCURRENCY = 2
"""Each decoder of 1080p takes about 80 MB."""
READ_CONCURRENCY = 4
"""So many splices are read at once, and then wait for a decoder."""
MIN_NEIGHBOUR_FRAMES = 8
MAX_FRAMES_SEARCHED = 600


def verify_splices(
    ffmpeg: Ffmpeg,
    spans: Sequence[SpanSamples],
    timescale: int,
    path: Path,
    deadline_s: float,
) -> None:
    """Decode every encoded span with the copied frames around it; UnusableFootage on any fault.

    Only the first frames of a clip that is copied as a whole are decoded.
    """
    groups = list(_groups(spans)) or [[first_frames(spans[0])]]
    decoders = Semaphore(DECODE_CONCURRENCY)

    def verify(number: int) -> None:
        group = groups[number]
        times = sorted(time for span in group for time in span.times)
        track = video_track(group, timescale, times[-1] + 1)
        clip = path.with_name(f"{path.stem}-{number}.mp4")
        write_own_bytes(lay_out_clip([track]), clip)
        with decoders:
            decode_all_frames(ffmpeg, clip, times, timescale, deadline_s, audio=False)
        clip.unlink()

    several = ThreadPoolExecutor(READ_CONCURRENCY)
    try:
        list(several.map(verify, range(len(groups))))
    finally:
        several.shutdown(cancel_futures=True)


def _groups(spans: Sequence[SpanSamples]) -> Iterator[list[SpanSamples]]:
    """Yield the encoded spans, each with the copied frames before and after it."""
    runs = [(is_copied, [*run]) for is_copied, run in groupby(spans, key=lambda s: s.is_copied)]
    for number, (is_copied, run) in enumerate(runs):
        if is_copied:
            continue
        before = last_frames(runs[number - 1][1][-1]) if number else None
        after = [first_frames(runs[number + 1][1][0])] if number + 1 < len(runs) else []
        yield [*([before] if before else []), *run, *after]


def first_frames(span: SpanSamples) -> SpanSamples:
    """Return a copied span's first frames: as few as decode without those that follow."""
    times, length = span.times, len(span.times)
    # A pass over each frame of a span of ten minutes would make ffmpeg wait.
    for searched in (min(MAX_FRAMES_SEARCHED, length), length):
        max_through, min_from = presentation_bounds(times[:searched])
        earliest_later = min(times[searched:], default=inf)
        for stop in range(min(MIN_NEIGHBOUR_FRAMES, searched), searched):
            if max_through[stop - 1] < min(min_from[stop], earliest_later):
                return _slice(span, 0, stop)
    return span


def last_frames(span: SpanSamples) -> SpanSamples | None:
    """Return a copied span's last frames, from a clean access point on.

    None if there is none near the end: the next span begins with a keyframe of its own anyway.
    """
    codec, config = codec_of(span.track), span.track.config
    times, length = span.times, len(span.times)
    first = max(0, length - MAX_FRAMES_SEARCHED)
    max_through, min_from = presentation_bounds(times[first:])
    latest_earlier = max(times[:first], default=-inf)
    for start in range(length - 1, first, -1):
        sample, number = span.samples[start], start - first
        is_closed = (
            span.sync[start]
            and max(max_through[number - 1], latest_earlier) < min_from[number] == times[start]
        )
        if not is_closed or not isinstance(sample, RecordingPiece):
            continue
        if read_access_point(sample, codec, config) is not AccessPoint.NONE:
            return _slice(span, start, length)
    return span if length <= MAX_FRAMES_SEARCHED else None


def _slice(span: SpanSamples, start: int, stop: int) -> SpanSamples:
    return evolve(
        span,
        samples=span.samples[start:stop],
        times=span.times[start:stop],
        sync=span.sync[start:stop],
    )
