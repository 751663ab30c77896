"""The exact cut: copied frames and audio, encoded edges, and an MP4 that we put together.

Of each recording only the index and the bytes around the cut points are read. ffmpeg encodes the
requested frames before the first keyframe that can be copied and after the last; where none can
be, all of them. Frame times come from the plan, never from ffmpeg. The result is parsed and decoded
before it is committed. Interlaced frames are not deinterlaced.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path

from attrs import evolve, frozen

from application.ports import Recording, Rendition, ThumbnailSpec, Transcoder
from domain.coverage import Verification, merged
from domain.errors import Unavailable, UnusableFootage
from domain.options import USUAL, ClipOptions
from domain.planning import ClipPlan, Cut
from infrastructure.ffmpeg.decode import decode_all_frames
from infrastructure.ffmpeg.encode_video import Encoder
from infrastructure.ffmpeg.excerpt import Excerpt, extract, require_possible_slices
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.thumbnails import make_thumbnails
from infrastructure.splicing.codecs import AVC, HEVC, Codec, codec_of
from infrastructure.splicing.frames import CutSource, clip_times, clip_timescale, resolve_cuts
from infrastructure.splicing.layout import MIN_COPIED_RANGE_BYTES, lay_out_clip
from infrastructure.splicing.picture_format import PictureFormat, majority_format
from infrastructure.splicing.spans import CopiedSpan, EncodedSpan, Span, plan_spans
from infrastructure.splicing.tracks import (
    EncodedTrack,
    SpanSamples,
    copied_samples,
    encoded_samples,
    video_track,
)
from infrastructure.transcoder.assemble import fill_holes, pieces_of, write_own_bytes
from infrastructure.transcoder.audio import make_audio_tracks
from infrastructure.transcoder.disk_space import require_disk_space
from infrastructure.transcoder.find_damage import damaged_windows, find_damage, give_up_damage
from infrastructure.transcoder.memory import require_memory
from infrastructure.transcoder.verify import verify_tables
from infrastructure.transcoder.verify_splices import verify_splices

logger = logging.getLogger(__name__)

BACKGROUND_THREADS = 2


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

    def render(  # noqa: PLR0913, PLR0917
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        options: ClipOptions = USUAL,
    ) -> Rendition:
        """Cut, splice, assemble and verify.

        If that fails, look for damage, and encode the damaged frames; if it fails again, or nothing
        is damaged, encode all frames.
        """
        if options.hevc and options.hevc != self.hevc:
            chosen = evolve(self, hevc=options.hevc)
            return chosen.render(plan, recordings, thumbnails, folder, deadline_s)
        sources = resolve_cuts(plan, recordings)

        def render(*, splice: bool) -> Rendition:
            return self._render(plan, sources, thumbnails, folder, deadline_s, splice=splice)

        try:
            try:
                return render(splice=self.splice)
            except UnusableFootage as error:
                logger.warning("all frames are decoded to find damage: %s", error)
                failure = error
            sources = find_damage(Ffmpeg(self.path), sources, folder, deadline_s)
            is_damaged = any(source.damaged for source in sources)
            if self.splice and is_damaged:
                try:
                    return render(splice=True)
                except UnusableFootage as error:
                    failure = error
            if not self.splice and not is_damaged:
                raise failure
            logger.warning("no frame is copied: %s", failure)
            try:
                return render(splice=False)
            except UnusableFootage as error:
                give_up_damage(sources, error)
                raise
        except OSError as error:
            raise Unavailable(f"The scratch folder cannot be used: {error.strerror}") from error

    def thumbnails(
        self, clip: Recording, thumbnails: ThumbnailSpec, folder: Path, deadline_s: float
    ) -> Mapping[int, Path]:
        """Take the clip for a recording that is cut out whole."""
        segment = clip.segment
        plan = ClipPlan(segment.window, (Cut(segment, segment.window),))
        sources = resolve_cuts(plan, {segment.name: clip})
        timescale = clip_timescale(sources)
        # The window may end earlier: a picture that stands for long is no footage, but shown.
        quarter = round(sources[0].index.duration_ms) * timescale // 4000
        try:
            times = clip_times(sources, timescale)
            pictured = _extract_frame(sources, times, quarter, folder / "thumbnail.mp4")
            size = majority_format(sources)
            return make_thumbnails(
                Ffmpeg(self.path), pictured, size, thumbnails, folder, deadline_s
            )
        except OSError as error:
            raise Unavailable(f"The scratch folder cannot be used: {error.strerror}") from error

    def _render(  # noqa: PLR0913 - a straight line
        self,
        plan: ClipPlan,
        sources: Sequence[CutSource],
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        *,
        splice: bool,
    ) -> Rendition:
        ffmpeg, duration_ms, clip = Ffmpeg(self.path), plan.duration_ms, folder / "clip.mp4"
        timescale = clip_timescale(sources)
        times = clip_times(sources, timescale)
        picture_format = majority_format(sources)
        codecs = self._copied_codecs if splice else ()
        spans = plan_spans(sources, times, picture_format, codecs=codecs)
        to_encode = [span for span in spans if isinstance(span, EncodedSpan)]
        copied = [span for span in spans if isinstance(span, CopiedSpan)]
        codec, picture_format, first_id = _encoder_for(copied, picture_format)
        # A clip without copied frames is decoded whole, so its holes, audio, are filled before.
        is_filled = self.verify == "decode" or not copied
        require_memory(spans, self.memory_bytes)
        require_disk_space(folder, sources, spans, duration_ms, is_filled=is_filled)
        # Excerpts overlap: one reader reads them in turn, so that shared bytes are read once.
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(BACKGROUND_THREADS) as background:
            excerpts = [
                reader.submit(_extract_span, span, folder / f"excerpt-{number}.mp4")
                for number, span in enumerate(to_encode)
            ]
            quarter = duration_ms * timescale // 4000
            pictured = reader.submit(
                _extract_frame, sources, times, quarter, folder / "thumbnail.mp4"
            )
            images = background.submit(
                lambda: make_thumbnails(
                    ffmpeg, pictured.result(), picture_format, thumbnails, folder, deadline_s
                )
            )
            audio = background.submit(
                make_audio_tracks, ffmpeg, sources, duration_ms, folder, deadline_s
            )
            on_frames = self._on_frames(sum(len(span.frames) for span in to_encode))
            encoder = Encoder(ffmpeg, codec, picture_format, folder, first_id, on_frames)
            encoded = encoder.encode((excerpt.result() for excerpt in excerpts), deadline_s)
            samples = _samples_of(spans, encoded)
            video = video_track(samples, timescale, duration_ms * timescale // 1000)
            tracks = [video, *audio.result()]
            layout = lay_out_clip(tracks, sources, self.min_copied_range_bytes)
            write_own_bytes(layout, clip)
            shown = [time for cut_times in times for time in cut_times]
            copied_frames = sum(len(span.frames) for span in copied)
            media = verify_tables(layout, clip, shown, video, copied_frames)
            held_frames = sum(source.held_frames for source in sources)
            if is_filled:
                fill_holes(layout, clip)
                require_possible_slices(clip, "the clip's recordings")
                audio_too = self.verify == "decode"
                decode_all_frames(ffmpeg, clip, shown, timescale, deadline_s, audio=audio_too)
            else:
                splices = folder / "splice.mp4"
                verify_splices(ffmpeg, samples, sources, timescale, splices, deadline_s)
            damaged = [window for source in sources for window in damaged_windows(source)]
            is_all_decoded = is_filled or damaged
            return Rendition(
                pieces_of(layout, clip),
                images.result(),
                evolve(media, held_frames=held_frames),
                Verification.ALL if is_all_decoded else Verification.SPLICES,
                tuple(merged(damaged)),
                _notes(to_encode),
            )

    @property
    def _copied_codecs(self) -> Collection[Codec]:
        return {AVC, HEVC} if self.hevc == "splice" else {AVC}

    def _on_frames(self, total: int) -> Callable[[int], None]:
        on_progress = self.on_progress
        return (lambda done: on_progress(done, total)) if on_progress else lambda _: None


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


def _extract_span(span: EncodedSpan, path: Path) -> Excerpt:
    return extract(span.source, span.frames, span.decode_start, path, is_damaged=span.is_damaged)


def _extract_frame(
    sources: Sequence[CutSource], times: Sequence[Sequence[int]], time: int, path: Path
) -> Excerpt:
    """Extract the frame that the clip shows at `time`, or else its first."""
    frames = [
        (shown, source, frame)
        for source, cut_times in zip(sources, times, strict=True)
        for frame, shown in zip(source.frames, cut_times, strict=True)
    ]
    _, source, frame = next((f for f in reversed(frames) if f[0] <= time), frames[0])
    start, is_damaged = source.decode_start_of((frame,)), frame in source.damaged
    return extract(source, (frame,), start, path, is_damaged=is_damaged)


def _samples_of(spans: Sequence[Span], encoded: Iterable[EncodedTrack]) -> list[SpanSamples]:
    """Return the samples of all spans; `encoded` are those of the encoded ones."""
    tracks = iter(encoded)
    return [
        copied_samples(span)
        if isinstance(span, CopiedSpan)
        else encoded_samples(span, next(tracks))
        for span in spans
    ]
