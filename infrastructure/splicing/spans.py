"""The runs that a clip's pictures consist of: taken over as they are, or encoded anew."""

from collections import Counter
from collections.abc import Sequence

from attrs import evolve, field, frozen

from infrastructure.ffmpeg.excerpt import RecordingSample
from infrastructure.mp4.avc import PPS, SPS, is_idr, nal_units, parse_avcc
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import Track
from infrastructure.splicing.access_points import copy_obstacle, plan_splice
from infrastructure.splicing.frames import CutSource, decoded_from
from infrastructure.splicing.picture_format import PictureFormat

PREFIX_BYTES = 4096
"""Enough of a keyframe to see its parameter sets and where its first slice begins."""


@frozen(eq=False)
class Span:
    """Consecutive frames of the clip that come into being in one way."""

    source: CutSource
    """Its `frames` are this run's."""
    times: tuple[int, ...] = field(repr=False)
    """When the clip shows each of the take's frames, in its ticks."""
    copied: range = range(0)
    """The same frames as samples in decode order, if they are taken over."""


def plan_spans(
    sources: Sequence[CutSource],
    times: Sequence[Sequence[int]],
    picture_format: PictureFormat,
    *,
    splice: bool = True,
) -> list[Span]:
    """Say which frames are taken over and which are encoded; all of them are without `splice`.

    Frames are taken over only from recordings that share their parameter sets with most of the
    clip: one sample entry must do for all.
    """
    whole = [Span(source, tuple(own)) for source, own in zip(sources, times, strict=True)]
    kinds: Counter[bytes] = Counter()
    for run in whole:
        if (
            splice
            and picture_format.matches(run.source.video)
            and copy_obstacle(run.source.video) is None
        ):
            kinds[run.source.video.config] += len(run.times)
    if not kinds:
        return whole
    template, _ = kinds.most_common(1)[0]
    spans: list[Span] = []
    for run in whole:
        alike = picture_format.matches(run.source.video) and run.source.video.config == template
        spans += _spliced(run) if alike else [run]
    return spans


def _spliced(run: Span) -> list[Span]:
    video = run.source.video
    plan = plan_splice(
        video.pts,
        run.source.frames,
        [i for i, sync in enumerate(video.sync) if sync],
        lambda i: is_clean_access_point(
            RecordingSample(run.source, video.offsets[i], video.sizes[i])
        ),
    )
    at = dict(zip(run.source.frames, run.times, strict=True))
    spans = []
    if plan.head:
        spans.append(_part_of(run.source, plan.head, at))
    if plan.copied:
        shown = tuple(sorted(plan.copied, key=video.pts.__getitem__))
        copied = evolve(run.source, frames=shown, decoded_from=plan.copied.start)
        spans.append(Span(copied, tuple(at[i] for i in shown), plan.copied))
    if plan.tail:
        spans.append(_part_of(run.source, plan.tail, at))
    return spans


def _part_of(source: CutSource, frames: tuple[int, ...], at: dict[int, int]) -> Span:
    first = decoded_from(source.recording.read, source.video, frames)
    part = evolve(
        source, frames=frames, decoded_from=source.decoded_from if first is None else first
    )
    return Span(part, tuple(at[i] for i in frames))


def is_clean_access_point(sample: RecordingSample) -> bool:
    """Tell whether a sync sample is an IDR picture under the parameter sets of the index."""
    video, read = sample.source.video, sample.source.recording.read
    stands = is_idr_sample(read(sample.offset, min(sample.length, PREFIX_BYTES)), video)
    if stands is None and sample.length > PREFIX_BYTES:
        stands = is_idr_sample(read(sample.offset, sample.length), video)
    return bool(stands)


def is_idr_sample(prefix: bytes, video: Track) -> bool | None:
    """Tell whether a sample begins an IDR picture and brings no unknown parameter sets.

    Sets that repeat those of the index do no harm. None if `prefix` ends before the picture begins.
    """
    config = parse_avcc(video.config)
    known = {*config.sps, *config.pps}
    try:
        for nal in nal_units(prefix, config.nal_length_size):
            if nal and nal[0] & 31 in (SPS, PPS) and nal not in known:
                return False
    except InvalidMp4:
        pass  # The prefix ends within the picture, which is all that comes after the sets.
    return is_idr(prefix, config.nal_length_size)
