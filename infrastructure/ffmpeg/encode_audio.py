"""AAC that no recording has: silence between its packets, or the whole clip's audio."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from pathlib import Path

from attrs import define, field

from application.ports import FilePiece
from domain.errors import UnusableFootage
from infrastructure.ffmpeg.excerpt import Excerpt, encoded_track, index_file
from infrastructure.ffmpeg.runner import Ffmpeg, file_url, mp4_input
from infrastructure.mp4.index import Track
from infrastructure.splicing.audio import audio_in_cut
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
MAX_MISSING_PACKETS = 3
"""Decoders give nothing for a first packet or two, and edit lists cut into the ones at the ends."""
MAX_MISSING_MS = 50


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
    at, length = encoded.offsets[FIRST_STEADY_PACKET], encoded.sizes[FIRST_STEADY_PACKET]
    return FilePiece(path, at, length)


def _audio_object(config: bytes) -> tuple[int, int, int]:
    """Read object type, samplingFrequencyIndex and channelConfiguration of an ASC (1.6.2.1)."""
    number = int.from_bytes(config[:2])
    return number >> 11, number >> 7 & 15, number >> 3 & 15


def encode_audio(
    ffmpeg: Ffmpeg, excerpts: Sequence[Excerpt], duration_ms: int, folder: Path, deadline_s: float
) -> EncodedTrack:
    """Decode the audio of each of `excerpts`, put it at its clip time, and encode it as AAC.

    The first sample is presented at the clip's beginning. UnusableFootage if a recording's audio
    decodes to less than its tables state: silence would be taken for the camera's.
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
    encoded, planned = sum(track.durations), -(-duration_ms * track.timescale // 1000)
    if encoded < planned:
        raise UnusableFootage(f"ffmpeg encoded {encoded} of {planned} audio samples.")
    return encoded_track(path, track)


def _decoded(ffmpeg: Ffmpeg, excerpt: Excerpt, rate: int, channels: int, deadline_s: float) -> Path:
    """Decode an excerpt's audio to a file whose first sample is at the excerpt's 0."""
    pcm = excerpt.path.with_suffix(".pcm")
    decoded = DecodedSpans()
    # However many packets are damaged: there is silence in their place.
    arguments = ["-y", "-copyts", "-max_error_rate", "1", *mp4_input(excerpt.path)]
    arguments += ["-map", "0:a:0"]
    arguments += ["-af", f"aresample={rate}:async=1:min_hard_comp=0.01:first_pts=0"]
    arguments += ["-ac", str(channels), "-f", "s16le", file_url(pcm)]
    # What the decoder gives itself: the filter fills up what is missing.
    arguments += ["-map", "0:a:0", "-c:a", "pcm_s16le", "-f", "framecrc", "pipe:1"]
    ffmpeg.run(arguments, deadline_s, on_line=decoded.add_line)
    _check_decoded(excerpt, decoded)
    return pcm


@define
class DecodedSpans:
    """When the frames of decoded audio are presented, by the lines of ffmpeg's framecrc."""

    base: Fraction = Fraction(1)
    spans: list[tuple[Fraction, Fraction]] = field(factory=list)
    """Begin and end of each, in seconds."""

    def add_line(self, line: str) -> None:
        """Add a line of ffmpeg's output."""
        if line.startswith("#tb 0:"):
            self.base = Fraction(line.partition(":")[2].strip())
        elif line[:1].isdecimal():
            pts, duration = map(int, line.split(",")[2:4])
            self.spans.append((pts * self.base, (pts + duration) * self.base))

    def within_s(self, begin: Fraction, end: Fraction) -> Fraction:
        """Return how many seconds of audio there are between two times, in seconds."""
        parts = (min(until, end) - max(since, begin) for since, until in self.spans)
        return sum((part for part in parts if part > 0), Fraction(0))


def _check_decoded(excerpt: Excerpt, decoded: DecodedSpans) -> None:
    """Check that the audio of the cut decodes to as much as its tables state."""
    source, samples = excerpt.source, audio_in_cut(excerpt.source)
    audio, video = source.index.audio, source.video
    if audio is None or not samples:
        return
    zero = Fraction(excerpt.pts_offset, video.timescale)
    # Packets may overlap by the recorder's clock, or leave holes; both are its own.
    planned, until = Fraction(0), Fraction(audio.shown_from, audio.timescale)
    for i in samples:
        begin = max(Fraction(audio.pts[i], audio.timescale), until)
        until = max(Fraction(audio.pts[i] + audio.durations[i], audio.timescale), until)
        planned += max(until - begin, Fraction(0))
    first = Fraction(audio.pts[samples[0]], audio.timescale)
    found = decoded.within_s(first - zero, until - zero)
    packet = Fraction(max(audio.durations[i] for i in samples), audio.timescale)
    allowed = max(MAX_MISSING_PACKETS * packet, Fraction(MAX_MISSING_MS, 1000))
    if found < planned - allowed or (not found and planned > packet):
        raise UnusableFootage(
            f"{source.cut.segment.name} gave {round(found * 1000)} ms of audio"
            f" where {round(planned * 1000)} ms were planned."
        )


def _within_the_cut(excerpt: Excerpt, pcm: Path, rate: int, step_bytes: int) -> bytes:
    source = excerpt.source
    first_ms = source.cut.segment.media_ms(source.cut.window.start_ms)
    first = floor(first_ms * rate / 1000) - excerpt.pts_offset * rate // source.video.timescale
    with pcm.open("rb") as file:
        file.seek(first * step_bytes)
        return file.read(source.duration_ms * rate // 1000 * step_bytes)


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
