"""Compare the finished clip's own tables with the plan."""

from collections.abc import Sequence
from operator import add
from pathlib import Path

from domain.errors import UnusableFootage
from domain.manifest import MediaInfo
from infrastructure.ffmpeg.excerpt import index_file
from infrastructure.mp4.index import SampleIndex
from infrastructure.splicing.codecs import codec_of
from infrastructure.splicing.layout import Layout
from infrastructure.splicing.tracks import ClipTrack


def verify_tables(
    layout: Layout, path: Path, times: Sequence[int], planned: ClipTrack, copied_frames: int
) -> MediaInfo:
    """Return what the tables of the clip at `path` say; UnusableFootage if it is not the plan.

    `times` is when each frame is shown, in ticks of the clip's clock.
    """
    tables, index = planned.tables, index_file(path)
    video = index.video
    if video is None or video.timescale != tables.timescale:
        raise UnusableFootage("The clip has no video.")
    # The reader's zero is the first frame.
    if sorted(video.pts) != [time - times[0] for time in times]:
        raise UnusableFootage(f"The clip's tables have other frames than the {len(times)} planned.")
    # A duration counts between decode times, so that of the frame shown last may be shorter.
    ends = max(map(add, video.pts, video.durations))
    if not video.shown_until <= tables.duration <= ends:
        raise UnusableFootage("The clip does not end when it was planned to.")
    _check_tiling(index, layout)
    return MediaInfo(
        frames=len(video.pts),
        first_ms=times[0] * 1000 / video.timescale,
        last_ms=times[-1] * 1000 / video.timescale,
        duration_ms=(tables.delay + tables.duration) * 1000 / video.timescale,
        codec=codec_of(video).name,
        width=video.width,
        height=video.height,
        copied_frames=copied_frames,
    )


def _check_tiling(index: SampleIndex, layout: Layout) -> None:
    """Check that every payload byte belongs to one sample, except those known to belong to none."""
    header_bytes = len(layout.header)
    at, used_bytes = header_bytes, 0
    tracks = [track for track in (index.video, index.audio) if track]
    for offset, size in sorted(
        place for track in tracks for place in zip(track.offsets, track.sizes, strict=True)
    ):
        if offset < at:
            raise UnusableFootage("Two of the clip's samples share their bytes.")
        at = offset + size
        used_bytes += size
    payload_bytes = layout.size_bytes - header_bytes
    if at > layout.size_bytes or used_bytes != payload_bytes - layout.unused_bytes:
        raise UnusableFootage("The clip's samples do not fill its payload.")
