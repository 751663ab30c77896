"""AAC that no recording holds: silence to put between its packets, or the whole clip's sound."""

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from domain.errors import UnusableFootage
from infrastructure.ffmpeg.excerpt import Excerpt, FileSample, index_file
from infrastructure.ffmpeg.runner import Ffmpeg, file_url, mp4_input
from infrastructure.mp4.index import Track

RATES_HZ = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""By samplingFrequencyIndex (ISO/IEC 14496-3, 1.6.3.4); 7350 Hz, the last, nobody uses."""
CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8}
"""By channelConfiguration (1.6.3.5)."""
AAC_LC = 2
SAMPLES_A_PACKET = 1024
BYTES_A_SAMPLE = 2
ENCODED_RATE_HZ = 48_000
STEREO = 2


def silent_packet(
    ffmpeg: Ffmpeg, template: Track, path: Path, deadline_s: float
) -> FileSample | None:
    """Encode a packet of silence that can stand among those of `template`; None if that can't be."""
    kind, rate_at, channels_at = _audio_object(template.config)
    if kind != AAC_LC or rate_at >= len(RATES_HZ) or channels_at not in CHANNELS:
        return None
    rate, channels = RATES_HZ[rate_at], CHANNELS[channels_at]
    zeros = bytes(8 * SAMPLES_A_PACKET * channels * BYTES_A_SAMPLE)
    _encode(ffmpeg, ["-i", "pipe:0"], zeros, rate, channels, path, deadline_s)
    made = index_file(path).audio
    # The first packet primes the decoder; from the fourth on they are all alike.
    if made is None or len(made.sizes) < 5 or made.config[:2] != template.config[:2]:  # noqa: PLR2004
        return None
    return FileSample(path, made.offsets[4], made.sizes[4])


def _audio_object(config: bytes) -> tuple[int, int, int]:
    """Read object type, samplingFrequencyIndex and channelConfiguration of an ASC (1.6.2.1)."""
    number = int.from_bytes(config[:2])
    return number >> 11, number >> 7 & 15, number >> 3 & 15


@frozen(eq=False)
class EncodedAudio:
    """The sound of a whole clip: its first sample is heard at the clip's beginning."""

    path: Path
    track: Track


def encode_audio(
    ffmpeg: Ffmpeg, excerpts: Sequence[Excerpt], duration_ms: int, folder: Path, deadline_s: float
) -> EncodedAudio:
    """Decode what sounds in each of `excerpts`, lay it on the clip's clock, and encode it as AAC."""
    tracks = [window.source.index.audio for window in excerpts]
    rates = [track.sample_rate for track in tracks if track]
    rate = rates[0] if rates[0] in RATES_HZ else ENCODED_RATE_HZ
    channels = min(STEREO, max(track.channels for track in tracks if track) or 1)
    step = channels * BYTES_A_SAMPLE
    laid = folder / "sound.pcm"
    with laid.open("wb") as out:
        out.truncate(-(-duration_ms * rate // 1000) * step)
        for window in excerpts:
            pcm = _decoded(ffmpeg, window, rate, channels, deadline_s)
            out.seek(window.source.clip_ms * rate // 1000 * step)
            out.write(_within_the_cut(window, pcm, rate, step))
    path = folder / "sound.mp4"
    source = ["-protocol_whitelist", "file", "-i", file_url(laid)]
    _encode(ffmpeg, source, b"", rate, channels, path, deadline_s)
    track = index_file(path).audio
    if track is None:
        raise UnusableFootage("ffmpeg made no sound.")
    return EncodedAudio(path, track)


def _decoded(ffmpeg: Ffmpeg, window: Excerpt, rate: int, channels: int, deadline_s: float) -> Path:
    """Decode a window's sound to a file whose first sample is heard at the window's 0."""
    pcm = window.path.with_suffix(".pcm")
    arguments = ["-y", "-copyts", *mp4_input(window.path), "-map", "0:a:0"]
    arguments += ["-af", f"aresample={rate}:async=1:min_hard_comp=0.01:first_pts=0"]
    arguments += ["-ac", str(channels), "-f", "s16le", file_url(pcm)]
    ffmpeg.run(arguments, deadline_s)
    return pcm


def _within_the_cut(window: Excerpt, pcm: Path, rate: int, step: int) -> bytes:
    source = window.source
    first_ms = source.cut.window.start_ms - source.cut.segment.window.start_ms
    first = first_ms * rate // 1000 - window.pts_offset * rate // source.video.timescale
    with pcm.open("rb") as file:
        file.seek(first * step)
        return file.read(source.cut.window.duration_ms * rate // 1000 * step)


def _encode(  # noqa: PLR0913, PLR0917
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
