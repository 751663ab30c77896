"""The spans of a clip's frames: copied unchanged, or encoded."""

import logging
from collections import Counter
from collections.abc import Sequence

from attrs import evolve, field, frozen

from application.ports import RecordingPiece
from infrastructure.mp4.avc import parse_avcc, parse_pps, parse_sps
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import Track
from infrastructure.splicing.access_points import is_clean_access_point, plan_splice
from infrastructure.splicing.frames import CutSource, decoded_from
from infrastructure.splicing.picture_format import PictureFormat

logger = logging.getLogger(__name__)


@frozen(eq=False)
class EncodedSpan:
    """Consecutive frames of the clip that are encoded."""

    source: CutSource
    """Its `frames` are this span's."""
    times: tuple[int, ...] = field(repr=False)
    """When the clip shows each of the source's frames, in the clip's ticks."""


@frozen(eq=False)
class CopiedSpan:
    """Consecutive frames of the clip that are the recording's own bytes."""

    source: CutSource
    """Its `frames` are this span's."""
    times: tuple[int, ...] = field(repr=False)
    """When the clip shows each of the source's frames, in the clip's ticks."""
    samples: range
    """The same frames as samples, in decode order."""


Span = CopiedSpan | EncodedSpan


def plan_spans(
    sources: Sequence[CutSource],
    times: Sequence[Sequence[int]],
    picture_format: PictureFormat,
    *,
    splice: bool = True,
) -> list[Span]:
    """Decide which frames are copied and which are encoded: all of them without `splice`.

    Frames are copied only from recordings that share their parameter sets with most of the clip,
    because one sample entry must do for all.
    """
    whole = [EncodedSpan(source, tuple(own)) for source, own in zip(sources, times, strict=True)]
    if not splice:
        return [*whole]
    obstacles = {id(span): copy_obstacle(span.source.video, picture_format) for span in whole}
    frames_by_config: Counter[bytes] = Counter()
    for span in whole:
        if obstacles[id(span)] is None:
            frames_by_config[span.source.video.config] += len(span.times)
    config = frames_by_config.most_common(1)[0][0] if frames_by_config else b""
    spans: list[Span] = []
    for span in whole:
        obstacle = obstacles[id(span)]
        if obstacle is None and span.source.video.config != config:
            obstacle = "its parameter sets are not those of most of the clip"
        if obstacle:
            logger.info("%s is encoded: %s", span.source.cut.segment.name, obstacle)
        spans += [span] if obstacle else _spliced(span)
    return spans


def copy_obstacle(video: Track, picture_format: PictureFormat) -> str | None:
    """Return why no frame of this track can be next to frames that we encode; None if it can.

    We encode progressive H.264, 4:2:0 with 8 bits, with its parameter sets in the avcC.
    """
    if video.codec != "avc1":
        return f"its video is {video.codec}, not H.264 with its parameter sets in the index"
    if not picture_format.matches(video):
        return "its pictures are scaled or turned"
    try:
        config = parse_avcc(video.config)
        sets = [parse_sps(nal) for nal in config.sps]
        pictures = [parse_pps(nal) for nal in config.pps]
    except InvalidMp4 as error:
        return f"its parameter sets cannot be read: {error}"
    if len(sets) != 1:
        return f"it has {len(sets)} sequence parameter sets"
    if not pictures:
        return "it has no picture parameter set"
    sps = sets[0]
    if sps.chroma_format_idc != 1:
        return "its colours are not 4:2:0"
    if (sps.bit_depth_luma, sps.bit_depth_chroma) != (8, 8):
        return "its samples have more than 8 bits"
    if not sps.frame_mbs_only:
        return "it may be interlaced"
    return None


def _spliced(span: EncodedSpan) -> list[Span]:
    source, video = span.source, span.source.video
    config = parse_avcc(video.config)
    splice = plan_splice(
        video.pts,
        source.frames,
        [i for i, sync in enumerate(video.sync) if sync],
        lambda i: is_clean_access_point(
            RecordingPiece(source.recording, video.offsets[i], video.sizes[i]), config
        ),
    )
    time_of = dict(zip(source.frames, span.times, strict=True))
    spans: list[Span] = []
    if splice.head:
        spans.append(_encoded(source, splice.head, time_of))
    if splice.copied:
        shown = tuple(sorted(splice.copied, key=video.pts.__getitem__))
        copied = evolve(source, frames=shown, decoded_from=splice.copied.start)
        spans.append(CopiedSpan(copied, tuple(time_of[i] for i in shown), splice.copied))
    if splice.tail:
        spans.append(_encoded(source, splice.tail, time_of))
    return spans


def _encoded(source: CutSource, frames: tuple[int, ...], time_of: dict[int, int]) -> EncodedSpan:
    first = decoded_from(source.recording.read, source.video, frames)
    decoded = source.decoded_from if first is None else first
    return EncodedSpan(
        evolve(source, frames=frames, decoded_from=decoded), tuple(time_of[i] for i in frames)
    )
