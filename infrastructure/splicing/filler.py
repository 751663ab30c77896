"""The pictures in a clip's filled gaps: one for each second, encoded, and made of a neighbour.

A picture a second lets players seek, and their clocks go on. The first is a keyframe, and so is one
a minute, so that seeking decodes at most a minute of pictures that hardly differ.
"""

from array import array
from collections.abc import Sequence
from itertools import chain

from attrs import evolve

from domain.planning import ClipPlan, FilledGap
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.spans import EncodedSpan, Span
from infrastructure.splicing.stored_samples import StoredSamples
from infrastructure.splicing.tracks import EncodedTrack

PICTURE_MS = 1000
"""From one picture to the next."""
GOP_PICTURES = 60
"""So many are encoded of a gap at most; for a longer one, their bytes are there again."""


def begins_with_filler(plan: ClipPlan, sources: Sequence[CutSource]) -> bool:
    """Return whether the clip shows filler before any frame."""
    first_ms = sources[0].cut.window.start_ms
    return any(filled.window.start_ms < first_ms for filled in plan.filled)


def filler_spans(
    plan: ClipPlan, sources: Sequence[CutSource], times: Sequence[Sequence[int]], timescale: int
) -> list[EncodedSpan]:
    """Return the spans of filler; `times` has a row for each of `sources`, as from `clip_times`.

    The last picture of a gap is shown for between one and two seconds, one of a shorter gap as long
    as the gap.
    """
    spans: list[EncodedSpan] = []
    filled = plan.filled
    for gap, then in zip(filled, (*filled[1:], None), strict=False):
        number = _sources_before(gap, sources)
        begin = _ticks(gap.start_ms, timescale) if number or spans else 0
        begin = max([begin, *(time + 1 for row in times[:number][-1:] for time in row[-1:])])
        # The cut after a gap may have no frame: then the next gap follows.
        ends = [row[0] for row in times[number:][:1]] or [_ticks(plan.duration_ms, timescale)]
        end = min([*ends, *([_ticks(then.start_ms, timescale)] if then else [])])
        if begin < end:
            spans.append(_span(gap, sources, number, range(begin, end, timescale)))
    return spans


def _span(gap: FilledGap, sources: Sequence[CutSource], number: int, times: range) -> EncodedSpan:
    """Return the span of a gap before which the clip has `number` of the sources."""
    source = sources[number - 1] if number else sources[0]
    frame = source.frames[-1] if number else source.frames[0]
    is_last_short = len(times) > 1 and times.stop - times[-1] < times.step
    shown = times[:-1] if is_last_short else times
    return EncodedSpan(
        source,
        (frame,),
        tuple(shown),
        source.decode_start_of((frame,)),
        frame in source.damaged,
        fills=gap.window,
    )


def encoded_pictures(span: EncodedSpan) -> int:
    """Return how many pictures of a span are encoded."""
    return min(len(span.times), GOP_PICTURES) if span.fills else len(span.frames)


def in_order(spans: Sequence[Span], filler: Sequence[EncodedSpan]) -> list[Span]:
    """Return all spans in the order in which the clip shows them."""
    return sorted([*spans, *filler], key=lambda span: min(span.times)) if filler else [*spans]


def repeated(encoded: EncodedTrack, count: int) -> EncodedTrack:
    """Return a track of `count` pictures that has those of a GOP again and again.

    Its pictures are shown in the order in which they are decoded.
    """
    track, samples = encoded.track, encoded.samples
    length = len(track.sizes)
    if length == count:
        return encoded
    whole = -(-count // length)
    offsets, sizes = (whole * column for column in (samples.offsets, samples.sizes))
    end = track.pts[-1] + track.timescale
    pts = (pts + number * end for number in range(whole) for pts in track.pts)
    again = evolve(
        track,
        offsets=(whole * track.offsets)[:count],
        sizes=(whole * track.sizes)[:count],
        pts=array("q", pts)[:count],
        durations=(whole * track.durations)[:count],
        sync=(track.sync * whole)[:count],
    )
    return EncodedTrack(again, StoredSamples(samples.source, offsets[:count], sizes[:count]))


def _sources_before(gap: FilledGap, sources: Sequence[CutSource]) -> int:
    return sum(source.cut.window.start_ms < gap.window.start_ms for source in sources)


def _ticks(clip_ms: int, timescale: int) -> int:
    """Return the tick next to a time of the clip, halves upwards, as frames' times are rounded."""
    return (2 * clip_ms * timescale + 1000) // 2000


def without_filler(
    sources: Sequence[CutSource], times: Sequence[Sequence[int]], filler: Sequence[range]
) -> tuple[Sequence[CutSource], Sequence[Sequence[int]]]:
    """Return the one cut of a finished clip, and when its frames are shown, without its filler.

    `filler` are the numbers of these frames.
    """
    left_out = {*chain.from_iterable(filler)}
    kept = [number for number in range(len(times[0])) if number not in left_out]
    if not left_out or not kept:
        return sources, times
    frames = tuple(sources[0].frames[number] for number in kept)
    return [evolve(sources[0], frames=frames)], [[times[0][number] for number in kept]]
