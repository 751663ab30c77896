"""What is made and read while frames are encoded, by threads of its own."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from pathlib import Path

from attrs import frozen

from infrastructure.ffmpeg.excerpt import Excerpt, extract
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.thumbnails import make_thumbnails
from infrastructure.ffmpeg.version import ffmpeg_version
from infrastructure.splicing.copied_ranges import CopiedRange, copied_ranges
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.tracks import ClipTrack, recorded_runs
from infrastructure.transcoder.audio import make_audio_tracks
from infrastructure.transcoder.job import Job
from infrastructure.transcoder.planned_clip import PlannedClip
from infrastructure.transcoder.read_ahead import read_assembled


@frozen(eq=False)
class Preparation:
    """What else than encoded frames a clip is assembled from."""

    excerpts: Sequence[Future[Excerpt]]
    """Of the spans that are encoded, in order."""
    thumbnails: Future[Mapping[int, Path]]
    audio: Future[list[ClipTrack]]
    ranges: Future[list[CopiedRange]]
    tool: Future[str]
    """ffmpeg's version."""


def prepare(  # noqa: PLR0913, PLR0917
    job: Job,
    planned: PlannedClip,
    ffmpeg: Ffmpeg,
    reader: Executor,
    background: Executor,
    min_copied_range_bytes: int,
    uploaded_bytes: int,
) -> Preparation:
    """Begin to prepare a clip.

    Excerpts overlap: `reader`, of one thread, reads them in turn, so that shared bytes are read
    once.
    """
    folder, deadline_s, sources = job.folder, job.deadline_s, planned.sources
    excerpts = [
        reader.submit(job.filler.extract, span, folder / f"excerpt-{number}.mp4")
        for number, span in enumerate(planned.to_encode)
    ]
    picture = reader.submit(extract_frame, *planned.pictured, folder / "thumbnail.mp4")

    def thumbnails() -> Mapping[int, Path]:
        size = planned.picture_format
        return make_thumbnails(ffmpeg, picture.result(), size, job.thumbnails, folder, deadline_s)

    def audio() -> list[ClipTrack]:
        wait(excerpts[:1])  # The encoder waits for it: it has the processor first.
        return make_audio_tracks(ffmpeg, sources, job.plan.duration_ms, folder, deadline_s)

    tracks = background.submit(audio)

    def copied() -> list[CopiedRange]:
        runs = recorded_runs(planned.copied.values(), tracks.result())
        return copied_ranges(runs, sources, min_copied_range_bytes)

    ranges = background.submit(copied)

    def read() -> None:
        read_assembled(
            job.read_ahead,
            planned.spans,
            planned.copied,
            tracks.result(),
            ranges.result(),
            uploaded_bytes,
        )

    reader.submit(read)
    pictures = background.submit(thumbnails)
    return Preparation(
        excerpts, pictures, tracks, ranges, background.submit(ffmpeg_version, ffmpeg, deadline_s)
    )


def extract_frame(source: CutSource, frame: int, path: Path) -> Excerpt:
    """Write an excerpt to show one frame of."""
    start, is_damaged = source.decode_start_of((frame,)), frame in source.damaged
    return extract(source, (frame,), start, path, is_damaged=is_damaged, is_whole=is_damaged)
