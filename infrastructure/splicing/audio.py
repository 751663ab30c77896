"""Which audio packets a clip contains, and when each of them is presented.

An AAC packet is 1024 samples, 21 ms at 48 kHz, and cannot be cut. So where a clip changes from one
recording to the next, their packets overlap or leave a hole of up to a packet.
Each packet is presented at its own time: the last packet before a change gets the duration that
makes it so. Players that ignore durations and play packet after packet must not drift either. So a
second clock, `cursor`, counts whole packets: at each change the packet is chosen whose time is
nearest to it. Such players are then off by at most half a packet at any change.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from attrs import field, frozen

from application.ports import RecordingPiece
from infrastructure.mp4.index import Track
from infrastructure.splicing.frames import CutSource

AAC_OBJECT_TYPES = {2, 5, 29}
"""AAC-LC, and the same with spectral band replication or parametric stereo (14496-3, 1.5.1.1)."""


@frozen
class Packet:
    """A packet of the clip's audio."""

    start: int
    """When the clip presents it, in ticks of the clip's audio."""
    piece: RecordingPiece | None = None
    """Where a recording stores it; None is silence."""


@frozen(eq=False)
class AudioPlan:
    """The packets of a clip's audio, the first of which may begin before 0."""

    template: Track = field(repr=False)
    """The track whose sample entry and timescale the clip's audio has."""
    packets: tuple[Packet, ...] = field(repr=False)
    end: int
    """When the clip ends, in ticks of the clip's audio."""

    @property
    def needs_silence(self) -> bool:
        """Whether there are packets that no recording has."""
        return any(packet.piece is None for packet in self.packets)


def is_audio_copyable(sources: Sequence[CutSource]) -> bool:
    """Return whether the cuts' audio can be in one track as it is stored.

    It must be AAC with one AudioSpecificConfig (14496-3, 1.6.2.1); sample entries may differ.
    """
    tracks = [s.index.audio for s in sources if s.index.audio and audio_in_cut(s)]
    return len({track.config for track in tracks}) == 1 and all(
        track.codec == "mp4a" and len(track.config) > 1 and track.config[0] >> 3 in AAC_OBJECT_TYPES
        for track in tracks
    )


def audio_in_cut(source: CutSource) -> range:
    """Return the numbers of the recording's audio samples that overlap the cut."""
    audio = source.index.audio
    if audio is None:
        return range(0)
    first = source.recording_ticks(source.cut.window.start_ms, audio.timescale)
    end = source.recording_ticks(source.cut.window.end_ms, audio.timescale)
    first, end = max(first, audio.shown_from), min(end, audio.shown_until)
    begin = bisect_right(audio.pts, first) - 1
    if begin < 0 or audio.pts[begin] + audio.durations[begin] <= first:
        begin += 1
    return range(begin, bisect_left(audio.pts, end, lo=begin))


def plan_audio(sources: Sequence[CutSource], duration_ms: int) -> AudioPlan | None:
    """Place the packets of `sources` on the clip's clock, with silence where none is stored.

    None if no cut has audio, or so little that it is not worth a track.
    """
    with_audio = [source for source in sources if audio_in_cut(source)]
    template = next((source.index.audio for source in with_audio), None)
    if template is None:
        return None
    timescale = template.timescale
    step = max(1, sorted(template.durations)[len(template.durations) // 2])
    end = -(-duration_ms * timescale // 1000)
    packets: list[Packet] = []
    cursor: int | None = None

    def add_silence_until(time: int) -> None:
        nonlocal cursor
        while cursor is not None and cursor < time:
            packets.append(Packet(max(cursor, packets[-1].start + 1) if packets else cursor))
            cursor += step

    for source in with_audio:
        cut_end = -(-(source.cut.clip_ms + source.duration_ms) * timescale // 1000)
        for packet, ticks in _packets_in_cut(source, timescale):
            if cursor is None:
                cursor = _first_start(packet.start, step)
            add_silence_until(packet.start - step // 2)
            if cursor >= cut_end:
                break
            is_later = not packets or packet.start > packets[-1].start
            if is_later and packet.start > cursor - (step + 1) // 2:
                packets.append(packet)
                cursor += ticks
    add_silence_until(end)
    if len(packets) == 1 and end < step // 2:
        # So little is left of a packet cut at both ends that ffmpeg reports an empty track.
        return None
    return AudioPlan(template, tuple(packets), end)


def _first_start(packet_start: int, step: int) -> int:
    """Return when the clip's first packet starts: at the latest at 0.

    As few whole packets of `step` ticks as possible precede a stored packet that starts later.
    """
    preceding = max(0, -(-packet_start // step))
    return packet_start - preceding * step


def _packets_in_cut(source: CutSource, timescale: int) -> Iterator[tuple[Packet, int]]:
    """Yield a source's packets, each with its duration in ticks of `timescale`."""
    audio, samples = source.index.audio, audio_in_cut(source)
    if audio is None:
        return
    for i, piece in zip(samples, source.pieces(audio, samples), strict=True):
        start = source.clip_ticks(audio.pts[i], audio.timescale, timescale)
        end = source.clip_ticks(audio.pts[i] + audio.durations[i], audio.timescale, timescale)
        yield Packet(start, piece), end - start
