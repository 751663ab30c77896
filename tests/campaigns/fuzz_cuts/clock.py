"""Hold the wall clock inside a clip against when each of its frames was seen."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction
from itertools import groupby, pairwise

from devtools.footage import Recording, Wanted
from tests.integration.exactness.camera import WITHIN_MS, Clip, name_of
from tests.support.clock_text import chapters_of, cues_of

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")


def assert_clock(clip: Clip, wanted: Wanted, recordings: Sequence[Recording], zone: tzinfo) -> None:
    """Each frame is shown during the second in which it was seen; chapters are recordings."""
    cues, rates = cues_of(clip.path), {c.segment.name: c.segment.rate for c in clip.plan.cuts}
    if not clip.plan.duration_ms:
        assert not cues
        return
    assert cues[0][0] == 0
    assert cues[-1][1] == clip.plan.duration_ms
    assert all(end == start for (_, end, _), (start, _, _) in pairwise(cues))
    assert all(text != following for (*_, text), (*_, following) in pairwise(cues))
    sources = [next(r for r in recordings if number in r.numbers) for number in wanted.numbers]
    starts = [start for start, *_ in cues]
    # The first frame is shown from 0, whenever it was seen.
    rows = zip(wanted.numbers[1:], wanted.times_ms[1:], sources[1:], strict=True)
    for number, time_ms, source in rows:
        rate = rates[name_of(source)]
        media_ms = source.times_ms[number - source.first_number]
        seen_ms = source.start_ms + media_ms / rate
        off_ms = 2 * WITHIN_MS / min(rate, Fraction(1))
        *_, text = cues[bisect_right(starts, time_ms) - 1]
        asked = {_local(seen_ms - off_ms, zone), _local(seen_ms + off_ms, zone)}
        assert text in asked, f"frame {number} at {float(time_ms)} ms: {text}, wanted {asked}"
    _assert_chapters(clip, sources)


def _assert_chapters(clip: Clip, sources: Sequence[Recording]) -> None:
    chapters = chapters_of(clip.path)
    assert chapters[0][0] == 0
    assert all(start <= following for (start, _), (following, _) in pairwise(chapters))
    titles = [title.split(maxsplit=3)[3].partition(",") for _, title in chapters]
    shown = [name for name, _ in groupby(map(name_of, sources))]
    assert [name for name, _ in groupby(title[0] for title in titles)] == shown
    gaps = sum(gap.end_ms < clip.plan.window.end_ms for gap in clip.plan.gaps)
    assert sum(bool(title[1]) for title in titles) <= gaps


def _local(ms: Fraction, zone: tzinfo) -> str:
    local = (EPOCH + timedelta(seconds=int(ms // 1000))).astimezone(zone)
    text = local.isoformat(" ")
    return f"{text[:19]} {text[19:].replace('+00:00', 'UTC')}"
