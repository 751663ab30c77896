"""Decode what we encoded, together with what it joins, before anybody hears of the clip.

Where frames are taken over, only those beside an encoded run are decoded: a join is right if the
frames on both sides of it come out, each at its time, without a message. All others are the
recording's own bytes, from a keyframe that needs nothing before it on.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from attrs import evolve

from infrastructure.ffmpeg.check import decode
from infrastructure.ffmpeg.clip_tracks import Part, video_track
from infrastructure.ffmpeg.layout import lay_out
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.runs import begins_alone
from infrastructure.ffmpeg.window import InRecording

FRAMES_BESIDE = 8
FRAMES_SEARCHED = 600


def check_joins(
    ffmpeg: Ffmpeg, parts: Sequence[Part], timescale: int, path: Path, deadline_s: float
) -> None:
    """Decode every encoded part with the copied frames beside it; Undecodable if any is amiss.

    Of a clip that is copied whole, the first frames are decoded.
    """
    groups = list(_groups(parts)) or [[beginning(parts[0])]]
    for number, group in enumerate(groups):
        until = max(time for part in group for time in part.shown) + 1
        track = video_track(group, timescale, until)
        clip = path.with_name(f"{path.stem}-{number}.mp4")
        layout = lay_out([track], clip)
        layout.fill()
        shown = sorted(time for part in group for time in part.shown)
        decode(ffmpeg, clip, shown, timescale, deadline_s, sound=False)
        clip.unlink()


def _groups(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Yield the encoded parts, each with the copied frames before and after it."""
    group: list[Part] = []
    for part in parts:
        if not part.is_copied:
            group.append(part)
            continue
        if group:
            yield [*group, beginning(part)]
        group = [end] if (end := ending(part)) else []
    if any(not part.is_copied for part in group):
        yield group


def beginning(part: Part) -> Part:
    """Return a copied part's first frames: as few as can stand without those that follow."""
    before, after = _bounds(part)
    length = len(part.shown)
    for stop in range(min(FRAMES_BESIDE, length), length):
        if before[stop - 1] < after[stop]:
            return _cut(part, 0, stop)
    return part


def ending(part: Part) -> Part | None:
    """Return a copied part's last frames, from a keyframe that needs nothing before it on.

    None if there is none near the end: what follows begins with a keyframe of its own anyway.
    """
    before, after = _bounds(part)
    length = len(part.shown)
    for start in range(length - 1, max(0, length - FRAMES_SEARCHED), -1):
        sample = part.samples[start]
        closed = part.sync[start] and before[start - 1] < after[start] == part.shown[start]
        if closed and isinstance(sample, InRecording) and begins_alone(sample):
            return _cut(part, start, length)
    return part if length <= FRAMES_SEARCHED else None


def _bounds(part: Part) -> tuple[list[int], list[int]]:
    """Return the latest time up to each sample, and the earliest from each on."""
    return (
        list(accumulate(part.shown, max)),
        list(accumulate(reversed(part.shown), min))[::-1],
    )


def _cut(part: Part, start: int, stop: int) -> Part:
    return evolve(
        part,
        samples=part.samples[start:stop],
        shown=part.shown[start:stop],
        sync=part.sync[start:stop],
    )
