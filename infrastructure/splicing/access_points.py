"""Where a copied run of samples may begin and end.

An access point is *clean* if it is an IDR picture (ITU-T H.264, 7.4.1.2.4; H.265, table 7-1), or a
CRA picture of HEVC that decoders take for the start of a sequence: the clip's first sample, or
after an end of sequence that we write (H.265, 8.1.3). Its sample has no parameter sets that the
track's sample entry lacks. A run decodes from its own first sample, whatever stands before and
after it, if

- it begins with a clean access point,
- all earlier samples are shown before this one, and all later ones after it, except for its leading
  pictures, which are decoded right after it and shown before it: they may refer to earlier ones,
  and nothing else refers to them (H.265, 8.1.3, 8.3.2), so the run goes on after them,
- it has no other hole in decode order, and
- everything decoded up to its end is shown before everything decoded later.

The requested frames before the run (the head, with the leading pictures) and after it (the tail)
are encoded.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate

from attrs import evolve, field, frozen

from application.ports import RecordingPiece
from infrastructure.splicing.codecs import AccessPoint, Codec
from infrastructure.splicing.sync_samples import KEYFRAME_PREFIX_BYTES

MAX_KEYFRAMES_TRIED = 64
"""Where so many sync samples are not clean, none will be: each try may cost a request."""


@frozen
class FrameSplit:
    """Which requested frames are encoded and which copied: video sample numbers, each once."""

    head: tuple[int, ...] = field(repr=False)
    """To be encoded, in presentation order: those before the copied run."""
    copied: Sequence[int] = field(repr=False)
    """To be copied, in decode order; may be empty. A range if there are no leading pictures."""
    tail: tuple[int, ...] = field(default=(), repr=False)
    """To be encoded, in presentation order: those after the copied run."""
    needs_end: bool = False
    """Whether the head must be a sequence that ends before the copied run."""


def split_frames(  # noqa: PLR0913
    pts: Sequence[int],
    frames: Sequence[int],
    keyframes: Sequence[int],
    access_point: Callable[[int], AccessPoint],
    *,
    has_leading_pictures: bool = False,
    is_first: bool = False,
) -> FrameSplit:
    """Copy the run of `frames` that begins with the first usable keyframe, and encode the others.

    `pts` are all samples' presentation times in decode order, `frames` the requested samples in
    presentation order, `keyframes` the sync samples, ascending; `is_first` is whether they are the
    first of the clip. `access_point` reads a sync sample's bytes and returns which it is. It is
    called as seldom as possible, at most 64 times, because each call may cost a range request.
    """
    requested = set(frames)
    bounds = max_pts_through, min_pts_from = presentation_bounds(pts)
    tried = 0
    for key in keyframes:
        if key not in requested or (key and max_pts_through[key - 1] >= pts[key]):
            continue
        follows = key + 1
        while has_leading_pictures and follows < len(pts) and pts[follows] < pts[key]:
            follows += 1
        if follows < len(pts) and min_pts_from[follows] < pts[key]:
            continue
        if tried == MAX_KEYFRAMES_TRIED:
            break
        tried += 1
        access = access_point(key)
        if access is AccessPoint.NONE:
            continue
        end = next((i for i in range(follows, len(pts)) if i not in requested), len(pts))
        split = _copying(pts, bounds, frames, key, follows, end)
        if access is AccessPoint.ANYWHERE or (is_first and not split.head):
            return split
        if split.head:
            return evolve(split, needs_end=True)
    return FrameSplit(tuple(frames), range(0))


def shortened(
    split: FrameSplit, pts: Sequence[int], frames: Sequence[int], stop: int
) -> FrameSplit:
    """Return a split of `frames` whose copied run ends before the sample `stop` of that run."""
    key, *later = split.copied
    follows = later[0] if later else key + 1
    shorter = _copying(pts, presentation_bounds(pts), frames, key, follows, stop)
    return evolve(shorter, needs_end=split.needs_end)


def _copying(  # noqa: PLR0913, PLR0917
    pts: Sequence[int],
    bounds: tuple[Sequence[int], Sequence[int]],
    frames: Sequence[int],
    key: int,
    follows: int,
    end: int,
) -> FrameSplit:
    """Copy `key`, and from `follows` to `end` or less; `bounds` are the ``presentation_bounds``.

    Everything up to there is shown before what follows.
    """
    max_pts_through, min_pts_from = bounds
    while end > follows and end < len(pts) and max_pts_through[end - 1] >= min_pts_from[end]:
        end -= 1
    is_whole = follows == key + 1
    last = max_pts_through[end - 1]
    return FrameSplit(
        tuple(i for i in frames if pts[i] < pts[key]),
        range(key, end) if is_whole else (key, *range(follows, end)),
        tuple(i for i in frames if pts[i] > last),
    )


def presentation_bounds(pts: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the prefix maxima and the suffix minima of times in decode order, both inclusive.

    They are the latest time through each sample, and the earliest from each sample on.
    """
    return list(accumulate(pts, max)), list(accumulate(reversed(pts), min))[::-1]


def read_access_point(sync_sample: RecordingPiece, codec: Codec, config: bytes) -> AccessPoint:
    """Return which access point a sync sample is; its bytes are read."""
    recording, offset, length = sync_sample.recording, sync_sample.offset, sync_sample.length
    found = codec.access_point(read_prefix(sync_sample), config)
    if found is None and length > KEYFRAME_PREFIX_BYTES:
        found = codec.access_point(recording.read(offset, length), config)
    return found or AccessPoint.NONE


def read_prefix(sample: RecordingPiece) -> bytes:
    """Read the beginning of a keyframe."""
    return sample.recording.read(sample.offset, min(sample.length, KEYFRAME_PREFIX_BYTES))
