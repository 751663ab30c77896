"""Which frames of a clip its contact sheet or sprite shows: evenly over it, and cheap to decode."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from attrs import field, frozen

NEAR = 4
"""A keyframe stands in for the frame at a place if it is at most a quarter of the way to the next
place from it."""


@frozen
class Timeline:
    """When a clip shows its frames, and which of them need no other to be decoded."""

    times: Sequence[int] = field(repr=False)
    """In ticks, ascending from 0."""
    duration: int
    """In ticks."""
    keyframes: Sequence[int] = field(repr=False)
    """Their numbers, ascending from 0: the first frame is one."""

    def shown_at(self, time: int) -> int:
        """Return the number of the frame that is shown at a time."""
        return max(0, bisect_right(self.times, time) - 1)

    def nearest_keyframe(self, time: int) -> int:
        """Return the number of the keyframe that is nearest to a time."""
        times = [self.times[number] for number in self.keyframes]
        at = bisect_left(times, time)
        around = self.keyframes[max(0, at - 1) : at + 1]
        return min(around, key=lambda number: abs(self.times[number] - time))


def choose_frames(
    timeline: Timeline, count: int, cost: Callable[[Sequence[int]], float]
) -> list[int]:
    """Return the numbers of at most `count` frames, ascending, the clip's first frame first.

    They are those shown at `count` places evenly over the clip, or keyframes near them. `cost` is
    what decoding frames takes, 1 the most that it may. Where it would be more, there are keyframes
    alone, or fewer places: whichever makes more pictures.
    """
    counts = [count >> halved for halved in range(count.bit_length())]
    choices = [_chosen(timeline, fewer, is_exact=True) for fewer in counts]
    choices += [_chosen(timeline, fewer, is_exact=False) for fewer in counts]
    affordable = (chosen for chosen in choices if cost(chosen) <= 1)
    return max(affordable, key=len, default=[0])


def _chosen(timeline: Timeline, count: int, *, is_exact: bool) -> list[int]:
    found = {0}
    for place in range(count):
        time = place * timeline.duration // count
        keyframe = timeline.nearest_keyframe(time)
        distance = abs(timeline.times[keyframe] - time)
        if distance * NEAR * count <= timeline.duration:
            found.add(keyframe)
        elif is_exact:
            found.add(timeline.shown_at(time))
        elif distance * 2 * count <= timeline.duration:
            found.add(keyframe)
    return sorted(found)
