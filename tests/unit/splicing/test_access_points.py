"""Which frames of a cut are copied and which are encoded."""

from itertools import accumulate

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.splicing.access_points import MAX_KEYFRAMES_TRIED, FrameSplit, split_frames

# Pictures in decode order, each with its presentation time: I is a clean keyframe, O a keyframe of
# an open GOP, P and B are others.
CLOSED = [("I", 0), ("P", 3), ("B", 1), ("B", 2), ("I", 4), ("P", 7), ("B", 5), ("B", 6), ("I", 8)]
OPEN = [("I", 0), ("P", 3), ("B", 1), ("B", 2), ("O", 6), ("B", 4), ("B", 5), ("P", 9), ("B", 7),
        ("B", 8), ("I", 10), ("P", 11)]  # fmt: skip

DELAYED = [("I", 0), ("P", 3), ("P", 9), ("B", 1), ("B", 2)]


def plan(samples: list[tuple[str, int]], start: int, end: int) -> FrameSplit:
    pts = [time for _, time in samples]
    frames = sorted((i for i, t in enumerate(pts) if start <= t < end), key=pts.__getitem__)
    keys = [i for i, (kind, _) in enumerate(samples) if kind in "IO"]
    return split_frames(pts, frames, keys, lambda i: samples[i][0] == "I")


def shown(
    samples: list[tuple[str, int]], split: FrameSplit
) -> tuple[list[int], list[int], list[int]]:
    """Return the presentation times of head, copied run (in decode order) and tail."""
    return (
        [samples[i][1] for i in split.head],
        [samples[i][1] for i in split.copied],
        [samples[i][1] for i in split.tail],
    )


CASES = {
    "all is copied from keyframe to keyframe": (CLOSED, 4, 8, ([], [4, 7, 5, 6], [])),
    "the head up to the keyframe is encoded": (CLOSED, 2, 8, ([2, 3], [4, 7, 5, 6], [])),
    "the tail after the last whole run is encoded": (CLOSED, 0, 6, ([], [0, 3, 1, 2, 4], [5])),
    "a keyframe alone is copied": (CLOSED, 4, 5, ([], [4], [])),
    "all is encoded between keyframes": (CLOSED, 1, 4, ([1, 2, 3], [], [])),
    "the last keyframe of the recording": (CLOSED, 7, 9, ([7], [8], [])),
    "everything": (CLOSED, 0, 9, ([], [0, 3, 1, 2, 4, 7, 5, 6, 8], [])),
    "a keyframe that references cross does not begin a run": (
        OPEN,
        4,
        12,
        ([4, 5, 6, 7, 8, 9], [10, 11], []),
    ),
    "a run continues across such a keyframe": (OPEN, 0, 7, ([], [0, 3, 1, 2, 6, 4, 5], [])),
    "frames that refer to an unwanted one are encoded": (OPEN, 0, 6, ([], [0, 3, 1, 2], [4, 5])),
    "a run may end with the frames whose references cross": (
        OPEN,
        0,
        10,
        ([], [0, 3, 1, 2, 6, 4, 5, 9, 7, 8], []),
    ),
    "a run ends before a frame that is shown after later ones": (
        DELAYED,
        0,
        5,
        ([], [0], [1, 2, 3]),
    ),
    "no clean keyframe": (OPEN, 4, 10, ([4, 5, 6, 7, 8, 9], [], [])),
}


@pytest.mark.parametrize(("samples", "start", "end", "wanted"), CASES.values(), ids=CASES)
def test_a_cut_is_spliced(
    samples: list[tuple[str, int]],
    start: int,
    end: int,
    wanted: tuple[list[int], list[int], list[int]],
) -> None:
    """Each case gives its head, copied run and tail."""
    assert shown(samples, plan(samples, start, end)) == wanted


def test_as_few_keyframes_as_possible_are_read() -> None:
    """The first clean one ends the search, and those outside the cut are not read."""
    read: list[int] = []

    def is_clean(sample: int) -> bool:
        read.append(sample)
        return sample > 10

    split_frames(list(range(40)), range(5, 35), range(0, 40, 10), is_clean)
    assert read == [10, 20]


@frozen
class Film:
    """Random GOPs: the samples, and the sample from which each can be decoded."""

    samples: list[tuple[str, int]]
    needs: list[int]
    """For every sample, the latest sample from which decoding yields it whole."""


@st.composite
def films(draw: st.DrawFn) -> Film:
    """Draw GOPs of mini-GOPs: an anchor decoded first, then the B-frames shown before it."""
    film = Film([], [])
    time, keyframe = 0, 0
    for gop in range(draw(st.integers(1, 5))):
        is_open = gop > 0 and draw(st.booleans())
        for anchor in range(draw(st.integers(1, 4))):
            b_frames = draw(st.integers(0, 3)) if anchor or is_open else 0
            needed_by_b_frames = keyframe
            if anchor == 0:
                keyframe = len(film.samples)
            kind = ("O" if is_open else "I") if anchor == 0 else "P"
            film.samples.append((kind, time + b_frames))
            film.needs.append(keyframe)
            for b in draw(st.permutations(range(b_frames))):
                film.samples.append(("B", time + b))
                film.needs.append(needed_by_b_frames)
            time += b_frames + 1
    return film


@given(films(), st.integers(0, 60), st.integers(1, 60))
def test_every_frame_occurs_once_and_every_copied_frame_decodes(
    film: Film, start: int, length: int
) -> None:
    """Head, run and tail hold the requested frames in order; the run needs nothing before it."""
    pts = [time for _, time in film.samples]
    split = plan(film.samples, start, start + length)
    wanted = sorted(t for t in pts if start <= t < start + length)
    copied = sorted(pts[i] for i in split.copied)
    assert [pts[i] for i in split.head] + copied + [pts[i] for i in split.tail] == wanted
    for sample in split.copied:
        assert film.needs[sample] >= split.copied.start


@given(films(), st.integers(0, 60), st.integers(1, 60))
def test_no_frame_is_encoded_that_could_be_copied(film: Film, start: int, length: int) -> None:
    """The head ends at the first clean keyframe; the tail has none."""
    split = plan(film.samples, start, start + length)
    pts = [time for _, time in film.samples]
    clean = [
        t
        for (kind, t), before in zip(film.samples, accumulate([-1, *pts[:-1]], max), strict=True)
        if kind == "I" and t > before
    ]
    inside = [t for t in clean if start <= t < start + length]
    assert bool(split.copied) == bool(inside)
    if inside:
        assert all(pts[i] < inside[0] for i in split.head)
        assert not [t for t in inside if t in {pts[i] for i in split.tail}]


def test_the_search_for_a_clean_keyframe_is_bounded() -> None:
    """Each try may cost a request: if 64 keyframes are not clean, every frame is encoded."""
    read: list[int] = []

    def is_clean(sample: int) -> bool:
        read.append(sample)
        return False

    frames = range(1000)
    split = split_frames(list(frames), frames, frames, is_clean)
    assert read == list(range(MAX_KEYFRAMES_TRIED))
    assert (split.head, len(split.copied)) == (tuple(frames), 0)
