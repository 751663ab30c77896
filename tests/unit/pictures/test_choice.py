"""Which frames are chosen: evenly over the clip, keyframes near them, at a bounded cost."""

from collections.abc import Callable, Sequence

import pytest

from infrastructure.pictures.choice import Timeline, choose_frames


def timeline(frames: int, gop: int, interval: int = 10) -> Timeline:
    """Return a clip with a keyframe every `gop` frames."""
    times = [number * interval for number in range(frames)]
    return Timeline(times, frames * interval, list(range(0, frames, gop)))


def free(numbers: Sequence[int]) -> float:
    del numbers
    return 0


def decoding(line: Timeline, most: int) -> Callable[[Sequence[int]], float]:
    """Return a cost in frames from the keyframe before each chosen one."""

    def cost(numbers: Sequence[int]) -> float:
        starts = [max(k for k in line.keyframes if k <= number) for number in numbers]
        return sum(n - k + 1 for n, k in zip(numbers, starts, strict=True)) / most

    return cost


@pytest.mark.parametrize(
    ("line", "count", "expected"),
    [
        pytest.param(timeline(100, 100), 5, [0, 20, 40, 60, 80], id="exact frames"),
        pytest.param(timeline(100, 21), 5, [0, 21, 42, 63, 84], id="keyframes near the places"),
        pytest.param(timeline(100, 26), 5, [0, 20, 40, 60, 78], id="a quarter away at most"),
        pytest.param(timeline(100, 25), 5, [0, 25, 40, 60, 75], id="just a quarter away"),
        pytest.param(timeline(3, 3), 20, [0, 1, 2], id="fewer frames than places"),
        pytest.param(timeline(1, 1), 20, [0], id="one frame"),
        pytest.param(timeline(100, 100), 1, [0], id="one place"),
        pytest.param(timeline(100, 1), 100, list(range(100)), id="every frame"),
        pytest.param(Timeline([0, 10, 500], 1000, [0]), 4, [0, 1, 2], id="a picture that is held"),
    ],
)
def test_frames_are_evenly_over_the_clip(line: Timeline, count: int, expected: list[int]) -> None:
    """The first one is always there, each once."""
    assert choose_frames(line, count, free) == expected


@pytest.mark.parametrize(
    ("gop", "most", "expected"),
    [
        pytest.param(50, 400, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90], id="all exact ones"),
        pytest.param(50, 111, [0, 20, 40, 60, 80], id="half as many exact ones"),
        pytest.param(12, 8, [0, 12, 24, 36, 48, 60, 72, 84], id="keyframes alone"),
        pytest.param(100, 60, [0, 50], id="two"),
        pytest.param(100, 1, [0], id="the first alone"),
        pytest.param(1, 5, [0, 20, 40, 60, 80], id="half as many keyframes"),
    ],
)
def test_no_more_is_decoded_than_may_be(gop: int, most: int, expected: list[int]) -> None:
    """Keyframes alone, or fewer places: whichever makes more pictures."""
    line = timeline(100, gop)
    cost = decoding(line, most)
    chosen = choose_frames(line, 10, cost)
    assert chosen == expected
    assert len(chosen) == 1 or cost(chosen) <= 1
