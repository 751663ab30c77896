"""Whether the fragments that were read so far suffice, or more must be read.

Frames are not stored in the order in which they are shown, nor is audio next to the video of its
time; both are bounded.
"""

from collections.abc import Mapping
from operator import sub

from attrs import define

from infrastructure.mp4.sample_tables import StoredTrack

MAX_INTERLEAVE_MS = 5000
"""Audio and video of one time are at most so far apart in the file."""
MAX_REORDERED = 16
"""At most so many frames are shown after a frame and decoded before it (H.264 A.3.1, HEVC A.4.2)"""

TracksByHandler = dict[str, StoredTrack]
"""Tracks by handler type: "vide", "soun"."""


def leading_kind(tracks: Mapping[str, object]) -> str:
    """Return the handler type of the track by whose times fragments are found."""
    return "vide" if "vide" in tracks else "soun"


def _reach(track: StoredTrack) -> int:
    """Return the maximum distance of decode and presentation times, in ticks."""
    return max((abs(pts - dts) for pts, dts in zip(track.pts, track.dts, strict=True)), default=0)


def is_begin_known(track: StoredTrack) -> bool:
    """Return whether no later sample can be shown before the first of these."""
    shown = [t for t in track.pts if track.edit is None or t >= track.edit.media_time]
    if not shown:
        return False
    decoded = track.dts[-1] + track.durations[-1] - min(shown)
    return len(shown) > MAX_REORDERED or decoded > max(2 * _reach(track), track.timescale)


def is_end_known(track: StoredTrack) -> bool:
    """Return whether no earlier sample can be shown after the last of these.

    Samples that are decoded before a sync sample are shown before it.
    """
    if not track.sizes:
        return False
    ahead = max(track.pts) - track.dts[0]
    return 1 in track.sync or ahead > max(2 * _reach(track), track.timescale)


@define(eq=False)
class EndReached:
    """Whether everything shown before *ends* has been appended to *tracks*."""

    tracks: TracksByHandler
    ends: Mapping[str, int]
    prefetched: bool = False
    _counted: int = 0
    _early: int = 0  # ticks: the most that a frame was shown before its decode time

    def reached(self) -> bool:
        """Return whether it has, by what has been appended since the last call, too."""
        leading = leading_kind(self.ends)
        leader = self.tracks[leading]
        if not leader.sizes:
            return False
        new = slice(self._counted, None)
        self._early = max([self._early, *map(sub, leader.dts[new], leader.pts[new])])
        self._counted = len(leader.sizes)
        # Twice that, because a later fragment may exceed the ones seen.
        ahead = leader.dts[-1] + leader.durations[-1] - 2 * self._early - self.ends[leading]
        apart = MAX_INTERLEAVE_MS * leader.timescale // 1000
        return ahead >= 0 and all(
            ahead >= apart or (track.sizes and track.dts[-1] + track.durations[-1] >= end)
            for kind, end in self.ends.items()
            if kind != leading and (track := self.tracks[kind])
        )
