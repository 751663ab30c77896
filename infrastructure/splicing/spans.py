"""The spans of a clip's frames: copied unchanged, or encoded."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, groupby

from attrs import evolve, field, frozen

from application.ports import RecordingPiece
from domain.window import TimeWindow
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import Track
from infrastructure.splicing.access_points import (
    FrameSplit,
    read_access_point,
    read_prefix,
    shortened,
    split_frames,
)
from infrastructure.splicing.codecs import ALL_CODECS, CODECS, IN_BAND, Codec, codec_of
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.groups import joined, picture_groups
from infrastructure.splicing.picture_format import PictureFormat


@frozen(eq=False)
class EncodedSpan:
    """Consecutive frames of the clip that are encoded."""

    source: CutSource
    frames: tuple[int, ...] = field(repr=False)
    """Video samples, in presentation order."""
    times: tuple[int, ...] = field(repr=False)
    """When the clip shows each of them, in its ticks."""
    decode_start: int
    """The video sample to start decoding at, so that none of `frames` lacks a reference."""
    is_damaged: bool = False
    """Whether frames among them do not decode without a fault."""
    ends_sequence: bool = False
    """Whether decoders must see after it that a sequence has ended: a CRA picture follows."""
    copy_obstacle: str | None = None
    """Why no frame of the cut is copied, as a clause about its recording; else None."""
    fills: TimeWindow | None = None
    """A gap in which a picture is shown at each of `times` that is made of the one frame."""


@frozen(eq=False)
class CopiedSpan:
    """Consecutive frames of the clip that are the recording's own bytes."""

    source: CutSource
    frames: Sequence[int] = field(repr=False)
    """Video samples, in decode order."""
    times: tuple[int, ...] = field(repr=False)
    """When the clip shows each of them, in its ticks."""


Span = CopiedSpan | EncodedSpan


def plan_spans(
    sources: Sequence[CutSource],
    times: Sequence[Sequence[int]],
    picture_format: PictureFormat,
    *,
    codecs: Collection[Codec] = ALL_CODECS,
    after_filler: bool = False,
) -> list[Span]:
    """Decide which frames are copied and which are encoded; only those of `codecs` are copied.

    `times` has a row for each of `sources`: when the clip shows each of its frames, in ticks.
    `after_filler` is whether the clip begins with other pictures.

    Frames are copied only from recordings that share their parameter sets with most of the clip,
    because one sample entry must do for all.
    """
    whole = [
        EncodedSpan(source, source.frames, tuple(cut_times), source.decode_start)
        for source, cut_times in zip(sources, times, strict=True)
    ]
    if not codecs:
        return [*chain.from_iterable(map(_split_damage, whole))]
    obstacles = {
        id(source): copy_obstacle(source.video, picture_format, codecs) for source in sources
    }
    frames_by_config: Counter[bytes] = Counter()
    for span in whole:
        if obstacles[id(span.source)] is None:
            frames_by_config[span.source.video.config] += len(span.frames)
    config = frames_by_config.most_common(1)[0][0] if frames_by_config else b""
    spans: list[Span] = []
    for span in chain.from_iterable(map(_split_damage, whole)):
        obstacle = obstacles[id(span.source)]
        if obstacle is None and span.source.video.config != config:
            obstacle = "its parameter sets are not those of most of the clip"
        if obstacle or span.is_damaged:
            spans.append(evolve(span, copy_obstacle=obstacle))
        else:
            spans += _split(span, is_first=not spans and not after_filler)
    return spans


def copy_obstacle(
    video: Track, picture_format: PictureFormat, codecs: Collection[Codec] = ALL_CODECS
) -> str | None:
    """Return why no frame of this track can be copied, as a clause about its recording, else None.

    One sample entry must hold for copied and encoded frames.
    """
    codec = CODECS.get(video.codec)
    if codec is None or codec not in codecs:
        names = " or ".join(sorted(known.title for known in codecs))
        return f"its video is {video.codec}, not {names} with its parameter sets in the index"
    if not picture_format.matches(video):
        return "its pictures are scaled or turned"
    try:
        return codec.obstacle(video.config)
    except InvalidMp4 as error:
        return f"its parameter sets cannot be read: {error}"


def _split_damage(span: EncodedSpan) -> Iterator[EncodedSpan]:
    """Yield the spans of a cut: those of damaged groups of frames, and what is between them."""
    source = span.source
    if not source.damaged:
        yield span
        return
    time_of = dict(zip(span.frames, span.times, strict=True))
    for is_damaged, groups in groupby(
        picture_groups(source), lambda group: not source.damaged.isdisjoint(group.frames)
    ):
        run = joined([*groups])
        times = tuple(time_of[frame] for frame in run.frames)
        yield EncodedSpan(source, run.frames, times, run.decode_start, is_damaged)


def _copied_frames(source: CutSource, frames: Sequence[int], *, is_first: bool) -> FrameSplit:
    """Decide which of a cut's frames are copied; the bytes of some keyframes are read."""
    video, codec = source.video, codec_of(source.video)
    keyframes = [i for i, sync in enumerate(video.sync) if sync]

    def sample(i: int) -> RecordingPiece:
        return RecordingPiece(source.recording, video.offsets[i], video.sizes[i])

    split = split_frames(
        video.pts,
        frames,
        keyframes,
        lambda i: read_access_point(sample(i), codec, video.config),
        has_leading_pictures=codec.has_leading_pictures,
        is_first=is_first,
    )
    if video.codec not in IN_BAND:
        return split

    # Where sets change, they change at a keyframe, and for the rest of the file.
    def is_changed(keyframe: int) -> bool:
        return not codec.has_known_sets(read_prefix(sample(keyframe)), video.config)

    copied = set(split.copied)
    later = [i for i in keyframes if i in copied][1:]
    if not later or not is_changed(later[-1]):
        return split
    stop = later[bisect_left(later, True, key=is_changed)]
    return shortened(split, video.pts, frames, stop)


def _split(span: EncodedSpan, *, is_first: bool) -> list[Span]:
    """Return the spans of frames some of which may be copied, maybe the clip's first ones."""
    source = span.source
    held = tuple(i for i in span.frames if i in source.frames[: source.held_frames])
    split = _copied_frames(source, span.frames[len(held) :], is_first=is_first and not held)
    time_of = dict(zip(span.frames, span.times, strict=True))

    def encoded(frames: tuple[int, ...]) -> EncodedSpan:
        start = source.decode_start_of(frames)
        return EncodedSpan(source, frames, tuple(time_of[i] for i in frames), start)

    first = (*held, *split.head)
    head = [evolve(encoded(first), ends_sequence=split.needs_end)] if first else []
    tail = [encoded(split.tail)] if split.tail else []
    if not split.copied:
        return [*head, *tail]
    copied = CopiedSpan(source, split.copied, tuple(time_of[i] for i in split.copied))
    return [*head, copied, *tail]
