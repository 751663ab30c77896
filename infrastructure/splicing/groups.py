"""Groups of a cut's frames that are decoded independently of each other."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby

from attrs import field, frozen

from infrastructure.splicing.frames import CutSource


@frozen(eq=False)
class PictureGroup:
    """Consecutive frames of a cut, and where their decoding starts."""

    frames: tuple[int, ...] = field(repr=False)
    """Video samples, in presentation order: at least one."""
    decode_start: int
    """The video sample to start decoding at, so that none of `frames` lacks a reference."""


def picture_groups(source: CutSource) -> list[PictureGroup]:
    """Split the cut's frames, in presentation order, wherever decoding can start again.

    A damaged frame may spoil the rest of its group, but no other group.
    """
    pts = source.video.pts
    syncs = sorted(pts[i] for i, sync in enumerate(source.video.sync) if sync)
    groups: list[PictureGroup] = []
    for _, part in groupby(source.frames, lambda frame: bisect_right(syncs, pts[frame])):
        frames = tuple(part)
        group = PictureGroup(frames, source.decode_start_of(frames))
        if groups and groups[-1].decode_start == group.decode_start:
            groups[-1] = joined([groups[-1], group])
        else:
            groups.append(group)
    return groups


def joined(groups: Sequence[PictureGroup]) -> PictureGroup:
    """Return consecutive groups as one."""
    frames = tuple(frame for group in groups for frame in group.frames)
    return PictureGroup(frames, groups[0].decode_start)
