"""The wall clock of a clip: each second at its time, whatever the plan skips, holds or repeats."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from itertools import groupby
from math import floor
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from domain.filler import slate_lines
from domain.planning import ClipPlan, plan_clip
from domain.recording import RecordingSegment
from domain.wall_clock import (
    MAX_CHAPTERS,
    MAX_TITLE_BYTES,
    Chapter,
    Cue,
    wall_clock_chapters,
    wall_clock_cues,
)
from domain.window import TimeWindow

MADRID = ZoneInfo("Europe/Madrid")
HALF_HOURS = timezone(timedelta(hours=-2, minutes=-30))
SEAM_MS = 1000


def at_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


NOON_MS = at_ms("2026-05-01T12:00:00Z")


@frozen
class Named:
    """A recording of a table, in ms after its day's first instant."""

    name: str
    start_ms: int
    end_ms: int
    rate: Fraction = Fraction(1)

    def segment(self, zero_ms: int) -> RecordingSegment:
        window = TimeWindow(zero_ms + self.start_ms, zero_ms + self.end_ms)
        return evolve(RecordingSegment(window, self.name), rate=self.rate)


def planned(
    files: Sequence[Named], from_ms: int, to_ms: int, zero_ms: int = NOON_MS, seam_ms: int = SEAM_MS
) -> ClipPlan:
    window = TimeWindow(zero_ms + from_ms, zero_ms + to_ms)
    return plan_clip(window, [file.segment(zero_ms) for file in files], seam_ms)


def cues(plan: ClipPlan, zone: tzinfo = UTC) -> list[tuple[int, int, str]]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in wall_clock_cues(plan, zone)]


ONE = [Named("a", 0, 60_000)]
GAP = [Named("a", 0, 2_500), Named("b", 14_250, 60_000)]
SEAM = [Named("a", 0, 2_600), Named("b", 3_300, 60_000)]
FAST = Named("fast", 0, 60_000, Fraction(3, 2))

CUES = {
    "a clip of whole seconds": (
        planned(ONE, 1_000, 3_000),
        [(0, 1000, "12:00:01"), (1000, 2000, "12:00:02")],
    ),
    "a clip that begins and ends within a second": (
        planned(ONE, 250, 2_750),
        [(0, 750, "12:00:00"), (750, 1750, "12:00:01"), (1750, 2500, "12:00:02")],
    ),
    "a clip within a second": (planned(ONE, 1_250, 1_750), [(0, 500, "12:00:01")]),
    "a gap: the clock jumps": (
        planned(GAP, 1_000, 16_000),
        [
            (0, 1000, "12:00:01"),
            (1000, 1500, "12:00:02"),
            (1500, 2250, "12:00:14"),
            (2250, 3250, "12:00:15"),
        ],
    ),
    "a gap within a second: its two parts are one cue": (
        planned([Named("a", 0, 2_200), Named("b", 2_700, 9_000)], 1_000, 4_000, seam_ms=100),
        [(0, 1000, "12:00:01"), (1000, 1500, "12:00:02"), (1500, 2500, "12:00:03")],
    ),
    "a seam: the clock goes on while a picture is held": (
        planned(SEAM, 1_500, 4_500),
        [
            (0, 500, "12:00:01"),
            (500, 1500, "12:00:02"),
            (1500, 2500, "12:00:03"),
            (2500, 3000, "12:00:04"),
        ],
    ),
    "a seam at the clip's start": (
        planned([Named("b", 2_300, 9_000)], 1_800, 3_100),
        [(0, 200, "12:00:01"), (200, 1200, "12:00:02"), (1200, 1300, "12:00:03")],
    ),
    "a gap at the clip's start": (
        planned([Named("b", 9_300, 12_000)], 1_800, 11_000),
        [(0, 700, "12:00:09"), (700, 1700, "12:00:10")],
    ),
    "a gap at the clip's end": (
        planned([Named("b", 0, 2_500)], 1_500, 11_000),
        [(0, 500, "12:00:01"), (500, 1000, "12:00:02")],
    ),
    "media of another rate: a second lasts for longer": (
        planned([FAST], 500, 3_000),
        [(0, 750, "12:00:00"), (750, 2250, "12:00:01"), (2250, 3750, "12:00:02")],
    ),
    "media of a rate that divides no second": (
        planned([evolve(FAST, rate=Fraction(2, 3))], 500, 2_600),
        [(0, 334, "12:00:00"), (334, 1000, "12:00:01"), (1000, 1400, "12:00:02")],
    ),
    "a recording dated before the end of the one before: its own clock counts": (
        planned([Named("a", 0, 2_600), Named("b", 1_900, 9_000)], 1_500, 3_000),
        [
            (0, 500, "12:00:01"),
            (500, 1100, "12:00:02"),
            (1100, 1200, "12:00:01"),
            (1200, 2200, "12:00:02"),
        ],
    ),
}


@pytest.mark.parametrize(("plan", "expected"), CUES.values(), ids=CUES)
def test_a_cue_is_a_second(plan: ClipPlan, expected: list[tuple[int, int, str]]) -> None:
    """It begins where the second, the clip or a part of it begins, and ends with the next."""
    assert cues(plan) == [(start, end, f"2026-05-01 {text} UTC") for start, end, text in expected]


ZONES = {
    "UTC": ("2026-05-01T12:00:00Z", UTC, ["2026-05-01 12:00:00 UTC", "2026-05-01 12:00:01 UTC"]),
    "a zone": (
        "2026-05-01T12:00:00Z",
        MADRID,
        ["2026-05-01 14:00:00 +02:00", "2026-05-01 14:00:01 +02:00"],
    ),
    "midnight": (
        "2026-12-31T22:59:59Z",
        MADRID,
        ["2026-12-31 23:59:59 +01:00", "2027-01-01 00:00:00 +01:00"],
    ),
    "half hours before UTC": (
        "2026-05-01T12:00:00Z",
        HALF_HOURS,
        ["2026-05-01 09:30:00 -02:30", "2026-05-01 09:30:01 -02:30"],
    ),
    "the clock is put forward": (
        "2026-03-29T00:59:59Z",
        MADRID,
        ["2026-03-29 01:59:59 +01:00", "2026-03-29 03:00:00 +02:00"],
    ),
    "the clock is put back": (
        "2026-10-25T00:59:59Z",
        MADRID,
        ["2026-10-25 02:59:59 +02:00", "2026-10-25 02:00:00 +01:00"],
    ),
}


@pytest.mark.parametrize(("start", "zone", "texts"), ZONES.values(), ids=ZONES)
def test_a_cue_names_its_offset(start: str, zone: tzinfo, texts: list[str]) -> None:
    """So that an hour that a clock change repeats is there twice."""
    found = cues(planned(ONE, 0, 2_000, at_ms(start)), zone)
    assert found == [(0, 1000, texts[0]), (1000, 2000, texts[1])]


@given(
    st.lists(
        st.tuples(st.integers(0, 4_000), st.integers(1, 4_000), st.fractions(Fraction(1, 2), 2)),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 6_000),
    st.integers(1, 8_000),
)
def test_at_each_millisecond_the_second_is_the_one_in_which_the_picture_was_seen(
    files: list[tuple[int, int, Fraction]], from_ms: int, duration_ms: int
) -> None:
    """As the plan's own definition of its clock has it, one millisecond at a time."""
    named, begins_ms = [], 0
    for number, (hole_ms, media_ms, rate) in enumerate(files):
        begins_ms += hole_ms
        named.append(Named(f"{number}", begins_ms, begins_ms + media_ms, rate))
        begins_ms += media_ms
    plan = planned(named, from_ms, from_ms + duration_ms)
    if not plan.cuts:
        return
    seen = [
        datetime.fromtimestamp(second_at(plan, ms), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        for ms in range(plan.duration_ms)
    ]
    expected, end_ms = [], 0
    for text, same in groupby(seen):
        start_ms, end_ms = end_ms, end_ms + len(list(same))
        expected.append(Cue(start_ms, end_ms, text))
    assert wall_clock_cues(plan, UTC) == expected


def second_at(plan: ClipPlan, ms: int) -> int:
    """Return the second of the wall clock, since the epoch, at a millisecond of the clip."""
    begun = [cut for cut in plan.cuts if cut.clip_ms <= ms]
    if not begun:
        return (plan.window.start_ms + ms) // 1000
    cut, after_ms = begun[-1], ms - begun[-1].clip_ms
    media_ms = round(cut.window.duration_ms * cut.segment.rate)
    if after_ms >= media_ms:
        return (cut.window.end_ms + after_ms - media_ms) // 1000
    return floor((cut.window.start_ms + after_ms / cut.segment.rate) / 1000)


def chapters(plan: ClipPlan, zone: tzinfo = UTC) -> list[tuple[int, str]]:
    return [(c.start_ms, c.title) for c in wall_clock_chapters(plan, zone, plan.cuts)]


CHAPTERS = {
    "one recording": (planned(ONE, 1_250, 3_000), [(0, "12:00:01 UTC a")]),
    "two recordings": (
        planned([Named("a", 0, 2_500), Named("b", 2_500, 9_000)], 1_250, 3_000),
        [(0, "12:00:01 UTC a"), (1250, "12:00:02 UTC b")],
    ),
    "a seam between two recordings": (
        planned(SEAM, 1_500, 4_500),
        [(0, "12:00:01 UTC a"), (1800, "12:00:03 UTC b")],
    ),
    "a gap between two recordings": (
        planned(GAP, 1_000, 16_000),
        [(0, "12:00:01 UTC a"), (1500, "12:00:14 UTC b, after 11.8 s without footage")],
    ),
    "a gap at the clip's start": (
        planned([Named("b", 9_300, 12_000)], 1_800, 11_000),
        [(0, "12:00:09 UTC b, after 7.5 s without footage")],
    ),
    "a seam at the clip's start": (
        planned([Named("b", 2_300, 9_000)], 1_800, 3_100),
        [(0, "12:00:01 UTC b")],
    ),
}


@pytest.mark.parametrize(("plan", "expected"), CHAPTERS.values(), ids=CHAPTERS)
def test_a_chapter_is_a_recording(plan: ClipPlan, expected: list[tuple[int, str]]) -> None:
    """With the time at its start; or what follows a gap, with the gap's duration."""
    assert chapters(plan) == [(start, f"2026-05-01 {title}") for start, title in expected]


def test_a_gap_within_a_recording_begins_a_chapter_and_a_seam_does_not() -> None:
    """A recording has stretches."""
    whole = Named("a", 0, 60_000).segment(NOON_MS)
    holes = [
        TimeWindow(NOON_MS + 2_000, NOON_MS + 2_500),
        TimeWindow(NOON_MS + 4_000, NOON_MS + 9_000),
    ]
    holed = evolve(whole, stretches=tuple(whole.window.without(holes)))
    plan = plan_clip(TimeWindow(NOON_MS, NOON_MS + 10_000), [holed], SEAM_MS)
    assert len(plan.cuts) == 3
    assert chapters(plan, MADRID) == [
        (0, "2026-05-01 14:00:00 +02:00 a"),
        (4000, "2026-05-01 14:00:09 +02:00 a, after 5.0 s without footage"),
    ]


def test_a_cut_without_frames_has_no_chapter() -> None:
    """The gaps around it count together."""
    files = [Named("a", 0, 2_000), Named("b", 5_000, 5_001), Named("c", 8_000, 9_000)]
    plan = planned(files, 0, 9_000)
    shown = [cut for cut in plan.cuts if cut.segment.name != "b"]
    assert wall_clock_chapters(plan, UTC, shown) == (
        Chapter(0, "2026-05-01 12:00:00 UTC a"),
        Chapter(2001, "2026-05-01 12:00:08 UTC c, after 6.0 s without footage"),
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a/b\n\udcff.mp4", "a/b??.mp4"),
        ("x" * 300 + ".mp4", "…" + "x" * 224 + ".mp4"),
        ("é" * 300, "…" + "é" * 114),
    ],
    ids=["characters that cannot be printed", "long", "long, in characters of two bytes"],
)
def test_a_title_fits_a_list_of_chapters(name: str, shown: str) -> None:
    """It is text of at most 255 bytes; a long name loses its beginning."""
    [(_, title)] = chapters(planned([Named(name, 0, 60_000)], 0, 2_000))
    assert title == f"2026-05-01 12:00:00 UTC {shown}"
    assert len(title.encode()) <= MAX_TITLE_BYTES


def many(count: int, hole_ms: int) -> list[Named]:
    """Return cuts of a second, every other one after a hole."""
    files, begins_ms = [], 0
    for number in range(count):
        begins_ms += hole_ms if number % 2 else 0
        files.append(Named(f"{number:03}", begins_ms, begins_ms + 1_000))
        begins_ms += 1_000
    return files


@pytest.mark.parametrize(
    ("count", "names"),
    [
        (255, range(255)),
        (256, [0, *range(1, 256, 2)]),
        (600, [0, *range(1, 508, 2)]),
    ],
)
def test_of_too_many_chapters_those_after_gaps_remain(count: int, names: Sequence[int]) -> None:
    """And the first."""
    plan = planned(many(count, 5_000), 0, count * 6_000)
    found = [int(title.split()[3].rstrip(",")) for _, title in chapters(plan)]
    assert found == list(names)
    assert len(found) <= MAX_CHAPTERS


def filled(files: list[Named], from_ms: int, to_ms: int) -> ClipPlan:
    """Plan a clip whose gaps are filled."""
    window = TimeWindow(NOON_MS + from_ms, NOON_MS + to_ms)
    return plan_clip(window, [file.segment(NOON_MS) for file in files], SEAM_MS, fills_gaps=True)


def test_a_filled_gap_is_a_chapter() -> None:
    """At its time on the clip's clock; what follows it says nothing of it."""
    plan = filled([Named("a", 2_000, 4_000), Named("b", 9_000, 12_000)], 500, 14_000)
    assert chapters(plan) == [
        (0, "2026-05-01 12:00:00 UTC no footage"),
        (1500, "2026-05-01 12:00:02 UTC a"),
        (3500, "2026-05-01 12:00:04 UTC no footage"),
        (8500, "2026-05-01 12:00:09 UTC b"),
        (11_500, "2026-05-01 12:00:12 UTC no footage"),
    ]


def test_the_wall_clock_goes_on_in_a_filled_gap() -> None:
    """A cue for each of its seconds."""
    plan = filled([Named("a", 2_000, 4_000), Named("b", 9_000, 12_000)], 500, 14_000)
    cues = wall_clock_cues(plan, UTC)
    assert [cue.text[11:19] for cue in cues] == [f"12:00:{second:02}" for second in range(14)]
    assert [cue.start_ms for cue in cues] == [0, *range(500, 13_500, 1000)]
    assert cues[-1].end_ms == plan.duration_ms == 13_500


def test_the_first_chapter_begins_with_the_clip() -> None:
    """Even if the cut before the gap has no frame."""
    plan = filled([Named("a", 0, 1_010), Named("b", 9_000, 12_000)], 1_000, 10_000)
    found = wall_clock_chapters(plan, UTC, plan.cuts[1:])
    assert [(each.start_ms, each.title[11:]) for each in found] == [
        (0, "12:00:01 UTC no footage"),
        (8_000, "12:00:09 UTC b"),
    ]


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "zone", "expected"),
    [
        (10_000, 22_000, UTC, ("no footage", "12:00:10-12:00:22", "UTC")),
        (10_400, 21_001, MADRID, ("no footage", "14:00:10-14:00:22", "+02:00")),
        (-1, 0, UTC, ("no footage", "11:59:59-12:00:00", "UTC")),
        (0, 1, UTC, ("no footage", "12:00:00-12:00:01", "UTC")),
        (
            177 * 86_400_000 - 11 * 3_600_000 - 5_000,
            177 * 86_400_000 - 11 * 3_600_000 + 5_000,
            MADRID,
            ("no footage", "02:59:55 +02:00-", "02:00:05 +01:00"),
        ),
    ],
)
def test_a_slate_says_which_seconds_have_no_footage(
    from_ms: int, to_ms: int, zone: tzinfo, expected: tuple[str, ...]
) -> None:
    """In the zone of the wall clock; each time with its offset if that changes between them."""
    assert slate_lines(TimeWindow(NOON_MS + from_ms, NOON_MS + to_ms), zone) == expected
