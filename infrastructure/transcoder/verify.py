"""Compare the finished clip's own tables with the plan."""

from collections.abc import Sequence
from pathlib import Path

from domain.errors import UnusableFootage
from domain.manifest import MediaInfo
from domain.wall_clock import Cue
from infrastructure.ffmpeg.excerpt import index_file
from infrastructure.mp4.index import SampleIndex
from infrastructure.mp4.timed_text import TextSamples
from infrastructure.splicing.codecs import Codec
from infrastructure.splicing.layout import Layout
from infrastructure.splicing.tracks import ClipTrack
from infrastructure.transcoder.wall_clock import verified_text


def planned_media(
    planned: ClipTrack, codec: Codec, times: Sequence[int], copied_frames: int
) -> MediaInfo:
    """Return what a clip of this video is; `times` is when each frame is shown, in its ticks."""
    tables = planned.tables
    return MediaInfo(
        frames=len(times),
        first_ms=times[0] * 1000 / tables.timescale,
        last_ms=times[-1] * 1000 / tables.timescale,
        duration_ms=(tables.delay + tables.duration) * 1000 / tables.timescale,
        codec=codec.name,
        width=tables.width,
        height=tables.height,
        copied_frames=copied_frames,
    )


def verify_tables(
    layout: Layout,
    path: Path,
    times: Sequence[int],
    planned: ClipTrack,
    cues: Sequence[Cue] = (),
) -> None:
    """Compare the tables of the clip at `path` with the plan; UnusableFootage if they differ.

    `times` is when each frame is shown, in ticks of the clip's clock. `cues` are all of its text.
    """
    tables, index = planned.tables, index_file(path)
    video = index.video
    if video is None or video.timescale != tables.timescale:
        raise UnusableFootage("The clip has no video.")
    if (video.width, video.height, video.sample_entry) != (
        tables.width,
        tables.height,
        tables.sample_entry,
    ):
        raise UnusableFootage("The clip's pictures are not described as planned.")
    # The reader's zero is the first frame.
    if sorted(video.pts) != [time - times[0] for time in times]:
        raise UnusableFootage(f"The clip's tables have other frames than the {len(times)} planned.")
    # A duration counts between decode times, so that of the frame shown last may be shorter.
    ends = [shown + duration for shown, duration in zip(video.pts, video.durations, strict=True)]
    if not video.shown_until <= tables.duration <= max(ends):
        raise UnusableFootage("The clip does not end when it was planned to.")
    _check_tiling(index, verified_text(path, cues), layout)


def _check_tiling(index: SampleIndex, text: TextSamples | None, layout: Layout) -> None:
    """Check that every payload byte belongs to one sample, except those known to belong to none."""
    tracks = [track for track in (index.video, index.audio, text) if track]
    begins, ends = [layout.size_bytes], [len(layout.header)]
    for track in tracks:
        # An empty packet of audio may be anywhere.
        places = [*zip(track.offsets, track.sizes, strict=True)]
        begins += [at for at, size in places if size]
        ends += [at + size for at, size in places if size]
    begins.sort()
    ends.sort()
    # Where no bytes are shared, the n-th sample ends before the next one begins.
    if any(end > begin for end, begin in zip(ends, begins, strict=True)):
        raise UnusableFootage("Two of the clip's samples share their bytes.")
    payload_bytes = layout.size_bytes - len(layout.header)
    filled_bytes = sum(ends[1:]) - sum(begins[:-1])
    if filled_bytes != payload_bytes - layout.unused_bytes:
        raise UnusableFootage("The clip's samples do not fill its payload.")
