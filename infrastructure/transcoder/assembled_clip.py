"""The clip put together: its tables and our own bytes in a file, the rest still in recordings."""

from collections.abc import Sequence
from pathlib import Path

from attrs import evolve, frozen

from application.ports import Rendition
from domain.coverage import Verification, merged
from domain.manifest import Evidence
from infrastructure.splicing.layout import Layout, lay_out_clip
from infrastructure.splicing.tracks import ClipTrack, SpanSamples, video_track
from infrastructure.transcoder.assemble import pieces_of, write_own_bytes
from infrastructure.transcoder.find_damage import damaged_windows
from infrastructure.transcoder.job import Job
from infrastructure.transcoder.planned_clip import PlannedClip
from infrastructure.transcoder.preparation import Preparation
from infrastructure.transcoder.prove import proof_of
from infrastructure.transcoder.verify import planned_media
from infrastructure.transcoder.wall_clock import make_text_tracks


@frozen(eq=False)
class AssembledClip:
    """A clip that is not verified yet."""

    path: Path
    layout: Layout
    video: ClipTrack
    rendition: Rendition
    """Without thumbnails."""


def assemble_clip(  # noqa: PLR0913
    job: Job,
    planned: PlannedClip,
    prepared: Preparation,
    samples: Sequence[SpanSamples],
    path: Path,
    *,
    is_decoded: bool,
) -> AssembledClip:
    """Write the clip of these samples to `path`; `is_decoded` is whether all of it will be."""
    sources, timescale = planned.sources, planned.timescale
    video = video_track(samples, timescale, job.plan.duration_ms * timescale // 1000)
    text = make_text_tracks(job.wall_clock.cues, job.folder)
    tracks = [video, *prepared.audio.result(), *text]
    layout = lay_out_clip(tracks, prepared.ranges.result(), job.movie_info(sources))
    write_own_bytes(layout, path)
    pieces = pieces_of(layout, path)
    damaged = [window for source in sources for window in damaged_windows(source)]
    media = planned_media(video, planned.codec, planned.times, planned.copied_frames)
    rendition = Rendition(
        pieces,
        {},
        evolve(media, held_frames=sum(source.held_frames for source in sources)),
        Verification.ALL if is_decoded or damaged else Verification.SPLICES,
        tuple(merged(damaged)),
        planned.notes,
        Evidence(proof=proof_of(layout, pieces, planned.spans, prepared.tool.result())),
    )
    return AssembledClip(path, layout, video, rendition)
