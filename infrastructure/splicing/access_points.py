"""Where a copied run of samples may begin and end.

An access point is *clean* if it is an IDR picture (ITU-T H.264, 7.4.1.2.4; H.265, table 7-1)
without parameter sets in its sample that the track's sample entry lacks. A run decodes from its own
first sample, whatever stands before and after it, if

- it begins with a clean access point,
- all earlier samples are shown before this one, and all later ones after it,
- it has no hole in decode order, and
- everything decoded up to its end is shown before everything decoded later.

The requested frames before the run (the head) and after it (the tail) are encoded.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate

from attrs import field, frozen

from application.ports import RecordingPiece
from infrastructure.splicing.codecs import Codec

MAX_KEYFRAMES_TRIED = 64
"""Where so many sync samples are not clean, none will be: each try may cost a request."""
KEYFRAME_PREFIX_BYTES = 4096
"""Enough of a keyframe to see its parameter sets and where its first slice begins."""


@frozen
class FrameSplit:
    """Which requested frames are encoded and which copied: video sample numbers, each once."""

    head: tuple[int, ...] = field(repr=False)
    """To be encoded, in presentation order: those before the copied run."""
    copied: range
    """To be copied, in decode order; may be empty."""
    tail: tuple[int, ...] = field(default=(), repr=False)
    """To be encoded, in presentation order: those after the copied run."""


def split_frames(
    pts: Sequence[int],
    frames: Sequence[int],
    keyframes: Sequence[int],
    is_clean: Callable[[int], bool],
) -> FrameSplit:
    """Copy the run of `frames` that begins with the first usable keyframe, and encode the others.

    `pts` are all samples' presentation times in decode order, `frames` the requested samples in
    presentation order, `keyframes` the sync samples, ascending. `is_clean` reads a sync sample's
    bytes and returns whether it is clean. It is called as seldom as possible, at most 64 times,
    because each call may cost a range request.
    """
    requested = set(frames)
    max_pts_through, min_pts_from = presentation_bounds(pts)
    tried = 0
    for key in keyframes:
        if key not in requested or (key and max_pts_through[key - 1] >= pts[key]):
            continue
        if min_pts_from[key] < pts[key]:
            continue
        if tried == MAX_KEYFRAMES_TRIED:
            break
        tried += 1
        if not is_clean(key):
            continue
        end = next((i for i in range(key, len(pts)) if i not in requested), len(pts))
        split = _copying(pts, frames, key, end)
        if split.copied:
            return split
    return FrameSplit(tuple(frames), range(0))


def shortened(
    split: FrameSplit, pts: Sequence[int], frames: Sequence[int], stop: int
) -> FrameSplit:
    """Return a split of `frames` whose copied run ends before the sample `stop` of that run."""
    return _copying(pts, frames, split.copied.start, stop)


def _copying(pts: Sequence[int], frames: Sequence[int], key: int, end: int) -> FrameSplit:
    """Copy from `key` to `end`, or less: everything up to there is shown before what follows."""
    max_pts_through, min_pts_from = presentation_bounds(pts)
    while end > key and end < len(pts) and max_pts_through[end - 1] >= min_pts_from[end]:
        end -= 1
    if end == key:
        return FrameSplit(tuple(frames), range(0))
    last = max_pts_through[end - 1]
    return FrameSplit(
        tuple(i for i in frames if pts[i] < pts[key]),
        range(key, end),
        tuple(i for i in frames if pts[i] > last),
    )


def presentation_bounds(pts: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the prefix maxima and the suffix minima of times in decode order, both inclusive.

    They are the latest time through each sample, and the earliest from each sample on.
    """
    return list(accumulate(pts, max)), list(accumulate(reversed(pts), min))[::-1]


def is_clean_access_point(sync_sample: RecordingPiece, codec: Codec, config: bytes) -> bool:
    """Return whether a sync sample is clean; its bytes are read."""
    recording, offset, length = sync_sample.recording, sync_sample.offset, sync_sample.length
    is_clean = codec.is_clean(read_prefix(sync_sample), config)
    if is_clean is None and length > KEYFRAME_PREFIX_BYTES:
        is_clean = codec.is_clean(recording.read(offset, length), config)
    return bool(is_clean)


def read_prefix(sample: RecordingPiece) -> bytes:
    """Read the beginning of a keyframe."""
    return sample.recording.read(sample.offset, min(sample.length, KEYFRAME_PREFIX_BYTES))
