"""Where a copied run of samples may begin and end.

An access point is *clean* if it is an IDR picture (ITU-T H.264, 7.4.1.2.4) without parameter sets
in its sample that the track's avcC lacks. A run decodes from its own first sample, whatever stands
before and after it, if

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
from infrastructure.mp4.avc import AvcConfig, NalType, nal_units

MAX_KEYFRAMES_TRIED = 64
"""Where so many sync samples are not clean, none will be: each try may cost a request."""
PARAMETER_SETS = {NalType.SEQUENCE_PARAMETERS, NalType.PICTURE_PARAMETERS}
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
        while end > key and end < len(pts) and max_pts_through[end - 1] >= min_pts_from[end]:
            end -= 1
        if end > key:
            last = max_pts_through[end - 1]
            return FrameSplit(
                tuple(i for i in frames if pts[i] < pts[key]),
                range(key, end),
                tuple(i for i in frames if pts[i] > last),
            )
    return FrameSplit(tuple(frames), range(0))


def presentation_bounds(pts: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the prefix maxima and the suffix minima of times in decode order, both inclusive.

    They are the latest time through each sample, and the earliest from each sample on.
    """
    return list(accumulate(pts, max)), list(accumulate(reversed(pts), min))[::-1]


def is_clean_access_point(sync_sample: RecordingPiece, config: AvcConfig) -> bool:
    """Return whether a sync sample is clean; its bytes are read."""
    recording, offset, length = sync_sample.recording, sync_sample.offset, sync_sample.length
    prefix = recording.read(offset, min(length, KEYFRAME_PREFIX_BYTES))
    is_clean = is_idr_with_known_sets(prefix, config)
    if is_clean is None and length > KEYFRAME_PREFIX_BYTES:
        is_clean = is_idr_with_known_sets(recording.read(offset, length), config)
    return bool(is_clean)


def is_idr_with_known_sets(prefix: bytes, config: AvcConfig) -> bool | None:
    """Return whether a sample begins an IDR picture without parameter sets unknown to `config`.

    Repeated known sets do no harm. None if `prefix` ends before the picture begins.
    """
    known = {*config.sps, *config.pps}
    is_idr: bool | None = None
    for length, nal in nal_units(prefix, config.nal_length_size):
        kind = nal[0] & 31
        if kind in PARAMETER_SETS and len(nal) == length and nal not in known:
            return False
        if is_idr is None and NalType.SLICE <= kind <= NalType.IDR_SLICE:
            is_idr = kind == NalType.IDR_SLICE
    return is_idr
