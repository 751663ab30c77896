"""The frames of a cut, in exact arithmetic."""

from array import array
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Rejected
from domain.planning import plan_clip
from domain.window import TimeWindow
from infrastructure.mp4.index import Track
from infrastructure.splicing.frames import (
    clip_times,
    clip_timescale,
    find_decode_start,
    resolve_cuts,
)
from tests.unit.splicing.tracks import START_MS, named, opened, plan, video_track

THIRDS = video_track([1001 * i for i in range(90)], 30_000)
"""29.97 frames a second for 3 s."""


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(-500, 3500), st.integers(1, 3000))
def test_a_cut_has_the_frames_seen_within_it(from_ms: int, duration_ms: int) -> None:
    """From its start on and before its end; else the one on screen, computed with fractions."""
    recording = opened(THIRDS)
    seen = [
        i for i in range(90) if from_ms <= Fraction(1001 * i * 1000, 30_000) < from_ms + duration_ms
    ]
    found = plan(from_ms, from_ms + duration_ms, recording)
    if not found.cuts:
        with pytest.raises(Rejected, match="no frame"):
            resolve_cuts(found, named(recording))
        return
    (source,) = resolve_cuts(found, named(recording))
    held = [] if seen else [max(i for i in range(90) if 1001 * i * 1000 < 30_000 * from_ms)]
    assert (list(source.frames), source.held_frames) == (held or seen, len(held))
    timescale = clip_timescale([source])
    first, *others = clip_times([source], timescale)[0]
    assert first == 0
    for frame, time in zip(seen[1:], others, strict=True):
        expected_ms = Fraction(1001 * frame * 1000, 30_000) - from_ms
        assert abs(Fraction(time * 1000, timescale) - expected_ms) <= Fraction(1, 20)


def test_frames_come_in_presentation_order() -> None:
    """B-frames are stored after the frame that they refer to."""
    recording = opened(video_track([0, 300, 100, 200, 600, 400, 500], 1000))
    (source,) = resolve_cuts(plan(100, 501, recording), named(recording))
    assert source.frames == (2, 3, 1, 5, 6)


def test_frames_that_an_edit_list_hides_are_left_out() -> None:
    """Their times are before 0, or after the end."""
    video = evolve(video_track([-200, -100, 0, 100, 200, 300], 1000), shown_until=300)
    (source,) = resolve_cuts(plan(-500, 900, opened(video)), named(opened(video)))
    assert source.frames == (2, 3, 4)


def test_a_cut_without_a_frame_is_left_out() -> None:
    """The others make the clip."""
    first = opened(video_track([0, 500], 1000))
    slow = opened(video_track([0, 500], 1000), after_ms=1000)
    later = opened(video_track([0, 500], 1000), after_ms=1900)
    found = plan(600, 2400, first, slow, later)
    assert len(found.cuts) == 3
    late = evolve(found.cuts[1], window=TimeWindow(START_MS + 1600, START_MS + 1900))
    sources = resolve_cuts(
        evolve(found, cuts=(found.cuts[0], late, found.cuts[2])), named(first, slow, later)
    )
    assert [source.recording for source in sources] == [later]


def test_only_a_slow_camera_begins_with_a_picture_from_before_if_others_follow() -> None:
    """Of a camera that is not slow the next frame stands from the clip's start."""
    first = opened(video_track([0, 500], 1000))
    later = opened(video_track([0, 500], 1000), after_ms=1000)
    found = plan(600, 2000, first, later)
    segment = evolve(found.cuts[0].segment, frame_interval_ms=500)
    slow = evolve(found, cuts=(evolve(found.cuts[0], segment=segment), found.cuts[1]))
    shown = [resolve_cuts(one, named(first, later)) for one in (found, slow)]
    assert [[s.recording for s in sources] for sources in shown] == [[later], [first, later]]


SLOW = video_track([0, 1000, 2000, 3000], 1000)
PICTURES = {
    "a slow camera, between two pictures": (SLOW, (1500, 2500), (1, 2), 1, [0, 500]),
    "a slow camera, on a picture": (SLOW, (1000, 2500), (1, 2), 0, [0, 1000]),
    "a slow camera, from its first picture on": (SLOW, (-800, 1500), (0, 1), 0, [0, 1800]),
    "within a picture": (SLOW, (1200, 1300), (1,), 1, [0]),
    "within a picture of a fast camera": (THIRDS, (1002, 1003), (30,), 1, [0]),
    "a fast camera": (THIRDS, (1002, 1060), (31,), 0, [0]),
}


@pytest.mark.parametrize(
    ("video", "window", "frames", "held", "times_ms"), PICTURES.values(), ids=PICTURES
)
def test_the_picture_on_screen_at_the_start_is_shown(
    video: Track, window: tuple[int, int], frames: tuple[int, ...], held: int, times_ms: list[int]
) -> None:
    """If the clip would lack it noticeably; it is never copied."""
    recording = opened(video)
    segment = evolve(recording.segment, frame_interval_ms=1000 if video is SLOW else 33)
    found = plan_clip(TimeWindow(*window).shifted(START_MS), [segment], 1000)
    (source,) = resolve_cuts(found, {segment.name: recording})
    assert (source.frames, source.held_frames, source.copyable) == (frames, held, frames[held:])
    assert clip_times([source], 1000) == [times_ms]


def test_pictures_that_are_too_large_are_rejected() -> None:
    """Nothing is read before."""
    bomb = opened(evolve(THIRDS, width=12_000, height=12_000))
    with pytest.raises(Rejected, match="12000 x 12000"):
        resolve_cuts(plan(0, 1000, bomb), named(bomb))


@pytest.mark.parametrize(
    ("own", "clip"),
    [
        ([15_360], 15_360),
        ([30], 10_020),
        ([600], 10_200),
        ([90_000], 90_000),
        ([10_000_000], 90_000),
        ([15_360, 12_800], 90_000),
    ],
)
def test_the_clips_timescale_is_that_of_the_recordings_if_fine_enough(
    own: list[int], clip: int
) -> None:
    """A tick is at most 0.1 ms, so no frame is off by more than half of that."""
    recordings = [
        opened(video_track([0, scale // 2], scale), after_ms=1000 * i)
        for i, scale in enumerate(own)
    ]
    sources = resolve_cuts(plan(0, 5000, *recordings), named(*recordings))
    assert clip_timescale(sources) == clip


def test_times_ascend_even_if_the_timescale_is_too_coarse() -> None:
    """Frames less than a tick apart follow each other by one tick."""
    recording = opened(video_track([0, 1, 2, 3, 10_000_000], 10_000_000))
    sources = resolve_cuts(plan(0, 2000, recording), named(recording))
    assert clip_times(sources, clip_timescale(sources)) == [[0, 1, 2, 3, 90_000]]


def test_a_last_frame_of_almost_no_duration_is_not_lost() -> None:
    """Recorders that do not know its duration write a tick."""
    video = evolve(video_track([0, 500, 1000], 1000), shown_until=1001, timescale=1000)
    video = evolve(video, durations=array("q", [500, 500, 1]))
    fine = evolve(video, timescale=10_000, pts=array("q", [0, 5000, 10_000]), shown_until=10_001)
    for track in (video, fine):
        (source,) = resolve_cuts(plan(0, 2000, opened(track)), named(opened(track)))
        assert source.frames == (0, 1, 2)


CLOSED = video_track([0, 200, 100, 300, 500, 400], 1000, b"\1\0\0\1\0\0")
OPEN = video_track([0, 100, 400, 200, 300, 500], 1000, b"\1\0\1\0\0\0")


@pytest.mark.parametrize(
    ("track", "frames", "first"),
    [
        (CLOSED, [1, 2], 0),
        (CLOSED, [3], 3),
        (CLOSED, [5, 4], 3),
        (OPEN, [3, 4], 0),
        (OPEN, [4, 2, 5], 0),
        (OPEN, [2, 5], 2),
        (video_track([0, 100, 200], 1000, b"\0\0\1"), [1], None),
    ],
    ids=[
        "from the keyframe before",
        "from the keyframe itself",
        "frames that are stored after later ones",
        "frames shown before a keyframe and stored after it",
        "a keyframe and frames that are shown before it",
        "from an open keyframe on",
        "no keyframe before",
    ],
)
def test_decoding_starts_where_all_frames_come_out_whole(
    track: Track, frames: list[int], first: int | None
) -> None:
    """At a keyframe decoded and shown no later than any of them."""
    assert find_decode_start(opened(track).read, track, frames) == first
