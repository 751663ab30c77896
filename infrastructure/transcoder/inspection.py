"""What a recording is: its layout, its tracks and its groups of pictures, read from its index."""

from collections.abc import Iterator
from itertools import pairwise
from statistics import median_low

from attrs import field, frozen

from infrastructure.mp4.boxes import fourcc
from infrastructure.mp4.index import Track
from infrastructure.mp4.profiles import profile_name
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording
from infrastructure.splicing.picture_format import PictureFormat
from infrastructure.splicing.spans import copy_obstacle

MAX_LISTED_BOXES = 10_000


@frozen
class Spread:
    """The least, usual and greatest of some numbers."""

    least: float
    usual: float
    greatest: float


@frozen
class VideoFacts:
    """What a video track is."""

    codec: str
    """The code of its sample entry."""
    profile: str | None
    width: int
    """Pixels, as stored."""
    height: int
    frames: int
    interval_ms: Spread | None
    """From frame to frame; None with a single one."""
    size_bytes: int
    groups: int
    """How many groups of pictures begin with a sample that is marked as sync."""
    group_frames: Spread | None
    group_ms: Spread | None
    copy_obstacle: str | None
    """Why no frame of it can be copied, as a clause; None if frames can be."""


@frozen
class AudioFacts:
    """What an audio track is."""

    codec: str
    rate_hz: int
    channels: int
    packets: int
    size_bytes: int


@frozen
class FileFacts:
    """What a file is."""

    size_bytes: int
    layout: str
    boxes: tuple[str, ...] = field(repr=False)
    """The kinds of the boxes at the top, in order."""
    video: VideoFacts | None
    audio: AudioFacts | None


def inspect_recording(recording: Mp4Recording) -> FileFacts:
    """Read the whole index of a recording; InvalidMp4 if it contradicts itself."""
    index = recording.index.whole()
    boxes = tuple(_boxes(recording.file))
    return FileFacts(
        recording.size_bytes,
        _layout(boxes, is_fragmented=index.is_fragmented),
        boxes,
        _video(index.video) if index.video else None,
        _audio(index.audio) if index.audio else None,
    )


def _boxes(file: RangeCache) -> Iterator[str]:
    at = 0
    for _ in range(MAX_LISTED_BOXES):
        found = file.header(at, 0)
        if found is None:
            return
        yield fourcc(found.kind)
        at += found.size_bytes


def _layout(boxes: tuple[str, ...], *, is_fragmented: bool) -> str:
    if is_fragmented:
        count = boxes.count("moof")
        index = "with" if {"sidx", "mfra"} & set(boxes) else "without"
        return f"{count} fragment{'' if count == 1 else 's'}, {index} an index of them"
    is_first = boxes.index("moov") < boxes.index("mdat") if "mdat" in boxes else True
    return f"one sample table, {'before' if is_first else 'after'} the media"


def _video(track: Track) -> VideoFacts:
    shown = sorted(pts for pts in track.pts if 0 <= pts < track.shown_until)
    syncs = [number for number, sync in enumerate(track.sync) if sync]
    bounds = [*syncs, len(track.pts)] if syncs else []
    last_ms = [_ms(track, track.shown_until)]
    starts_ms = [_ms(track, track.pts[number]) for number in syncs]
    return VideoFacts(
        track.codec,
        profile_name(track.codec, track.config),
        track.width,
        track.height,
        len(shown),
        _spread([_ms(track, after - before) for before, after in pairwise(shown)]),
        sum(track.sizes),
        len(syncs),
        _spread([float(after - before) for before, after in pairwise(bounds)]),
        _spread(
            [after - before for before, after in pairwise(starts_ms + last_ms)] if syncs else []
        ),
        copy_obstacle(track, PictureFormat(None)),
    )


def _audio(track: Track) -> AudioFacts:
    return AudioFacts(
        track.codec, track.sample_rate, track.channels, len(track.sizes), sum(track.sizes)
    )


def _ms(track: Track, ticks: int) -> float:
    return ticks * 1000 / track.timescale


def _spread(numbers: list[float]) -> Spread | None:
    return Spread(min(numbers), median_low(numbers), max(numbers)) if numbers else None
