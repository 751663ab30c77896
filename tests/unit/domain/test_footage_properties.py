"""Whatever recorders write: each frame once, nothing missing unsaid, adjacent clips partition."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from statistics import median_low

from attrs import evolve, frozen
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.planning import Availability, ClipPlan, plan_clip
from domain.recording import FrameTimes, RecordingSegment, believed_rates
from domain.window import TimeWindow

SEAM_MS = 1000
INTERVALS_MS = (40, 100, 333, 400, 2000)
LATE_MS = (0, 0, 0, 0, 0, 0, 5, 70, 900, 1000, 1001, 1300, 4000, 9000)
"""By how much a frame may come later than usual."""
STEPS_MS = (0, 0, 0, 1, -1, 30, -20, 400, 900, 1000, 1001, -500, -1000, -1001, 3000, -3000, -8000)
"""From the end of a recording to the start of the next."""
ROUNDING_MS = 1
"""A clip's duration is in whole milliseconds, whatever the rate of its recordings."""
Frame = tuple[str, int]


@frozen
class Film:
    """A recording as its recorder wrote it. Times are in ms of its media, from its start."""

    name: str
    start_ms: int
    frames_ms: tuple[int, ...]
    last_ms: int
    """The duration of its last frame."""
    listed_ms: int

    @property
    def end_ms(self) -> int:
        return self.frames_ms[-1] + self.last_ms

    def opened(self) -> RecordingSegment:
        window = TimeWindow(self.start_ms, self.start_ms + self.listed_ms)
        times = FrameTimes(0, self.frames_ms[-1], self.end_ms, self.frames_ms)
        return RecordingSegment(window, self.name, self.listed_ms).opened(times, SEAM_MS)


@st.composite
def films(draw: st.DrawFn, *, may_drift: bool = True) -> list[Film]:
    """Draw what a camera stores: steps, holes, drift, rounded dates, duplicates, overlaps."""
    interval_ms = draw(st.sampled_from(INTERVALS_MS))
    rate = draw(st.sampled_from((Fraction(4, 5), Fraction(5, 4)))) if may_drift else Fraction(1)
    drifts = may_drift and draw(st.booleans())
    rounds = draw(st.booleans())
    found: list[Film] = []
    at_ms = draw(st.integers(0, 1999))
    for number in range(draw(st.integers(1, 4))):
        if drifts:
            late_ms = draw(
                st.lists(st.sampled_from((0, 0, 0, 0, 0, 0, 0, 70, 1501)), min_size=20, max_size=20)
            )
        else:
            late_ms = draw(st.lists(st.sampled_from(LATE_MS), max_size=14))
        frames_ms = tuple(accumulate((interval_ms + late for late in late_ms), initial=0))
        last_ms = draw(st.sampled_from((interval_ms, interval_ms, 1)))
        duration_ms = frames_ms[-1] + last_ms
        listed_ms = round(duration_ms / rate) if drifts else duration_ms
        start_ms = at_ms // 1000 * 1000 if rounds else at_ms
        film = Film(f"film-{number}", start_ms, frames_ms, last_ms, listed_ms)
        found.append(film)
        if draw(st.integers(0, 9)) == 0:
            found.append(evolve(film, name=f"copy-{number}"))
        at_ms += listed_ms + (0 if drifts or rounds else draw(st.sampled_from(STEPS_MS)))
        at_ms = max(at_ms, 0)
    return found


def opened(films: Sequence[Film]) -> list[RecordingSegment]:
    """Open the films as the service does."""
    segments = [film.opened() for film in films]
    rates = believed_rates(segments, SEAM_MS)
    return [s.at_rate(rates[s.name]) if s.name in rates else s for s in segments]


def wall_ms(films: Sequence[Film], segments: Sequence[RecordingSegment]) -> dict[Frame, Fraction]:
    """Return when every frame was seen."""
    return {
        (film.name, ms): film.start_ms + ms / segment.rate
        for film, segment in zip(films, segments, strict=True)
        for ms in film.frames_ms
    }


def shown(plan: ClipPlan, films: Sequence[Film]) -> list[tuple[Frame, Fraction]]:
    """Return the frames that are within the plan's cuts, and when the clip shows them."""
    by_name = {film.name: film for film in films}
    return [
        ((cut.segment.name, ms), cut.clip_ms + ms - from_ms)
        for cut in plan.cuts
        for from_ms in [cut.segment.media_ms(cut.window.start_ms)]
        for ms in by_name[cut.segment.name].frames_ms
        if from_ms <= ms < cut.segment.media_ms(cut.window.end_ms)
    ]


@st.composite
def instants(draw: st.DrawFn, films: Sequence[Film], count: int) -> list[int]:
    """Draw different instants, most of them next to a frame or an end, in order."""
    near = sorted(
        {
            film.start_ms + round(ms * film.listed_ms / film.end_ms) + off
            for film in films
            for ms in (*film.frames_ms, film.end_ms)
            for off in (-1, 0, 1)
        }
    )
    anywhere = st.integers(near[0] - 1500, near[-1] + 1500)
    one = st.sampled_from(near) | anywhere
    return sorted(draw(st.lists(one, min_size=count, max_size=count, unique=True)))


@settings(max_examples=400)
@given(st.data())
def test_every_frame_is_shown_once_and_in_order_unless_it_is_said_to_be_unused(
    data: st.DataObject,
) -> None:
    """And what is unused is of an instant at which another recording plays."""
    recorded = data.draw(films())
    segments = opened(recorded)
    window = TimeWindow(*data.draw(instants(recorded, 2)))
    plan = plan_clip(window, segments, SEAM_MS)
    clip = shown(plan, recorded)
    times = Counter(frame for frame, _ in clip)
    for (name, ms), seen_ms in wall_ms(recorded, segments).items():
        inside = window.start_ms <= seen_ms < window.end_ms
        unused = any(
            u.name == name and u.window.start_ms <= seen_ms < u.window.end_ms for u in plan.unused
        )
        assert times[name, ms] == int(inside and not unused), (name, ms)
        if inside and unused:
            assert any(
                cut.segment.name != name and cut.window.start_ms <= seen_ms < cut.window.end_ms
                for cut in plan.cuts
            )
    assert all(before < after for (_, before), (_, after) in pairwise(clip))
    assert all(0 <= shown_ms < plan.duration_ms + ROUNDING_MS for _, shown_ms in clip)


@settings(max_examples=400)
@given(st.data())
def test_adjacent_clips_have_the_frames_of_both_together(data: st.DataObject) -> None:
    """For a < b < c, [a, b) and [b, c) share no frame and lack none of [a, c)."""
    recorded = data.draw(films())
    segments = opened(recorded)
    a, b, c = data.draw(instants(recorded, 3))

    def frames(start_ms: int, end_ms: int) -> list[Frame]:
        plan = plan_clip(TimeWindow(start_ms, end_ms), segments, SEAM_MS)
        return [frame for frame, _ in shown(plan, recorded)]

    assert sorted(frames(a, b) + frames(b, c)) == sorted(frames(a, c))


@frozen(order=True)
class Part:
    """While a film has a picture."""

    start_ms: int
    end_ms: int
    tolerance_ms: int
    """For how long its last picture may stand in for others."""


def parts_of(film: Film) -> list[Part]:
    """Return when a film has a picture: until the next, for no longer than the tolerance."""
    frames = [film.start_ms + ms for ms in (*film.frames_ms, film.end_ms)]
    intervals = [after - before for before, after in pairwise(film.frames_ms)]
    usual_ms = median_low(intervals or [film.last_ms])
    tolerance_ms = max(SEAM_MS, 3 * usual_ms)
    return [
        Part(before, after if after - before <= tolerance_ms else before + usual_ms, tolerance_ms)
        for before, after in pairwise(frames)
    ]


def pictures(recorded: Sequence[Film]) -> list[Part]:
    """Return when there is a picture. That of a last frame ends where another recording begins."""
    by_film = [parts_of(film) for film in recorded]
    begins = sorted(
        after.start_ms
        for parts in by_film
        for before, after in pairwise([Part(-1, -1, 0), *parts])
        if before.end_ms < after.start_ms
    )
    found = []
    for parts in by_film:
        for part, after in zip(parts, [*parts[1:], None], strict=True):
            is_last = after is None or part.end_ms < after.start_ms
            cut_ms = [ms for ms in begins if is_last and part.start_ms < ms < part.end_ms]
            found.append(evolve(part, end_ms=min([*cut_ms, part.end_ms])))
    return sorted(found)


def is_complete(recorded: Sequence[Film], window: TimeWindow) -> bool:
    """Return whether a picture stands, or may stand, at every instant of the window."""
    found = pictures(recorded)
    before = None
    reached_ms = -(10**9)
    for part in [*found, None]:
        start_ms = part.start_ms if part else 10**9
        if (hole := (max(reached_ms, window.start_ms), min(start_ms, window.end_ms))) and (
            hole[0] < hole[1]
        ):
            follows = [p.tolerance_ms for p in found if p.start_ms == start_ms]
            ends = [p.tolerance_ms for p in found if p.end_ms == reached_ms]
            assume(len({*follows}) <= 1 and len({*ends}) <= 1)
            is_held = before is not None and start_ms - reached_ms <= ends[0]
            is_head = reached_ms <= window.start_ms and start_ms < window.end_ms
            if not is_held and not (is_head and start_ms - window.start_ms <= follows[0]):
                return False
        if part and part.end_ms > reached_ms:
            before, reached_ms = part, part.end_ms
    return True


@settings(max_examples=400)
@given(st.data())
def test_a_clip_is_complete_exactly_if_nothing_is_missing_beyond_the_tolerance(
    data: st.DataObject,
) -> None:
    """A picture is held until the next, at the head before it, for no longer than that."""
    recorded = data.draw(films(may_drift=False))
    window = TimeWindow(*data.draw(instants(recorded, 2)))
    plan = plan_clip(window, opened(recorded), SEAM_MS)
    assert (plan.availability is Availability.FULL) == (not plan.gaps)
    assert (not plan.gaps) == is_complete(recorded, window)
