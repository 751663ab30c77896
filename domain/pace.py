"""How a clip's clock and the wall clock run, for those who show the time of a picture."""

from collections.abc import Iterable

from attrs import frozen

from domain.planning import ClipPlan
from domain.window import TimeWindow


@frozen
class Pace:
    """How the clip's clock and the wall clock run from some time of the clip on."""

    clip_ms: int
    seen_ms: int
    """When what the clip shows then was seen, since the epoch."""
    rate: float = 1.0
    """Seconds of the clip in a second of the wall clock."""


def paces_of(plan: ClipPlan) -> tuple[Pace, ...]:
    """Return how a clip's clock runs, in order; each pace holds until the next one begins."""
    found: list[Pace] = []
    if not plan.cuts or plan.cuts[0].clip_ms > 0:
        found.append(Pace(0, plan.window.start_ms))
    for cut in plan.cuts:
        rate = cut.segment.rate
        found.append(Pace(cut.clip_ms, cut.window.start_ms, float(rate)))
        if rate != 1:
            found.append(Pace(cut.media_end_ms, cut.window.end_ms))
    return tuple(found)


def paces_between(window: TimeWindow, gaps: Iterable[TimeWindow]) -> tuple[Pace, ...]:
    """Return how the clock of a clip runs that departs from the wall clock only at gaps."""
    paces, skipped_ms = [Pace(0, window.start_ms)], 0
    for gap in gaps:
        skipped_ms += gap.duration_ms
        pace = Pace(gap.end_ms - window.start_ms - skipped_ms, gap.end_ms)
        if pace.clip_ms == paces[-1].clip_ms:
            paces.pop()
        paces.append(pace)
    # After a gap at the end, nothing is shown.
    if len(paces) > 1 and paces[-1].seen_ms >= window.end_ms:
        paces.pop()
    return tuple(paces)
