"""Which bytes a cut needs first, if the tables are right: they are read at once, not one by one."""

from collections.abc import Sequence

from infrastructure.mp4.index import Track
from infrastructure.splicing.access_points import split_frames
from infrastructure.splicing.codecs import CODECS, AccessPoint
from infrastructure.splicing.sync_samples import (
    KEYFRAME_PREFIX_BYTES,
    PREFIX_BYTES,
    smallest_if_unlike,
    syncs_before,
)

MAX_RANGE_BYTES = 4 << 20
"""A longer range would not be cached whole."""
LATER_SAMPLES = 64
"""So many samples after the cut show which of its last frames are decoded after others."""


def likely_reads(video: Track, frames: Sequence[int]) -> list[range]:
    """Return the byte ranges that are probably read to copy and encode these frames.

    They are what is decoded before the first keyframe that is copied, with the beginning of it;
    what is decoded after the last that is copied; and the smallest sync sample if it may be none.
    """
    before = syncs_before(video, video.sync, frames)
    if not before:
        return []
    first, last = before[-1], max(frames)
    pts = video.pts[first : last + LATER_SAMPLES]
    keyframes = [i for i, sync in enumerate(video.sync[first : last + 1]) if sync]
    codec = CODECS.get(video.codec)
    split = split_frames(
        pts,
        [i - first for i in frames],
        keyframes,
        lambda _: AccessPoint.ANYWHERE,
        has_leading_pictures=codec is not None and codec.has_leading_pictures,
    )
    if split.copied:
        key = first + split.copied[0]
        ranges = [_range(video, first if split.head else key, key, KEYFRAME_PREFIX_BYTES)]
    else:
        ranges = [_range(video, first, last, video.sizes[last])]
    if split.tail:
        tail = [first + i for i in split.tail]
        start = syncs_before(video, video.sync, tail)[-1]
        ranges.append(_range(video, start, max(tail), video.sizes[max(tail)]))
    smallest = smallest_if_unlike(video, first, last)
    if smallest is not None:
        ranges.append(_range(video, smallest, smallest, PREFIX_BYTES))
    return ranges


def _range(video: Track, first: int, last: int, last_bytes: int) -> range:
    """Return the bytes from one sample to the first `last_bytes` of another.

    If there is too much between them, only the beginning of the first one.
    """
    begin = video.offsets[first]
    end = video.offsets[last] + min(video.sizes[last], last_bytes)
    if begin < end <= begin + MAX_RANGE_BYTES:
        return range(begin, end)
    return range(begin, begin + min(video.sizes[first], KEYFRAME_PREFIX_BYTES))
