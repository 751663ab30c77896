"""How a clip's gaps are filled, where its request wants that."""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from pathlib import Path

from attrs import evolve, frozen

from domain.filler import slate_lines
from domain.options import Filler
from domain.planning import ClipPlan
from infrastructure.ffmpeg.draw_filler import FillerDrawing
from infrastructure.ffmpeg.excerpt import Excerpt, extract
from infrastructure.splicing.filler import (
    begins_with_filler,
    encoded_pictures,
    filler_spans,
    in_order,
)
from infrastructure.splicing.frames import CutSource, clip_times
from infrastructure.splicing.spans import EncodedSpan, Span


@frozen
class GapFiller:
    """What the clip of a plan shows in its gaps: nothing without a `kind`."""

    plan: ClipPlan
    kind: Filler | None = None
    zone: tzinfo = UTC
    """Of the times on a slate."""

    def times(self, sources: Sequence[CutSource], timescale: int) -> list[list[int]]:
        """Return when the clip shows each frame of each cut, in ticks of `timescale` per second."""
        after_filler = begins_with_filler(self.plan, sources)
        return clip_times(sources, timescale, after_filler=after_filler)

    def added_to(
        self,
        spans: Sequence[Span],
        sources: Sequence[CutSource],
        times: Sequence[Sequence[int]],
        timescale: int,
    ) -> list[Span]:
        """Return the spans and those of the filler, in order."""
        return in_order(spans, filler_spans(self.plan, sources, times, timescale))

    def extract(self, span: EncodedSpan, path: Path) -> Excerpt:
        """Write what ffmpeg needs of a recording for an encoded span to `path`."""
        damage = span.is_damaged
        excerpt = extract(
            span.source,
            span.frames,
            span.decode_start,
            path,
            is_damaged=damage,
            ends_sequence=span.ends_sequence,
            is_whole=damage,
        )
        if span.fills is None or self.kind is None:
            return excerpt
        lines = slate_lines(span.fills, self.zone)
        return evolve(excerpt, drawing=FillerDrawing(encoded_pictures(span), self.kind, lines))

    def first_seen_ms(self, sources: Sequence[CutSource]) -> int:
        """Return when what the clip begins with was seen, or would have been."""
        if begins_with_filler(self.plan, sources):
            return self.plan.filled[0].window.start_ms
        return sources[0].seen_ms(sources[0].frames[0])
