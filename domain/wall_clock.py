"""The wall clock of a clip: which second it was when what it shows was seen.

The clip's clock skips gaps that are not filled, and media of a wrong clock has another rate; so the
time of day at a moment of the clip follows from the plan alone. No frame needs to be known, and
none is changed.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo
from fractions import Fraction
from math import ceil

from attrs import evolve, frozen

from domain.clip_label import EPOCH, offset_text
from domain.filler import NO_FOOTAGE
from domain.planning import ClipPlan, Cut

MAX_CHAPTERS = 255
MAX_TITLE_BYTES = 255
"""Of a chapter, as UTF-8: lists of chapters count both in a byte."""


@frozen
class Cue:
    """A text, and from when and until when the clip shows it."""

    start_ms: int
    end_ms: int
    text: str


@frozen
class Chapter:
    """Where a part of the clip begins, and what it is called."""

    start_ms: int
    title: str


@frozen
class _Course:
    """A part of the clip in which the wall clock goes on steadily."""

    start_ms: int
    end_ms: int
    instant_ms: int
    """The wall clock at its start, in ms since the epoch."""
    rate: Fraction = Fraction(1)

    def seconds(self) -> Iterator[tuple[int, int]]:
        """Yield each second of the wall clock, since the epoch, after when the clip reaches it."""
        second, start_ms = self.instant_ms // 1000, self.start_ms
        while start_ms < self.end_ms:
            yield start_ms, second
            second += 1
            start_ms = self.start_ms + ceil((second * 1000 - self.instant_ms) * self.rate)


def wall_clock_cues(plan: ClipPlan, zone: tzinfo) -> list[Cue]:
    """Return the wall clock in `zone`: cues that cover the clip of `plan`, one for each second.

    At each millisecond of the clip, its cue has the second in which the picture was seen. A cue is
    shorter than a second where a part of the clip begins or ends, and at another rate.
    """
    starts: list[tuple[int, str]] = []
    for course in _courses(plan):
        for start_ms, second in course.seconds():
            text = _text(second, zone)
            if not starts or starts[-1][1] != text:
                starts.append((start_ms, text))
    ends_ms = [*(start_ms for start_ms, _ in starts[1:]), plan.duration_ms]
    # Of a millisecond at half the rate, nothing is left.
    return [
        Cue(start_ms, end_ms, text)
        for (start_ms, text), end_ms in zip(starts, ends_ms, strict=False)
    ]


def wall_clock_chapters(plan: ClipPlan, zone: tzinfo, shown: Sequence[Cut]) -> tuple[Chapter, ...]:
    """Return a chapter for each recording and one after each gap; `shown` are cuts with frames.

    A filled gap is a chapter, too. If there are more than a list can have, those of gaps and after
    them, and the first, are there; if those are more, the first of them.
    """
    found = [
        (Chapter(filled.start_ms, f"{_text(filled.window.start_ms // 1000, zone)} {NO_FOOTAGE}"), 1)
        for filled in plan.filled
    ]
    before: Cut | None = None
    for cut in shown:
        reached_ms = before.window.start_ms if before else plan.window.start_ms
        gap_ms = sum(
            gap.duration_ms for gap in plan.gaps if reached_ms <= gap.start_ms < cut.window.start_ms
        )
        skipped_ms = 0 if plan.fills_gaps else gap_ms
        if before is None and not (plan.fills_gaps and gap_ms):
            first = plan.cuts[0]
            instant_ms = first.window.start_ms - first.clip_ms
            found.append((Chapter(0, _title(instant_ms, zone, cut, skipped_ms)), gap_ms))
        elif before is None or gap_ms or cut.segment.name != before.segment.name:
            title = _title(cut.window.start_ms, zone, cut, skipped_ms)
            found.append((Chapter(cut.clip_ms, title), gap_ms))
        before = cut
    found.sort(key=lambda one: one[0].start_ms)
    found[0] = evolve(found[0][0], start_ms=0), found[0][1]
    if len(found) > MAX_CHAPTERS:
        found = [*found[:1], *(one for one in found[1:] if one[1])]
    return tuple(chapter for chapter, _ in found[:MAX_CHAPTERS])


def _courses(plan: ClipPlan) -> Iterator[_Course]:
    """Yield the clip's parts in order: its cuts, and seams and filled gaps between them."""
    first = plan.cuts[0]
    yield _Course(0, first.clip_ms, first.window.start_ms - first.clip_ms)
    ends_ms = [*(cut.clip_ms for cut in plan.cuts[1:]), plan.duration_ms]
    for cut, end_ms in zip(plan.cuts, ends_ms, strict=True):
        yield _Course(cut.clip_ms, cut.media_end_ms, cut.window.start_ms, cut.segment.rate)
        yield _Course(cut.media_end_ms, end_ms, cut.window.end_ms)


def _text(second: int, zone: tzinfo) -> str:
    """Return a second since the epoch as 2026-05-01 14:05:12 +02:00, or with UTC at its end."""
    local = (EPOCH + timedelta(seconds=second)).astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {offset_text(local)}"


def _title(instant_ms: int, zone: tzinfo, cut: Cut, gap_ms: int) -> str:
    """Return the time of day, the recording's name, and for how long there was no footage."""
    clock = _text(instant_ms // 1000, zone)
    after = f", after {gap_ms / 1000:.1f} s without footage" if gap_ms else ""
    name = "".join(c if c.isprintable() else "?" for c in cut.segment.name)
    room_bytes = MAX_TITLE_BYTES - len(f"{clock} {after}".encode())
    if len(name.encode()) > room_bytes:
        # The end of a long name tells recordings apart.
        cut_off = "…".encode()
        name = (cut_off + name.encode()[len(cut_off) - room_bytes :]).decode(errors="ignore")
    return f"{clock} {name}{after}"
