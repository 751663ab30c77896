"""AAC that no recording has: silence between its packets, or the whole clip's audio."""

from collections.abc import Sequence
from math import floor
from pathlib import Path

from application.ports import FilePiece
from domain.errors import UnusableFootage
from infrastructure.ffmpeg.excerpt import Excerpt, encoded_track, index_file
from infrastructure.ffmpeg.runner import Ffmpeg, file_url, mp4_input
from infrastructure.mp4.index import Track
from infrastructure.splicing.tracks import EncodedTrack

RATES_HZ = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""By samplingFrequencyIndex (ISO/IEC 14496-3, 1.6.3.4), without the last one, 7350 Hz."""
CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8}
"""By channelConfiguration (1.6.3.5)."""
AAC_LC = 2
SAMPLES_A_PACKET = 1024
BYTES_A_SAMPLE = 2
ENCODED_RATE_HZ = 48_000
STEREO = 2
FIRST_STEADY_PACKET = 4
"""The first packets prime the decoder; from this one on, packets of silence are identical."""


def silent_packet(
    ffmpeg: Ffmpeg, template: Track, path: Path, deadline_s: float
) -> FilePiece | None:
    """Encode a packet of silence that fits among those of `template`; None if none can."""
    object_type, rate_index, channels_index = _audio_object(template.config)
    if object_type != AAC_LC or rate_index >= len(RATES_HZ) or channels_index not in CHANNELS:
        return None
    rate, channels = RATES_HZ[rate_index], CHANNELS[channels_index]
    zeros = bytes(8 * SAMPLES_A_PACKET * channels * BYTES_A_SAMPLE)
    _encode(ffmpeg, ["-i", "pipe:0"], zeros, rate, channels, path, deadline_s)
    encoded = index_file(path).audio
    if encoded is None or len(encoded.sizes) <= FIRST_STEADY_PACKET:
        return None
    if encoded.config[:2] != template.config[:2]:
        return None
    return encoded_track(path, encoded).samples[FIRST_STEADY_PACKET]


def _audio_object(config: bytes) -> tuple[int, int, int]:
    """Read object type, samplingFrequencyIndex and channelConfiguration of an ASC (1.6.2.1)."""
    number = int.from_bytes(config[:2])
    return number >> 11, number >> 7 & 15, number >> 3 & 15


def encode_audio(
    ffmpeg: Ffmpeg, excerpts: Sequence[Excerpt], duration_ms: int, folder: Path, deadline_s: float
) -> EncodedTrack:
    """Decode the audio of each of `excerpts`, put it at its clip time, and encode it as AAC.

    The first sample is presented at the clip's beginning.
    """
    tracks = [excerpt.source.index.audio for excerpt in excerpts]
    rates = [track.sample_rate for track in tracks if track]
    rate = rates[0] if rates[0] in RATES_HZ else ENCODED_RATE_HZ
    channels = min(STEREO, max(track.channels for track in tracks if track) or 1)
    step_bytes = channels * BYTES_A_SAMPLE
    mixed = folder / "audio.pcm"
    with mixed.open("wb") as out:
        out.truncate(-(-duration_ms * rate // 1000) * step_bytes)
        for excerpt in excerpts:
            pcm = _decoded(ffmpeg, excerpt, rate, channels, deadline_s)
            out.seek(excerpt.source.cut.clip_ms * rate // 1000 * step_bytes)
            out.write(_within_the_cut(excerpt, pcm, rate, step_bytes))
    path = folder / "audio.mp4"
    source = ["-protocol_whitelist", "file", "-i", file_url(mixed)]
    _encode(ffmpeg, source, b"", rate, channels, path, deadline_s)
    track = index_file(path).audio
    if track is None:
        raise UnusableFootage("ffmpeg made no audio.")
    return encoded_track(path, track)


def _decoded(ffmpeg: Ffmpeg, excerpt: Excerpt, rate: int, channels: int, deadline_s: float) -> Path:
    """Decode an excerpt's audio to a file whose first sample is at the excerpt's 0."""
    pcm = excerpt.path.with_suffix(".pcm")
    # However many packets are damaged: there is silence in their place.
    arguments = ["-y", "-max_error_rate", "1", "-copyts", *mp4_input(excerpt.path), "-map", "0:a:0"]
    arguments += ["-af", f"aresample={rate}:async=1:min_hard_comp=0.01:first_pts=0"]
    arguments += ["-ac", str(channels), "-f", "s16le", file_url(pcm)]
    ffmpeg.run(arguments, deadline_s)
    return pcm


def _within_the_cut(excerpt: Excerpt, pcm: Path, rate: int, step_bytes: int) -> bytes:
    source = excerpt.source
    first_ms = source.cut.segment.media_ms(source.cut.window.start_ms)
    first = floor(first_ms * rate / 1000) - excerpt.pts_offset * rate // source.video.timescale
    with pcm.open("rb") as file:
        file.seek(first * step_bytes)
        return file.read(source.media_ms * rate // 1000 * step_bytes)


def _encode(  # noqa: PLR0913, PLR0917 - each is part of the command line
    ffmpeg: Ffmpeg,
    source: Sequence[str],
    stdin: bytes,
    rate: int,
    channels: int,
    path: Path,
    deadline_s: float,
) -> None:
    raw = ["-y", "-f", "s16le", "-ar", str(rate), "-ac", str(channels)]
    coded = ["-c:a", "aac", "-aac_coder", "fast", "-b:a", f"{64 * channels}k"]
    ffmpeg.run([*raw, *source, *coded, "-f", "mp4", file_url(path)], deadline_s, stdin=stdin)
