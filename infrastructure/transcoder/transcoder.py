"""The exact cut: copied frames and audio, encoded edges, and an MP4 that we put together.

Of each recording only the index and the bytes around the cut points are read. ffmpeg encodes the
requested frames before the first keyframe that can be copied and after the last; where none can
be, all of them. Frame times come from the plan, never from ffmpeg. The result is parsed and decoded
before it is committed. Interlaced frames are not deinterlaced.
"""

import logging
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from math import inf
from pathlib import Path

from attrs import evolve, frozen

from application.ports import Recording, Rendition, ThumbnailSpec, Transcoder
from domain.clip_label import ClipLabel
from domain.coverage import Verification, merged
from domain.errors import Unavailable, UnusableFootage
from domain.manifest import Evidence, Manifest
from domain.options import USUAL, ClipOptions
from domain.planning import ClipPlan, Cut
from infrastructure.ffmpeg.decode import decode_all_frames
from infrastructure.ffmpeg.encode_video import Encoder
from infrastructure.ffmpeg.excerpt import Excerpt, extract, require_possible_slices
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.thumbnails import make_thumbnails
from infrastructure.ffmpeg.version import ffmpeg_version
from infrastructure.mp4.movie_info import MovieInfo
from infrastructure.splicing.codecs import AVC, HEVC, Codec, codec_of
from infrastructure.splicing.copied_ranges import MIN_COPIED_RANGE_BYTES, copied_ranges
from infrastructure.splicing.filler import (
    begins_with_filler,
    encoded_pictures,
    repeated,
    without_filler,
)
from infrastructure.splicing.frames import (
    CutSource,
    ReadAhead,
    clip_times,
    clip_timescale,
    resolve_cuts,
)
from infrastructure.splicing.layout import Layout, lay_out_clip
from infrastructure.splicing.picture_format import PictureFormat, majority_format
from infrastructure.splicing.spans import CopiedSpan, EncodedSpan, Span, plan_spans
from infrastructure.splicing.tracks import (
    EncodedTrack,
    SpanSamples,
    copied_samples,
    encoded_samples,
    recorded_runs,
    video_track,
)
from infrastructure.transcoder.assemble import fill_holes, pieces_of, write_own_bytes
from infrastructure.transcoder.audio import make_audio_tracks
from infrastructure.transcoder.disk_space import require_disk_space
from infrastructure.transcoder.filler import GapFiller
from infrastructure.transcoder.find_damage import damaged_windows, find_damage, give_up_damage
from infrastructure.transcoder.memory import require_memory
from infrastructure.transcoder.prove import proof_of
from infrastructure.transcoder.read_ahead import (
    read_assembled,
    read_frame,
    read_spans,
    reading_ahead,
)
from infrastructure.transcoder.sidecars import make_sidecars
from infrastructure.transcoder.verify import planned_media, verify_tables
from infrastructure.transcoder.verify_splices import verify_splices
from infrastructure.transcoder.wall_clock import WallClock, make_text_tracks
from infrastructure.zones import wall_clock_zone

logger = logging.getLogger(__name__)

BACKGROUND_THREADS = 3
RESOLVE_CONCURRENCY = 8


@frozen
class _Job:
    """A clip to render."""

    plan: ClipPlan
    thumbnails: ThumbnailSpec
    folder: Path
    deadline_s: float
    label: ClipLabel | None
    wall_clock: WallClock
    filler: GapFiller
    read_ahead: ReadAhead
    assembled: Callable[[Rendition], None]


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
                job = _Job(
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

    def _render_sources(self, job: _Job, sources: Sequence[CutSource]) -> Rendition:
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
            pictured = _frame_at(*without_filler(sources, times, filler), quarter)
            picture = _extract_frame(*pictured, folder / "thumbnail.mp4")
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

    def _render(self, job: _Job, sources: Sequence[CutSource], *, splice: bool) -> Rendition:
        ffmpeg, folder, deadline_s = Ffmpeg(self.path), job.folder, job.deadline_s
        duration_ms, read_ahead = job.plan.duration_ms, job.read_ahead
        timescale = clip_timescale(sources)
        times = job.filler.times(sources, timescale)
        pictured = _frame_at(sources, times, duration_ms * timescale // 4000)
        read_frame(read_ahead, *pictured)
        picture_format = majority_format(sources)
        spans = job.filler.added_to(
            plan_spans(
                sources,
                times,
                picture_format,
                codecs=self._copied_codecs if splice else (),
                after_filler=begins_with_filler(job.plan, sources),
            ),
            sources,
            times,
            timescale,
        )
        to_encode = [span for span in spans if isinstance(span, EncodedSpan)]
        copied = [span for span in spans if isinstance(span, CopiedSpan)]
        codec, picture_format, first_id = _encoder_for(copied, picture_format)
        # A clip without copied frames is decoded whole, so its holes, audio, are filled before.
        is_filled = self.verify == "decode" or not copied
        require_memory(spans, self.memory_bytes)
        require_disk_space(folder, sources, spans, duration_ms, is_filled=is_filled)
        read_spans(read_ahead, to_encode)
        # Excerpts overlap: one reader reads them in turn, so that shared bytes are read once.
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(BACKGROUND_THREADS) as background:
            excerpts = [
                reader.submit(job.filler.extract, span, folder / f"excerpt-{number}.mp4")
                for number, span in enumerate(to_encode)
            ]
            picture = reader.submit(_extract_frame, *pictured, folder / "thumbnail.mp4")
            images = background.submit(
                lambda: make_thumbnails(
                    ffmpeg, picture.result(), picture_format, job.thumbnails, folder, deadline_s
                )
            )
            tool = background.submit(ffmpeg_version, ffmpeg, deadline_s)
            audio = background.submit(
                make_audio_tracks, ffmpeg, sources, duration_ms, folder, deadline_s
            )
            unchanged = {
                number: copied_samples(span)
                for number, span in enumerate(spans)
                if isinstance(span, CopiedSpan)
            }
            ranges = background.submit(
                lambda: copied_ranges(
                    recorded_runs(unchanged.values(), audio.result()),
                    sources,
                    self.min_copied_range_bytes,
                )
            )
            reader.submit(
                lambda: read_assembled(
                    read_ahead,
                    spans,
                    unchanged,
                    audio.result(),
                    ranges.result(),
                    self.uploaded_bytes,
                )
            )
            on_frames = self._on_frames(sum(map(encoded_pictures, to_encode)))
            encoder = Encoder(ffmpeg, codec, picture_format, folder, first_id, on_frames)
            encoded = encoder.encode((excerpt.result() for excerpt in excerpts), deadline_s)
            samples = _samples_of(spans, unchanged, encoded)
            splices = None
            if not is_filled:  # ffmpeg decodes them while the clip's tables are made and verified
                path = folder / "splice.mp4"
                splices = background.submit(
                    verify_splices, ffmpeg, samples, timescale, path, deadline_s
                )
            video = video_track(samples, timescale, duration_ms * timescale // 1000)
            cues = job.wall_clock.cues
            tracks = [video, *audio.result(), *make_text_tracks(cues, folder)]
            layout = lay_out_clip(tracks, ranges.result(), _movie_info(sources, job))
            damaged = [window for source in sources for window in damaged_windows(source)]
            # Each attempt has a file of its own: an earlier one may still be read to be sent.
            clip = folder / f"clip-{'spliced' if splice else 'encoded'}-{len(damaged)}.mp4"
            write_own_bytes(layout, clip)
            shown = sorted(time for span in spans for time in span.times)
            copied_frames = sum(len(span.frames) for span in copied)
            media = planned_media(video, codec, shown, copied_frames)
            pieces = pieces_of(layout, clip)
            rendition = Rendition(
                pieces,
                {},
                evolve(media, held_frames=sum(source.held_frames for source in sources)),
                Verification.ALL if is_filled or damaged else Verification.SPLICES,
                tuple(merged(damaged)),
                _notes(to_encode),
                Evidence(proof=proof_of(layout, pieces, spans, tool.result())),
            )
            job.assembled(rendition)
            verify_tables(layout, clip, shown, video, cues)
            if splices:
                splices.result()
            else:
                self._decode_whole(layout, clip, shown, timescale, deadline_s)
            return evolve(rendition, thumbnails=images.result())

    def _decode_whole(
        self, layout: Layout, clip: Path, times: Sequence[int], timescale: int, deadline_s: float
    ) -> None:
        fill_holes(layout, clip)
        require_possible_slices(clip, "the clip's recordings")
        audio_too = self.verify == "decode"
        decode_all_frames(Ffmpeg(self.path), clip, times, timescale, deadline_s, audio=audio_too)

    @property
    def _copied_codecs(self) -> Collection[Codec]:
        return {AVC, HEVC} if self.hevc == "splice" else {AVC}

    def _on_frames(self, total: int) -> Callable[[int], None]:
        on_progress = self.on_progress
        return (lambda done: on_progress(done, total)) if on_progress else lambda _: None


def _movie_info(sources: Sequence[CutSource], job: _Job) -> MovieInfo | None:
    """Return what the clip says of itself, None without a label."""
    label, chapters = job.label, job.wall_clock.chapters(sources)
    if label is None:
        return None
    created_s = job.filler.first_seen_ms(sources) // 1000
    return MovieInfo(created_s, label.title, label.name.clip_id, chapters)


def _encoder_for(
    copied: Sequence[CopiedSpan], picture_format: PictureFormat
) -> tuple[Codec, PictureFormat, int]:
    """Return codec, picture format and first free parameter-set id of frames next to copied ones.

    A decoder would take two parameter sets of one id for each other. Without copied frames, the
    codec is H.264: it is encoded several times faster, and everything plays it.
    """
    if not copied:
        return AVC, picture_format, 0
    video = copied[0].source.video
    codec = codec_of(video)
    full_range, sample_bits = codec.sample_format(video.config)
    picture_format = evolve(picture_format, full_range=full_range, sample_bits=sample_bits)
    return codec, picture_format, max(codec.ids(video.config)) + 1


def _notes(spans: Iterable[EncodedSpan]) -> tuple[str, ...]:
    """Return, for the log, which cuts are encoded as a whole, and why."""
    reasons = (
        f"{span.source.cut.segment.name} is encoded: {span.copy_obstacle}"
        for span in spans
        if span.copy_obstacle
    )
    return tuple(dict.fromkeys(reasons))


def _frame_at(
    sources: Sequence[CutSource], times: Sequence[Sequence[int]], time: int
) -> tuple[CutSource, int]:
    """Return the frame that the clip shows at `time`, or else its first, and its cut."""
    for source, cut_times in zip(reversed(sources), reversed(times), strict=True):
        if cut_times[0] <= time:
            return source, source.frames[bisect_right(cut_times, time) - 1]
    return sources[0], sources[0].frames[0]


def _extract_frame(source: CutSource, frame: int, path: Path) -> Excerpt:
    start, is_damaged = source.decode_start_of((frame,)), frame in source.damaged
    return extract(source, (frame,), start, path, is_damaged=is_damaged, is_whole=is_damaged)


def _samples_of(
    spans: Sequence[Span], copied: Mapping[int, SpanSamples], encoded: Iterable[EncodedTrack]
) -> list[SpanSamples]:
    """Return the samples of all spans; `copied` has those of some by their numbers."""
    tracks = iter(encoded)
    return [
        encoded_samples(span, repeated(next(tracks), len(span.times)))
        if isinstance(span, EncodedSpan)
        else copied[number]
        for number, span in enumerate(spans)
    ]
