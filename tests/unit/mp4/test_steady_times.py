"""A wrong stamp costs nothing but itself: every frame once, in the order recorded, holes kept."""

from array import array
from collections.abc import Sequence
from itertools import pairwise

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.mp4.sample_entry import SampleEntry
from infrastructure.mp4.sample_tables import StoredTrack
from infrastructure.mp4.steady_times import MAX_RUNS_COMPARED, is_steady, made_steady

SCALE, TICKS = 15_360, 512
AUDIO_SCALE, PACKET = 48_000, 1024
FOLLOW = "later frames are taken to follow those before them."
REORDERED = (1, 3, 0, 0)  # of I P B B: so many frames after it is decoded


@frozen
class Stamp:
    """A fragment: how many frames, what the recorder missed before it, and what its stamp says."""

    frames: int = 24
    hole_s: int = 0
    stray_s: float = 0.0
    restart_s: int = 0
    """By how much the clock is set back, from this fragment on."""


def stored(kind: str, dts: Sequence[int], pts: Sequence[int], at: Sequence[int]) -> StoredTrack:
    """Return a track of samples of ten bytes *at* these places."""
    count = len(dts)
    is_video = kind == "vide"
    return StoredTrack(
        track_id=1 if is_video else 2,
        kind=kind,
        timescale=SCALE if is_video else AUDIO_SCALE,
        matrix=(),
        edit=None,
        entry=SampleEntry("avc1" if is_video else "mp4a", b"", b""),
        offsets=array("q", at),
        sizes=array("I", [10] * count),
        dts=array("q", dts),
        pts=array("q", pts),
        durations=array("q", [TICKS if is_video else PACKET] * count),
        sync=bytearray(b"\1" * count),
    )


@frozen
class Film:
    """Tracks as stored, and the right times of the frames of fragments without a wrong stamp."""

    video: StoredTrack
    audio: StoredTrack
    right: list[int | None]
    """Presentation times, in ticks from the first frame's on, by sample number."""
    order: list[int]
    """Sample numbers in the order recorded."""


def film(stamps: Sequence[Stamp], first_s: float = 5000.0) -> Film:
    """Return what a recorder writes whose clock reads *first_s* at the start."""
    dts: list[int] = []
    pts: list[int] = []
    places: list[int] = []
    right: list[int | None] = []
    order: list[int] = []
    audio: list[int] = []
    audio_places: list[int] = []
    true, clock, byte = 0, round(first_s * SCALE), 0
    for stamp in stamps:
        true += stamp.hole_s * SCALE
        clock -= stamp.restart_s * SCALE
        stray = round(stamp.stray_s * SCALE)
        shown = []
        for number in range(stamp.frames):
            late = REORDERED[number % 4] * TICKS
            if number // 4 * 4 + 4 > stamp.frames:  # no whole group is left
                late = TICKS
            decoded = true + number * TICKS
            shown.append((decoded + late, len(dts)))
            dts.append(clock + stray + decoded)
            pts.append(clock + stray + decoded + late)
            right.append(None if stray else decoded + late - TICKS)
            places.append(byte)
            byte += 10
        order += [number for _, number in sorted(shown)]
        begin = -(-true * AUDIO_SCALE // (PACKET * SCALE))
        true += stamp.frames * TICKS
        for packet in range(begin, -(-true * AUDIO_SCALE // (PACKET * SCALE))):
            audio.append(packet * PACKET + (clock + stray) * AUDIO_SCALE // SCALE)
            audio_places.append(byte)
            byte += 10
    return Film(
        stored("vide", dts, pts, places), stored("soun", audio, audio, audio_places), right, order
    )


def check(made: Film) -> tuple[StoredTrack, StoredTrack, tuple[str, ...]]:
    """Check that every frame comes once and in order, the undoubted ones at their times."""
    steady, notes = made_steady({"vide": made.video, "soun": made.audio})
    video, audio = steady["vide"], steady["soun"]
    assert sorted(range(len(video.pts)), key=video.pts.__getitem__) == made.order
    zero = video.pts[made.order[0]]
    moved = [time - zero for time in video.pts]
    assert [
        (number, time, due)
        for number, (time, due) in enumerate(zip(moved, made.right, strict=True))
        if due is not None and time != due
    ] == []
    assert is_steady(video) == all(
        after - before <= SCALE for before, after in pairwise(sorted(moved))
    )
    for offset, time in zip(audio.offsets, audio.pts, strict=True):
        near = max(n for n, at in enumerate(video.offsets) if at < offset)
        apart_s = abs(time / AUDIO_SCALE - video.dts[near] / SCALE)
        assert apart_s < 4
    assert all(before <= after for before, after in pairwise(audio.pts))
    return video, audio, notes


PLAIN = Stamp()


@pytest.mark.parametrize("stray_s", [-1000, 1000, -1.5, 1.5, -86_400, 90_000, 4000])
@pytest.mark.parametrize("at", [1, 5, 8])
def test_a_fragment_out_of_step_follows_the_one_before_it(stray_s: float, at: int) -> None:
    """The others keep their time, and its audio goes with it."""
    stamps = [PLAIN] * 10
    stamps[at] = evolve(PLAIN, stray_s=stray_s)
    made = film(stamps)
    made = evolve(made, right=film([PLAIN] * 10).right)  # even the stray's own times are found
    _, _, notes = check(made)
    step = "step back" if stray_s < 0 else "jump ahead"
    assert notes == (f"the times of 24 frames are doubtful: they {step} by {abs(stray_s):g} s.",)


@pytest.mark.parametrize("restart_s", [2, 5, 180, 5000])
def test_a_clock_that_steps_back_for_good_goes_on(restart_s: int) -> None:
    """The frames after the step follow those before it."""
    made = film([*[PLAIN] * 6, evolve(PLAIN, restart_s=restart_s), *[PLAIN] * 6])
    _, audio, notes = check(made)
    assert {after - before for before, after in pairwise(audio.pts)} == {PACKET}
    assert notes == (
        f"the times are doubtful: the recorder's clock steps back by {restart_s} s; {FOLLOW}",
    )


def test_holes_after_a_restart_stay() -> None:
    """The new clock is as good as the old one."""
    restart, hole = evolve(PLAIN, restart_s=600), evolve(PLAIN, hole_s=30)
    check(film([*[PLAIN] * 6, restart, *[PLAIN] * 3, hole, *[PLAIN] * 3, restart, PLAIN, hole]))


@pytest.mark.parametrize("inside", [1, 12, 23])
def test_a_duration_too_long_inside_a_fragment_moves_no_other(inside: int) -> None:
    """The next fragment returns: so the later frames of its own are strays."""
    made = film([PLAIN] * 5)
    video, first = made.video, 48 + inside
    dts, pts = array("q", video.dts), array("q", video.pts)
    for number in range(first, 72):
        dts[number] += 3600 * SCALE
        pts[number] += 3600 * SCALE
    check(evolve(made, video=evolve(video, dts=dts, pts=pts)))


def test_a_jump_ahead_that_stays_is_a_hole() -> None:
    """Nothing is doubtful about it."""
    made = film([PLAIN, evolve(PLAIN, hole_s=1000), PLAIN, evolve(PLAIN, hole_s=2)])
    video, _, notes = check(made)
    assert notes == ()
    assert video is made.video


@pytest.mark.parametrize("years", [1, 50])
def test_a_clock_that_is_set_leaves_no_hole(years: int) -> None:
    """A camera that starts in 1970 and then learns the time has not slept for decades."""
    made = film([*[PLAIN] * 3, evolve(PLAIN, restart_s=-86_400 * 365 * years), *[PLAIN] * 5])
    _, _, notes = check(made)
    assert "clock jumps ahead by" in notes[0]


def test_fragments_that_overlap_by_a_few_frames_are_left_alone() -> None:
    """Real recorders' clocks are corrected now and then."""
    made = film([PLAIN, evolve(PLAIN, stray_s=-0.4), PLAIN, evolve(PLAIN, stray_s=0.9), PLAIN])
    steady, notes = made_steady({"vide": made.video, "soun": made.audio})
    assert (steady["vide"], steady["soun"], notes) == (made.video, made.audio, ())


def test_strays_that_last_longer_than_their_place_are_fitted_in() -> None:
    """They never stand among the frames of the run after them."""
    made = film([PLAIN, evolve(PLAIN, stray_s=-100), *[PLAIN] * 3])
    early = [
        time - (SCALE // 2 if number >= 48 else 0) for number, time in enumerate(made.video.dts)
    ]
    video = stored(
        "vide",
        early,
        [a + b - c for a, b, c in zip(early, made.video.pts, made.video.dts, strict=True)],
        made.video.offsets,
    )
    steady, _ = made_steady({"vide": video})
    pts = steady["vide"].pts
    assert all(before <= after for before, after in pairwise(steady["vide"].dts))
    assert max(pts[24:48]) <= min(pts[48:])
    assert list(pts[48:]) == list(video.pts[48:])


def test_audio_that_begins_late_follows_its_own_video() -> None:
    """By itself, it would follow the audio before the step."""
    made = film([*[PLAIN] * 6, evolve(PLAIN, restart_s=5000), *[PLAIN] * 6])
    kept = [n for n, at in enumerate(made.audio.offsets) if not 2000 < at < 5000]
    audio = stored(
        "soun",
        [made.audio.dts[n] for n in kept],
        [made.audio.dts[n] for n in kept],
        [made.audio.offsets[n] for n in kept],
    )
    whole = made_steady({"vide": made.video, "soun": made.audio})[0]["soun"]
    steady = made_steady({"vide": made.video, "soun": audio})[0]["soun"]
    assert list(steady.pts) == [whole.pts[n] for n in kept]


def test_audio_of_long_fragments_goes_with_them() -> None:
    """Its first packet is stored behind ten seconds of video."""
    plain, stray = Stamp(300), Stamp(300, stray_s=-1000)
    made = film([plain, plain, stray, plain])
    steady, _ = made_steady({"vide": made.video, "soun": made.audio})
    assert {after - before for before, after in pairwise(steady["soun"].pts)} == {PACKET}


def test_a_stray_of_the_audio_alone_moves_no_picture() -> None:
    """Nor does one of the video alone move the audio."""
    plain, wrong = film([PLAIN] * 9), film([*[PLAIN] * 4, evolve(PLAIN, stray_s=-77), *[PLAIN] * 4])
    for video, audio in ((plain.video, wrong.audio), (wrong.video, plain.audio)):
        steady, _ = made_steady({"vide": video, "soun": audio})
        assert steady["vide"].pts == plain.video.pts
        apart = [a - b for a, b in zip(steady["soun"].pts, plain.audio.pts, strict=True)]
        assert max(map(abs, apart)) <= PACKET


@pytest.mark.parametrize("by_s", [-1000, -4, 4, 1000])
@pytest.mark.parametrize("number", [0, 1, 2, 3, 50, 101, 102, 103, 200, 225])
def test_a_frame_presented_far_away_is_shown_where_one_is_missing(number: int, by_s: int) -> None:
    """Whatever its kind: it costs at most itself."""
    made = film([PLAIN] * 10)
    pts = array("q", made.video.pts)
    pts[number] += by_s * SCALE
    made = evolve(made, video=evolve(made.video, pts=pts))
    _, _, notes = check(made)
    step = "step back" if by_s < 0 else "jump ahead"
    assert notes == (f"the times of 1 frame are doubtful: they {step} by {abs(by_s)} s.",)


def test_the_last_frame_presented_late_is_behind_a_hole() -> None:
    """No later frame contradicts it."""
    made = film([PLAIN] * 4)
    pts = array("q", made.video.pts)
    last = max(range(len(pts)), key=pts.__getitem__)
    pts[last] += 30 * SCALE
    made.right[last] = 30 * SCALE + 95 * TICKS
    check(evolve(made, video=evolve(made.video, pts=pts)))


def test_frames_around_a_hole_keep_their_place() -> None:
    """A frame after the hole is decoded before it, if B-frames refer to it."""
    pts = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11, 15, 13, 14] * 8
    pts = [time + number // 16 * 16 for number, time in enumerate(pts)]
    for first in (50, 51, 52, 53, 124, 125, 126):
        shown = [time + (3000 if time >= first else 0) for time in pts]
        dts = [time - 2 for time in sorted(shown)]
        video = stored("vide", [t * TICKS for t in dts], [t * TICKS for t in shown], range(128))
        steady, notes = made_steady({"vide": video})
        assert steady["vide"] is video
        assert notes == ()


def test_an_audio_packet_does_not_claim_an_hour() -> None:
    """There is silence for the rest of it."""
    made = film([PLAIN] * 3)
    durations = array("q", made.audio.durations)
    durations[7] = durations[-1] = 3600 * AUDIO_SCALE
    steady, _ = made_steady({"soun": evolve(made.audio, durations=durations)})
    assert set(steady["soun"].durations) == {PACKET}


def test_a_hostile_number_of_steps_takes_no_time() -> None:
    """Each is taken as it comes, in file order."""
    stamps = [evolve(PLAIN, frames=2, restart_s=5) for _ in range(2 * MAX_RUNS_COMPARED)]
    video = film(stamps, 50_000).video
    steady, _ = made_steady({"vide": video})
    assert all(before <= after for before, after in pairwise(steady["vide"].dts))


@st.composite
def clocks(draw: st.DrawFn) -> list[Stamp]:
    """Draw fragments whose stamps stray, step back permanently, or leave holes.

    What strays is shorter than what does not: a clock of which most stamps are wrong can be read in
    several ways. So is one that restarts within RESTART_COST_S of strays.
    """
    stamps = [Stamp(60)]
    kinds = ["plain", "hole", draw(st.sampled_from(["stray", "restart"]))]
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(kinds))
        stamp = Stamp(draw(st.sampled_from([1, 7, 8, 24, 60])))
        if kind == "stray":
            by = draw(st.sampled_from([-4000, -1000, -300.5, 300.5, 1000, 20_000, 86_400 * 400]))
            stamp = evolve(stamp, frames=min(stamp.frames, 24), stray_s=by)
        if kind == "hole":
            stamp = evolve(stamp, hole_s=draw(st.sampled_from([2, 30, 120])))
        if kind == "restart":
            # Longer than all holes together: else what follows could be a return.
            stamp = evolve(stamp, restart_s=draw(st.integers(2000, 2300)))
        stamps += [stamp, Stamp(draw(st.integers(60, 90)))]
    return stamps


@given(clocks())
def test_every_frame_once_in_order_and_holes_where_they_were(stamps: list[Stamp]) -> None:
    """Whatever the clock did."""
    check(film(stamps, 100_000))


@given(
    st.sets(st.integers(0, 190), max_size=5),
    st.sampled_from([-900, -7, 7, 900]),
    st.sampled_from([0, 40]),
)
def test_strays_of_single_frames_cost_nothing_else(
    numbers: set[int], by_s: int, hole_s: int
) -> None:
    """All frames but them keep their times, with or without a hole among them."""
    made = film([*[PLAIN] * 5, evolve(PLAIN, hole_s=hole_s), *[PLAIN] * 4])
    pts = array("q", made.video.pts)
    for number in numbers:
        pts[number] += by_s * SCALE
    steady, _ = made_steady({"vide": evolve(made.video, pts=pts)})
    others = [n for n in range(len(pts)) if n not in numbers]
    assert [steady["vide"].pts[n] for n in others] == [made.video.pts[n] for n in others]
    assert sorted(steady["vide"].pts[n] for n in numbers) != [] or not numbers
