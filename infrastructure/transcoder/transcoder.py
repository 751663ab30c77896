"""The exact cut: copied frames and sound, encoded edges, and an MP4 put together by us.

Of each recording only the index and the bytes around the cut points are read. ffmpeg encodes the
wanted frames before the first keyframe that can be taken over and after the last; where none can
be, all of them. When they are shown is taken from the plan, never from ffmpeg. What comes
out is measured and decoded before anybody hears of it. Interlaced pictures are left woven.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from attrs import evolve, frozen

from application.ports import Recording, Rendition, ThumbnailSpec, Transcoder
from domain.errors import Unavailable, UnusableFootage
from domain.planning import ClipPlan
from infrastructure.ffmpeg.encode_audio import encode_audio, silent_packet
from infrastructure.ffmpeg.encode_video import Encoder
from infrastructure.ffmpeg.excerpt import Excerpt, FileSample, open_excerpt
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.thumbnails import make_thumbnails
from infrastructure.mp4.avc import parse_avcc, parse_pps, parse_sps
from infrastructure.splicing.audio import can_be_copied, plan_audio, samples_in_cut
from infrastructure.splicing.frames import (
    CutSource,
    clip_times,
    clip_timescale,
    decoded_from,
    resolve_cuts,
)
from infrastructure.splicing.layout import MIN_COPIED_RANGE_BYTES, lay_out_clip
from infrastructure.splicing.picture_format import PictureFormat, majority_format
from infrastructure.splicing.spans import plan_spans
from infrastructure.splicing.tracks import (
    ClipTrack,
    copied_audio,
    copied_span,
    encoded_audio,
    encoded_span,
    video_track,
)
from infrastructure.transcoder.disk_space import require_disk_space
from infrastructure.transcoder.verify import verify_frames, verify_tables
from infrastructure.transcoder.verify_splices import verify_splices

logger = logging.getLogger(__name__)

BACKGROUND_THREADS = 2
PREROLL_PACKETS = 12
"""Decoded before the sound that is wanted: MP3 refers to earlier packets, AAC to the last one."""


@frozen
class FfmpegTranscoder(Transcoder):
    """Makes clips with the ffmpeg at `path`."""

    path: Path
    on_progress: Callable[[int, int], None] | None = None
    """Told, now and then, how many frames are encoded, and of how many."""
    verify: str = "joins"
    """What of the clip is decoded to prove it: "joins", all that we encoded and what it joins; or
    "decode", every frame and all sound."""
    splice: bool = True
    """Whether frames are taken over where they can be."""
    min_copied_range_bytes: int = MIN_COPIED_RANGE_BYTES
    """From how many bytes on a stretch of a recording is left to the store to copy."""

    def render(
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
    ) -> Rendition:
        """Cut, splice, put together, and check; where that fails, encode all frames instead."""
        work = _Work(self, plan, recordings, thumbnails, folder, deadline_s)
        try:
            if self.splice:
                try:
                    return work.render(splice=True)
                except UnusableFootage as error:
                    logger.warning("no frame is taken over: %s", error)
            return work.render(splice=False)
        except OSError as error:
            raise Unavailable(f"The scratch folder cannot be used: {error.strerror}") from error


@frozen
class _Work:
    """One clip in the making."""

    transcoder: FfmpegTranscoder
    plan: ClipPlan
    recordings: Mapping[str, Recording]
    thumbnails: ThumbnailSpec
    folder: Path
    deadline_s: float

    def render(self, *, splice: bool) -> Rendition:
        ffmpeg, folder, deadline_s = Ffmpeg(self.transcoder.path), self.folder, self.deadline_s
        duration_ms = self.plan.delivered_ms
        sources = resolve_cuts(self.plan, self.recordings)
        timescale = clip_timescale(sources)
        times = clip_times(sources, timescale)
        picture_format, first_id = majority_format(sources), 0
        spans = plan_spans(sources, times, picture_format, splice=splice)
        template = next((run.source for run in spans if run.copied), None)
        if template:
            picture_format, first_id = _encoder_format(template, picture_format)
        filled = self.transcoder.verify == "decode"
        require_disk_space(folder, sources, spans, duration_ms, filled=filled)
        quarter = _frame_shown_at(sources, times, duration_ms * timescale // 4000)
        to_encode = [run for run in spans if not run.copied]
        progress = self._progress(sum(len(run.times) for run in to_encode))
        encoder = Encoder(ffmpeg, picture_format, folder, first_id, progress)
        # Windows overlap: read one after the other, what they share is read once.
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(BACKGROUND_THREADS) as beside:
            excerpts = [
                reader.submit(open_excerpt, run.source, folder / f"window-{number}.mp4")
                for number, run in enumerate(to_encode)
            ]
            thumbnail = reader.submit(open_excerpt, quarter, folder / "still.mp4")
            pictures = beside.submit(self._make_thumbnails, ffmpeg, thumbnail, picture_format)
            audio = beside.submit(_audio_tracks, ffmpeg, sources, duration_ms, folder, deadline_s)
            pieces = iter(encoder.encode((window.result() for window in excerpts), deadline_s))
            made_spans = [
                copied_span(r) if r.copied else encoded_span(r, next(pieces)) for r in spans
            ]
            video = video_track(made_spans, timescale, duration_ms * timescale // 1000)
            layout = lay_out_clip(
                [video, *audio.result()],
                folder / "clip.mp4",
                self.transcoder.min_copied_range_bytes,
            )
            shown = [time for own in times for time in own]
            media = verify_tables(layout, shown, video, sum(len(run.copied) for run in spans))
            if filled:
                layout.fill()
            if filled or not template:
                verify_frames(ffmpeg, layout.path, shown, timescale, deadline_s, audio=filled)
            else:
                verify_splices(ffmpeg, made_spans, timescale, folder / "join.mp4", deadline_s)
            return Rendition(layout.pieces, pictures.result(), media)

    def _make_thumbnails(
        self, ffmpeg: Ffmpeg, thumbnail: Future[Excerpt], picture_format: PictureFormat
    ) -> dict[int, Path]:
        window = thumbnail.result()
        return make_thumbnails(
            ffmpeg, window, picture_format, self.thumbnails, self.folder, self.deadline_s
        )

    def _progress(self, frames: int) -> Callable[[int], None]:
        tell = self.transcoder.on_progress
        return (lambda done: tell(done, frames)) if tell else lambda _: None


def _encoder_format(
    template: CutSource, picture_format: PictureFormat
) -> tuple[PictureFormat, int]:
    """Say how frames are encoded that stand beside those of `template`: as they look, and their ids.

    Parameter sets of one id would be taken for each other, so ours begin after the recording's.
    """
    config = parse_avcc(template.video.config)
    sets = [parse_sps(nal) for nal in config.sps]
    ids = [s.sps_id for s in sets] + [parse_pps(nal).pps_id for nal in config.pps]
    full_range = any(s.colour is not None and s.colour.full_range for s in sets)
    return evolve(picture_format, full_range=full_range), max(ids) + 1


def _frame_shown_at(
    sources: Sequence[CutSource], times: Sequence[Sequence[int]], moment: int
) -> CutSource:
    """Return the take of the one frame that the clip shows at `moment`, or else of its first."""
    frames = [
        (time, source, frame)
        for source, own in zip(sources, times, strict=True)
        for frame, time in zip(source.frames, own, strict=True)
    ]
    _, source, frame = next((f for f in reversed(frames) if f[0] <= moment), frames[0])
    first = decoded_from(source.recording.read, source.video, (frame,))
    return evolve(source, frames=(frame,), decoded_from=first or source.decoded_from)


def _audio_tracks(
    ffmpeg: Ffmpeg, sources: Sequence[CutSource], duration_ms: int, folder: Path, deadline_s: float
) -> list[ClipTrack]:
    """Return the clip's sound, if it has any: copied where that can be, else encoded whole."""
    plan = plan_audio(sources, duration_ms)
    if plan is None:
        return []
    if can_be_copied(sources):
        silence: FileSample | None = None
        if plan.needs_silence:
            silence = silent_packet(ffmpeg, plan.template, folder / "silence.mp4", deadline_s)
        if silence or not plan.needs_silence:
            return [copied_audio(plan, sources, silence)]
    excerpts = []
    for number, source in enumerate(sources):
        own = samples_in_cut(source, source.index.audio) if source.index.audio else range(0)
        if own:
            # A window needs a picture: one that is shown before the sound begins.
            starts = source.recording_ticks(source.cut.window.start_ms, source.video.timescale)
            before = (i for i, sync in enumerate(source.video.sync) if sync)
            key = max(
                (i for i in before if source.video.pts[i] <= starts), default=source.decoded_from
            )
            wanted = range(max(0, own.start - PREROLL_PACKETS), own.stop)
            pictured = evolve(source, frames=(key,), decoded_from=key)
            excerpts.append(open_excerpt(pictured, folder / f"sound-{number}.mp4", wanted))
    return [
        encoded_audio(encode_audio(ffmpeg, excerpts, duration_ms, folder, deadline_s), duration_ms)
    ]
