"""Which of a cut's frames can be taken over as they are, and which must be encoded anew. Pure.

A run of samples can be taken over when it begins with a keyframe that nothing reaches across (an
IDR picture, ITU-T H.264 section 7.4.1.2.4, with all earlier samples shown before it and all later
ones after it), goes on without a hole in decode order, and ends where everything decoded so far is
shown before everything decoded later. Then it decodes from its own first sample, whatever stands
before and after it. The wanted frames before it (the head) and after it (the tail) are encoded.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate

from attrs import field, frozen

from infrastructure.mp4.avc import parse_avcc, parse_pps, parse_sps
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import Track

MAX_KEYFRAMES_TRIED = 64
"""Where none of so many sync samples stands alone, none will: each look may cost a request."""


@frozen
class Splice:
    """How the wanted frames of a cut are made: by sample number, each exactly once."""

    head: tuple[int, ...] = field(repr=False)
    """To be encoded, in the order in which they are shown: those before the copied run."""
    copied: range
    """To be taken over, in decode order; may be empty."""
    tail: tuple[int, ...] = field(default=(), repr=False)
    """To be encoded, in the order in which they are shown: those after the copied run."""


def plan_splice(
    pts: Sequence[int],
    frames: Sequence[int],
    keyframes: Sequence[int],
    is_idr_sample: Callable[[int], bool],
) -> Splice:
    """Take over as many of `frames` as can be in one run, and encode the others.

    `pts` are all samples' presentation times in decode order, `frames` the wanted samples in the
    order in which they are shown, `keyframes` the sync samples, ascending. `is_idr_sample` looks at
    a sync sample's bytes and tells whether no later picture refers to anything before it; it is
    asked as seldom as possible, and 64 times at most, since looking may cost a range request.
    """
    wanted = set(frames)
    shown_before = list(accumulate(pts, max))
    shown_after = list(accumulate(reversed(pts), min))[::-1]
    looked = 0
    for key in keyframes:
        if key not in wanted or (key and shown_before[key - 1] >= pts[key]):
            continue
        if shown_after[key] < pts[key]:
            continue
        if looked == MAX_KEYFRAMES_TRIED:
            break
        looked += 1
        if not is_idr_sample(key):
            continue
        end = next((i for i in range(key, len(pts)) if i not in wanted), len(pts))
        while end > key and end < len(pts) and shown_before[end - 1] >= shown_after[end]:
            end -= 1
        if end > key:
            last = shown_before[end - 1]
            return Splice(
                tuple(i for i in frames if pts[i] < pts[key]),
                range(key, end),
                tuple(i for i in frames if pts[i] > last),
            )
    return Splice(tuple(frames), range(0))


def copy_obstacle(video: Track) -> str | None:
    """Say why no frame of this track can stand beside frames that we encode; None if it can.

    What we encode is progressive H.264, 4:2:0 with 8 bits, with its parameter sets in the avcC.
    """
    if video.codec != "avc1":
        return f"the video is {video.codec}, not H.264 with its parameter sets in the index"
    try:
        config = parse_avcc(video.config)
        sets = [parse_sps(nal) for nal in config.sps]
        pictures = [parse_pps(nal) for nal in config.pps]
    except InvalidMp4 as error:
        return f"the parameter sets cannot be read: {error}"
    if len(sets) != 1:
        return f"there are {len(sets)} sequence parameter sets"
    if not pictures:
        return "there is no picture parameter set"
    sps = sets[0]
    if sps.chroma_format_idc != 1:
        return "the colours are not 4:2:0"
    if (sps.bit_depth_luma, sps.bit_depth_chroma) != (8, 8):
        return "the samples have more than 8 bits"
    if not sps.frame_mbs_only:
        return "the video may be interlaced"
    return None
