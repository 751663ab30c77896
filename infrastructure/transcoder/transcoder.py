"""The exact cut: copied frames and audio, encoded edges, and an MP4 that we put together.

Of each recording only the index and the bytes around the cut points are read. ffmpeg encodes the
requested frames before the first keyframe that can be copied and after the last; where none can
be, all of them. Frame times come from the plan, never from ffmpeg. The result is parsed and decoded
before it is committed. Interlaced frames are not deinterlaced.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from math import inf
from pathlib import Path

from attrs import evolve, frozen

from application.ports import Recording, Rendition, ThumbnailSpec, Transcoder
from domain.clip_label import ClipLabel
from domain.errors import Unavailable, UnusableFootage
from domain.manifest import Manifest
from domain.options import USUAL, ClipOptions
from domain.planning import ClipPlan, Cut
from infrastructure.ffmpeg.decode import decode_all_frames
from infrastructure.ffmpeg.encode_video import Encoder
from infrastructure.ffmpeg.excerpt import require_possible_slices
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.thumbnails import make_thumbnails
from infrastructure.splicing.codecs import AVC, HEVC, Codec
from infrastructure.splicing.copied_ranges import MIN_COPIED_RANGE_BYTES
from infrastructure.splicing.filler import encoded_pictures, repeated, without_filler
from infrastructure.splicing.frames import (
    CutSource,
    clip_times,
    clip_timescale,
    resolve_cuts,
)
from infrastructure.splicing.picture_format import majority_format
from infrastructure.splicing.spans import EncodedSpan
from infrastructure.splicing.tracks import SpanSamples, encoded_samples
from infrastructure.transcoder.assemble import fill_holes
from infrastructure.transcoder.assembled_clip import AssembledClip, assemble_clip
from infrastructure.transcoder.disk_space import require_disk_space
from infrastructure.transcoder.filler import GapFiller
from infrastructure.transcoder.find_damage import find_damage, give_up_damage
from infrastructure.transcoder.job import Job
from infrastructure.transcoder.memory import require_memory
from infrastructure.transcoder.planned_clip import PlannedClip, frame_at, plan_frames
from infrastructure.transcoder.preparation import Preparation, extract_frame, prepare
from infrastructure.transcoder.read_ahead import read_frame, read_spans, reading_ahead
from infrastructure.transcoder.sidecars import make_sidecars
from infrastructure.transcoder.verify import verify_tables
from infrastructure.transcoder.verify_splices import verify_splices
from infrastructure.transcoder.wall_clock import WallClock
from infrastructure.zones import wall_clock_zone

logger = logging.getLogger(__name__)

BACKGROUND_THREADS = 3
RESOLVE_CONCURRENCY = 8


@frozen
class FfmpegTranscoder(Transcoder):
    """Makes clips with the ffmpeg at `path`."""

    path: Path
    on_progress: Callable[[int, int], None] | None = None
    """Called now and then with how many frames are encoded, and of how many."""
    verify: str = "joins"
    """What is decoded to verify a clip: "joins", all encoded frames with their copied neighbours;
    or "decode", every frame and all audio."""
    splice: bool = True
    """Whether frames are copied where they can be."""
    hevc: str = "splice"
    """What becomes of HEVC recordings: "splice", their frames are copied like those of H.264, and a
    clip that has most of its frames from them is HEVC; or "h264", every clip is H.264."""
    memory_bytes: float = inf
    """How much memory there is for ffmpeg, and all else."""
    min_copied_range_bytes: int = MIN_COPIED_RANGE_BYTES
    """The smallest range of a recording that the store is left to copy."""
    uploaded_bytes: int = 0
    """How many bytes of a copied range the store uploads itself: they are read in time for it."""

    def render(  # noqa: PLR0913, PLR0917
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        options: ClipOptions = USUAL,
        label: ClipLabel | None = None,
    ) -> Rendition:
        """Cut, splice, assemble and verify."""
        return self.render_reporting(
            plan, recordings, thumbnails, folder, deadline_s, options, label, lambda _: None
        )

    def render_reporting(  # noqa: PLR0913, PLR0917
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        options: ClipOptions,
        label: ClipLabel | None,
        assembled: Callable[[Rendition], None],
    ) -> Rendition:
        """Report what is assembled, and verify it.

        If that fails, look for damage, and encode the damaged frames; if it fails again, or nothing
        is damaged, encode all frames.
        """
        chosen = evolve(self, hevc=options.hevc or self.hevc)
        zone = wall_clock_zone(options)
        clock, filler = WallClock(plan, zone), GapFiller(plan, options.filler, zone or UTC)
        try:
            with reading_ahead() as read_ahead:
                with ThreadPoolExecutor(RESOLVE_CONCURRENCY) as several:
                    sources = resolve_cuts(plan, recordings, read_ahead, several.map)
                job = Job(
                    plan,
                    thumbnails,
                    folder,
                    deadline_s,
                    label,
                    clock,
                    filler,
                    read_ahead,
                    assembled,
                )
                return chosen._render_sources(job, sources)  # noqa: SLF001 - of this class
        except OSError as error:
            raise Unavailable(f"The scratch folder cannot be used: {error.strerror}") from error

    def _render_sources(self, job: Job, sources: Sequence[CutSource]) -> Rendition:
        try:
            return self._render(job, sources, splice=self.splice)
        except UnusableFootage as error:
            logger.warning("all frames are decoded to find damage: %s", error)
            failure = error
        sources = find_damage(Ffmpeg(self.path), sources, job.folder, job.deadline_s)
        is_damaged = any(source.damaged for source in sources)
        if self.splice and is_damaged:
            try:
                return self._render(job, sources, splice=True)
            except UnusableFootage as error:
                failure = error
        if not self.splice and not is_damaged:
            raise failure
        logger.warning("no frame is copied: %s", failure)
        try:
            return self._render(job, sources, splice=False)
        except UnusableFootage as error:
            give_up_damage(sources, error)
            raise

    def thumbnails(
        self,
        clip: Recording,
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        filler: Sequence[range] = (),
    ) -> Mapping[int, Path]:
        """Take the clip for a recording that is cut out whole, but for its filler."""
        segment = clip.segment
        plan = ClipPlan(segment.window, (Cut(segment, segment.window),))
        sources = resolve_cuts(plan, {segment.name: clip})
        timescale = clip_timescale(sources)
        # The window may end earlier: a picture that stands for long is no footage, but shown.
        quarter = round(sources[0].index.duration_ms) * timescale // 4000
        times = clip_times(sources, timescale)
        try:
            pictured = frame_at(*without_filler(sources, times, filler), quarter)
            picture = extract_frame(*pictured, folder / "thumbnail.mp4")
            size = majority_format(sources)
            return make_thumbnails(Ffmpeg(self.path), picture, size, thumbnails, folder, deadline_s)
        except OSError as error:
            raise Unavailable(f"The scratch folder cannot be used: {error.strerror}") from error

    def sidecars(
        self,
        clip: Recording,
        manifest: Manifest,
        options: ClipOptions,
        folder: Path,
        deadline_s: float,
    ) -> Mapping[str, Path]:
        """Decode some frames of the clip: keyframes, where they are near enough."""
        zone = wall_clock_zone(options) or UTC
        return make_sidecars(Ffmpeg(self.path), clip, manifest, zone, folder, deadline_s)

    def _render(self, job: Job, sources: Sequence[CutSource], *, splice: bool) -> Rendition:
        ffmpeg, folder, deadline_s = Ffmpeg(self.path), job.folder, job.deadline_s
        planned = plan_frames(job, sources, self._copied_codecs if splice else ())
        read_frame(job.read_ahead, *planned.pictured)
        # A clip without copied frames is decoded whole, so its holes, audio, are filled before.
        is_filled = self.verify == "decode" or not planned.copied
        require_memory(planned.spans, self.memory_bytes)
        duration_ms = job.plan.duration_ms
        require_disk_space(folder, sources, planned.spans, duration_ms, is_filled=is_filled)
        read_spans(job.read_ahead, planned.to_encode)
        # Each attempt has a file of its own: an earlier one may still be read to be sent.
        damaged_frames = sum(len(source.damaged) for source in sources)
        path = folder / f"clip-{'spliced' if splice else 'encoded'}-{damaged_frames}.mp4"
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(BACKGROUND_THREADS) as background:
            prepared = prepare(
                job,
                planned,
                ffmpeg,
                reader,
                background,
                self.min_copied_range_bytes,
                self.uploaded_bytes,
            )
            samples = self._encoded(job, planned, prepared)
            splices = None
            if not is_filled:  # ffmpeg decodes them while the clip's tables are made and verified
                splices = background.submit(
                    verify_splices,
                    ffmpeg,
                    samples,
                    planned.timescale,
                    folder / "splice.mp4",
                    deadline_s,
                )
            clip = assemble_clip(job, planned, prepared, samples, path, is_decoded=is_filled)
            job.assembled(clip.rendition)
            verify_tables(clip.layout, clip.path, planned.times, clip.video, job.wall_clock.cues)
            if splices:
                splices.result()
            else:
                self._decode_whole(clip, planned, deadline_s)
            return evolve(clip.rendition, thumbnails=prepared.thumbnails.result())

    def _encoded(self, job: Job, planned: PlannedClip, prepared: Preparation) -> list[SpanSamples]:
        """Encode the spans that are not copied, and return the samples of all spans."""
        on_frames = self._on_frames(sum(map(encoded_pictures, planned.to_encode)))
        codec, picture_format = planned.codec, planned.picture_format
        encoder = Encoder(
            Ffmpeg(self.path), codec, picture_format, job.folder, planned.first_id, on_frames
        )
        excerpts = (excerpt.result() for excerpt in prepared.excerpts)
        tracks = iter(encoder.encode(excerpts, job.deadline_s))
        return [
            encoded_samples(span, repeated(next(tracks), len(span.times)))
            if isinstance(span, EncodedSpan)
            else planned.copied[number]
            for number, span in enumerate(planned.spans)
        ]

    def _decode_whole(self, clip: AssembledClip, planned: PlannedClip, deadline_s: float) -> None:
        fill_holes(clip.layout, clip.path)
        require_possible_slices(clip.path, "the clip's recordings")
        decode_all_frames(
            Ffmpeg(self.path),
            clip.path,
            planned.times,
            planned.timescale,
            deadline_s,
            audio=self.verify == "decode",
        )

    @property
    def _copied_codecs(self) -> Collection[Codec]:
        return {AVC, HEVC} if self.hevc == "splice" else {AVC}

    def _on_frames(self, total: int) -> Callable[[int], None]:
        on_progress = self.on_progress
        return (lambda done: on_progress(done, total)) if on_progress else lambda _: None
