"""Which frames of a cut are copied and which are encoded."""

from collections.abc import Mapping
from itertools import accumulate

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.splicing.access_points import MAX_KEYFRAMES_TRIED, FrameSplit, split_frames
from infrastructure.splicing.codecs import AccessPoint

# Pictures in decode order, each with its presentation time: I is a clean keyframe, O a keyframe of
# an open GOP, P and B are others.
CLOSED = [("I", 0), ("P", 3), ("B", 1), ("B", 2), ("I", 4), ("P", 7), ("B", 5), ("B", 6), ("I", 8)]
OPEN = [("I", 0), ("P", 3), ("B", 1), ("B", 2), ("O", 6), ("B", 4), ("B", 5), ("P", 9), ("B", 7),
        ("B", 8), ("I", 10), ("P", 11)]  # fmt: skip

DELAYED = [("I", 0), ("P", 3), ("P", 9), ("B", 1), ("B", 2)]


AVC = {"I": AccessPoint.ANYWHERE, "O": AccessPoint.NONE}
HEVC = {"I": AccessPoint.ANYWHERE, "O": AccessPoint.AFTER_END}


def plan(
    samples: list[tuple[str, int]],
    start: int,
    end: int,
    kinds: Mapping[str, AccessPoint] = AVC,
    *,
    is_first: bool = True,
) -> FrameSplit:
    pts = [time for _, time in samples]
    frames = sorted((i for i, t in enumerate(pts) if start <= t < end), key=pts.__getitem__)
    keys = [i for i, (kind, _) in enumerate(samples) if kind in "IO"]
    return split_frames(
        pts,
        frames,
        keys,
        lambda i: kinds[samples[i][0]],
        has_leading_pictures=kinds is HEVC,
        is_first=is_first,
    )


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


LEADING = [("I", 0), ("P", 1), ("O", 4), ("B", 2), ("B", 3), ("P", 5), ("O", 8), ("B", 6), ("B", 7),
           ("P", 9), ("O", 10), ("P", 11)]  # fmt: skip
ALONE = [("I", 0), ("P", 1), ("O", 4), ("B", 2), ("B", 3)]
LATE = [("I", 0), ("O", 4), ("B", 2), ("P", 5), ("B", 3), ("I", 6)]
CRA_CASES = {
    "leading pictures are part of the head": (LEADING, 1, 8, False, ([1, 2, 3], [4, 5], [6, 7])),
    "later ones are copied": (LEADING, 2, 12, False, ([2, 3], [4, 5, 8, 6, 7, 9, 10, 11], [])),
    "those before the clip are left out": (LEADING, 4, 6, True, ([], [4, 5], [])),
    "one without leading pictures": (LEADING, 9, 12, False, ([9], [10, 11], [])),
    "no sequence ends before the clip's first": (LEADING, 10, 12, True, ([], [10, 11], [])),
    "nor before the first of a later cut": (LEADING, 10, 12, False, ([10, 11], [], [])),
    "which is copied from its next one on": (LEADING, 4, 12, False, (
        [4, 5, 6, 7], [8, 9, 10, 11], [])),
    "only leading pictures follow": (ALONE, 1, 5, False, ([1, 2, 3], [4], [])),
    "leading pictures after others are an encoder's fault": (LATE, 1, 7, False, (
        [2, 3, 4, 5], [6], [])),
}  # fmt: skip


@pytest.mark.parametrize(
    ("samples", "start", "end", "is_first", "wanted"), CRA_CASES.values(), ids=CRA_CASES
)
def test_a_run_begins_with_a_cra_picture(
    samples: list[tuple[str, int]],
    start: int,
    end: int,
    is_first: bool,
    wanted: tuple[list[int], list[int], list[int]],
) -> None:
    """At the start of a clip, or after a head that ends a sequence, without leading pictures."""
    split = plan(samples, start, end, HEVC, is_first=is_first)
    assert shown(samples, split) == wanted
    first = [kind for kind, time in samples if split.copied and time == wanted[1][0]]
    assert split.needs_end == (bool(split.head) and first == ["O"])


def test_as_few_keyframes_as_possible_are_read() -> None:
    """The first clean one ends the search, and those outside the cut are not read."""
    read: list[int] = []

    def access_point(sample: int) -> AccessPoint:
        read.append(sample)
        return AccessPoint.ANYWHERE if sample > 10 else AccessPoint.NONE

    split_frames(list(range(40)), range(5, 35), range(0, 40, 10), access_point)
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


@given(films(), st.integers(0, 60), st.integers(1, 60), st.sampled_from((AVC, HEVC)), st.booleans())
def test_every_frame_occurs_once_and_every_copied_frame_decodes(
    film: Film,
    start: int,
    length: int,
    kinds: Mapping[str, AccessPoint],
    is_first: bool,
) -> None:
    """Head, run and tail hold the requested frames in order; the run needs nothing before it."""
    pts = [time for _, time in film.samples]
    split = plan(film.samples, start, start + length, kinds, is_first=is_first)
    wanted = sorted(t for t in pts if start <= t < start + length)
    copied = sorted(pts[i] for i in split.copied)
    assert [pts[i] for i in split.head] + copied + [pts[i] for i in split.tail] == wanted
    for sample in split.copied:
        assert film.needs[sample] >= split.copied[0]


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

    def access_point(sample: int) -> AccessPoint:
        read.append(sample)
        return AccessPoint.NONE

    frames = range(1000)
    split = split_frames(list(frames), frames, frames, access_point)
    assert read == list(range(MAX_KEYFRAMES_TRIED))
    assert (split.head, len(split.copied)) == (tuple(frames), 0)
