"""The clip's audio: copied packet by packet where possible, else encoded as a whole."""

from collections.abc import Sequence
from pathlib import Path

from infrastructure.ffmpeg.encode_audio import encode_audio, silent_packet
from infrastructure.ffmpeg.excerpt import Excerpt, extract
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.splicing.audio import audio_in_cut, is_audio_copyable, plan_audio
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.tracks import ClipTrack, copied_audio, encoded_audio

PREROLL_PACKETS = 12
"""Decoded before the audio of a cut: MP3 refers to earlier packets, AAC to the last one."""


def make_audio_tracks(
    ffmpeg: Ffmpeg, sources: Sequence[CutSource], duration_ms: int, folder: Path, deadline_s: float
) -> list[ClipTrack]:
    """Return the clip's audio track, or no track if no cut has audio."""
    plan = plan_audio(sources, duration_ms)
    if plan is None:
        return []
    if is_audio_copyable(sources):
        silence = None
        if plan.needs_silence:
            silence = silent_packet(ffmpeg, plan.template, folder / "silence.mp4", deadline_s)
        if silence or not plan.needs_silence:
            return [copied_audio(plan, silence)]
    excerpts = [
        _extract_audio(source, folder / f"audio-{number}.mp4")
        for number, source in enumerate(sources)
        if audio_in_cut(source)
    ]
    encoded = encode_audio(ffmpeg, excerpts, duration_ms, folder, deadline_s)
    return [encoded_audio(encoded, duration_ms)]


def _extract_audio(source: CutSource, path: Path) -> Excerpt:
    """Write the cut's audio to `path`, with the keyframe before it: an excerpt needs a picture."""
    video, samples = source.video, audio_in_cut(source)
    starts = source.recording_ticks(source.cut.window.start_ms, video.timescale)
    syncs = (i for i, sync in enumerate(video.sync) if sync)
    key = max((i for i in syncs if video.pts[i] <= starts), default=source.decode_start)
    with_preroll = range(max(0, samples.start - PREROLL_PACKETS), samples.stop)
    return extract(source, (key,), key, path, with_preroll)
