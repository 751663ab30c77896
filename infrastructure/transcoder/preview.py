"""Which frames of a plan would be copied and which encoded, and why: nothing is rendered."""

from collections.abc import Mapping

from attrs import frozen

from application.ports import Recording
from domain.planning import ClipPlan
from domain.window import TimeWindow
from infrastructure.splicing.codecs import AVC, HEVC
from infrastructure.splicing.filler import begins_with_filler
from infrastructure.splicing.frames import CutSource, clip_times, clip_timescale, resolve_cuts
from infrastructure.splicing.picture_format import majority_format
from infrastructure.splicing.spans import CopiedSpan, Span, plan_spans

NO_KEYFRAME = "no keyframe that copying could begin with is within it"


@frozen
class CutPreview:
    """What would become of a cut's frames."""

    name: str
    """Of the recording."""
    window: TimeWindow
    copied_frames: int
    encoded_frames: int
    copied_bytes: int
    decoded_bytes: int
    """What is read and decoded to encode frames, those before them that they refer to included."""
    obstacle: str | None = None
    """Why no frame is copied, as a clause about the recording or the cut; else None."""


def preview_cuts(
    plan: ClipPlan, recordings: Mapping[str, Recording], *, hevc: str
) -> list[CutPreview]:
    """Return what `FfmpegTranscoder.render` would do with each cut that has frames.

    `hevc` is its option. The footage is assumed not to be damaged. Rejected if there is no frame.
    """
    sources = resolve_cuts(plan, recordings)
    times = clip_times(sources, clip_timescale(sources))
    codecs = {AVC, HEVC} if hevc == "splice" else {AVC}
    spans = plan_spans(
        sources,
        times,
        majority_format(sources),
        codecs=codecs,
        after_filler=begins_with_filler(plan, sources),
    )
    return [_of(source, [span for span in spans if span.source is source]) for source in sources]


def _of(source: CutSource, spans: list[Span]) -> CutPreview:
    sizes = source.video.sizes
    copied = [span for span in spans if isinstance(span, CopiedSpan)]
    encoded = [span for span in spans if not isinstance(span, CopiedSpan)]
    obstacle = next((span.copy_obstacle for span in encoded if span.copy_obstacle), None)
    return CutPreview(
        source.cut.segment.name,
        source.cut.window,
        sum(len(span.frames) for span in copied),
        sum(len(span.frames) for span in encoded),
        sum(sizes[frame] for span in copied for frame in span.frames),
        sum(sum(sizes[span.decode_start : max(span.frames) + 1]) for span in encoded),
        obstacle or (None if copied else NO_KEYFRAME),
    )
