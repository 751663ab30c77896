"""Decode what we encoded, together with what it joins, before anybody hears of the clip.

Where frames are taken over, only those beside an encoded run are decoded: a join is right if the
frames on both sides of it come out, each at its time, without a message. All others are the
recording's own bytes, from a keyframe that needs nothing before it on.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from attrs import evolve

from infrastructure.ffmpeg.excerpt import RecordingSample
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.splicing.layout import lay_out_clip
from infrastructure.splicing.spans import is_clean_access_point
from infrastructure.splicing.tracks import TrackSegment, video_track
from infrastructure.transcoder.verify import verify_frames

FRAMES_BESIDE = 8
FRAMES_SEARCHED = 600


def verify_splices(
    ffmpeg: Ffmpeg,
    made_spans: Sequence[TrackSegment],
    timescale: int,
    path: Path,
    deadline_s: float,
) -> None:
    """Decode every encoded part with the copied frames beside it; UnusableFootage if any is amiss.

    Of a clip that is copied whole, the first frames are decoded.
    """
    groups = list(_groups(made_spans)) or [[beginning(made_spans[0])]]
    for number, group in enumerate(groups):
        until = max(time for span in group for time in span.shown) + 1
        track = video_track(group, timescale, until)
        clip = path.with_name(f"{path.stem}-{number}.mp4")
        layout = lay_out_clip([track], clip)
        layout.fill()
        shown = sorted(time for span in group for time in span.shown)
        verify_frames(ffmpeg, clip, shown, timescale, deadline_s, audio=False)
        clip.unlink()


def _groups(made_spans: Sequence[TrackSegment]) -> Iterator[list[TrackSegment]]:
    """Yield the encoded parts, each with the copied frames before and after it."""
    group: list[TrackSegment] = []
    for span in made_spans:
        if not span.is_copied:
            group.append(span)
            continue
        if group:
            yield [*group, beginning(span)]
        group = [end] if (end := ending(span)) else []
    if any(not span.is_copied for span in group):
        yield group


def beginning(span: TrackSegment) -> TrackSegment:
    """Return a copied part's first frames: as few as can stand without those that follow."""
    before, after = _bounds(span)
    length = len(span.shown)
    for stop in range(min(FRAMES_BESIDE, length), length):
        if before[stop - 1] < after[stop]:
            return _cut(span, 0, stop)
    return span


def ending(span: TrackSegment) -> TrackSegment | None:
    """Return a copied part's last frames, from a keyframe that needs nothing before it on.

    None if there is none near the end: what follows begins with a keyframe of its own anyway.
    """
    before, after = _bounds(span)
    length = len(span.shown)
    for start in range(length - 1, max(0, length - FRAMES_SEARCHED), -1):
        sample = span.samples[start]
        closed = span.sync[start] and before[start - 1] < after[start] == span.shown[start]
        if closed and isinstance(sample, RecordingSample) and is_clean_access_point(sample):
            return _cut(span, start, length)
    return span if length <= FRAMES_SEARCHED else None


def _bounds(span: TrackSegment) -> tuple[list[int], list[int]]:
    """Return the latest time up to each sample, and the earliest from each on."""
    return (
        list(accumulate(span.shown, max)),
        list(accumulate(reversed(span.shown), min))[::-1],
    )


def _cut(span: TrackSegment, start: int, stop: int) -> TrackSegment:
    return evolve(
        span,
        samples=span.samples[start:stop],
        shown=span.shown[start:stop],
        sync=span.sync[start:stop],
    )
