"""Where each frame of a clip comes from: copied from a recording, or encoded."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from attrs import evolve, field, frozen

from infrastructure.splicing.codecs import AVC, Codec, codec_of
from infrastructure.splicing.filler import begins_with_filler
from infrastructure.splicing.frames import CutSource, clip_timescale
from infrastructure.splicing.picture_format import PictureFormat, majority_format
from infrastructure.splicing.spans import CopiedSpan, EncodedSpan, Span, plan_spans
from infrastructure.splicing.tracks import SpanSamples, copied_samples
from infrastructure.transcoder.job import Job


@frozen(eq=False)
class PlannedClip:
    """The frames of a clip, and how those are encoded that are not copied."""

    sources: Sequence[CutSource]
    timescale: int
    """The clip's, in ticks per second."""
    spans: Sequence[Span]
    pictured: tuple[CutSource, int]
    """The frame of the thumbnails: the one shown when a quarter of the clip has passed."""
    codec: Codec
    picture_format: PictureFormat
    first_id: int
    """The first parameter-set id that no copied frame uses."""
    copied: Mapping[int, SpanSamples] = field(repr=False)
    """The samples of copied spans, by the spans' numbers."""

    @property
    def to_encode(self) -> list[EncodedSpan]:
        """The spans that are encoded."""
        return [span for span in self.spans if isinstance(span, EncodedSpan)]

    @property
    def copied_frames(self) -> int:
        """How many frames are copied."""
        return sum(len(span.times) for span in self.copied.values())

    @cached_property
    def times(self) -> list[int]:
        """When each frame is shown, in ticks, ascending."""
        return sorted(time for span in self.spans for time in span.times)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which cuts are encoded as a whole, and why: for the log."""
        reasons = (
            f"{span.source.cut.segment.name} is encoded: {span.copy_obstacle}"
            for span in self.to_encode
            if span.copy_obstacle
        )
        return tuple(dict.fromkeys(reasons))


def plan_frames(job: Job, sources: Sequence[CutSource], codecs: Collection[Codec]) -> PlannedClip:
    """Divide the frames of `sources` into spans; only those of `codecs` are copied."""
    timescale = clip_timescale(sources)
    times = job.filler.times(sources, timescale)
    pictured = frame_at(sources, times, job.plan.duration_ms * timescale // 4000)
    picture_format = majority_format(sources)
    after_filler = begins_with_filler(job.plan, sources)
    spans = plan_spans(sources, times, picture_format, codecs=codecs, after_filler=after_filler)
    spans = job.filler.added_to(spans, sources, times, timescale)
    copied = {
        number: copied_samples(span)
        for number, span in enumerate(spans)
        if isinstance(span, CopiedSpan)
    }
    encoder = _encoder_for([*copied.values()], picture_format)
    return PlannedClip(sources, timescale, spans, pictured, *encoder, copied)


def frame_at(
    sources: Sequence[CutSource], times: Sequence[Sequence[int]], time: int
) -> tuple[CutSource, int]:
    """Return the frame that the clip shows at `time`, or else its first, and its cut."""
    for source, cut_times in zip(reversed(sources), reversed(times), strict=True):
        if cut_times[0] <= time:
            return source, source.frames[bisect_right(cut_times, time) - 1]
    return sources[0], sources[0].frames[0]


def _encoder_for(
    copied: Sequence[SpanSamples], picture_format: PictureFormat
) -> tuple[Codec, PictureFormat, int]:
    """Return codec, picture format and first free parameter-set id of frames next to copied ones.

    A decoder would take two parameter sets of one id for each other. Without copied frames, the
    codec is H.264: it is encoded several times faster, and everything plays it.
    """
    if not copied:
        return AVC, picture_format, 0
    video = copied[0].track
    codec = codec_of(video)
    full_range, sample_bits = codec.sample_format(video.config)
    picture_format = evolve(picture_format, full_range=full_range, sample_bits=sample_bits)
    return codec, picture_format, max(codec.ids(video.config)) + 1
