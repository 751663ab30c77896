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

from application.ports import Recording, Rendition, Stills, Transcoder
from domain.errors import Unavailable, Undecodable
from domain.planning import ClipPlan
from infrastructure.ffmpeg.aac import encode_sound, silent_packet
from infrastructure.ffmpeg.check import decode, measure
from infrastructure.ffmpeg.clip_tracks import (
    ClipTrack,
    copied_part,
    copied_sound,
    encoded_part,
    encoded_sound,
    video_track,
)
from infrastructure.ffmpeg.encode import Encoder
from infrastructure.ffmpeg.frames import (
    Take,
    clip_times,
    clip_timescale,
    decoded_from,
    find_takes,
)
from infrastructure.ffmpeg.joins import check_joins
from infrastructure.ffmpeg.layout import STRETCH_AT_LEAST_BYTES, lay_out
from infrastructure.ffmpeg.look import Look, common_look
from infrastructure.ffmpeg.room import check_room
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.runs import plan_runs
from infrastructure.ffmpeg.sound import can_be_copied, plan_sound, sounding
from infrastructure.ffmpeg.stills import make_stills
from infrastructure.ffmpeg.window import Stored, Window, open_window
from infrastructure.mp4.avc import parse_avcc, parse_pps, parse_sps

logger = logging.getLogger(__name__)

BESIDE = 2
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
    stretch_bytes: int = STRETCH_AT_LEAST_BYTES
    """From how many bytes on a stretch of a recording is left to the store to copy."""

    def render(
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],
        stills: Stills,
        folder: Path,
        deadline_s: float,
    ) -> Rendition:
        """Cut, splice, put together, and check; where that fails, encode all frames instead."""
        work = _Work(self, plan, recordings, stills, folder, deadline_s)
        try:
            if self.splice:
                try:
                    return work.render(splice=True)
                except Undecodable as error:
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
    stills: Stills
    folder: Path
    deadline_s: float

    def render(self, *, splice: bool) -> Rendition:
        ffmpeg, folder, deadline_s = Ffmpeg(self.transcoder.path), self.folder, self.deadline_s
        length_ms = self.plan.delivered_ms
        takes = find_takes(self.plan, self.recordings)
        timescale = clip_timescale(takes)
        times = clip_times(takes, timescale)
        look, first_id = common_look(takes), 0
        runs = plan_runs(takes, times, look, splice=splice)
        model = next((run.take for run in runs if run.copied), None)
        if model:
            look, first_id = _beside(model, look)
        filled = self.transcoder.verify == "decode"
        check_room(folder, takes, runs, length_ms, filled=filled)
        quarter = _shown_at(takes, times, length_ms * timescale // 4000)
        to_encode = [run for run in runs if not run.copied]
        progress = self._progress(sum(len(run.times) for run in to_encode))
        encoder = Encoder(ffmpeg, look, folder, first_id, progress)
        # Windows overlap: read one after the other, what they share is read once.
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(BESIDE) as beside:
            windows = [
                reader.submit(open_window, run.take, folder / f"window-{number}.mp4")
                for number, run in enumerate(to_encode)
            ]
            still = reader.submit(open_window, quarter, folder / "still.mp4")
            pictures = beside.submit(self._make_stills, ffmpeg, still, look)
            sound = beside.submit(_sound_tracks, ffmpeg, takes, length_ms, folder, deadline_s)
            pieces = iter(encoder.encode((window.result() for window in windows), deadline_s))
            parts = [copied_part(r) if r.copied else encoded_part(r, next(pieces)) for r in runs]
            video = video_track(parts, timescale, length_ms * timescale // 1000)
            layout = lay_out(
                [video, *sound.result()], folder / "clip.mp4", self.transcoder.stretch_bytes
            )
            shown = [time for own in times for time in own]
            footage = measure(layout, shown, video, sum(len(run.copied) for run in runs))
            if filled:
                layout.fill()
            if filled or not model:
                decode(ffmpeg, layout.path, shown, timescale, deadline_s, sound=filled)
            else:
                check_joins(ffmpeg, parts, timescale, folder / "join.mp4", deadline_s)
            return Rendition(layout.pieces, pictures.result(), footage)

    def _make_stills(self, ffmpeg: Ffmpeg, still: Future[Window], look: Look) -> dict[int, Path]:
        window = still.result()
        return make_stills(ffmpeg, window, look, self.stills, self.folder, self.deadline_s)

    def _progress(self, frames: int) -> Callable[[int], None]:
        tell = self.transcoder.on_progress
        return (lambda done: tell(done, frames)) if tell else lambda _: None


def _beside(model: Take, look: Look) -> tuple[Look, int]:
    """Say how frames are encoded that stand beside those of `model`: as they look, and their ids.

    Parameter sets of one id would be taken for each other, so ours begin after the recording's.
    """
    config = parse_avcc(model.video.config)
    sets = [parse_sps(nal) for nal in config.sps]
    ids = [s.sps_id for s in sets] + [parse_pps(nal).pps_id for nal in config.pps]
    full_range = any(s.colour is not None and s.colour.full_range for s in sets)
    return evolve(look, full_range=full_range), max(ids) + 1


def _shown_at(takes: Sequence[Take], times: Sequence[Sequence[int]], moment: int) -> Take:
    """Return the take of the one frame that the clip shows at `moment`, or else of its first."""
    frames = [
        (time, take, frame)
        for take, own in zip(takes, times, strict=True)
        for frame, time in zip(take.frames, own, strict=True)
    ]
    _, take, frame = next((f for f in reversed(frames) if f[0] <= moment), frames[0])
    first = decoded_from(take.read, take.video, (frame,))
    return evolve(take, frames=(frame,), decoded_from=first or take.decoded_from)


def _sound_tracks(
    ffmpeg: Ffmpeg, takes: Sequence[Take], length_ms: int, folder: Path, deadline_s: float
) -> list[ClipTrack]:
    """Return the clip's sound, if it has any: copied where that can be, else encoded whole."""
    plan = plan_sound(takes, length_ms)
    if plan is None:
        return []
    if can_be_copied(takes):
        silence: Stored | None = None
        if plan.has_silence:
            silence = silent_packet(ffmpeg, plan.model, folder / "silence.mp4", deadline_s)
        if silence or not plan.has_silence:
            return [copied_sound(plan, takes, silence)]
    windows = []
    for number, take in enumerate(takes):
        own = sounding(take, take.index.sound) if take.index.sound else range(0)
        if own:
            # A window needs a picture: one that is shown before the sound begins.
            starts = take.recording_ticks(take.cut.window.start_ms, take.video.timescale)
            before = (i for i, sync in enumerate(take.video.sync) if sync)
            key = max((i for i in before if take.video.pts[i] <= starts), default=take.decoded_from)
            wanted = range(max(0, own.start - PREROLL_PACKETS), own.stop)
            pictured = evolve(take, frames=(key,), decoded_from=key)
            windows.append(open_window(pictured, folder / f"sound-{number}.mp4", wanted))
    return [encoded_sound(encode_sound(ffmpeg, windows, length_ms, folder, deadline_s), length_ms)]
